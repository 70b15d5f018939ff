"""What the words are worth: what is planted lies where it should, and words are counted as they were said."""

from dataclasses import replace

import numpy as np
import pytest

from ecgviz.checkpoint import predict
from ecgviz.errors import ExplanationError
from ecgviz.pipeline import examine, findings_of
from ecgviz.simulate import simulate
from ecgviz.types import Agreement
from ecgviz.validate.explanations.audit_net import as_model, fresh_net
from ecgviz.validate.verdicts import Verdicts, measure_words
from ecgviz.validate.verdicts.judged import Word, ask, random_seeds
from ecgviz.validate.verdicts.networks import CHECKED, PATIENTS, SPEC, Taught, patient
from ecgviz.validate.verdicts.plants import TASKS, VERSIONS, in_part, varied, version
from ecgviz.validate.verdicts.table import save_words, table
from tests.toys import LEADS


@pytest.fixture(scope="module")
def healthy():
    return simulate("normal", seed=5, fs=SPEC.fs, duration_s=SPEC.duration_s)


def changed_leads(a, b):
    return {lead for lead, row in zip(LEADS, a.signal != b.signal, strict=True) if row.any()}


@pytest.mark.parametrize("name", TASKS)
def test_finding_and_cue_change_their_own_leads_and_nothing_else(name, healthy):
    task, beats = TASKS[name], healthy.truth.beats
    for plant, flags in ((task.finding, (True, False)), (task.cue, (False, True))):
        planted = version(task, healthy.record, beats, with_finding=flags[0], with_cue=flags[1])
        assert changed_leads(planted, healthy.record) == set(plant.leads)
    assert version(task, healthy.record, beats, with_finding=False, with_cue=False) is healthy.record
    places = {(plant.wave, lead) for plant in (task.finding,) for lead in plant.leads}
    assert not places & {(task.cue.wave, lead) for lead in task.cue.leads}


@pytest.mark.parametrize(
    "name", ["ST depression", "lateral ST", "inferior ST", "anterior ST", "inferior ST depression"]
)
def test_a_planted_st_shift_does_not_reach_far_into_t(name, healthy):
    """Criteria measure ST up to 80 ms after J; a shift that fades out through T would be planted elsewhere, too."""
    task, beats, record = TASKS[name], healthy.truth.beats, healthy.record
    shifted = version(task, record, beats, with_finding=True, with_cue=False)
    change = np.abs(shifted.signal - record.signal).max(axis=0)
    at_s = np.arange(change.size) / record.fs
    known = np.isfinite(beats.qrs_off + beats.t_on)
    j, end = beats.qrs_off[known], np.maximum(beats.t_on, beats.qrs_off + 0.09)[known]
    allowed = ((at_s > j[:, None] - 0.021) & (at_s < end[:, None] + 0.011)).any(axis=0)
    assert change[~allowed].max() == 0
    in_st = ((at_s >= j[:, None]) & (at_s <= j[:, None] + 0.08)).any(axis=0)
    assert change[in_st].min() == pytest.approx(change.max(), rel=1e-4)


@pytest.mark.parametrize("name", TASKS)
def test_a_finding_in_part_is_in_some_of_its_leads_and_never_in_all(name, healthy):
    task, beats = TASKS[name], healthy.truth.beats
    seen = set()
    for seed in range(20):
        rng = np.random.default_rng(seed)
        changed = changed_leads(in_part(task, healthy.record, beats, rng, with_cue=False), healthy.record)
        assert changed
        assert changed < set(task.finding.leads)
        seen |= changed
        rng = np.random.default_rng(seed)
        both = changed_leads(in_part(task, healthy.record, beats, rng, with_cue=True), healthy.record)
        assert both == changed | set(task.cue.leads)
    assert seen == set(task.finding.leads)


@pytest.mark.parametrize("name", ["inferior ST", "T inversion", "voltage"])
def test_the_finding_meets_its_criterion_and_the_cue_does_not(name):
    task = TASKS[name]
    made = patient(task, 1, 0)
    for record, (with_finding, _) in list(zip(made.records, VERSIONS, strict=True))[1::2]:
        met = [f for f in findings_of(examine(record), task.label) if f.state == "met"]
        assert bool(met) == with_finding
        inside = {lead for f in met for lead, row in zip(LEADS, f.regions["primary"].inside, strict=True) if row.any()}
        assert len(inside & set(task.finding.leads)) >= min(2, len(inside))


def test_what_is_learnt_from_varies_wildly_but_for_what_is_planted(healthy):
    task, beats = TASKS["T inversion"], healthy.truth.beats
    level = np.median(healthy.record.signal, axis=1)
    b = 2
    first, last = (round(float(m[b]) * SPEC.fs) for m in (beats.t_on, beats.t_off))
    top = first + np.abs(healthy.record.signal[:, first:last] - level[:, None]).argmax(axis=1)
    rows = np.arange(12)
    gains = []
    for seed in range(30):
        record = varied(task, healthy, np.random.default_rng(seed), wild=True)
        gains.append((record.signal[rows, top] - level) / (healthy.record.signal[rows, top] - level))
    low, high = np.min(gains, axis=0), np.max(gains, axis=0)
    kept = np.isin(LEADS, task.finding.leads)
    assert low[kept].min() > 0.7
    assert high[kept].max() < 1.3
    assert high[~kept].min() > 1.5
    assert low[~kept].max() < -0.3


def word(evidence, *, task="inferior ST", network="right", scored=True):
    said = Agreement(evidence, "because", share=0.4, area=0.03, criterion="IMI", method="saliency", label="both")
    return Word(task, scored, "mean", network, "saliency", "a record", said)


def test_words_are_counted_by_task_and_together():
    words = [word("agrees")] * 19 + [word("partly")] + [word("agrees", network="wrong")] + [word("disagrees")] * 0
    words += [word("agrees", task="voltage")] * 20
    rows = {(row.task, row.network): row for row in table(words)}
    right = rows["inferior ST", "right"]
    assert (right.n, right.part) == (20, (0.95, 0.05, 0.0, 0.0))
    assert right.low[0] == pytest.approx(0.764, abs=0.001)  # Wilson, 19 of 20
    assert right.high[0] == pytest.approx(0.991, abs=0.001)
    assert right.met is True
    assert rows["inferior ST", "wrong"].met is False
    assert rows["all", "right"].n == 40
    assert rows["all", "right"].part[0] == pytest.approx(39 / 40)


def a_network(auc, finding_drop, cue_drop, kind="right", whole_auc=0.99):
    return Taught(kind, "mean and maximum", as_model(fresh_net(1, 0), "IMI"), auc, whole_auc, finding_drop, cue_drop)


@pytest.mark.parametrize(
    ("network", "valid"),
    [
        (a_network(0.99, 5.0, 0.5), True),
        (a_network(0.90, 5.0, 0.5), False),
        (a_network(0.99, 5.0, 0.5, whole_auc=0.9), False),
        (a_network(0.99, 0.5, 5.0, "wrong", whole_auc=0.5), True),
        (a_network(0.99, 5.0, 2.0), False),
        (a_network(0.99, 0.5, 5.0), False),
        (a_network(0.99, 0.5, 5.0, "wrong"), True),
        (a_network(0.99, 4.0, 5.0, "half"), True),
        (a_network(0.99, 0.5, 5.0, "half"), False),
    ],
)
def test_a_network_that_was_not_shown_to_have_its_reason_proves_nothing(network, valid):
    assert network.valid is valid
    if not valid:
        assert list(ask(TASKS["inferior ST"], [network], 3, seed=0)) == []


def test_maps_of_a_held_out_record_are_held_against_the_criterion():
    """The path of one record: a network that calls it, its maps and controls, and a word for each."""
    net = fresh_net(1, 0)
    net.output.bias.data += 100.0  # an untrained network that calls everything
    network = Taught("right", "mean and maximum", replace(as_model(net, "IMI"), spec=SPEC), 1.0, 1.0, 5.0, 0.0)
    asked = list(ask(TASKS["inferior ST"], [network], 1, seed=0, methods=("saliency",)))
    assert len(asked) == 1
    (explained,) = asked[0].explained.values()
    assert len(explained.controls["random networks"]) == 5
    assert predict(network.model, asked[0].examined.record, asked[0].examined.beats).positive("IMI")
    assert any(finding.state == "met" for finding in asked[0].findings)


def test_only_records_whose_criterion_is_met_in_all_leads_of_the_finding_are_asked():
    """Of the first four patients, T of the second is inverted by less than 0.1 mV in V2: INVT names V3 and V4 there."""
    net = fresh_net(1, 0)
    net.output.bias.data += 100.0
    network = Taught("right", "mean", replace(as_model(net, "INVT"), spec=SPEC), 1.0, 1.0, 5.0, 0.0)
    task = TASKS["T inversion"]
    asked = list(ask(task, [network], 3, seed=0, methods=("saliency",)))
    first = [patient(task, PATIENTS + CHECKED + number, 0).records[-1].id for number in (0, 2, 3)]
    assert [each.examined.record.id for each in asked] == first
    second = patient(task, PATIENTS + CHECKED + 1, 0).records[-1]
    met = [f for f in findings_of(examine(second), "INVT") if f.state == "met"]
    assert {f.regions["primary"].text for f in met} == {"V3, V4: T"}


def test_every_word_is_written_with_its_scores(tmp_path):
    words = (word("agrees"), word("partly"))
    path = tmp_path / "words.csv"
    save_words(Verdicts(0, (), words, table(words)), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("task,scored,pooling,network,method,record,evidence,share")
    with pytest.raises(ExplanationError, match="exists already"):
        save_words(Verdicts(0, (), words, table(words)), path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"tasks": ("heart",)}, "not measured on task 'heart'; known are tall P"),
        ({"methods": ("guess",)}, "not measured on method 'guess'"),
        ({"poolings": ("median",)}, "not measured on pooling 'median'; known are mean, mean and maximum"),
        ({"seed": -1}, "0 or more"),
        ({"n_records": 0}, "nothing is measured on 0 records"),
    ],
)
def test_refusals_say_what_is_known(arguments, message):
    with pytest.raises(ExplanationError, match=message):
        measure_words(**arguments)


@pytest.mark.parametrize("seed", [0, 3, 9])
def test_no_random_network_is_the_one_with_which_the_training_began(seed):
    assert len(set(random_seeds(seed))) == 5
    assert seed not in random_seeds(seed)

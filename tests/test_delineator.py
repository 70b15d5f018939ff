"""The delineating network: any leads in any order, honest weights, a fit that learns; and spans with known bounds."""

import numpy as np
import pytest
import torch

from ecgviz.beats import delineate, network_beats
from ecgviz.beats.atrial import p_verdicts
from ecgviz.beats.kinds import Signs, beat_kinds
from ecgviz.beats.network import CHUNK_S, card, load_network, read_waves, unseen_by
from ecgviz.beats.scaled import NETWORK_HZ, at_network_rate, scaled
from ecgviz.beats.spans import around, between, overlapping, spans
from ecgviz.beats.spikes import spikes
from ecgviz.errors import InputError, RecordError
from ecgviz.nets.delineator import CLASSES, STRIDE, Delineator
from ecgviz.signal import condition
from ecgviz.simulate import simulate
from ecgviz.training.delineator import Examples, Plan, fit, train_delineator
from ecgviz.training.delineator.examples import IGNORED, from_simulation, painted, together

RECORD = condition(simulate("normal", seed=31, fs=500.0, duration_s=10.0).record)
SIGNAL = at_network_rate(RECORD.signal, RECORD.fs)


def test_the_order_of_leads_permutes_the_leads_and_leaves_the_whole() -> None:
    order = np.random.default_rng(0).permutation(12)
    plain, permuted = read_waves(SIGNAL, load_network()), read_waves(SIGNAL[order], load_network())
    np.testing.assert_allclose(permuted.of_lead, plain.of_lead[order], atol=1e-5)
    np.testing.assert_allclose(permuted.whole, plain.whole, atol=1e-5)


def test_units_are_of_no_matter() -> None:
    np.testing.assert_allclose(scaled(1000 * SIGNAL), scaled(SIGNAL), rtol=1e-4, atol=1e-5)


def test_probabilities_sum_to_one() -> None:
    waves = read_waves(SIGNAL, load_network())
    np.testing.assert_allclose(waves.of_lead.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(waves.whole.sum(axis=0), 1, atol=0.1)


def test_a_long_recording_read_in_chunks_is_read_as_one() -> None:
    long = np.tile(SIGNAL, (1, 5))
    assert long.shape[1] > CHUNK_S * NETWORK_HZ
    net = load_network()
    with torch.inference_mode():
        padded = np.pad(scaled(long), ((0, 0), (0, 0), (0, -long.shape[1] % STRIDE)), mode="edge")
        of_lead = net(torch.from_numpy(padded)[None])[0][0].softmax(dim=1)[..., : long.shape[1]].numpy()
    np.testing.assert_allclose(read_waves(long, net).of_lead, of_lead, atol=2e-3)


def test_every_parameter_gets_a_gradient() -> None:
    torch.manual_seed(0)
    net = Delineator()
    of_lead, whole = net(torch.randn(2, 3, 2, 4 * STRIDE))
    assert of_lead.shape == (2, 3, len(CLASSES), 4 * STRIDE)
    assert whole.shape == (2, len(CLASSES), 4 * STRIDE)
    (of_lead.square().sum() + whole.square().sum()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in net.parameters())


def test_two_networks_are_the_mean_of_their_probabilities() -> None:
    nets, x = load_network(), torch.from_numpy(scaled(SIGNAL[:, : 4 * STRIDE]))[None]
    assert len(nets.members) == 2
    with torch.inference_mode():
        for output, class_axis in ((0, 2), (1, 1)):
            alone = [member(x)[output].softmax(class_axis) for member in nets.members]
            assert not torch.allclose(*alone)
            torch.testing.assert_close(nets(x)[output].softmax(class_axis), (alone[0] + alone[1]) / 2)


def test_no_part_is_judged_on_what_it_has_seen() -> None:
    parts = [unseen_by(f"ludb-{number:03d}") for number in (2, 3, 4, 5, 6)]
    assert parts == [f"fold {k}" for k in range(5)]
    assert unseen_by("ludb-001") == unseen_by("ptbxl-00001") == "all"
    first, other = (load_network(part).members[0].of_lead.weight for part in ("fold 0", "all"))
    assert not torch.equal(first, other)
    assert "LUDB" in card()


def test_methods_by_name() -> None:
    assert "neurokit2 0" in delineate(RECORD, "neurokit").method
    with pytest.raises(InputError, match="no delineation 'best'; there are network, neurokit"):
        delineate(RECORD, "best")


def test_bounds_lie_where_two_classes_are_equally_likely() -> None:
    p = np.zeros(100)
    p[20:41], p[19], p[41] = 0.9, 0.3, 0.1
    probabilities = np.stack([1 - p, np.zeros(100), p, np.zeros(100)])
    ((on, off),) = spans(probabilities, "QRS")
    assert on * NETWORK_HZ == pytest.approx(19 + 0.4 / 1.2)
    assert off * NETWORK_HZ == pytest.approx(40 + 0.8 / 1.6)
    assert spans(probabilities, "P").shape == (0, 2)


def test_short_stretches_are_no_wave_and_short_gaps_no_end() -> None:
    p = np.zeros(200)
    p[10:13] = p[50:70] = p[74:90] = 1.0
    found = spans(np.stack([1 - p, np.zeros(200), p, np.zeros(200)]), "QRS")
    assert len(found) == 1
    np.testing.assert_allclose(NETWORK_HZ * found[0], (49.5, 89.5))


def test_stretches_go_to_their_beats() -> None:
    found = np.array([[0.9, 1.0], [1.95, 2.05], [2.5, 2.6]])
    assert around(np.array([0.95, 2.0, 3.5]), found).tolist() == [0, 1, -1]
    after, before = np.array([0.5, 1.5]), np.array([1.5, 3.0])
    np.testing.assert_array_equal(between(found, after, before, "last"), [[0.9, 1.0], [2.5, 2.6]])
    np.testing.assert_array_equal(overlapping(found, np.array([[0.95, 1.2], [np.nan, np.nan]]))[0], [0.9, 1.0])
    assert np.isnan(overlapping(found, np.array([[3.0, 3.1]]))).all()


def test_a_spike_makes_a_beat_paced_and_takes_its_p_wave() -> None:
    beats = delineate(RECORD)
    signal = np.array(RECORD.signal)
    for on in beats.qrs_on[np.isfinite(beats.qrs_on)]:
        at = round((on - 0.03) * RECORD.fs)
        signal[:, at : at + 2] += 2.0 * np.sign(signal.mean(axis=1, keepdims=True) + 0.1)
    paced = network_beats(condition(type(RECORD)(signal=signal, fs=500.0, leads=RECORD.leads, id="paced")))
    whole = ~paced.edge
    assert {kind for kind, inner in zip(paced.kind, whole, strict=True) if inner} == {"paced"}
    assert np.isnan(paced.p_on[whole]).all()
    assert "pacing spike" in paced.why_no_p[3]
    error_s = np.abs(paced.qrs_on - beats.qrs_on)[whole]
    assert np.median(error_s) < 0.006, "a spike 30 ms ahead is no part of the QRS complex"
    assert np.isnan(spikes(np.array(RECORD.signal, dtype=float), RECORD.fs, beats.qrs_on)).all()


def test_marks_of_leads_become_classes_and_a_beat_as_a_whole() -> None:
    waves = {
        "P": np.array([[0.1, 0.15, 0.2]]),
        "QRS": np.array([[0.3, 0.35, 0.4]]),
        "T": np.array([[np.nan, 0.7, 0.8]]),
    }
    classes = painted(waves, 250)
    assert classes[10] == classes[225] == IGNORED
    assert classes[round(0.15 * 250)] == CLASSES.index("P")
    assert classes[round(0.35 * 250)] == CLASSES.index("QRS")
    assert classes[round(0.25 * 250)] == CLASSES.index("none")
    assert classes[round(0.7 * 250)] == IGNORED
    later = {wave: rows + 0.01 for wave, rows in waves.items()}
    whole = together({"I": waves, "II": waves, "III": later, "aVR": later})
    np.testing.assert_allclose(whole["P"], [[0.105, 0.155, 0.205]])
    assert together({"I": waves, "II": waves})["P"].shape == (0, 3)


def test_a_fit_learns_and_is_the_same_again() -> None:
    examples = Examples([from_simulation("normal", 10_001)], [], [], [])
    plan = Plan(marked=2, planted=0, with_p=0, without_p=0, steps=12)
    losses: list[float] = []
    first = fit(examples, plan, 3, lambda step, loss: losses.append(loss))
    again = fit(examples, plan, 3)
    assert losses[-1] < losses[0]
    for one, other in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def test_training_refuses_a_folder_that_is_not_ludb(tmp_path) -> None:
    with pytest.raises(RecordError, match="no folder of LUDB"):
        train_delineator(tmp_path, tmp_path, tmp_path / "w.safetensors")
    assert not list(tmp_path.iterdir())


def test_an_irregular_rhythm_with_few_p_waves_has_none_and_a_regular_one_keeps_them() -> None:
    few = np.array([True, False, False, False, False, True, False, False])
    none, own = np.zeros(8, dtype=bool), np.ones(8, dtype=bool)
    irregular = np.cumsum([0.6, 0.9, 0.5, 1.1, 0.7, 0.6, 1.2, 0.8])
    verdicts = p_verdicts(few, none, irregular, own)
    assert all("irregular" in why and "25 %" in why for why in verdicts)
    verdicts = p_verdicts(few, none, 0.8 * np.arange(1, 9), own)
    assert [why == "" for why in verdicts] == few.tolist()
    assert "record begins" in p_verdicts(~few, none, 0.8 * np.arange(8), own)[0]
    assert "pacing spike" in p_verdicts(own, own, irregular, own)[0]


def test_kinds_of_beats_by_their_signs() -> None:
    r_s = np.array([0.8, 1.6, 2.4, 2.9, 4.0, 4.8, 5.3, 6.4, 7.2])
    alike, none = np.ones(9, dtype=bool), np.zeros(9, dtype=bool)
    pr_s, width = np.full(9, 0.16), np.full(9, 0.09)
    alike[6], pr_s[6], width[6] = False, np.nan, 0.16
    kinds = beat_kinds(Signs(r_s, alike, width, pr_s, none, none))
    assert [k for k in range(9) if kinds[k] == "premature_atrial"] == [3]
    assert [k for k in range(9) if kinds[k] == "premature_ventricular"] == [6]
    assert kinds.count("normal") == 7
    in_time = 0.8 * np.arange(1, 10)
    assert beat_kinds(Signs(in_time, alike, width, pr_s, none, none))[6] == "premature_ventricular"
    for own_s, kind in ((0.18, "unsure"), (0.30, "premature_ventricular")):  # a P wave by chance is not its own
        pr_s[6] = own_s
        assert beat_kinds(Signs(in_time, alike, width, pr_s, none, none))[6] == kind
        assert beat_kinds(Signs(r_s, alike, width, pr_s, none, none))[6] == "premature_ventricular"
    without = beat_kinds(Signs(r_s, alike, width, np.full(9, np.nan), none, none))
    assert "premature_atrial" not in without  # early beats tell nothing where no beat has a P wave

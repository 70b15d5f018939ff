"""A study's file, who reads what in which order, and the folder that is made of it."""

import itertools
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from ecg_files import damaged_member
from review_studies import definition, item

from ecgviz.checkpoint import Model
from ecgviz.errors import EcgvizError, ReviewError
from ecgviz.evidence import evidence
from ecgviz.explain import explain, explain_controls
from ecgviz.records import load_record
from ecgviz.review import create as creating
from ecgviz.review import material, scores, store
from ecgviz.review.design import RANDOMISED, conditions, item_id, lettered, turns
from ecgviz.review.marks import region_of_cells
from ecgviz.review.places import places
from ecgviz.review.study import read_study
from ecgviz.types import ATOMS, WAVES


def written(path: Path, **changes: Any) -> Path:
    content = definition().model_dump(mode="json") | changes
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"readers": [{"pseudonym": "Dr. Meier"}]}, "field readers.0.pseudonym: a pseudonym is one to three capitals"),
        ({"records": [{"source": "a", "patient": "Erika Mustermann"}]}, "never a name"),
        ({"records": [{"source": "a", "reference": "LVH"}]}, "the reference 'LVH' is none of MI, NORM, none of these"),
        ({"records": [{"source": "a"}, {"source": "a"}]}, "records: a is given more than once"),
        ({"readers": [{"pseudonym": "R1"}]}, "nobody has the role owner"),
        ({"readers": [{"pseudonym": "O1", "role": "owner"}]}, "nobody has the role reader"),
        ({"labels": []}, "field labels: Tuple should have at least 1 item"),
        ({"colour": "red"}, "field colour: Extra inputs are not permitted"),
        ({"id": "../elsewhere"}, "field id: String should match"),
        ({"arms": ["placebo"]}, "field arms.0: Input should be 'attention', 'attribution', 'both' or 'randomised'"),
    ],
)
def test_a_study_that_cannot_be_is_refused_by_its_field(tmp_path: Path, changes: dict[str, Any], said: str):
    with pytest.raises(ReviewError, match=said):
        read_study(written(tmp_path / "study.yaml", **changes))


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path):
    (tmp_path / "study.yaml").write_text("a: [")
    with pytest.raises(ReviewError, match=r"study.yaml cannot be read as YAML"):
        read_study(tmp_path / "study.yaml")


def test_arms_are_made_of_the_methods_of_each_kind():
    methods = {"methods": ["attention_joint", "attention_beat", "saliency"]}
    attention = frozenset({"attention_joint", "attention_beat"})
    arms = definition(**methods, arms=["attention", "attribution", "both", "randomised"])
    made = Counter((each.arm, each.methods) for each in conditions(arms, attention))
    assert made == {
        ("attention", ("attention_joint",)): 1,
        ("attention", ("attention_beat",)): 1,
        ("attribution", ("saliency",)): 1,
        ("both", ("attention_joint", "saliency")): 1,
        ("both", ("attention_beat", "saliency")): 1,
        ("randomised", ("saliency",)): 1,
    }
    alone = conditions(definition(**methods, explain="each", models=["a", "b"]), attention)
    assert len(alone) == 3 * 2 * 2
    assert {each.arm for each in alone} == {"alone"}


@pytest.mark.parametrize(
    ("n_readers", "n_records", "n_conditions", "rounds"), [(4, 12, 4, 1), (6, 12, 3, 2), (3, 8, 4, 1)]
)
def test_the_order_is_balanced(n_readers: int, n_records: int, n_conditions: int, rounds: int):
    study = definition(n_readers, n_records, rounds=rounds, seed=5)
    made = turns(study, n_records, n_conditions)
    for places_of in made.values():
        assert Counter(record for record, _ in places_of) == dict.fromkeys(range(n_records), rounds)
        assert len(set(places_of)) == len(places_of)  # never the same recording under the same condition
        met = Counter(condition for _, condition in places_of)
        assert set(met) == set(range(n_conditions))
        assert max(met.values()) - min(met.values()) <= rounds
        for first, second in zip(places_of, places_of[n_records:], strict=False):
            assert first[0] == second[0]  # a recording comes again as late as it can
    for record in range(n_records):
        over_readers = Counter(c for each in made.values() for r, c in each if r == record)
        assert (
            max(over_readers.values()) - min(over_readers.values() if len(over_readers) == n_conditions else [0])
            <= rounds
        )
    for place in range(n_records):
        assert len({each[place][0] for each in made.values()}) == n_readers  # nobody reads the same one at once
    neighbours = Counter((a[0], b[0]) for each in made.values() for a, b in itertools.pairwise(each[:n_records]))
    assert max(neighbours.values()) == 1


def test_conditions_are_balanced_over_readers_and_rounds():
    """All small studies: a recording's conditions differ by one reading at most, a reader meets none of them twice."""
    for n_readers, n_conditions in itertools.product(range(1, 7), range(1, 7)):
        for rounds in range(1, n_conditions + 1):
            made = turns(definition(n_readers, 4, rounds=rounds, seed=7), 4, n_conditions)
            for each in made.values():
                assert len(set(each)) == len(each)
            for record in range(4):
                met = Counter(c for each in made.values() for r, c in each if r == record)
                assert max(met.values()) - min(met[c] for c in range(n_conditions)) <= 1, (n_readers, n_conditions)


def test_the_order_comes_from_the_seed():
    assert turns(definition(4, 9, seed=3), 9, 4) == turns(definition(4, 9, seed=3), 9, 4)
    assert turns(definition(4, 9, seed=3), 9, 4) != turns(definition(4, 9, seed=4), 9, 4)


def study_of(narrow_model: Model, monkeypatch: pytest.MonkeyPatch, **changes: Any):
    monkeypatch.setattr(creating, "load_model", lambda name: narrow_model)
    return definition(
        **{
            "labels": ["MI", "NORM"],
            "records": [{"source": "demo:inferior_stemi"}, {"source": "demo:normal", "reference": "NORM"}],
            "models": ["narrow"],
            "methods": ["attention_joint", "saliency"],
            "arms": ["both", "randomised"],
        }
        | changes
    )  # fmt: skip


def test_a_study_keeps_what_readers_are_shown(narrow_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    readers = [
        {"pseudonym": "R1"},
        {"pseudonym": "R2"},
        {"pseudonym": "A1", "role": "adjudicator"},
        {"pseudonym": "O1", "role": "owner"},
    ]
    made = creating.create(study_of(narrow_model, monkeypatch, readers=readers), tmp_path, tmp_path / "studies")
    assert set(made.codes) == {"R1", "R2", "A1", "O1"}
    assert sorted(path.name for path in (tmp_path / "studies").iterdir()) == ["pilot"]
    assert [turn.item.record_id for turn in store.turns(made.folder, "A1")] == ["demo:inferior_stemi"]
    shown = {turn.item.arm: turn.item for name in ("R1", "R2") for turn in store.turns(made.folder, name)}
    both, twin = shown["both"], shown["randomised"]
    reading = material.reading(made.folder, both.record_sha256)
    original = load_record(both.record_id)
    assert reading.record.key == original.key
    maps = sorted(material.maps_of(made.folder, both), key=lambda each: each.explanation.method)
    assert [each.explanation.method for each in maps] == ["attention_joint", "saliency"]
    again = explain(narrow_model, original, both.label, "saliency", reading.beats)
    assert maps[1].explanation.values == pytest.approx(again.values)
    (random,) = material.maps_of(made.folder, twin)
    genuine = explain(
        narrow_model,
        load_record(twin.record_id),
        twin.label,
        "saliency",
        material.reading(made.folder, twin.record_sha256).beats,
    )
    assert random.explanation.values.shape == genuine.values.shape
    assert not (random.explanation.values == genuine.values).all()
    assert set(maps[1].controls) == {"|x|", "|dx/dt|", "random networks"}


@pytest.mark.parametrize("n_random", [3, 1])
def test_a_map_of_a_random_network_is_no_control_of_itself(
    narrow_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, n_random: int
):
    monkeypatch.setattr(material, "explain_controls", partial(explain_controls, seeds=tuple(range(n_random))))
    kept = material.reading_of(load_record("demo:normal"))
    shown = material.shown_by(narrow_model, kept, "MI", "saliency", controlled=True, seed=0)
    genuine = item(0, record_sha256=kept.record.key, model_sha256=narrow_model.digest)
    name = material.map_id(genuine.record_sha256, genuine.model_sha256, "MI", "saliency")
    material.keep(shown, tmp_path, material.MAPS, name)
    (trained,) = material.maps_of(tmp_path, genuine)
    assert len(trained.controls["random networks"]) == n_random
    (twin,) = material.maps_of(tmp_path, replace(genuine, arm=RANDOMISED))
    own = evidence(twin.explanation, kept.beats).pos
    assert len(twin.controls["random networks"]) == n_random - 1
    assert not any((each.pos == own).all() for each in twin.controls["random networks"])
    region = region_of_cells([("II", "ST")], kept.beats, kept.record.leads)
    held = {each.name: each for each in scores.hold(twin, kept, region, seed=0).controls}
    assert np.isfinite([held["|x|"].excess, held["|dx/dt|"].excess]).all()
    assert np.isnan(held["random networks"].excess) == (n_random == 1)  # alone, it has no other to be held against


def test_the_letters_of_two_maps_tell_no_kind():
    methods = ("attention_joint", "saliency")
    made = [lettered(item_id(f"{n:064d}", "m", "MI", "both", methods), methods) for n in range(200)]
    assert all(set(each) == set(methods) for each in made)
    assert 70 < sum(each == methods for each in made) < 130
    assert lettered("f" * 16, methods[:1]) == methods[:1]


def test_a_recording_of_a_study_that_is_damaged_is_refused(tmp_path: Path):
    kept = material.reading_of(load_record("demo:normal"))
    material.keep(kept, tmp_path, material.RECORDS, kept.record.key[:16])
    assert material.reading(tmp_path, kept.record.key).record.key == kept.record.key
    (file,) = (tmp_path / material.RECORDS).iterdir()
    whole = file.read_bytes()
    for data in (damaged_member(whole, "described.npy"), whole[: len(whole) // 2], b""):
        file.write_bytes(data)
        with pytest.raises(ReviewError, match=rf"records/{file.name} of the study is damaged"):
            material.reading(tmp_path, kept.record.key)


def test_places_are_the_cells_with_most_mass_where_they_are_strongest(narrow_model: Model):
    record = load_record("demo:normal")
    reading = material.reading_of(record)
    grid = evidence(explain(narrow_model, record, "MI", "saliency", reading.beats), reading.beats)
    found = places(grid, reading.beats)
    shares = grid.beat()
    assert shares is not None
    assert [each.share for each in found] == sorted(shares.ravel(), reverse=True)[:5]
    first = found[0]
    columns = [ATOMS.index(atom) for atom in WAVES[first.wave]]
    masses = grid.pos[grid.leads.index(first.lead)][:, columns].sum(axis=1)
    segments = reading.beats.segments()[int(masses.argmax()), columns]
    assert first.span.start_s == pytest.approx(segments.min(), abs=0.001)
    assert first.span.end_s == pytest.approx(segments.max(), abs=0.001)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["MI", "NORM", "LVH"]}, "narrow knows no label 'LVH'"),
        ({"methods": ["attention_age"]}, "age"),
        (
            {"methods": ["attention_joint"], "arms": ["attribution"]},
            "none of the methods can fill the arm 'attribution'",
        ),
        ({"rounds": 3}, "3 rounds show each recording under 3 conditions, and there are 2"),
        (
            {"records": [{"source": "demo:normal"}, {"source": "demo:nothing"}]},
            "recording 2 of the study: there is no demo",
        ),
        ({"records": [{"source": "secret-name.csv"}]}, "recording 1 of the study"),
    ],
)
def test_a_study_that_cannot_be_made_leaves_nothing_behind(
    narrow_model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], said: str
):
    with pytest.raises(EcgvizError, match=said):
        creating.create(study_of(narrow_model, monkeypatch, **changes), tmp_path, tmp_path / "studies")
    assert not list(tmp_path.glob("studies/*"))

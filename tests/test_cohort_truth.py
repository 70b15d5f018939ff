"""What a cohort's tables and clusters say is true of rows that were made to have one answer."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_cohort_summary import FINDING, INFERIOR, ST, kept, region, row, settings, shares

from ecgviz.cohort import Cohort
from ecgviz.cohort.class_map import by_wave, class_map, place_p
from ecgviz.cohort.clusters import NEAREST, clusters
from ecgviz.cohort.files import opened_to_write, write_records, write_rows
from ecgviz.cohort.question import Question
from ecgviz.cohort.resample import above_best
from ecgviz.cohort.schema import LEADS
from ecgviz.cohort.summary import agreement, criteria, parted
from ecgviz.errors import CohortError
from ecgviz.types import WAVES

ALL = Question("net", "looks", "IMI", "all")
LATERAL = [LEADS.index(lead) for lead in ("I", "aVL", "aVR")]
SEEDS = range(8)


def stored(store: Path, records: list[dict[str, Any]], rows: dict[str, list[dict[str, Any]]]) -> Cohort:
    """Return a store of recordings and of each method's rows."""
    with opened_to_write(store, [settings(method) for method in rows]):
        write_records(store, records)
        for method, some in rows.items():
            write_rows(store, settings(method), some)
    return Cohort(store)


def alone(n: int) -> list[dict[str, Any]]:
    """Return recordings of n patients, one each."""
    return [{"record": f"r{k:03d}", "patient": f"p{k}"} for k in range(n)]


def number(record: str) -> int:
    return int(record[1:])


# agreement and criteria


def test_of_two_records_of_a_patient_the_least_convincing_counts(tmp_path: Path) -> None:
    """One map of each patient is in phase, now the first and now the second; nobody's worst one is."""
    rng = np.random.default_rng(0)
    rows = [row(k, shares(0.4, rng), p_phase=0.9 if (k + k // 2) % 2 else 0.01) for k in range(40)]
    records = [{"record": f"r{k:03d}", "patient": f"p{k // 2}"} for k in range(40)]
    (found,) = agreement(stored(tmp_path / "store", records, {"looks": rows}), ALL).to_dict("records")
    assert found["p_time"] == 1.0


@pytest.mark.parametrize(
    ("share", "area", "control", "n", "used"),
    [
        (0.30, 0.04, 0.15, 60, "yes"),
        (0.30, 0.30, 0.15, 60, "open"),  # above every control, and no more than an even spread
        (0.30, 0.50, 0.15, 60, "no"),
        (0.30, 0.50, 0.30, 60, "no"),  # as much as a control, and clearly less than an even spread
        (0.30, 0.04, 0.50, 60, "no"),
        (0.30, 0.04, 0.30, 60, "open"),
        (0.30, 0.04, 0.15, 10, "yes"),
        (0.30, 0.04, 0.15, 9, "few"),
    ],
)
def test_a_criterion_is_used_above_its_area_and_above_controls(
    tmp_path: Path, share: float, area: float, control: float, n: int, used: str
) -> None:
    rng, rows = np.random.default_rng(5), []
    for k in range(n):
        own = share + 0.02 * (-1) ** k
        held = [{"name": "|x|", "share": control}]
        finding = FINDING | {"share": own, "area": area, "controls": held}
        rows.append(row(k, shares(own, rng), area=area, controls=held, findings=[finding]))
    assert criteria(kept(tmp_path / "store", rows), ALL).used.tolist() == [used]


def test_the_best_control_of_a_cohort_is_chosen_anew_in_each_draw() -> None:
    """Both controls are as good as the map on average; in a draw one of them is better, as far as draws differ."""
    turns = np.where(np.arange(40) % 2, 1.0, -1.0)
    over, low, high, _ = above_best(np.column_stack([np.zeros(40), turns, -turns]), np.arange(40))
    assert over == high == 0
    assert low < -0.2


def test_records_are_divided_by_age_at_the_stated_limits(tmp_path: Path) -> None:
    rng, ages = np.random.default_rng(0), [39.9, 40.0, 59.9, 60.0, 74.9, 75.0, None]
    records = [one | {"age_years": age} for one, age in zip(alone(len(ages)), ages, strict=True)]
    rows = [row(k, shares(0.4, rng)) for k in range(len(ages))]
    by = agreement(stored(tmp_path / "store", records, {"looks": rows}), ALL, by="age").set_index("member")
    assert by.n_records.to_dict() == {"under 40": 1, "40 to 59": 2, "60 to 74": 2, "75 and older": 1, "not known": 1}


# places


def test_a_place_that_is_clearly_less_is_as_clear_as_one_that_is_more(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    one, two = ([row(k, shares(0.4, rng, leads)) for k in range(30)] for leads in (INFERIOR, LATERAL))
    cohort = stored(tmp_path / "store", alone(30), {"one": one, "two": two})
    found = parted(cohort, Question("net", "one", "IMI", "all"), "two").set_index("place")
    assert found.clear[["aVF", "aVL", "ST"]].tolist() == [True, True, False]
    assert found.difference["aVF"] > 0 > found.difference["aVL"]


def test_a_guideline_is_the_mean_over_records_in_which_it_points_somewhere(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = [row(k, shares(0.4, rng), **({"region": None} if k % 4 else {})) for k in range(40)]
    found = class_map(kept(tmp_path / "store", rows), ALL)
    assert (found.n_records, found.n_guideline) == (40, 10)
    np.testing.assert_array_equal(found.guideline, region())


def test_exchanges_of_chest_leads_are_counted_like_those_of_limb_leads() -> None:
    """Three leads of six are one choice of 20; three of either group are one of 400."""
    front, side = ([LEADS.index(lead) for lead in some] for some in (("V1", "V2", "V3"), ("V4", "V5", "V6")))
    asked, rng = np.zeros((1, 12, 9)), np.random.default_rng(0)
    asked[:, front, ST] = 1
    assert place_p(shares(1.0, rng, front)[None], asked) == pytest.approx(1 / 20)
    assert place_p(shares(1.0, rng, side)[None], asked) == 1
    assert place_p(shares(1.0, rng, [*front, *INFERIOR])[None], asked + region()) == pytest.approx(1 / 400)


# clusters


def test_clusters_find_what_was_mixed_whatever_the_mass(tmp_path: Path) -> None:
    """20 maps of inferior leads among 50, every other map with a thousand times the mass."""
    rng, inferior = np.random.default_rng(2), {k for k in range(50) if k % 5 < 2}
    mass = [shares(0.6, rng, INFERIOR if k in inferior else LATERAL) * (1000 if k % 2 else 1) for k in range(50)]
    cohort = kept(tmp_path / "store", [row(k, mass[k], stated=k in inferior) for k in range(50)])
    st = list(WAVES).index("ST")
    for seed in SEEDS:
        found = clusters(cohort, ALL, 2, seed=seed)
        assert (found.sizes, found.stated) == ((30, 20), (0, 1))
        assert {number(name) for name, m in zip(found.records, found.members, strict=True) if m} == inferior
        for centre, leads in zip(found.centres, (LATERAL, INFERIOR), strict=True):
            assert centre.sum() == pytest.approx(1, abs=1e-5)
            assert centre[leads, st].sum() == pytest.approx(0.6, abs=1e-5)
    assert clusters(cohort, ALL, 2, seed=SEEDS[-1]).members == found.members
    with pytest.raises(CohortError, match="too few"):
        clusters(cohort, Question("net", "looks", "nothing", "all"), 2)


def test_the_records_shown_of_a_cluster_are_those_next_to_its_own_centre(tmp_path: Path) -> None:
    """The centre is the mean of the square roots, as in any k-means of points."""
    mass = [shares(0.6, np.random.default_rng(k), INFERIOR if k % 5 < 2 else LATERAL) for k in range(50)]
    cohort = kept(tmp_path / "store", [row(k, each) for k, each in enumerate(mass)])
    points = np.stack([np.sqrt(by_wave(each)).ravel() for each in mass])
    for seed in SEEDS:
        found = clusters(cohort, ALL, 2, seed=seed)
        for each, nearest in enumerate(found.nearest):
            own = np.array([number(name) for name, m in zip(found.records, found.members, strict=True) if m == each])
            away = np.linalg.norm(points[own] - points[own].mean(axis=0), axis=1)
            assert [number(name) for name in nearest] == own[np.argsort(away)[:NEAREST]].tolist()


def test_a_small_share_that_comes_and_goes_parts_more_than_a_large_one_that_sways(tmp_path: Path) -> None:
    """By Hellinger's distance: a share of 0 or 0.04 weighs more than one of 0.43 or 0.53."""
    rows = []
    for k in range(40):
        mass = np.zeros((12, 9))
        small, sway = 0.04 * (k % 2), 0.05 * (-1) ** (k // 2)
        mass[0, ST], mass[6, ST], mass[8, ST] = small, 0.48 + sway - small / 2, 0.52 - sway - small / 2
        rows.append(row(k, mass))
    found = clusters(kept(tmp_path / "store", rows), ALL, 2)
    assert len({(number(name) % 2, m) for name, m in zip(found.records, found.members, strict=True)}) == 2

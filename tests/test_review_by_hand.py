"""What a reader study counts, on a few answers from which every number follows by hand."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

import numpy as np
import pytest
from review_studies import AFTER, BEFORE, item

from ecgviz.review import agreed
from ecgviz.review.counted import Counting, Given, Result, against_maps
from ecgviz.review.marks import Cell, asked_beats
from ecgviz.review.scores import MarkedAgainst
from ecgviz.types.verdict import Held
from tests.toys import even_beats

COUNTING = Counting(draws=20, seed=0)
KAPPA, AC2, ALPHA = (
    "Cohen's kappa, quadratic weights",
    "Gwet's AC2, quadratic weights",
    "Krippendorff's alpha, ordinal",
)


def by_name(made: Iterable[Result]) -> Mapping[tuple[str, str], Result]:
    return {(each.name, each.of): each for each in made}


def rated(i: int, reader: str, plausible: int, agree: int, leads: int) -> Given:
    rating = {"explanation_plausible": plausible, "agree_with_prediction": agree, "leads_correct": leads}
    return Given(item(i), reader, "after", replace(AFTER, **rating))


@pytest.fixture(scope="module")
def ratings() -> Mapping[tuple[str, str], Result]:
    """Two readers on four items: the same of the prediction, the opposite of the leads, and between these of the map.

    Both read a fifth recording too, with different maps: ratings of these are ratings of two things.
    """
    plausible = {"R1": (5, 5, 1, 2), "R2": (5, 1, 1, 2)}
    agree, leads = (2, 4, 5, 1), {"R1": (1, 5, 1, 5), "R2": (5, 1, 5, 1)}
    given = [rated(i, who, plausible[who][i], agree[i], leads[who][i]) for who in plausible for i in range(4)]
    for who, rating in (("R1", 1), ("R2", 5)):
        other = rated(4, who, rating, rating, rating)
        given.append(replace(other, item=replace(other.item, item_id=f"item-4-{who}")))
    own = [replace(each, phase="before", answer=BEFORE) for each in given]
    return by_name(agreed.rating_agreement(COUNTING, [*own, *given]))


def test_equal_ratings_agree_wholly_and_opposite_ones_not_at_all(ratings: Mapping[tuple[str, str], Result]) -> None:
    same, opposite = "agree with prediction", "leads correct"
    assert [ratings[name, same].estimate.value for name in (KAPPA, AC2, ALPHA)] == pytest.approx([1, 1, 1])
    assert ratings[KAPPA, opposite].estimate.value == pytest.approx(-1)
    by_chance = 18.75 * (0.25 + 0.25) / 20  # 18.75 is the sum of the weights 1 - d^2 / 16 of five ratings
    assert ratings[AC2, opposite].estimate.value == pytest.approx(-by_chance / (1 - by_chance))


def test_agreement_on_ratings_is_counted_by_hand(ratings: Mapping[tuple[str, str], Result]) -> None:
    """Ratings 5 5 1 2 and 5 1 1 2: they differ once, by as much as can be."""
    of = "explanation plausible"
    assert all(ratings[name, of].n == 4 for name in (KAPPA, AC2, ALPHA))
    assert ratings[KAPPA, of].estimate.value == pytest.approx(1 - (16 / 4) / (110 / 16))
    by_chance = 18.75 * (2 * 0.375 * 0.625 + 0.25 * 0.75) / 20
    assert ratings[AC2, of].estimate.value == pytest.approx((0.75 - by_chance) / (1 - by_chance))
    # three 1, two 2, three 5: 1 and 5 are 8 - 3 ranks apart, each of them 5 - 2.5 from 2
    assert ratings[ALPHA, of].estimate.value == pytest.approx(1 - 25 / ((9 * 25 + 2 * 6 * 6.25) / 7))


def test_confidence_is_compared_over_the_same_recordings_before_and_after() -> None:
    """By hand: before, two readers are always 20 points apart; after, they say the same."""
    given = []
    for i, confidence in enumerate((10, 40, 70)):
        for who, more in (("R1", 0), ("R2", 20)):
            given.append(Given(item(i), who, "before", replace(BEFORE, confidence=confidence + more)))
            given.append(Given(item(i), who, "after", replace(AFTER, confidence=confidence)))
    made = by_name(agreed.rating_agreement(COUNTING, given))
    # mean squares: 1800 between recordings, 600 between readers, 0 of the rest
    assert made["ICC(2,1)", "confidence before"].estimate.value == pytest.approx(1800 / (1800 + 2 * 600 / 3))
    assert made["ICC(2,1)", "confidence after"].estimate.value == pytest.approx(1)


def test_marks_agree_on_average_over_pairs_of_readers_and_patients_are_counted() -> None:
    """Three pairs on one recording, with Dice 1, 2/3 and 2/3, and one with 0 on another of the same patient."""
    one, two = ("II", "ST"), ("III", "ST")
    marked: list[tuple[int, str, tuple[Cell, ...]]] = [
        (0, "R1", (one,)),
        (0, "R2", (one,)),
        (0, "R3", (one, two)),
        (1, "R1", (one,)),
        (1, "R2", (two,)),
    ]
    own = [Given(item(i, patient_id="P"), who, "before", replace(BEFORE, cells=cells)) for i, who, cells in marked]
    after = [replace(each, phase="after", answer=replace(AFTER, cells=(("V1", "P"),))) for each in own]
    made = by_name(agreed.mark_agreement(COUNTING, [*after, *own]))["Dice of cells", "pairs of readers"]
    assert made.estimate.value == pytest.approx((1 + 2 / 3 + 2 / 3 + 0) / 4)
    assert (made.n, made.estimate.n_patients) == (4, 1)


def test_maps_that_agree_with_the_marks_are_counted_among_those_that_can_be_judged() -> None:
    """One arm's maps: one agrees, two do not, and one cannot be judged; the other arm's all agree."""
    said = {
        "alone": [
            ("agrees", 0.6, 0.1),
            ("partly", 0.4, 0.3),
            ("disagrees", 0.2, 0.2),
            ("not assessable",) + (np.nan,) * 2,
        ],
        "both": [("agrees", 0.9, 0.5)] * 2,
    }
    marked = [
        MarkedAgainst("R1", f"i{i}", f"P{i}", arm, "input_x_gradient", Held(evidence, "", share, area))
        for arm, held in said.items()
        for i, (evidence, share, area) in enumerate(held)
    ]
    made = by_name(against_maps(COUNTING, marked))
    alone, both = "alone: input x gradient", "both: input x gradient"
    found = {(name, of): (each.estimate.value, each.n) for (name, of), each in made.items()}
    assert found["Maps that agree with the marks", alone] == (pytest.approx(1 / 3), 3)
    assert found["Share of the map in the marks", alone] == (pytest.approx(0.4), 3)
    assert found["Area of the marks", alone] == (pytest.approx(0.2), 3)
    assert found["Maps that agree with the marks", both] == (1, 2)
    assert found["Share of the map in the marks", both] == (pytest.approx(0.9), 2)


def test_a_mark_under_premature_beats_speaks_of_none_that_an_end_cuts() -> None:
    kind = tuple("premature_ventricular" if b in (0, 4, 8) else "normal" for b in range(9))
    cut = np.isin(np.arange(9), (0, 8))
    beats = replace(even_beats(9), kind=kind, edge=cut)
    assert np.flatnonzero(asked_beats("PVC", beats)).tolist() == [4]
    assert np.flatnonzero(asked_beats("IMI", beats)).tolist() == [1, 2, 3, 5, 6, 7]
    only_cut = replace(beats, kind=tuple("premature_ventricular" if b in (0, 8) else "normal" for b in range(9)))
    assert np.flatnonzero(asked_beats("PVC", only_cut)).tolist() == [1, 2, 3, 4, 5, 6, 7]

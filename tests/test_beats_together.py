"""P waves that only the beats of a regular rhythm together show: planted probabilities whose answer is known."""

import numpy as np
import pytest

from ecgviz.beats.scaled import NETWORK_HZ
from ecgviz.beats.spans import CLASS
from ecgviz.beats.together import p_together
from ecgviz.types.arrays import FloatArray

BEATS = 10
NONE_FOUND = np.full((BEATS, 2), np.nan)


def doubted(qrs_on_s: FloatArray, p_s: FloatArray, share: FloatArray) -> FloatArray:
    """Return probabilities (K, T) with QRS complexes of 100 ms, and a bump of P of 100 ms in the middle of ``p_s``."""
    time_s = np.arange(round((qrs_on_s[-1] + 1) * NETWORK_HZ)) / NETWORK_HZ
    found = np.zeros((4, time_s.size))
    for on, middle, height in zip(qrs_on_s, p_s, share, strict=True):
        found[CLASS["QRS"], (time_s >= on) & (time_s < on + 0.1)] = 1.0
        found[CLASS["P"]] += height * np.clip(1 - ((time_s - middle) / 0.07) ** 2, 0, None)
    found[0] = 1 - found.sum(axis=0)
    return found


def asked(qrs_on_s: FloatArray, probabilities: FloatArray, own: tuple[int, ...] = tuple(range(BEATS))) -> FloatArray:
    chosen = np.isin(np.arange(BEATS), own)
    qrs = np.stack([qrs_on_s, qrs_on_s + 0.1], axis=1)
    return p_together(probabilities, NONE_FOUND, qrs, qrs + 0.3, chosen)


REGULAR = 1.0 + 0.9 * np.arange(BEATS)


@pytest.mark.parametrize("distance_s", [0.12, 0.2, 0.3])
def test_a_wave_that_is_doubted_in_every_beat_is_found_where_it_was_planted(distance_s):
    found = asked(REGULAR, doubted(REGULAR, REGULAR - distance_s, np.full(BEATS, 0.3)))
    assert np.allclose(found.mean(axis=1), REGULAR - distance_s, atol=0.003)
    assert np.all((found[:, 1] - found[:, 0] > 0.09) & (found[:, 1] - found[:, 0] < 0.14))


def test_nothing_is_found_where_the_likenesses_lie_anywhere():
    anywhere = REGULAR - np.random.default_rng(0).uniform(0.08, 0.4, BEATS)
    assert np.isnan(asked(REGULAR, doubted(REGULAR, anywhere, np.full(BEATS, 0.3)))).all()


def test_nothing_is_added_in_an_irregular_rhythm():
    irregular = 1.0 + np.cumsum(np.random.default_rng(0).uniform(0.6, 1.2, BEATS))
    assert np.isnan(asked(irregular, doubted(irregular, irregular - 0.2, np.full(BEATS, 0.3)))).all()


def test_a_beat_that_shows_nothing_itself_stays_without():
    share = np.full(BEATS, 0.4)
    share[4] = 0.01
    found = asked(REGULAR, doubted(REGULAR, REGULAR - 0.2, share))
    assert np.flatnonzero(np.isnan(found[:, 0])).tolist() == [4]


def test_a_likeness_as_near_as_a_pacing_spike_is_no_p_wave():
    assert np.isnan(asked(REGULAR, doubted(REGULAR, REGULAR - 0.03, np.full(BEATS, 0.3)))).all()


def test_four_beats_are_too_few():
    assert np.isnan(asked(REGULAR, doubted(REGULAR, REGULAR - 0.2, np.full(BEATS, 0.3)), own=(2, 3, 4, 5))).all()


def test_what_the_network_found_itself_is_kept():
    probabilities = doubted(REGULAR, REGULAR - 0.2, np.full(BEATS, 0.3))
    own = np.full((BEATS, 2), np.nan)
    own[3] = REGULAR[3] - 0.25, REGULAR[3] - 0.17
    qrs = np.stack([REGULAR, REGULAR + 0.1], axis=1)
    found = p_together(probabilities, own, qrs, qrs + 0.3, np.ones(BEATS, dtype=bool))
    assert found[3].tolist() == own[3].tolist()
    assert np.isfinite(found).all()

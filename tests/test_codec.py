"""What a case or study holds is read back as what it was, and refused where something else stands."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from ecgviz.pipeline.codec import decode, encode
from ecgviz.types.arrays import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class _Kept:
    values: FloatArray
    seen: BoolArray
    n: int
    signed: bool
    share: float
    name: str
    maybe: FloatArray | None = None


KEPT = _Kept(np.arange(6.0).reshape(2, 3), np.array([True, False]), 3, True, float("nan"), "V1")


def written() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    arrays: dict[str, np.ndarray] = {}
    return encode(KEPT, "it", arrays), arrays


def test_what_is_written_is_read_back() -> None:
    value, arrays = written()
    found = decode(_Kept, value, arrays)
    np.testing.assert_array_equal(found.values, KEPT.values)
    np.testing.assert_array_equal(found.seen, KEPT.seen)
    assert (found.n, found.signed, found.name, found.maybe) == (3, True, "V1", None)
    assert np.isnan(found.share)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"n": "3"}, "'3' stands where a whole number belongs"),
        ({"n": True}, "True stands where a whole number belongs"),
        ({"signed": 1}, "1 stands where true or false belongs"),
        ({"values": [1.0, 2.0]}, "stands where an array belongs"),
        ({"values": {"array": "it.seen", "shape": [2]}}, "the array it.seen is bool of shape"),
        ({"seen": {"array": "it.values", "shape": [2, 3]}}, "the array it.values is float64"),
        ({"values": {"array": "it.values", "shape": [3, 2]}}, r"of shape \(2, 3\), not as it is described"),
        ({"maybe": 7.0}, "7.0 stands where an array belongs"),
    ],
)
def test_what_is_of_another_kind_is_refused(change: dict[str, Any], told: str) -> None:
    value, arrays = written()
    with pytest.raises(TypeError, match=told):
        decode(_Kept, value | change, arrays)

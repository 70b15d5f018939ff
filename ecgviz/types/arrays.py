"""Array names used by the types: what they hold is said where they stand."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]


def frozen(values: ArrayLike, dtype: Any = np.float64) -> NDArray[Any]:
    """Return a read-only copy of ``values``, so that a frozen dataclass is frozen down to its samples."""
    array = np.array(values, dtype=dtype, order="C")  # one layout, so that sums round the same after storage
    array.setflags(write=False)
    return array

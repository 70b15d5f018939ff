"""The operators that an exported program may call: arithmetic on tensors and sizes.

A name that is not listed is refused; ``relu_`` (in place) counts as ``relu``. None of them opens a file, calls back
into Python or reads memory that nothing was written to.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch

from ecgviz.errors import ModelError

SIZES: Mapping[str, Callable[..., Any]] = {
    "_operator.add": operator.add,
    "_operator.sub": operator.sub,
    "_operator.mul": operator.mul,
    "_operator.floordiv": operator.floordiv,
    "_operator.truediv": operator.truediv,
    "_operator.mod": operator.mod,
    "_operator.neg": operator.neg,
}
"""Arithmetic on sizes."""
_TENSORS = """
    abs acos acosh add addcdiv addcmul addmm all amax amin any arange argmax argmin asin asinh atan atan2 atanh
    avg_pool1d avg_pool2d adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d _adaptive_avg_pool2d
    alias baddbmm batch_norm bitwise_and bitwise_not bitwise_or bmm cat ceil celu chunk clamp clamp_max clamp_min clone
    concat constant_pad_nd contiguous conv1d conv2d conv_transpose1d convolution copy cos cosh cumprod cumsum detach
    diagonal div dropout einsum elu embedding eq erf erfc exp exp2 expand expand_as expm1 eye fill flatten
    flip floor floor_divide fmod full full_like gather ge gelu glu group_norm gru gt hardsigmoid hardswish hardtanh
    index index_select instance_norm isfinite isinf isnan layer_norm le leaky_relu lift_fresh_copy linalg_vector_norm
    linear log log10 log1p log2 log_softmax _log_softmax logical_and logical_not logical_or logical_xor logsumexp lstm
    lt masked_fill matmul max max_pool1d max_pool1d_with_indices max_pool2d max_pool2d_with_indices maximum mean min
    minimum mish mm movedim mul narrow native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training
    native_group_norm native_layer_norm ne neg new_full new_ones new_zeros norm ones ones_like pad permute pixel_shuffle
    pow prelu prod reciprocal reflection_pad1d relu relu6 remainder repeat repeat_interleave replication_pad1d reshape
    rms_norm rnn_relu rnn_tanh roll round rsqrt rsub scalar_tensor scaled_dot_product_attention scatter
    _scaled_dot_product_flash_attention_for_cpu scatter_add select selu sigmoid sign silu sin sinh slice softmax
    _softmax softplus softsign split split_with_sizes sqrt square squeeze stack std sub sum swapaxes t tan tanh tensor
    threshold tile to _to_copy topk transpose tril triu trunc type_as unbind unflatten unfold unsqueeze _unsafe_view
    upsample_linear1d upsample_nearest1d var var_mean view view_as where zeros zeros_like sym_size
"""
ATEN = frozenset(_TENSORS.split())
"""Tensor operators of PyTorch by name, without the suffix of their overload."""


def resolved(target: str, called: str) -> Callable[..., Any]:
    """Return the function that a node of a program names.

    Raises
    ------
    ModelError
        For a name that is not listed here.
    """
    if target in SIZES:
        return SIZES[target]
    prefix, _, rest = target.partition("torch.ops.aten.")
    name, _, overload = rest.partition(".")
    if prefix or (name not in ATEN and name.removesuffix("_") not in ATEN):
        raise ModelError(f"{called} calls {target!r}, which is not among the operators that a program may call")
    function = getattr(getattr(torch.ops.aten, name, None), overload, None)
    if not isinstance(function, torch._ops.OpOverload):
        raise ModelError(f"{called} calls {target!r}, which this version of torch does not have")
    return function

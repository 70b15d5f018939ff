"""The operators that an exported program may call: arithmetic on tensors and sizes.

A name that is not listed is refused; ``relu_`` (in place) counts as ``relu``. None of them opens a file or calls back
into Python; those that would read or write beyond their arguments ask first whether these fit (`guards`).
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch

from ecgviz.checkpoint.guards import NEVER_CALLED, guarded
from ecgviz.errors import ModelError


def _of_numbers(operation: Callable[..., Any]) -> Callable[..., Any]:
    """Return arithmetic that takes no text or list, which grow without end, and gives no size that no tensor has."""

    def calculated(*numbers: Any) -> Any:
        if not all(isinstance(number, int | float) for number in numbers):
            raise TypeError("sizes are numbers")
        found = operation(*numbers)
        if abs(found) >= 2**63:
            raise ValueError("a size has more than 63 bits")
        return found

    return calculated


SIZES: Mapping[str, Callable[..., Any]] = {
    "_operator.add": _of_numbers(operator.add),
    "_operator.sub": _of_numbers(operator.sub),
    "_operator.mul": _of_numbers(operator.mul),
    "_operator.floordiv": _of_numbers(operator.floordiv),
    "_operator.truediv": _of_numbers(operator.truediv),
    "_operator.mod": _of_numbers(operator.mod),
    "_operator.neg": _of_numbers(operator.neg),
}
"""Arithmetic on sizes."""
_TENSORS = """
    __and__ __or__ __xor__ abs absolute acos acosh adaptive_avg_pool1d _adaptive_avg_pool2d adaptive_avg_pool2d
    adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool2d add addbmm addcdiv addcmul addmm addmv alias
    alias_copy all alpha_dropout amax amin aminmax any arange arctan2 argmax argmin argsort as_strided asin asinh
    _assert_async _assert_scalar _assert_tensor_metadata atan atan2 atanh atleast_1d atleast_2d atleast_3d
    avg_pool1d avg_pool2d avg_pool3d baddbmm batch_norm bilinear bitwise_and bitwise_not bitwise_or blackman_window
    block_diag bmm broadcast_to bucketize cat cdist _cdist_forward ceil celu channel_shuffle chunk clamp clamp_max
    clamp_min clip clone col2im column_stack complex concat concatenate _conj conj _conj_physical conj_physical
    constant_pad_nd contiguous conv1d conv2d conv3d conv_transpose1d conv_transpose2d convolution copy copysign cos
    cosh cosine_similarity count_nonzero cross cummax cummin cumprod cumsum cumulative_trapezoid deg2rad detach
    detach_copy diag_embed diagonal diagonal_copy diff div divide dot dropout dsplit dstack einsum elu embedding eq
    erf erfc erfinv exp exp2 expand expand_as expand_copy expm1 eye feature_alpha_dropout feature_dropout _fft_c2c
    _fft_c2r fft_fft fft_fft2 fft_fftshift fft_ifft fft_ifftshift fft_irfft _fft_r2c fft_rfft fft_rfft2 fill flatten
    flip float_power floor floor_divide fmod frac frobenius_norm full full_like gather ge gelu glu gradient greater
    greater_equal group_norm gru gru_cell gt hamming_window hann_window hardshrink hardsigmoid hardswish hardtanh
    hsplit hstack hypot im2col imag index index_add index_copy index_fill index_put index_select inner instance_norm
    isclose isfinite isinf isnan isneginf isposinf istft kron kthvalue layer_norm ldexp le leaky_relu lerp less
    less_equal lgamma lift lift_fresh lift_fresh_copy linalg_cross linalg_matmul linalg_matrix_norm linalg_norm
    linalg_vecdot linalg_vector_norm linear linspace log log10 log1p log2 log_sigmoid log_sigmoid_forward
    _log_softmax log_softmax logaddexp logaddexp2 logcumsumexp logical_and logical_not logical_or logical_xor logit
    logsumexp lstm lstm_cell lt masked_fill masked_scatter matmul max max_pool1d max_pool1d_with_indices max_pool2d
    max_pool2d_with_indices maximum mean median meshgrid min minimum mish mm moveaxis movedim msort mT mul multiply
    mv nan_to_num nanmean nanmedian nanquantile nansum narrow native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_channel_shuffle native_group_norm native_layer_norm ne neg _neg_view
    negative new_full new_ones new_zeros norm not_equal numpy_T one_hot ones ones_like outer pad _pad_circular
    pairwise_distance permute permute_copy pixel_shuffle pixel_unshuffle polar positive pow prelu _prelu_kernel prod
    quantile rad2deg ravel real reciprocal reflection_pad1d reflection_pad2d relu relu6 remainder renorm repeat
    repeat_interleave replication_pad1d replication_pad2d reshape resolve_conj resolve_neg rms_norm rnn_relu
    rnn_relu_cell rnn_tanh rnn_tanh_cell roll rot90 round rrelu rsqrt rsub _safe_softmax scalar_tensor
    scaled_dot_product_attention _scaled_dot_product_flash_attention_for_cpu scatter scatter_add searchsorted select
    select_copy select_scatter selu sgn sigmoid sign signbit silu sin sinc sinh slice slice_copy slice_scatter
    _softmax softmax softplus softshrink sort special_entr special_erf special_erfc special_erfinv special_exp2
    special_expit special_expm1 special_log1p special_log_softmax special_logit special_logsumexp special_round
    special_sinc special_softmax special_xlogy split split_copy split_with_sizes sqrt square squeeze squeeze_copy
    stack std std_mean stft sub subtract sum swapaxes swapdims sym_numel sym_size t t_copy take take_along_dim tan
    tanh tensor tensor_split tensordot threshold tile to _to_copy topk transpose transpose_copy trapezoid tril
    tril_indices triu triu_indices true_divide trunc type_as unbind unflatten unfold unfold_copy unsafe_chunk
    unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze unsqueeze_copy upsample_bicubic2d
    upsample_bilinear2d upsample_linear1d upsample_nearest1d upsample_nearest2d _upsample_nearest_exact1d
    _upsample_nearest_exact2d var var_mean vdot view view_as view_as_complex view_as_real view_copy vsplit vstack
    _weight_norm where xlogy zeros zeros_like
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
    if {name, f"{name}.{overload}"} & NEVER_CALLED or not _of_tensors(function):
        raise ModelError(f"{called} calls {target!r}, a form of it that a program may not call")
    return guarded(function, name)


def _of_tensors(function: torch._ops.OpOverload) -> bool:
    """Whether an overload is one that programs are exported with.

    Others are for scripts: they take plain numbers, types by their code or a tensor to write into, and look at nothing.
    """
    schema = function._schema
    if function._overloadname.startswith("prim_") or any(argument.is_out for argument in schema.arguments):
        return False
    return schema.name == "aten::_assert_scalar" or "Tensor" in str(schema)

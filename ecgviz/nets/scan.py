"""Selective scans: a linear recurrence over tokens whose decay and gain depend on the input, and its matrix.

Gu, Dao: "Mamba", arXiv 2312.00752 (`mamba1_scan`: one decay for each channel and state); Dao, Gu: "Transformers are
SSMs", arXiv 2405.21060 (`ssd_scan`: one decay for each head). Both compute, for each channel,

    h_t = exp(dt_t a) h_(t-1) + dt_t b_t x_t        y_t = c_t . h_t        h before the first token is 0

Letters used here:

    L tokens    D channels    N states of a channel (16)    H heads    P channels of a head (D / H)
    K chunks    Q tokens of a chunk; the last one is filled up with dt = 0, which keeps the state as it is

The operands are x (..., L, D), b and c (..., L, N), and dt (..., L, D) > 0 with a (..., D, N) < 0 for `mamba1_scan`,
dt (..., L, H) with a (..., H) for `ssd_scan`; the leading axes of a broadcast to those of the others. Both scans are
exact for any L, differentiable twice, and run in float32 or better even where autocast is on: in half precision they
are known to end in NaN. (Gradients of `ssd_scan`, and on a GPU, follow autocast where they are asked for under it, as
PyTorch's own do.) No decay is ever divided by, so nothing overflows.

Given dt, b and c, both scans are linear in x. `mamba1_attention` and `ssd_attention` return that matrix, the "hidden
attention" of Ali, Zimerman, Wolf (arXiv 2403.01590).
"""

import math
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ecgviz.nets.precision import at_least_float32, without_autocast

Scan = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
Attention = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]

SSD_BLOCK = 32
ATTENTION_BLOCK = 16
SCANNED_AT_ONCE = 4
"""Rows of the leading axes whose states are in memory at once on a CPU: 2 MB each for 250 tokens of 128 channels."""


def full_precision(scan: Scan) -> Scan:
    """Make a scan run without autocast, on operands of float32 or better."""

    @wraps(scan)
    def precise(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        with without_autocast(x.device.type):
            return scan(*(at_least_float32(operand) for operand in (x, dt, a, b, c)))

    return precise


@full_precision
def mamba1_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Scan with one decay for each channel and state: y (..., L, D); on a CPU in place, elsewhere in chunks.

    A program that is exported or compiled has the chunks, too: what is done in place has no gradient there.
    """
    if x.device.type != "cpu" or torch.compiler.is_compiling():
        return chunked_scan(x, dt, a, b, c)
    y: Tensor = _InPlaceScan.apply(x, dt, a, b, c)
    return y


def chunked_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Scan in about 3 sqrt(L) steps: y (..., L, D).

    All K chunks of Q = sqrt(L) tokens are scanned side by side from state 0 for their last state, those states are
    passed on from chunk to chunk, and the chunks are scanned again from the state that reaches them. The second pass
    takes less memory traffic, which is what limits the scan, than correcting the states of the first would. Tokens are
    taken apart by ``unbind``: the gradient of ``x[:, t]`` is a tensor as long as x, so a loop over t takes time L^2.
    """
    n_tokens = x.shape[-2]
    x, dt, b, c = in_chunks((x, dt, b, c), max(round(math.sqrt(n_tokens)), 1))  # (..., K, Q, D or N)
    whole = torch.exp(dt.sum(dim=-2)[..., None] * a[..., None, :, :])  # (..., K, D, N): decay over a chunk
    decay = torch.exp(dt[..., None] * a[..., None, None, :, :]).unbind(-3)  # Q of (..., K, D, N)
    gain = ((dt * x)[..., None] @ b[..., None, :]).unbind(-3)
    zero = torch.zeros_like(gain[0])
    last = states(decay, gain, zero)[-1]  # (..., K, D, N)
    passed_on = states(whole.unbind(-3), last.unbind(-3), zero[..., 0, :, :])
    reaching = torch.stack([zero[..., 0, :, :], *passed_on[:-1]], dim=-3)
    h = torch.stack(states(decay, gain, reaching), dim=-3)  # (..., K, Q, D, N)
    return (h @ c[..., None]).squeeze(-1).flatten(-3, -2)[..., :n_tokens, :]


class _InPlaceScan(torch.autograd.Function):
    """The scan token by token, each state in the place of what is added to it, a few records at a time.

    Neither decays nor states are kept for the gradients: they are computed anew, a few records at a time again, so that
    they fit a cache. Where gradients are to be differentiated again, those of `chunked_scan` are.
    """

    @staticmethod
    def forward(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
        """Return y (..., L, D)."""
        parts = []
        for *few, read in _few_at_a_time(x, dt, a, b, c):
            _, h = _decays_and_states(*few)
            parts.append((h @ read[..., None]).squeeze(-1))
        return torch.cat(parts).reshape(x.shape)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        """Keep the operands."""
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients by all operands, given that by y (..., L, D)."""
        with without_autocast("cpu"):  # as the scan itself, wherever the gradients are asked for
            return _again(ctx, slope) if torch.is_grad_enabled() else _by_hand(ctx.saved_tensors, slope)


def _again(ctx: Any, slope: Tensor) -> tuple[Tensor | None, ...]:
    """Return the gradients that are needed, by all operands of a scan, such that they can be differentiated."""
    given, needed = ctx.saved_tensors, ctx.needs_input_grad
    wanted = [operand for operand, is_needed in zip(given, needed, strict=True) if is_needed]
    found = iter(torch.autograd.grad(chunked_scan(*given), wanted, slope, create_graph=True))
    return tuple(next(found) if is_needed else None for is_needed in needed)


def _by_hand(given: Sequence[Tensor], slope: Tensor) -> tuple[Tensor, ...]:
    """Return the gradients by all operands of a scan."""
    leading = given[0].shape[:-2]
    parts = [_slopes(*few) for few in _few_at_a_time(*given, slope)]
    whole = [torch.cat(each) for each in zip(*parts, strict=True)]
    return tuple(
        each.reshape(*leading, *each.shape[1:]).sum_to_size(operand.shape)
        for each, operand in zip(whole, given, strict=True)
    )


def _few_at_a_time(*operands: Tensor) -> Iterator[tuple[Tensor, ...]]:
    """Lay the leading axes in one, those of a as often as the others need it, and take `SCANNED_AT_ONCE` at a time."""
    leading = operands[0].shape[:-2]
    rows = (each.expand(*leading, *each.shape[-2:]).flatten(0, -3) if leading else each[None] for each in operands)
    return zip(*(each.split(SCANNED_AT_ONCE) for each in rows), strict=True)


def _decays_and_states(x: Tensor, dt: Tensor, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Return decays and states (R, L, D, N) of x and dt (R, L, D), a (R, D, N), b (R, L, N)."""
    decay = (dt[..., None] * a[:, None]).exp_()
    h = (dt * x)[..., None] * b[:, :, None]
    keep, after = decay.unbind(1), h.unbind(1)
    for t in range(1, len(after)):
        after[t].addcmul_(keep[t], after[t - 1])
    return decay, h


def _slopes(
    x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, slope: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return the gradients by x, dt, a, b and c from that by y, ``slope``; all shaped as in `_decays_and_states`."""
    decay, h = _decays_and_states(x, dt, a, b)
    by_c = (slope[:, :, None] @ h).squeeze(-2)
    by_h = slope[..., None] * c[:, :, None]  # (R, L, D, N), so far through y alone
    keep, after = decay.unbind(1), by_h.unbind(1)
    for t in range(len(after) - 1, 0, -1):
        after[t - 1].addcmul_(keep[t], after[t])
    by_fed = (by_h @ b[..., None]).squeeze(-1)  # by dt x
    by_b = ((dt * x)[:, :, None] @ by_h).squeeze(-2)
    by_exponent = by_h.mul_(decay)[:, 1:].mul_(h[:, :-1])  # by dt a, of all tokens but the first, which decays nothing
    by_dt = by_fed * x
    by_dt[:, 1:] += torch.linalg.vecdot(by_exponent, a[:, None])
    by_a = by_exponent.mul_(dt[:, 1:, :, None]).sum(dim=1)
    return by_fed * dt, by_dt, by_a, by_b, by_c


def states(decay: Sequence[Tensor], gain: Sequence[Tensor], h: Tensor) -> list[Tensor]:
    """Return the states after each step of h = decay h + gain."""
    after = []
    for keep, new in zip(decay, gain, strict=True):
        h = torch.addcmul(new, keep, h)
        after.append(h)
    return after


def in_chunks(operands: Sequence[Tensor], size: int) -> list[Tensor]:
    """Cut each (..., L, F) into (..., K, Q, F), Q = ``size``, with zeros behind the end."""
    missing = -operands[0].shape[-2] % size
    return [functional.pad(x, (0, 0, 0, missing)).unflatten(-2, (-1, size)) for x in operands]


@full_precision
def ssd_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Scan with one decay for each head: y (..., L, D), all of it masked matrix products in blocks.

    Channels are split evenly over the H heads that dt has, neighbours together. Within a block, y is a lower
    triangular matrix times dt x; between blocks it goes through the states at their borders.
    """
    n_tokens, n_heads = x.shape[-2], dt.shape[-1]
    log_decay = dt * a[..., None, :]
    x, dt, b, c, log_decay = in_chunks((x, dt, b, c, log_decay), min(SSD_BLOCK, n_tokens))
    fed = (x.unflatten(-1, (n_heads, -1)) * dt[..., None]).transpose(-3, -2)  # (..., K, H, Q, P)
    log_decay = log_decay.transpose(-2, -1)  # (..., K, H, Q)
    within = decay_between(log_decay)  # (..., K, H, Q, Q)
    b, c = b[..., None, :, :], c[..., None, :, :]  # (..., K, 1, Q, N): heads share them
    y = (c @ b.transpose(-2, -1) * within) @ fed
    left = b.transpose(-2, -1) @ (within[..., -1, :, None] * fed)  # (..., K, H, N, P): what a block leaves behind
    across = decay_between(log_decay.sum(dim=-1).transpose(-2, -1))  # (..., H, K, K): after block j to after block k
    passed_on = torch.einsum("...hkj,...jhnp->...khnp", across, left)
    reaching = functional.pad(passed_on, (0, 0, 0, 0, 0, 0, 1, -1))  # of the block before; 0 at the first one
    y = y + log_decay.cumsum(dim=-1).exp()[..., None] * (c @ reaching)
    return y.transpose(-3, -2).flatten(-2).flatten(-3, -2)[..., :n_tokens, :]


def decay_between(log_decay: Tensor) -> Tensor:
    """Return the decay from after step c to after step r: (..., L) to (..., L, L), 0 for c > r.

    The exponents are sums of the steps between, not differences of running sums, which would cancel over long records.
    """
    n = log_decay.shape[-1]
    lower = torch.ones(n, n, dtype=torch.bool, device=log_decay.device).tril()
    steps = torch.where(lower.tril(-1), log_decay[..., None], 0.0)  # step r, for all c before it
    return torch.where(lower, steps.cumsum(dim=-2), -torch.inf).exp()


def mamba1_attention(dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return alpha (D, L, L) with ``mamba1_scan(x)[r, d] = sum over c of alpha[d, r, c] x[c, d]``; 0 for c > r.

    alpha[d, r, c] = sum over n of C_r[n] exp(a[d, n] (S_r - S_c)) dt_c B_c[n], S the running sum of dt; operands
    of one record: dt (L, D), a (D, N), b and c (L, N). Each token has one exponential, its decay, and every other decay
    is a product of these: within a chunk token by token, all chunks side by side; between chunks in two factors, to
    the end of the chunk before the row and from there, so that this part is a matrix product.
    """
    n_tokens = dt.shape[0]
    dt, b, c = in_chunks((dt, b, c), ATTENTION_BLOCK)
    dt = dt.permute(2, 0, 1)[..., None]  # (D, K, Q, 1)
    decay = torch.exp(dt * a[:, None, None, :])  # (D, K, Q, N)
    left = dt * b  # (D, K, Q, N): of each source, in the end what is left of it after its chunk
    from_end = decay.cumprod(dim=2)  # (D, K, Q, N): from the end of the chunk before
    n_chunks, size = c.shape[:2]
    alpha = dt.new_zeros(dt.shape[0], n_chunks, size, n_chunks * size)
    within = alpha.unflatten(3, (n_chunks, size)).diagonal(dim1=1, dim2=3)  # (D, Q rows, Q sources, K)
    for q in range(size):
        left[:, :, :q] *= decay[:, :, q, None]
        within[:, q, : q + 1] = (left[:, :, : q + 1] @ c[:, q, :, None]).squeeze(-1).transpose(1, 2)
    past = left.flatten(1, 2)  # (D, K Q, N): of each source, what is left at the end of the chunk before the row
    for k in range(1, n_chunks):
        before = past[:, : k * size]
        before[:, :-size] *= from_end[:, k - 1, -1, None]
        alpha[:, k, :, : k * size] = (from_end[:, k] * c[k]) @ before.transpose(1, 2)
    return alpha.flatten(1, 2)[:, :n_tokens, :n_tokens]


def ssd_attention(dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Return alpha (H, L, L) with ``ssd_scan(x)[r] = sum over c of alpha[h, r, c] x[c]`` in the channels of head h.

    Operands of one record: dt (L, H), a (H,), b and c (L, N); alpha is 0 for c > r.
    """
    return (c @ b.T) * decay_between((dt * a).T) * dt.T[:, None, :]

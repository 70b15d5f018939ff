"""Selective scans are the recurrence that they stand for, at any length and precision, and so are their matrices."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from ecgviz.nets.scan import chunked_scan, mamba1_attention, mamba1_scan, ssd_attention, ssd_scan

N_CHANNELS, N_STATES, N_HEADS = 6, 5, 3
SCANS = {"mamba1": mamba1_scan, "ssd": ssd_scan}
ATTENTIONS = {"mamba1": mamba1_attention, "ssd": ssd_attention}
LENGTHS = (1, 2, 3, 31, 32, 33, 100, 250, 257)


def operands(name: str, n_tokens: int, *leading: int, dtype: torch.dtype = torch.float64) -> list[Tensor]:
    """Random x, dt, a, b, c; steps from 0.001 to above 1, decays as fast as networks are initialised with."""
    generator = torch.Generator().manual_seed(n_tokens)

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    n_steps = N_CHANNELS if name == "mamba1" else N_HEADS
    dt = functional.softplus(3 * normal(*leading, n_tokens, n_steps) - 3)
    a = -torch.exp(normal(N_CHANNELS, N_STATES) + 1) if name == "mamba1" else -torch.exp(normal(N_HEADS) + 1)
    x, b, c = (normal(*leading, n_tokens, size) for size in (N_CHANNELS, N_STATES, N_STATES))
    return [operand.to(dtype) for operand in (x, dt, a, b, c)]


def recurrence(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Follow the definition token by token for one record x (L, D); channels and states of a head share its decay."""
    if a.ndim == 1:
        n_channels = x.shape[1] // a.shape[0]
        a = a.repeat_interleave(n_channels)[:, None].expand(-1, b.shape[1])
        dt = dt.repeat_interleave(n_channels, dim=1)
    h = torch.zeros_like(a)
    y = []
    for t in range(x.shape[0]):
        h = torch.exp(dt[t, :, None] * a) * h + (dt[t] * x[t])[:, None] * b[t]
        y.append(h @ c[t])
    return torch.stack(y)


@pytest.mark.parametrize("n_tokens", LENGTHS)
@pytest.mark.parametrize("name", SCANS)
def test_scan_and_its_gradients_are_those_of_the_loop(name: str, n_tokens: int) -> None:
    given = [operand.requires_grad_() for operand in operands(name, n_tokens)]
    weight = torch.randn(n_tokens, N_CHANNELS, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = recurrence(*given)
    found = SCANS[name](*given)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=1e-12)
    slopes = torch.autograd.grad((weight * expected).sum(), given)
    for one, other in zip(torch.autograd.grad((weight * found).sum(), given), slopes, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-11)


@pytest.mark.parametrize("name", SCANS)
def test_float32_is_right_to_its_precision_over_a_long_record(name: str) -> None:
    exact = operands(name, 1500)
    found = SCANS[name](*(operand.float() for operand in exact))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), recurrence(*exact), atol=5e-5, rtol=5e-5)


@pytest.mark.parametrize("name", SCANS)
def test_leading_axes_are_scanned_apart_with_decays_of_their_own(name: str) -> None:
    x, dt, a, b, c = operands(name, 20, 2, 3)
    both = torch.stack([a, 2 * a])
    found = SCANS[name](x, dt, both[:, None], b, c)
    for way in range(2):
        for record in range(3):
            one = recurrence(x[way, record], dt[way, record], both[way], b[way, record], c[way, record])
            torch.testing.assert_close(found[way, record], one, atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("wanted", ["xdabc", "x", "a"])
@pytest.mark.parametrize("name", SCANS)
def test_gradients_of_many_rows_are_those_of_the_loop_over_each(name: str, wanted: str) -> None:
    x, dt, a, b, c = operands(name, 20, 2, 3)
    given = dict(zip("xdabc", [x, dt, torch.stack([a, 2 * a])[:, None], b, c], strict=True))
    asked = [given[letter].requires_grad_() for letter in wanted]
    x, dt, both, b, c = given.values()
    ways = [
        torch.stack([recurrence(x[way, k], dt[way, k], both[way, 0], b[way, k], c[way, k]) for k in range(3)])
        for way in range(2)
    ]
    weight = torch.randn(x.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    expected = torch.autograd.grad((weight * torch.stack(ways)).sum(), asked)
    found = torch.autograd.grad((weight * SCANS[name](x, dt, both, b, c)).sum(), asked)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-11, rtol=1e-11)


def test_chunks_and_states_in_place_are_the_same_scan() -> None:
    given = operands("mamba1", 250, 3)
    torch.testing.assert_close(chunked_scan(*given), mamba1_scan(*given), atol=1e-12, rtol=1e-12)


@pytest.mark.parametrize("name", SCANS)
def test_autocast_does_not_reach_the_scan(name: str) -> None:
    given = operands(name, 50, dtype=torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (given[3] @ given[4].T).dtype == torch.bfloat16
        found = SCANS[name](*given)
        from_half = SCANS[name](*(operand.bfloat16() for operand in given))
    torch.testing.assert_close(found, SCANS[name](*given), atol=0, rtol=0)
    assert from_half.dtype == torch.float32


def test_autocast_does_not_reach_the_gradients_of_the_scan_in_place() -> None:
    given = [operand.requires_grad_() for operand in operands("mamba1", 50, dtype=torch.float32)]
    weight = torch.randn(50, N_CHANNELS, generator=torch.Generator().manual_seed(1))
    for create_graph in (False, True):
        loss = (weight * mamba1_scan(*given)).sum()
        expected = torch.autograd.grad(loss, given, retain_graph=True, create_graph=create_graph)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = torch.autograd.grad(loss, given, create_graph=create_graph)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, atol=0, rtol=0)


@pytest.mark.parametrize("name", SCANS)
def test_steps_that_forget_everything_stay_finite(name: str) -> None:
    x, dt, a, b, c = operands(name, 100, dtype=torch.float32)
    given = [operand.requires_grad_() for operand in (x, 1000 * dt, a, b, c)]
    for slope in torch.autograd.grad(SCANS[name](*given).sum(), given):
        assert bool(slope.isfinite().all())


@pytest.mark.parametrize("name", SCANS)
def test_gradient_can_be_differentiated_again(name: str) -> None:
    assert torch.autograd.gradgradcheck(SCANS[name], [operand.requires_grad_() for operand in operands(name, 5)])
    x, *others = operands(name, 5, 2)
    assert torch.autograd.gradgradcheck(SCANS[name], [x.requires_grad_(), *others])


@pytest.mark.parametrize("n_tokens", LENGTHS)
@pytest.mark.parametrize("name", SCANS)
def test_matrix_times_input_is_the_scan_and_looks_into_no_future(name: str, n_tokens: int) -> None:
    x, dt, a, b, c = operands(name, n_tokens)
    alpha = ATTENTIONS[name](dt, a, b, c)
    assert alpha.shape == (dt.shape[1], n_tokens, n_tokens)
    assert bool((alpha.triu(1) == 0).all())
    by_channel = alpha.repeat_interleave(N_CHANNELS // dt.shape[1], dim=0)
    torch.testing.assert_close(
        torch.einsum("drc,cd->rd", by_channel, x), recurrence(x, dt, a, b, c), atol=1e-11, rtol=1e-11
    )

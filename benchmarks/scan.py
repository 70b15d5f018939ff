"""How long the selective scans take, forward and backward, beside the usual loop over tokens.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/scan.py

The usual loop takes tokens by index, ``decay[:, t]``, as short implementations of Mamba do. Its backward pass makes a
tensor of the whole length for each token, so its time grows with the square of the length: at 5000 tokens one run
takes a minute. It is therefore timed once, ours `--repeats` times, of which the median counts. All sides get
the same operands in the same process: one record, 64 channels, 16 states, float32.
"""

import argparse
import os
import statistics
from collections.abc import Callable, Sequence
from time import perf_counter

import torch
from torch import Tensor
from torch.nn import functional

from ecgviz.nets.scan import Scan, mamba1_scan, ssd_scan

N_CHANNELS, N_STATES, N_HEADS = 64, 16, 4
TARGETS = {1000: 10.0, 5000: 100.0}
"""The usual loop's time over that of the Mamba-1 scan that we want at least, for each number of tokens."""


def indexed_loop(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> Tensor:
    """Scan x (1, L, D) token by token, each taken by its index."""
    decay = torch.exp(dt[..., None] * a)
    gain = (dt * x)[..., None] * b[:, :, None, :]
    h = torch.zeros_like(decay[:, 0])
    y = []
    for t in range(x.shape[1]):
        h = decay[:, t] * h + gain[:, t]
        y.append((h * c[:, t, None, :]).sum(dim=-1))
    return torch.stack(y, dim=1)


def operands(n_tokens: int, n_steps: int) -> list[Tensor]:
    """Return random x, dt, a, b, c for the Mamba-1 scan (``n_steps`` channels) or SSD (``n_steps`` heads)."""
    generator = torch.Generator().manual_seed(0)

    def normal(size: int) -> Tensor:
        return torch.randn(1, n_tokens, size, generator=generator)

    rates = -torch.arange(1.0, N_STATES + 1)
    a = rates.repeat(n_steps, 1) if n_steps == N_CHANNELS else rates[:n_steps]
    return [normal(N_CHANNELS), functional.softplus(normal(n_steps) - 4), a, normal(N_STATES), normal(N_STATES)]


def times_ms(scan: Scan, given: Sequence[Tensor], repeats: int) -> tuple[float, float]:
    """Return median milliseconds of the forward pass, and of forward and backward pass together."""
    forward_ms, both_ms = [], []
    for _ in range(repeats):
        fresh = [operand.detach().requires_grad_() for operand in given]
        start = perf_counter()
        y = scan(*fresh)
        middle = perf_counter()
        y.sum().backward()
        forward_ms.append(1000 * (middle - start))
        both_ms.append(1000 * (perf_counter() - start))
    return statistics.median(forward_ms), statistics.median(both_ms)


def compare(n_tokens: int, repeats: int) -> float:
    """Print one line for each scan of ``n_tokens`` tokens; return the loop's time over that of the Mamba-1 scan."""
    mamba1, ssd = operands(n_tokens, N_CHANNELS), operands(n_tokens, N_HEADS)
    sides: list[tuple[str, Callable[..., Tensor], list[Tensor], int]] = [
        ("Mamba-1 scan", mamba1_scan, mamba1, repeats),
        ("SSD scan", ssd_scan, ssd, repeats),
        ("indexed loop", indexed_loop, mamba1, 1),
    ]
    for _, scan, given, n in sides[:2]:  # what is set up at the first call is not timed
        times_ms(scan, given, min(n, 2))
    found = {name: times_ms(scan, given, n) for name, scan, given, n in sides}
    loop_ms = found["indexed loop"][1]
    for name, (forward_ms, both_ms) in found.items():
        print(f"{n_tokens:>8}  {name:<16}{forward_ms:>12.1f}{both_ms:>20.1f}{loop_ms / both_ms:>10.1f}")
    return loop_ms / found["Mamba-1 scan"][1]


def main() -> None:
    """Time all sides at each number of tokens and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=9, help="how often our scans are timed")
    asked = parser.parse_args()
    print(f"{'tokens':>8}  {'':<16}{'forward, ms':>12}{'with backward, ms':>20}{'ratio':>10}")
    ratios = {n_tokens: compare(n_tokens, asked.repeats) for n_tokens in TARGETS}
    threads = os.environ.get("OMP_NUM_THREADS", "as many as there are cores")
    for n_tokens, target in TARGETS.items():
        verdict = "reached" if ratios[n_tokens] >= target else "not reached"
        print(f"{n_tokens} tokens: {ratios[n_tokens]:.0f} x; the target of {target:g} x is {verdict} ({threads=!s})")


if __name__ == "__main__":
    main()

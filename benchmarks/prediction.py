"""How fast IMLE-Net of the published width predicts: many records in small batches, and one record beside a matmul.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/prediction.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/prediction.py --records 64 --rounds 20

Two ratios come out, each of two sides that run in the same process by turns, so that a busy machine slows both. The
weights are random: time does not depend on them.

1. One batch of all records over `ecgviz.checkpoint.network_logits`, which takes as many records at a time as suit the
   device. Neither asks for gradients, so that IMLE-Net takes its windows a fixed number at a time in both
   (`ecgviz.nets.imle_encoder`); beside them stands one batch layer by layer, as PyTorch runs the network when it is
   called. The small batches run on a quarter of the records, before and after the large ones; times are per record.
2. One record's forward pass over the time that its multiplications and additions would take at the rate of a square
   float32 matrix product on the same threads. Operations are counted in convolutions, linear layers and LSTM; what is
   left out (activations, normalisation, attention sums) is below 1 % of them, but has to be waited for too. Both are
   the shortest of all rounds, in a process that has predicted before, whose memory is its own by then.
"""

import argparse
from collections.abc import Callable, Sequence
from time import perf_counter

import torch
from torch import Tensor, nn

from ecgviz.checkpoint import network_logits
from ecgviz.nets import build

BATCH_TARGET = 2.0
"""Time in one large batch over time in small ones that we want at least."""
MATMUL_TARGET = 1.15
"""Time of a forward pass over that of as many operations in a matrix product that we want at most."""
SIDE = 1024
"""Side of the matrix product: large enough for the machine's full rate, small enough for its cache."""


def operations(net: nn.Module, x: Tensor) -> int:
    """Return multiplications and additions in the layers of one forward pass."""
    counted: list[int] = []

    def count(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        if isinstance(layer, nn.LSTM):
            rows = inputs[0].shape[0] * inputs[0].shape[1]
            weights = [weight for name, weight in layer.named_parameters() if name.startswith("weight")]
            counted.append(2 * rows * sum(weight.numel() for weight in weights))
        elif isinstance(layer, nn.Conv1d | nn.Linear) and isinstance(output, Tensor):
            counted.append(2 * output.numel() * layer.weight[0].numel())

    layers = [layer for layer in net.modules() if isinstance(layer, nn.LSTM | nn.Conv1d | nn.Linear)]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    net(x)
    for hook in hooks:
        hook.remove()
    return sum(counted)


def seconds(run: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = perf_counter()
    run()
    return perf_counter() - start


def batches(net: nn.Module, n_records: int) -> tuple[float, float, float]:
    """Return seconds a record: in one batch layer by layer, in one batch without gradients, and in small batches."""
    x = torch.randn(n_records, 12, 1000)
    quarter = x[: max(1, n_records // 4)]
    network_logits(net, quarter[:8])
    before = seconds(lambda: network_logits(net, quarter))
    by_layer = seconds(lambda: net(x))
    with torch.inference_mode():
        at_once = seconds(lambda: net(x))
    after = seconds(lambda: network_logits(net, quarter))
    return by_layer / n_records, at_once / n_records, (before + after) / (2 * len(quarter))


def against_matmul(net: nn.Module, rounds: int) -> tuple[float, float]:
    """Return the shortest seconds of one record's forward pass, and operations a second of a matrix product."""
    x, square = torch.randn(1, 12, 1000), torch.randn(SIDE, SIDE)
    product = torch.empty(SIDE, SIDE)
    forward, matmul = [], []
    with torch.inference_mode():
        for _ in range(rounds):
            matmul.append(seconds(lambda: torch.mm(square, square, out=product)))
            forward.append(seconds(lambda: net(x)))
    return min(forward), 2 * SIDE**3 / min(matmul)


def main(argv: Sequence[str] | None = None) -> None:
    """Print both ratios beside their targets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=256, help="records in the large batch")
    parser.add_argument("--rounds", type=int, default=30, help="forward passes and matrix products")
    options = parser.parse_args(argv)
    torch.manual_seed(0)
    net = build("imle_net", 5, seed=0, config={"width": 1.0}).requires_grad_(requires_grad=False)
    print(f"IMLE-Net, width 1, {torch.get_num_threads()} thread(s), torch {torch.__version__}")
    by_layer_s, at_once_s, small_s = batches(net, options.records)
    print(f"{options.records} records at once, layer by layer: {1000 * by_layer_s:.1f} ms each")
    print(f"without gradients: {1000 * at_once_s:.1f} ms each at once, {1000 * small_s:.1f} ms in small batches")
    print(f"at once over small batches: {at_once_s / small_s:.2f} (target at least {BATCH_TARGET:g})")
    print(f"layer by layer at once over small batches: {by_layer_s / small_s:.2f}")
    one_s, rate = against_matmul(net, options.rounds)
    needed = operations(net, torch.randn(1, 12, 1000))
    print(f"one record: {1000 * one_s:.1f} ms for {needed / 1e9:.2f} G operations; matmul {rate / 1e9:.0f} G a second")
    print(f"forward over matmul: {one_s * rate / needed:.2f} (target at most {MATMUL_TARGET:g})")


if __name__ == "__main__":
    main()

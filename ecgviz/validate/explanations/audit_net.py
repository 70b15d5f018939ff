"""A small network that is trained on the spot, on simulated records whose answer lies in one place of one lead."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ecgviz.checkpoint import Model
from ecgviz.nets.seeded import seeded
from ecgviz.records.leads import STANDARD_LEADS
from ecgviz.types import InputSpec
from ecgviz.types.arrays import FloatArray

SPEC = InputSpec(STANDARD_LEADS, fs=100.0, duration_s=4.0, mean_mv=0.0, std_mv=0.25)
"""What the audited networks are fed: short records, so that training takes seconds."""
EPOCHS, BATCH, LEARNING_RATE = 20, 32, 3e-3
POOLS: Mapping[str, Callable[[int], nn.Module]] = {"mean": nn.AdaptiveAvgPool1d, "maximum": nn.AdaptiveMaxPool1d}


class AuditNet(nn.Module):
    """Three convolutions, ``pools`` (names of `POOLS`) over each of ``places`` stretches of time, one output.

    Input (B, 12, T), logits (B, 1). Each ReLU is a module that is used once, so that every gradient method has a rule
    for it.
    """

    levels: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    pads = False
    exposes: Mapping[str, str] = dict.fromkeys(("beat", "rhythm", "channel"), "none: it has no attention")

    def __init__(self, places: int, pools: Sequence[str] = tuple(POOLS)) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv1d(len(STANDARD_LEADS), 16, 9, padding=4),
            nn.ReLU(),
            nn.Conv1d(16, 32, 9, stride=2, padding=4),
            nn.ReLU(),
            nn.Conv1d(32, 32, 9, stride=2, padding=4),
            nn.ReLU(),
        )
        self.pools = nn.ModuleList(POOLS[name](places) for name in pools)
        self.output = nn.Linear(32 * len(pools) * places, 1)

    def forward(
        self, x: Tensor, *, r_s: Tensor | None = None, meta: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Return logits (B, 1) of standardised samples; nothing else is used."""
        h = self.features(x)
        logits: Tensor = self.output(torch.cat([pool(h) for pool in self.pools], dim=1).flatten(1))
        return logits


def fresh_net(places: int, seed: int, pools: Sequence[str] = tuple(POOLS)) -> AuditNet:
    """Return an untrained network in eval mode; equal seeds give equal weights."""
    with seeded(seed):
        return AuditNet(places, pools).eval().requires_grad_(requires_grad=False)


def trained_net(
    x: FloatArray,
    y: FloatArray,
    loss: Callable[[Tensor, Tensor], Tensor],
    *,
    places: int,
    seed: int,
    pools: Sequence[str] = tuple(POOLS),
) -> AuditNet:
    """Fit a network to standardised records x (n, 12, T) and one target each, y (n,).

    It is fitted by one thread, so that its weights do not depend on their number.
    """
    inputs, targets = torch.from_numpy(x.astype("float32")), torch.from_numpy(y.astype("float32"))
    net = fresh_net(places, seed, pools).requires_grad_().train()
    order = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.AdamW(net.parameters(), LEARNING_RATE, weight_decay=1e-3)
    steps = EPOCHS * -(-len(x) // BATCH)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, total_steps=steps)
    with _one_thread():
        for _ in range(EPOCHS):
            for some in torch.randperm(len(x), generator=order).split(BATCH):
                optimiser.zero_grad()
                loss(net(inputs[some])[:, 0], targets[some]).backward()
                optimiser.step()
                rates.step()
    return net.eval().requires_grad_(requires_grad=False)


def as_model(net: nn.Module, label: str) -> Model:
    """Return an audited network as a model, so that methods explain it as they explain any other."""
    named = f"audit of {label}"
    return Model(net, "audit", {}, "audit", "1", SPEC, (label,), (0.5,), digest=named, weights_sha256=named)


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

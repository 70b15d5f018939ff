"""ResNet1d is plain: DeepLift has a rule for each of its steps."""

import warnings

import pytest
import torch
from captum.attr import DeepLift
from torch import nn

from ecgviz.nets import build
from ecgviz.nets.resnet import ResidualBlock


@pytest.fixture(scope="module")
def net() -> nn.Module:
    """Return a narrow network in float64 whose batch normalisation has seen data."""
    made = build("resnet1d", 2, seed=3, config={"width": 0.25}).train()
    torch.manual_seed(0)
    with torch.no_grad():
        for _ in range(20):
            made(torch.randn(4, 12, 1000))
    return made.eval().double()


def test_size() -> None:
    assert sum(p.numel() for p in build("resnet1d", 5, seed=0, config={}).parameters()) == 873_445


@pytest.mark.parametrize("recorded", [1000, 640])
def test_deep_lift_parts_sum_to_the_change_of_the_logit(net: nn.Module, recorded: int) -> None:
    torch.manual_seed(1)
    x = torch.randn(2, 12, 1000, dtype=torch.float64, requires_grad=True)
    reference = torch.full_like(x, 0.3)
    mask = (torch.arange(1000) < recorded).expand(2, -1)

    class Masked(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, batch: torch.Tensor) -> torch.Tensor:
            return self.net(batch, mask=mask.repeat(len(batch) // 2, 1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Captum tells of its hooks
        parts = DeepLift(Masked()).attribute(x, reference, target=1)
    change = (net(x, mask=mask) - net(reference, mask=mask))[:, 1]
    torch.testing.assert_close(parts.sum(dim=(1, 2)), change, atol=1e-9, rtol=0)
    assert float(change.detach().abs().min()) > 1e-3
    assert (parts[..., recorded:] == 0).all()


def test_each_relu_and_maximum_is_used_once(net: nn.Module) -> None:
    used: list[nn.Module] = []
    kinds = [module for module in net.modules() if isinstance(module, nn.ReLU | nn.MaxPool1d)]
    handles = [m.register_forward_hook(lambda module, _inputs, _output: used.append(module)) for m in kinds]
    net(torch.randn(1, 12, 1000).double())
    for handle in handles:
        handle.remove()
    assert len(kinds) == 1 + 16 + 2
    assert len(used) == len(kinds)
    assert set(used) == set(kinds)


def test_what_is_pooled_is_mean_and_maximum_over_the_record(net: nn.Module) -> None:
    x = torch.randn(1, 12, 1000).double()
    mask = torch.arange(1000)[None] < 640
    seen: dict[str, torch.Tensor] = {}
    last = net.blocks[-1]
    assert isinstance(last, ResidualBlock)
    handles = [
        last.register_forward_hook(lambda _module, _inputs, output: seen.update(features=output[0])),
        net.dropout.register_forward_hook(lambda _module, inputs, _output: seen.update(pooled=inputs[0])),
    ]
    net(x, mask=mask)
    for handle in handles:
        handle.remove()
    features = seen["features"][0]
    assert features.shape[1] == 32
    assert (features[:, 20:] == 0).all()
    wanted = torch.cat([features[:, :20].mean(dim=1), features[:, :20].amax(dim=1)])
    torch.testing.assert_close(seen["pooled"][0], wanted, atol=1e-12, rtol=0)

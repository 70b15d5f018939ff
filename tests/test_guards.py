"""Operators that trust their arguments: what does not fit is refused before it is called, what fits is worked out.

Run as a program, this file makes the calls that do not fit and prints what is said of each: without its guard, most of
them end the process, which would be that of the tests.
"""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from ecgviz.checkpoint.operators import resolved
from ecgviz.errors import ModelError

Given = dict[str, Any]
LEAST = torch.tensor([-(2**63)])


def target(name: str) -> Callable[..., Any]:
    return resolved(f"torch.ops.aten.{name}", "net.pt2")


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def normed(**changes: Any) -> Given:
    of_channels = {name: torch.ones(4) for name in ("weight", "bias", "running_mean", "running_var")}
    return {"input": noise(2, 4, 8), **of_channels, "training": False, "momentum": 0.1, "eps": 1e-5} | changes


def normed_legit(**changes: Any) -> Given:
    return {name: value for name, value in normed(**changes).items() if name != "training"}


def own_statistics(**changes: Any) -> Given:
    given = normed(training=True, **changes)
    return {name: value for name, value in given.items() if not name.startswith("running")}


def attending(**changes: Any) -> Given:
    return {"query": noise(2, 2, 5, 8), "key": noise(2, 2, 6, 8), "value": noise(2, 2, 6, 8)} | changes


def recurrent(gates: int, *, layers: int = 1, both_ways: bool = False, **changes: Any) -> Given:
    """Return arguments of a layer of 3 hidden numbers for 2 records of 5 samples in 4 leads."""
    ways = 1 + both_ways
    weights = []
    for wide in [4] + [3 * ways] * (layers - 1):
        weights += [*(noise(gates * 3, wide), noise(gates * 3, 3), noise(gates * 3), noise(gates * 3))] * ways
    state = noise(layers * ways, 2, 3)
    return {
        "input": noise(5, 2, 4),
        "hx": [state, state] if gates == 4 else state,
        "params": weights,
        **{"has_biases": True, "num_layers": layers, "dropout": 0.0, "train": False},
        **{"bidirectional": both_ways, "batch_first": False},
    } | changes


REFUSED: list[tuple[str, Callable[[], Given], str]] = [
    ("native_batch_norm.default", lambda: normed(running_mean=torch.ones(1)), "running_mean is (1,), and (4,)"),
    ("native_batch_norm.default", lambda: normed(running_var=torch.ones(0), training=True), "running_var is (0,)"),
    ("native_batch_norm.default", lambda: normed(weight=torch.ones(1)), "weight is (1,), and (4,) is wanted"),
    ("native_batch_norm.default", lambda: normed(running_mean=None, running_var=None), "is not in training"),
    ("native_batch_norm.default", lambda: normed(running_mean=None), "one of running_mean and running_var"),
    ("native_batch_norm.default", lambda: normed(input=noise(4)), "without an axis of channels"),
    ("_native_batch_norm_legit.default", lambda: normed(bias=torch.ones(3)), "bias is (3,), and (4,) is wanted"),
    ("_native_batch_norm_legit.no_stats", lambda: own_statistics(bias=torch.ones(1)), "bias is (1,)"),
    ("_native_batch_norm_legit.no_stats", lambda: own_statistics() | {"training": False}, "has no running_mean"),
    ("_native_batch_norm_legit_no_training.default", lambda: normed_legit(input=noise(2, 5, 8)), "weight is (4,)"),
    ("div.Tensor_mode", lambda: {"self": LEAST, "other": torch.tensor([-1]), "rounding_mode": "trunc"}, "by -1"),
    ("div_.Tensor_mode", lambda: {"self": LEAST.clone(), "other": torch.tensor(-1), "rounding_mode": "trunc"}, "by -1"),
    ("div.Scalar_mode", lambda: {"self": LEAST, "other": -1, "rounding_mode": "trunc"}, "by -1"),
    ("divide.Tensor_mode", lambda: {"self": LEAST, "other": torch.tensor([-1]), "rounding_mode": "trunc"}, "by -1"),
    ("div.Scalar_mode", lambda: {"self": LEAST // 2**32, "other": 0, "rounding_mode": "trunc"}, "ZeroDivisionError"),
    (
        "div.Scalar_mode",
        lambda: {"self": (LEAST // 2**32).int(), "other": -1, "rounding_mode": "trunc"},
        "divides -2147483648 by -1",
    ),
    ("_fft_c2c.default", lambda: {"self": torch.complex(noise(4, 8), noise(4, 8)), "dim": [2**40]}, "for samples of 2"),
    ("_fft_r2c.default", lambda: {"self": noise(4, 8), "dim": [-1]}, "dim is [-1] for samples of 2 axes"),
    ("_fft_r2c.default", lambda: {"self": noise(4, 8), "dim": [1, 1]}, "dim is [1, 1]"),
    ("_fft_r2c.default", lambda: {"self": noise(4, 8), "dim": []}, "dim is []"),
    ("_fft_c2r.default", lambda: {"self": noise(4, 5) + 0j, "dim": [1], "last_dim_size": 3}, "5 frequencies are not"),
    (
        "_scaled_dot_product_flash_attention_for_cpu.default",
        lambda: attending(value=noise(1, 2, 6, 8)),
        "value is (1, 2, 6, 8), and (2, 2, 6, 8) is wanted",
    ),
    ("_scaled_dot_product_flash_attention_for_cpu.default", lambda: attending(key=noise(2, 4, 6, 8)), "key is (2, 4,"),
    ("_scaled_dot_product_flash_attention_for_cpu.default", lambda: attending(attn_mask=noise(5, 2)), "attn_mask is"),
    ("_weight_norm.default", lambda: {"v": noise(5, 5, 3), "g": noise(4, 1, 1)}, "g is (4, 1, 1), and (5, 1, 1)"),
    ("_weight_norm.default", lambda: {"v": noise(0), "g": noise(0)}, "for v of shape (0,)"),
    ("lstm.input", lambda: recurrent(4, input=noise(5, 2, 800)), "and [(12, 800), (12, 3), (12,), (12,)] are wanted"),
    ("lstm.input", lambda: recurrent(4, input=noise(1, 5, 2, 4)), "other than 3 axes"),
    ("lstm.input", lambda: recurrent(4, batch_first=True), "a state is (1, 2, 3) for 5 records"),
    ("lstm.input", lambda: recurrent(4, has_biases=False), "params are"),
    ("lstm.input", lambda: recurrent(4, num_layers=2**40), "a state is"),
    ("gru.input", lambda: recurrent(3, hx=noise(1, 2, 3).double()), "it mixes float32 and float64"),
    ("rnn_tanh.input", lambda: recurrent(1, bidirectional=True), "a state is (1, 2, 3)"),
    (
        "max_pool1d.default",
        lambda: {"self": noise(2, 4, 16), "kernel_size": [2**40], "padding": [1], "ceil_mode": True},
        "kernel_size is [1099511627776]",
    ),
]
COMPLEX = {"normalization": 0, "forward": True}


def said() -> None:
    """Make every call of `REFUSED`, and write a line with what is said of it."""
    for name, given, _ in REFUSED:
        usual = {
            "_fft_c2c": COMPLEX,
            "_fft_r2c": {"normalization": 0, "onesided": True},
            "_fft_c2r": {"normalization": 0},
        }
        try:
            target(name)(**given(), **usual.get(name.partition(".")[0], {}))
            answer = "nothing"
        except (ValueError, RuntimeError) as error:
            answer = str(error)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def test_what_does_not_fit_is_refused_before_it_is_called() -> None:
    made = subprocess.run([sys.executable, "-W", "ignore", __file__], capture_output=True, text=True, timeout=600)
    answers = [json.loads(line) for line in made.stdout.splitlines()]
    assert len(answers) == len(REFUSED), f"{REFUSED[len(answers)][0]} ended the process: {made.stderr}"
    assert made.returncode == 0
    for answer, (name, _, says) in zip(answers, REFUSED, strict=True):
        assert says in answer, name
        assert answer != "nothing", name


def test_what_fits_is_worked_out_as_ever() -> None:
    given = normed(running_mean=torch.arange(4.0), running_var=torch.full((4,), 4.0), eps=0.0)
    found = target("native_batch_norm.default")(**given)[0]
    by_hand = (given["input"] - torch.arange(4.0)[:, None]) / 2 + 1
    torch.testing.assert_close(found, by_hand)
    alone = target("_native_batch_norm_legit.no_stats")(**own_statistics(weight=None, bias=None))[0]
    torch.testing.assert_close(alone.mean((0, 2)), torch.zeros(4), atol=1e-6, rtol=0)
    x = noise(4, 8)
    torch.testing.assert_close(
        target("_fft_r2c.default")(self=x, dim=[1], normalization=0, onesided=True), torch.fft.rfft(x)
    )
    back = target("_fft_c2r.default")(self=torch.fft.rfft(x), dim=[1], normalization=2, last_dim_size=8)
    torch.testing.assert_close(back, x)
    for mask in (None, noise(5, 6), noise(2, 1, 5, 6)):
        seen = target("_scaled_dot_product_flash_attention_for_cpu.default")(**attending(attn_mask=mask))[0]
        torch.testing.assert_close(
            seen, torch.nn.functional.scaled_dot_product_attention(**attending(), attn_mask=mask), atol=1e-5, rtol=0
        )
    v = noise(4, 5, 3)
    wide = target("_weight_norm.default")(v=v, g=torch.full((4, 1, 1), 2.0))
    torch.testing.assert_close(wide.flatten(1).norm(dim=1), torch.full((4,), 2.0))


@pytest.mark.parametrize(("kind", "gates"), [("lstm", 4), ("gru", 3), ("rnn_tanh", 1), ("rnn_relu", 1)])
@pytest.mark.parametrize("both_ways", [False, True])
def test_recurrent_layers_that_fit_are_worked_out(kind: str, gates: int, both_ways: bool) -> None:
    given = recurrent(gates, layers=2, both_ways=both_ways)
    found = target(f"{kind}.input")(**given)
    assert found[0].shape == (5, 2, 3 * (1 + both_ways))
    public = {"lstm": torch.lstm, "gru": torch.gru, "rnn_tanh": torch.rnn_tanh, "rnn_relu": torch.rnn_relu}[kind]
    torch.testing.assert_close(found[0], public(*given.values())[0])


def test_a_projected_lstm_that_fits_is_worked_out() -> None:
    torch.manual_seed(0)
    layer = torch.nn.LSTM(4, 5, num_layers=2, proj_size=3, bidirectional=True)
    states = [noise(4, 2, 3), noise(4, 2, 5)]
    given = recurrent(4, layers=2, both_ways=True, hx=states, params=[*layer.parameters()])
    torch.testing.assert_close(target("lstm.input")(**given)[0], layer(given["input"], tuple(states))[0])


@pytest.mark.parametrize("rounding", ["floor", None])
def test_integers_divide_in_every_way_that_has_a_number(rounding: str | None) -> None:
    seven = torch.tensor([7, -7])
    assert target("div.Tensor_mode")(self=LEAST, other=torch.tensor([-1]), rounding_mode=rounding).shape == (1,)
    assert target("div.Tensor_mode")(self=seven, other=torch.tensor([-1]), rounding_mode="trunc").tolist() == [-7, 7]
    assert target("div.Scalar_mode")(self=LEAST, other=2, rounding_mode="trunc").item() == -(2**62)
    assert target("div.Scalar_mode")(self=seven.float(), other=2, rounding_mode="trunc").tolist() == [3, -3]


@pytest.mark.parametrize(
    "name",
    [
        *("as_strided_.default", "lstm.data", "gru.data", "rnn_relu.data", "rnn_tanh.data"),
        *("remainder.int", "mul.left_t", "to.prim_dtype", "to.prim_Device", "add.out", "native_batch_norm.out"),
    ],
)
def test_forms_of_an_operator_that_look_at_nothing_are_refused(name: str) -> None:
    with pytest.raises(
        ModelError, match=rf"calls 'torch\.ops\.aten\.{name}', a form of it that a program may not call"
    ):
        target(name)


def test_sizes_are_numbers_that_a_tensor_can_have() -> None:
    assert resolved("_operator.mul", "net.pt2")(3, 4) == 12
    for two in ([1], 10**12), ("a", 10**12):
        with pytest.raises(TypeError, match="sizes are numbers"):
            resolved("_operator.mul", "net.pt2")(*two)
    with pytest.raises(ValueError, match="more than 63 bits"):
        resolved("_operator.mul", "net.pt2")(2**40, 2**40)


if __name__ == "__main__":
    said()

"""How fast integrated gradients are complete, beside Captum with its default of 50 steps.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/integrated_gradients.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/integrated_gradients.py --model imle_net_beats --records 20

Records are simulated, one finding after the other; each is explained for the label that its network finds most likely,
by both sides in turn, from each lead's own level. Captum is called as it stands: 50 Gauss-Legendre steps in one batch.
Its completeness error is that of the map it returned; ours is what the halving of panels stopped at, once their errors
were small without their signs, too; first places and both ends included. Times are medians over records, the ratio is
the median of the records' ratios.
"""

import argparse
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
import torch
from captum.attr import IntegratedGradients

from ecgviz.checkpoint import Model, load_model, model_input, predict_batch
from ecgviz.explain.attribution import attributed, change_of_logit, completeness_error
from ecgviz.explain.baselines import one_baseline
from ecgviz.explain.path import COMPLETE, integrated_gradients
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import Beats, ModelInput

TARGET = 4.0
"""Time of Captum's default over ours that we want at least."""
RECORDED_HZ = 500.0


def record(model: Model, number: int) -> tuple[ModelInput, Beats]:
    """Return a simulated record as the model is fed it, and its beats."""
    finding = tuple(FINDINGS)[number % len(FINDINGS)]
    made = simulate(finding, seed=number, fs=RECORDED_HZ, duration_s=model.spec.duration_s)
    return model_input(model, made.record, made.truth.beats), made.truth.beats


def captum_default(model: Model, inputs: ModelInput, beats: Beats, label_index: int) -> tuple[float, float]:
    """Return seconds and completeness error of Captum's default."""
    reference = torch.from_numpy(one_baseline("isoelectric", model, inputs, beats, seed=0))[None]
    spent, errors = [], []

    def run(fed: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> torch.Tensor:
        start = perf_counter()
        attribution: torch.Tensor = IntegratedGradients(fed).attribute(x, reference, target=label_index)
        spent.append(perf_counter() - start)
        errors.append(completeness_error(attribution, change_of_logit(fed, x, reference, label_index)))
        return attribution

    attributed(model, [inputs], run)
    return spent[0], errors[0]


def main(argv: Sequence[str] | None = None) -> None:
    """Print medians of both sides and their ratio beside the target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="imle_net", help="a shipped model")
    parser.add_argument("--records", type=int, default=100)
    options = parser.parse_args(argv)
    model = load_model(options.model)
    print(f"{model.name}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {options.records} records")
    rows = []
    for number in range(options.records):
        inputs, beats = record(model, number)
        label_index = int(predict_batch(model, [inputs])[0].argmax())
        start = perf_counter()
        ours = integrated_gradients(model, inputs, beats, label_index, seed=0)
        ours_s = perf_counter() - start
        captum_s, captum_error = captum_default(model, inputs, beats, label_index)
        rows.append((ours_s, ours.completeness_error, ours.params["n_steps"], captum_s, captum_error))
    ours_s, ours_error, steps, captum_s, captum_error = np.array(rows).T
    print(f"Captum, 50 steps: {captum_s.mean():.2f} s mean, {np.median(captum_s):.2f} s median; ", end="")
    print(
        f"completeness error {np.median(captum_error):.4f} median, below 1 % in {(captum_error < COMPLETE).mean():.0%}"
    )
    print(
        f"ours, {np.median(steps):.0f} places: {ours_s.mean():.2f} s mean, {np.median(ours_s):.2f} s median; ", end=""
    )
    print(f"completeness error {np.median(ours_error):.4f} median, below 1 % in {(ours_error < COMPLETE).mean():.0%}")
    print(f"Captum over ours: {np.median(captum_s / ours_s):.2f} (target at least {TARGET:g})")


if __name__ == "__main__":
    main()

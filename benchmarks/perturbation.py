"""How long methods that remove cells take on IMLE-Net, beside plain Captum and a plain loop over altered records.

Run it from the repository with one thread, on a machine that does nothing else::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/perturbation.py
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/perturbation.py --records 100 --model imle_net

Recordings are simulated. For each, both sides run in the same process by turns, on the same cells and against the same
baseline (each lead's isoelectric level); times are processor seconds, so that a busy machine slows both. What comes
out is the median ratio over the recordings, and the largest difference between the two sides' results:

1. FeatureAblation of Captum over the windows of every lead (240 for IMLE-Net), and our ablation of them.
2. KernelShap of Captum over the same windows, of `--drawn` sets, scaled to 2048; ours is run in full, its regression
   included. Each draws its own sets, so what is compared are the logits of some sets with those of the whole network.
3. FeatureAblation of Captum over real waves (lead x beat x wave): some cells of it, scaled to all.
4. Deletion of the windows one after the other: `removal_curve`, and a loop that runs the network at each step.
"""

import argparse
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

import numpy as np
import torch
from captum.attr import FeatureAblation, KernelShap
from numpy.typing import NDArray
from torch import Tensor

from ecgviz.checkpoint import Model, load_model, model_input, tensors
from ecgviz.explain.baselines import one_baseline
from ecgviz.explain.cells import Cells, cells_by
from ecgviz.explain.coalitions import altered, coalition_logits, removal_curve
from ecgviz.explain.shapley import kernel_shap
from ecgviz.simulate import FINDINGS, simulate
from ecgviz.types import Beats, ModelInput
from ecgviz.types.arrays import FloatArray

TARGETS = {"ablation of windows": 100.0, "KernelSHAP of windows": 80.0, "ablation of waves": None, "curves": 50.0}
"""The other side's time over ours that we want at least; none is set for waves."""
AGREE = 1e-5
"""Largest difference between results, in logits."""
COALITIONS = 2048
FEW_WAVES = 48
"""Waves that Captum ablates."""
REPEATS = 3
"""How often ours, which is short, is timed on each recording; the other side runs the network hundreds of times."""
Timed = tuple[float, float, float]
"""Seconds of the other side, seconds of ours, and the largest difference of their results in logits."""


def seconds(run: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """Return how long a call takes the processor, the median over some, and what it returns."""
    times = []
    for _ in range(repeats):
        start = process_time()
        result = run()
        times.append(process_time() - start)
    return statistics.median(times), result


@dataclass(frozen=True, eq=False)
class Case:
    """One recording, as both sides are given it."""

    model: Model
    inputs: ModelInput
    beats: Beats
    reference: FloatArray

    def network(self, x: Tensor) -> Tensor:
        """Run the network as Captum asks for it."""
        logits: Tensor = self.model.net(x, **tensors(self.inputs)[1])
        return logits

    def captum(self, method: type, owner: NDArray[np.intp], **options: int) -> FloatArray:
        """Return a map (L, T) of one of Captum's methods over cells, -1 being a cell too."""
        x, against = tensors(self.inputs)[0], torch.from_numpy(self.reference)[None]
        mask = torch.tensor(owner - owner.min())[None]
        return method(self.network).attribute(x, against, target=0, feature_mask=mask, **options)[0].numpy()

    def ablated(self, cells: Cells) -> FloatArray:
        """Return what the first logit loses without each cell."""
        sets = np.concatenate([np.ones((1, len(cells)), dtype=bool), ~np.eye(len(cells), dtype=bool)])
        worth = coalition_logits(self.model, self.inputs, cells, self.reference, sets)[:, 0]
        return np.asarray(worth[0] - worth[1:])


def drawn(model: Model, seed: int) -> Case:
    """Simulate a recording; seeds take all findings by turns."""
    names = sorted(FINDINGS)
    simulated = simulate(names[seed % len(names)], seed=seed, fs=500.0, duration_s=10.0)
    beats = simulated.truth.beats
    inputs = model_input(model, simulated.record, beats)
    return Case(model, inputs, beats, one_baseline("isoelectric", model, inputs, beats, seed=0))


def of_windows(case: Case, windows: Cells) -> Timed:
    """Ablate each window."""
    captum_s, theirs = seconds(lambda: case.captum(FeatureAblation, windows.owner))
    ours_s, ours = seconds(lambda: case.ablated(windows), REPEATS)
    return captum_s, ours_s, difference(theirs, ours, windows.owner)


def of_waves(case: Case, waves: Cells) -> Timed:
    """Ablate each wave; Captum ablates some, and what belongs to no other, as one more."""
    some = np.where(waves.owner < FEW_WAVES, waves.owner, -1)
    captum_s, theirs = seconds(lambda: case.captum(FeatureAblation, some))
    ours_s, ours = seconds(lambda: case.ablated(waves), REPEATS)
    scaled_s = captum_s * (len(waves) + 1) / (FEW_WAVES + 2)
    return scaled_s, ours_s, difference(theirs, ours[:FEW_WAVES], some)


def of_sets(case: Case, windows: Cells, n_drawn: int) -> Timed:
    """Fit KernelSHAP over windows; the difference is that of some logits from those of the whole network."""
    captum_s, _ = seconds(lambda: case.captum(KernelShap, windows.owner, n_samples=n_drawn))
    given = {"cells": "window", "n_coalitions": COALITIONS}
    ours_s, _ = seconds(lambda: kernel_shap(case.model, case.inputs, case.beats, 0, seed=0, **given), REPEATS)
    some = np.random.default_rng(0).random((8, len(windows))) < 0.5
    fast, whole = (
        coalition_logits(case.model, case.inputs, windows, case.reference, some, generic=way) for way in (False, True)
    )
    return captum_s * COALITIONS / n_drawn, ours_s, float(np.abs(fast - whole).max())


def of_curves(case: Case, windows: Cells) -> Timed:
    """Delete one window after the other, the one that loses most first."""
    order = np.argsort(-case.ablated(windows))

    def stepwise() -> FloatArray:
        present = np.ones(len(windows), dtype=bool)
        curve = []
        for window in (None, *order):
            present[[] if window is None else window] = False
            x = altered(case.inputs, windows, case.reference, present[None])
            curve.append(float(case.network(torch.from_numpy(x))[0, 0]))
        return np.array(curve)

    loop_s, theirs = seconds(stepwise)
    ours_s, ours = seconds(
        lambda: removal_curve(case.model, case.inputs, windows, order, case.reference, label_index=0), REPEATS
    )
    return loop_s, ours_s, float(np.abs(theirs - ours).max())


def difference(by_sample: FloatArray, by_cell: FloatArray, owner: NDArray[np.intp]) -> float:
    """Return how far a map, all samples of a cell alike, is from what each cell has."""
    inside = owner >= 0
    return float(np.abs(by_sample[inside] - by_cell[owner[inside]]).max())


def compared(case: Case, n_drawn: int) -> dict[str, Timed]:
    """Run all parts on one recording."""
    windows, waves = (cells_by(kind, case.model, case.inputs, case.beats) for kind in ("window", "lead_beat_wave"))
    return {
        "ablation of windows": of_windows(case, windows),
        "KernelSHAP of windows": of_sets(case, windows, n_drawn),
        "ablation of waves": of_waves(case, waves),
        "curves": of_curves(case, windows),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print what each part took, beside its target."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=5, help="how many recordings")
    parser.add_argument("--drawn", type=int, default=64, help="sets that Captum's KernelShap draws")
    parser.add_argument("--model", default="imle_net", help="a shipped model, or a folder of one")
    options = parser.parse_args(argv)
    model = load_model(options.model)
    print(
        f"{model.name}, {torch.get_num_threads()} thread(s), torch {torch.__version__}, {options.records} recording(s)"
    )
    with torch.inference_mode():
        compared(drawn(model, 0), 2)  # what is set up at the first call is not timed
        each = [compared(drawn(model, seed), options.drawn) for seed in range(options.records)]
    print(f"{'':<24}{'other side, s':>14}{'ours, s':>10}{'ratio':>9}{'target':>9}{'differ by':>12}")
    for part, target in TARGETS.items():
        other_s, ours_s, apart = np.array([found[part] for found in each]).T
        wanted = "none" if target is None else f"{target:g}"
        print(
            f"{part:<24}{np.median(other_s):>14.2f}{np.median(ours_s):>10.3f}{np.median(other_s / ours_s):>9.1f}"
            f"{wanted:>9}{apart.max():>12.1e}{'' if apart.max() <= AGREE else '  (more than 1e-5)'}"
        )


if __name__ == "__main__":
    main()

"""How often maps that know nothing of a training are said to agree with the guideline, on real recordings.

Run it from the repository, with a folder of recordings (PTB-XL's 500 Hz files, say)::

    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/untaught.py FOLDER
    OMP_NUM_THREADS=1 .venv/bin/python benchmarks/untaught.py FOLDER --model resnet1d --every 4

Each label of a shipped network whose criteria are met on a recording is asked about, as in every analysis, with five
random networks, |x| and |dx/dt| as controls; what is explained is

1. three more random networks, by integrated gradients;
2. the square of |x|, and the square of |dx/dt|: no network's map, and sharper than the control it is made of.

What comes out is how often each word was said of each, and of which labels *agrees*.
"""

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from ecgviz.checkpoint import Model, load_model, model_input, predict
from ecgviz.compare import compare
from ecgviz.evidence import evidence
from ecgviz.explain import controls_of_many
from ecgviz.pipeline import examine, findings_of
from ecgviz.pipeline.parts import RANDOM_SEEDS
from ecgviz.records import load_record

MORE_SEEDS = (5, 6, 7)
METHOD = "integrated_gradients"


def words(model: Model, path: Path) -> list[tuple[str, str, str]]:
    """Return what was explained, of which label, and the word, for each map of one recording."""
    examined = examine(load_record(path))
    beats = examined.beats
    prepared, prediction = model_input(model, examined.record, beats), predict(model, examined.record, beats)
    said = []
    for label in model.labels:
        findings = findings_of(examined, label)
        if not any(finding.state == "met" for finding in findings):
            continue
        seeds = [RANDOM_SEEDS + MORE_SEEDS]
        made = controls_of_many(model, [prepared], label, METHOD, [beats], seeds=seeds)[0]
        untaught = made.pop("random networks")
        controls = {name: [evidence(each, beats) for each in maps] for name, maps in made.items()}
        controls["random networks"] = [evidence(each, beats) for each in untaught[: len(RANDOM_SEEDS)]]
        asked = [("random network", each) for each in untaught[len(RANDOM_SEEDS) :]]
        asked += [(f"{name} squared", replace(each, values=each.values**2)) for name, (each,) in made.items()]
        for name, map_ in asked:
            found = compare(map_, beats, evidence(map_, beats), findings, controls, prediction, label)
            said.append((name, label, found.evidence))
    return said


def main() -> None:
    """Explain the recordings of a folder, and print how often each word was said."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="resnet1d")
    parser.add_argument("--every", type=int, default=1, help="take every so many of the recordings")
    asked = parser.parse_args()
    model = load_model(asked.model)
    paths = sorted(asked.folder.rglob("*_hr.hea"))[:: asked.every]
    if not paths:
        parser.error(f"{asked.folder} holds no file ending in _hr.hea")
    said = [each for path in paths for each in words(model, path)]
    print(f"{len(paths)} recordings, {asked.model}; research and teaching, not a medical device")
    for name in dict.fromkeys(name for name, _, _ in said):
        counts = Counter(word for what, _, word in said if what == name)
        labels = Counter(label for what, label, word in said if (what, word) == (name, "agrees"))
        print(f"{name}: {counts['agrees']} of {counts.total()} agree {dict(labels)}; {dict(counts)}")


if __name__ == "__main__":
    main()

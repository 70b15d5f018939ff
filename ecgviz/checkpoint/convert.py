"""A model folder from what others trained: a PyTorch checkpoint for a registered network, or an exported program.

What a file does not say is asked for and never assumed: rate, duration and scaling of the input, and the labels.
Thresholds may be left out; they are then 0.5 each, and the card says that nobody fitted them.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from ecgviz import NOTICE
from ecgviz.checkpoint.archive import MAX_BYTES
from ecgviz.checkpoint.exported import PREDICTS_ONLY, ExportedProgram
from ecgviz.checkpoint.folder import EXPORTED, NAME, architecture, check_labels, check_rate, fill, save_model
from ecgviz.checkpoint.inputs import asked, noise_for
from ecgviz.checkpoint.trial import try_in_child
from ecgviz.checkpoint.unpickle import checkpoint_tensors
from ecgviz.errors import ModelError
from ecgviz.records.leads import EXTRA_LEADS, STANDARD_LEADS, canonical
from ecgviz.types import InputSpec

Config = Mapping[str, float | int | str | bool]


def import_checkpoint(
    file: Path,
    folder: Path,
    *,
    net_name: str,
    config: Config,
    labels: tuple[str, ...],
    spec: InputSpec,
    thresholds: tuple[float, ...] | None = None,
) -> None:
    """Write a model folder from a state dict, which may be nested and have a prefix before every key.

    Parameters
    ----------
    file : Path
        Written by ``torch.save(net.state_dict(), ...)``, or the checkpoint of a trainer around that.
    folder : Path
        To write; its name becomes the model's.
    net_name, config
        A registered architecture and its settings.
    labels, thresholds
        What the outputs mean, in their order, and the probabilities from which they count as positive.
    spec : InputSpec
        How the network was fed in training; ``needs`` and ``pads`` are taken from the network.

    Raises
    ------
    ModelError
        Naming what is wrong with the file, or does not fit: keys, shapes, number of labels, values, leads; when the
        network cannot be fed what ``spec`` says, or answers noise with a logit that is not finite.
    EcgvizError
        When there is no such network.
    """
    chosen = _thresholds(labels, thresholds, folder)
    _check_leads(spec)
    net = architecture(net_name, len(labels), config)
    check_rate(net, spec, net_name, file.name)
    wanted = net.state_dict()
    found = without_prefix(checkpoint_tensors(file), wanted)
    _check_outputs(found, wanted, architecture(net_name, len(labels) + 1, config).state_dict(), file.name)
    fill(net, {key: _in_type_of(tensor, wanted.get(key)) for key, tensor in found.items()}, file.name)
    stored = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in found.values()})
    sentence = f"{net_name}, built and checked here; its weights come from a checkpoint ({', '.join(stored)})."
    spec = replace(spec, pads=getattr(net, "pads", False), needs=tuple(getattr(net, "needs", ())))
    _try_network(net.eval(), spec, len(labels), file.name)
    _save(file, folder, net.eval(), net_name, config, labels, spec, chosen, thresholds is not None, sentence)


def import_program(
    file: Path,
    folder: Path,
    *,
    labels: tuple[str, ...],
    spec: InputSpec,
    thresholds: tuple[float, ...] | None = None,
) -> None:
    """Write a model folder from an exported program (``torch.export.save``), which predicts and can be perturbed.

    Parameters are those of `import_checkpoint`; the program takes standardised samples (B, L, T) and returns logits.

    Raises
    ------
    ModelError
        When the file is no such program, its shapes do not fit labels and contract, it calls an operator that programs
        may not, its logits are not finite or not repeatable, or its first run takes too much memory or time.
    """
    chosen = _thresholds(labels, thresholds, folder)
    _check_leads(spec)
    if not file.is_file():
        raise ModelError(f"there is no file {str(file)!r}")
    if file.stat().st_size > MAX_BYTES:
        raise ModelError(f"{file.name} has {file.stat().st_size / 1e6:.0f} MB (limit {MAX_BYTES / 1e6:.0f} MB)")
    program = ExportedProgram(file.read_bytes(), file.name)
    spec = replace(spec, pads=program.pads, needs=program.needs)
    program.check(len(labels), spec)
    try_in_child(program, spec)
    sentence = f"unknown; it {PREDICTS_ONLY}."
    _save(file, folder, program.eval(), EXPORTED, {}, labels, spec, chosen, thresholds is not None, sentence)


def without_prefix(tensors: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors without the words before every key ("module.", "model.") that the network does not have."""
    found = dict(tensors)
    while True:
        words = {key.partition(".")[0] for key in found}
        word = next(iter(words))
        if len(words) > 1 or any(key == word or key.startswith(f"{word}.") for key in wanted) or word in found:
            return found
        found = {key.partition(".")[2]: tensor for key, tensor in found.items()}


def _thresholds(labels: tuple[str, ...], given: tuple[float, ...] | None, folder: Path) -> tuple[float, ...]:
    """Return the thresholds to write, after checking them, the labels and the folder's name."""
    if not NAME.fullmatch(folder.name):
        raise ModelError(f"{folder.name!r} is no name of a model: lower case letters, digits, '_', '.' and '-'")
    if folder.exists():
        raise ModelError(f"{folder} exists already; name a new folder")
    chosen = (0.5,) * len(labels) if given is None else given
    check_labels(labels, chosen)
    return chosen


def _check_leads(spec: InputSpec) -> None:
    """Refuse a lead that no recording has under that name, with the name that it may be meant for."""
    for lead in spec.leads:
        if lead in (*STANDARD_LEADS, *EXTRA_LEADS):
            continue
        meant = canonical(lead)
        likely = f"write {meant}" if meant else f"known are {', '.join((*STANDARD_LEADS, *EXTRA_LEADS))}"
        raise ModelError(f"{lead!r} is no name of a lead, so no recording could be fed to this network; {likely}")


def _check_outputs(
    found: Mapping[str, Tensor], wanted: Mapping[str, Tensor], wider: Mapping[str, Tensor], called: str
) -> None:
    """Refuse a number of labels that is not the checkpoint's; ``wider`` is the network with one label more.

    A tensor is of the output layer when it grows by 1 with the number of labels.
    """
    for key, tensor in found.items():
        if key not in wanted or tensor.ndim != wanted[key].ndim:
            continue
        for axis in range(tensor.ndim):
            n_labels, n_found = wanted[key].shape[axis], tensor.shape[axis]
            if wider[key].shape[axis] == n_labels + 1 and n_found != n_labels:
                raise ModelError(f"{called}: {key} has {n_found} outputs, and {n_labels} labels are given")


def _in_type_of(tensor: Tensor, wanted: Tensor | None) -> Tensor:
    both_real = wanted is not None and tensor.is_floating_point() and wanted.is_floating_point()
    return tensor.to(wanted.dtype) if wanted is not None and both_real else tensor


def _try_network(net: nn.Module, spec: InputSpec, n_labels: int, called: str) -> None:
    """Refuse a network that cannot be fed what its contract says, or does not return a finite logit for each label."""
    x, arguments = noise_for(spec)
    logits = asked(net, spec, n_labels, called, x, arguments)
    if not torch.isfinite(logits).all():
        raise ModelError(f"{called}: its logits for noise are not finite")


def _save(
    file: Path,
    folder: Path,
    net: nn.Module,
    net_name: str,
    config: Config,
    labels: tuple[str, ...],
    spec: InputSpec,
    thresholds: tuple[float, ...],
    fitted: bool,
    sentence: str,
) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    n_parameters = sum(parameter.numel() for parameter in net.parameters())
    save_model(
        folder,
        net,
        net_name=net_name,
        config=config,
        name=folder.name,
        version="1",
        spec=spec,
        labels=labels,
        thresholds=thresholds,
        metrics={},
        training={"imported_sha256": digest, "thresholds_fitted": fitted, "torch": torch.__version__},
        card=card(folder.name, sentence, config, n_parameters, labels, spec, thresholds, fitted, digest),
    )


def card(
    name: str,
    network: str,
    config: Config,
    n_parameters: int,
    labels: Sequence[str],
    spec: InputSpec,
    thresholds: Sequence[float],
    fitted: bool,
    digest: str,
) -> str:
    """Return CARD.md of an imported model: what is known of it, and what is not."""
    settings = ", ".join(f"{key} {value}" for key, value in config.items()) or "none"
    given = ", ".join(f"{label} {value:g}" for label, value in zip(labels, thresholds, strict=True))
    parts = [
        f"# {name}",
        NOTICE,
        f"**Network** {network} Settings: {settings}. {n_parameters:,} parameters.",
        f"**Input**, as whoever imported it stated: leads {', '.join(spec.leads)} in this order, "
        f"{spec.duration_s:g} s at {spec.fs:g} Hz in millivolts, minus {spec.mean_mv:g} mV, over "
        f"{spec.std_mv:g} mV. No filter.",
        f"**Labels**, as stated: {', '.join(labels)}.",
        f"**Thresholds** {given}, as stated; on which records they were fitted is not known here."
        if fitted
        else "**Thresholds** were not fitted: 0.5 each.",
        "**Scores** none were measured here.",
        "**Not known here** which records it was trained on, how, by whom and under which licence; whether it was fed "
        "what is stated above. A wrong scale, rate or order of labels gives plausible and wrong probabilities: predict "
        "records whose labels you know before you read anything into it.",
        f"**Imported from** a file with SHA-256 {digest}.",
    ]
    return "\n\n".join(parts) + "\n"

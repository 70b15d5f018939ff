"""Edits as evidence: what the logit does when the rhythm, the rate, the P waves or the PR interval are changed.

An RR interval has no mass that an attribution could fall on, nor has an interval or a wave that is absent. What a
network makes of them is asked by changing them. Every edit stands beside sham edits, which leave what is asked about as
it was: a logit that moves as far for those tells nothing. They change the samples about as much as the edit does, but
for PR: P waves cannot move without it unless the QRS complexes move along, which changes samples some ten times as
much. Where sizes differ that far, the result says so.

Edits are made on the recording as the network is fed it, of a longer one on its first window alone; R peaks that a
network needs move along. No sham edit keeps both rate and regularity and stretches TP as a change of rate does: in
atrial fibrillation, where fibrillatory waves in these stretches become slower or faster, that edit does not tell the
one from the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from ecgviz.checkpoint import Model, model_input, predict_batch
from ecgviz.edit import Edited, change_rate, insert_p, regular_rr, remove_p, shift_pr
from ecgviz.edit.relay import beginning
from ecgviz.errors import EditError, ExplanationError, InputError
from ecgviz.explain.shams import later, misplaced, moved_with_p, permuted_rr, size_mv
from ecgviz.types import Beats, ModelInput, Record

FEWEST_SHAMS = 8
LIKE_SIZE = 2.0
"""Sham edits that change samples by more than this many times as much as the edit, or as little, are told apart."""
NORMAL_BPM, USUAL_BPM, SLOW_BPM = (60.0, 100.0), 75.0, 50.0
"""A rate out of the first is changed to the second, one inside to the third."""
LONG_PR_MS, USUAL_PR_MS, LENGTHENED_PR_MS = 200.0, 160.0, 240.0
"""A PR interval above the first is shortened to the second, any other lengthened to the third."""


@dataclass(frozen=True)
class EditEvidence:
    """What one edit did to the logit of one label.

    ``edit`` is a name of `EDITS`, ``title`` what it does in words, ``done`` the sentence of the edit. ``before`` and
    ``after`` are logits; ``sham_changes`` by how much each sham edit changed the logit, ``sham`` what these are.
    ``size_mv`` is the root mean square by which the samples changed, ``sham_size_mv`` its mean over sham edits. Where
    the edit cannot be made, ``why`` says so, and numbers are NaN.
    """

    edit: str
    title: str
    label: str
    before: float
    after: float = np.nan
    done: str = ""
    sham: str = ""
    sham_changes: tuple[float, ...] = ()
    size_mv: float = np.nan
    sham_size_mv: float = np.nan
    why: str = ""

    @property
    def change(self) -> float:
        """By how much the edit changed the logit."""
        return self.after - self.before

    @property
    def sham_mean(self) -> float:
        """Mean change of the logit by sham edits."""
        return float(np.mean(self.sham_changes)) if self.sham_changes else float("nan")

    @property
    def sham_sd(self) -> float:
        """Standard deviation of the changes by sham edits."""
        return float(np.std(self.sham_changes, ddof=1)) if len(self.sham_changes) > 1 else float("nan")

    @property
    def n_as_large(self) -> int:
        """How many sham edits changed the logit by as much, in either direction."""
        return int(np.sum(np.abs(self.sham_changes) >= abs(self.change))) if self.sham_changes else 0

    @property
    def sentence(self) -> str:
        """The result for a reader."""
        if self.why:
            return f"{self.title}: not possible, {self.why}"
        verb = "lowers" if self.change < 0 else "raises"
        ratio = self.sham_size_mv / self.size_mv
        alike = 1 / LIKE_SIZE <= ratio <= LIKE_SIZE
        size = "" if alike else f"; they change the samples {ratio:.2g} times as much as it does"
        return (
            f"{self.title} {verb} the logit of {self.label} by {abs(self.change):.2f}; {len(self.sham_changes)} sham "
            f"edits ({self.sham}) change it by {self.sham_mean:+.2f} +- {self.sham_sd:.2f}, "
            f"{self.n_as_large} of them by as much{size}"
        )


@dataclass(frozen=True)
class Edit:
    """One row of `EDITS`.

    ``run(record, beats)`` makes the edit, ``shams(record, beats, edited, rng, n)`` up to n sham edits. ``criteria``
    are the kinds of criteria that it speaks for, in words.
    """

    run: Callable[[Record, Beats], Edited]
    shams: Callable[[Record, Beats, Edited, np.random.Generator, int], list[Edited]]
    title: str
    sham: str
    criteria: tuple[str, ...]


def _other_rate(record: Record, beats: Beats) -> Edited:
    if len(beats) < 2:
        raise EditError(beats.reason or "there is no RR interval")
    bpm = 60 / beats.rr_s.mean()
    return change_rate(record, beats, SLOW_BPM if NORMAL_BPM[0] <= bpm <= NORMAL_BPM[1] else USUAL_BPM)


def _other_pr(record: Record, beats: Beats) -> Edited:
    known = np.isfinite(beats.p_on) & np.isfinite(beats.qrs_on)
    if not known.any():
        raise EditError(f"no beat of {record.id} has a P wave, so there is no PR interval to change")
    pr_ms = 1000 * float(np.median((beats.qrs_on - beats.p_on)[known]))
    return shift_pr(record, beats, (USUAL_PR_MS if pr_ms > LONG_PR_MS else LENGTHENED_PR_MS) - pr_ms)


EDITS: Mapping[str, Edit] = MappingProxyType(
    {
        "regular_rr": Edit(
            regular_rr, permuted_rr, "making RR regular", "the RR intervals in another order", ("regularity",)
        ),
        "change_rate": Edit(
            _other_rate, later, "changing the rate", "the same rhythm from another moment on", ("rate",)
        ),
        "remove_p": Edit(
            remove_p, misplaced, "removing P", "the same change at another time of the beat", ("P waves",)
        ),
        "insert_p": Edit(
            insert_p, misplaced, "inserting P", "the same change at another time of the beat", ("P waves",)
        ),
        "shift_pr": Edit(
            _other_pr, moved_with_p, "changing PR", "whole beats moved by as much, PR as it was", ("PR interval",)
        ),
    }
)
"""The edits that are evidence, by name."""


def speaks_for() -> dict[str, tuple[str, ...]]:
    """Return for each kind of criterion, in words, the names of the edits that speak for it."""
    kinds = dict.fromkeys(kind for edit in EDITS.values() for kind in edit.criteria)
    return {kind: tuple(name for name, edit in EDITS.items() if kind in edit.criteria) for kind in kinds}


def edit_evidence(
    model: Model,
    record: Record,
    beats: Beats,
    label: str,
    *,
    seed: int,
    n_shams: int = 10,
    edits: Sequence[str] = tuple(EDITS),
) -> tuple[EditEvidence, ...]:
    """Return what edits do to the logit of one label, beside sham edits.

    Parameters
    ----------
    model : Model
    record : Record
        As for prediction, not conditioned. Where it is longer than the network's window, the first window of it is
        edited, as if the recording ended there.
    beats : Beats
        What was found in it; edits stand on its marks.
    label : str
        One of ``model.labels``.
    seed : int
        Of the sham edits.
    n_shams : int
        Sham edits for each edit, 8 or more.
    edits : sequence of str
        Names of `EDITS`, all by default. What one edit is found to do does not depend on the others.

    Returns
    -------
    tuple of EditEvidence
        One for each of ``edits``; those that cannot be made on this recording say why.

    Raises
    ------
    ModelError
        For a label that the model does not predict.
    InputError
        When the record does not meet the model's input contract.
    ExplanationError
        For fewer than 8 sham edits, or an unknown edit.
    """
    if n_shams < FEWEST_SHAMS:
        raise ExplanationError(f"{n_shams} sham edits are too few to tell anything by; at least {FEWEST_SHAMS}")
    unknown = [name for name in edits if name not in EDITS]
    if unknown:
        raise ExplanationError(f"there is no edit {unknown[0]!r}; known are {', '.join(EDITS)}")
    label_index = model.label_index(label)
    record, beats = beginning(record, beats, model.spec.duration_s)
    before = float(predict_batch(model, [model_input(model, record, beats)])[0, label_index])
    found = []
    for name in edits:
        nothing = EditEvidence(name, EDITS[name].title, label, before, sham=EDITS[name].sham)
        rng = np.random.default_rng([seed, list(EDITS).index(name)])
        found.append(_evidence(model, record, beats, nothing, EDITS[name], rng, n_shams))
    return tuple(found)


def _evidence(
    model: Model,
    record: Record,
    beats: Beats,
    nothing: EditEvidence,
    edit: Edit,
    rng: np.random.Generator,
    n_shams: int,
) -> EditEvidence:
    try:
        edited = edit.run(record, beats)
        shams = edit.shams(record, beats, edited, rng, n_shams)
    except EditError as refusal:
        return replace(nothing, why=str(refusal))
    size = size_mv(record, edited)
    if size == 0:
        return replace(nothing, why="it changes no sample of this recording")
    try:
        fed = model_input(model, edited.record, edited.beats)
    except InputError as refusal:
        return replace(nothing, why=f"the network cannot be fed what comes of it ({refusal})")
    shams, fed_shams = _taken(model, shams)
    if len(shams) < FEWEST_SHAMS:
        return replace(nothing, why=f"only {len(shams)} sham edits fit into this recording")
    logits = predict_batch(model, [fed, *fed_shams])[:, model.label_index(nothing.label)]
    return replace(
        nothing,
        after=float(logits[0]),
        done=edited.sentence,
        sham_changes=tuple(float(change) for change in logits[1:] - nothing.before),
        size_mv=size,
        sham_size_mv=float(np.mean([size_mv(record, sham) for sham in shams])),
    )


def _taken(model: Model, shams: Sequence[Edited]) -> tuple[list[Edited], list[ModelInput]]:
    """Return the sham edits that the network can be fed, and what it is fed: one may double a gap, for instance."""
    taken, fed = [], []
    for sham in shams:
        try:
            fed.append(model_input(model, sham.record, sham.beats))
        except InputError:
            continue
        taken.append(sham)
    return taken, fed

"""How right delineation is against the marks of LUDB's cardiologists, beside neurokit2's in the same run."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from ecgviz.beats import network_beats
from ecgviz.beats.network import load_network, unseen_by
from ecgviz.beats.neurokit import neurokit_beats
from ecgviz.errors import InputError
from ecgviz.records import load_record
from ecgviz.signal import condition
from ecgviz.types import Beats, Record
from ecgviz.types.arrays import FloatArray
from ecgviz.validate.marked import WAVES, Marked, read_marked, recordings
from ecgviz.validate.matching import Matches, match

Delineator = Callable[[Record], Beats]

OURS = "ecgviz"
FLOOR = "one mark a beat"
"""The cardiologists' own median over leads, held against their marks of each lead: no delineator that gives a beat one
mark for all of its leads can have a smaller mean absolute error."""
GLOBAL, PER_LEAD = "global", "per_lead"
COLUMNS: Mapping[str, Mapping[str, int]] = {
    "P": {"onset": 0, "offset": 2},
    "QRS": {"R peak": 1, "onset": 0, "offset": 2},
    "T": {"onset": 0, "offset": 2},
}
"""The marks of each wave that are scored, by their column in onset, peak and offset."""


@dataclass(frozen=True)
class MarkRow:
    """One mark of one wave by one delineator, in the table `GLOBAL` or `PER_LEAD`.

    ``se_percent`` and ``ppv_percent`` are those of the wave: it is found when its place is (the middle of its bounds),
    even where this mark is missing. The errors are found minus marked, in ms, over the ``n`` found waves that have the
    mark on both sides; ``p95_ms`` is the 95th percentile of their size. NaN when there is nothing to divide by.
    """

    table: str
    delineator: str
    wave: str
    mark: str
    se_percent: float
    ppv_percent: float
    mean_ms: float
    sd_ms: float
    mae_ms: float
    p95_ms: float
    n: int
    n_marked: int
    n_extra: int


@dataclass(frozen=True)
class FalseAlarms:
    """P waves found in recordings in which the cardiologists marked none in any lead, as in atrial fibrillation."""

    table: str
    delineator: str
    n_records: int
    n_waves: int
    waves_a_record: float


@dataclass(frozen=True)
class Disagreement:
    """One wave of one recording, global marks: how much of it a delineator sees otherwise than the cardiologists.

    ``error_ms`` is the largest error in size, of ``mark`` at ``at_s``; NaN and "" when no wave was found.
    """

    delineator: str
    record: str
    wave: str
    n_marked: int
    missed: int
    extra: int
    error_ms: float
    mark: str
    at_s: float


@dataclass(frozen=True)
class DelineationScore:
    """The two tables in one (``MarkRow.table`` tells them apart), false alarms, and disagreements, the worst first."""

    n_records: int
    rows: tuple[MarkRow, ...]
    false_alarms: tuple[FalseAlarms, ...]
    disagreements: tuple[Disagreement, ...]


@dataclass(frozen=True, eq=False)
class _Piece:
    """The matches of one wave of one recording, in one table; of one lead in `PER_LEAD`."""

    table: str
    delineator: str
    record: str
    wave: str
    has_p: bool
    matches: Matches


def standard_delineators() -> dict[str, Delineator]:
    """Return ours and what neurokit2 offers: its default "dwt", and "prominence", the best of its methods on LUDB."""
    theirs = {f"neurokit2 {method}": partial(neurokit_beats, method=method) for method in ("dwt", "prominence")}
    return {OURS: unseen_beats, **theirs}


def unseen_beats(record: Record) -> Beats:
    """Delineate with the network of that fold of the cross-validation which has not seen the record.

    A record of which no network has seen the marks is delineated as everywhere, by the one fitted to all.
    """
    return network_beats(record, load_network(unseen_by(record.id)))


def score(
    folder: str | Path,
    delineators: Mapping[str, Delineator] | None = None,
    records: Iterable[int] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> DelineationScore:
    """Hold delineators against the marks of LUDB (Kalyakulina et al., IEEE Access 8, 2020; 10.13026/eegm-h675).

    Two tables. *Global*: the marks of a beat against the median of the leads' marks, beat by beat, of waves that at
    least 4 leads have. *Per lead*: the marks of each lead against its own, all leads pooled, beside what a perfect
    answer with `FLOOR` would get.

    A wave lies in the middle between its onset and offset; found and marked waves are paired one to one, the nearest
    first, up to 150 ms apart. A wave without partner counts against the delineator inside the annotated span only: from
    the first to the last mark of the lead, since LUDB's first and last beats are not marked.

    Parameters
    ----------
    folder : str or Path
        LUDB as PhysioNet publishes it, or a part: ``ludb.csv`` and ``data/``.
    delineators : mapping of str to callable
        Each takes the conditioned record (its id is "ludb-002") and returns its beats; by default
        `standard_delineators`.
    records : iterable of int, optional
        Numbers of the recordings to use; all that are there by default.
    progress : callable
        Called with how many recordings are done, and of how many.

    Returns
    -------
    DelineationScore

    Raises
    ------
    RecordError
        When the folder is not LUDB's or a file of it cannot be read.
    InputError
        When a recording that was asked for is not there.
    """
    there = recordings(folder)
    chosen = list(there) if records is None else list(records)
    absent = [str(number) for number in chosen if number not in there]
    if absent or not chosen:
        raise InputError(f"{Path(folder).name}: recording {', '.join(absent) or 'none'} is not in this folder of LUDB")
    delineators = standard_delineators() if delineators is None else delineators
    pieces: list[_Piece] = []
    for done, number in enumerate(chosen):
        progress(done, len(chosen))
        marked = read_marked(there[number])
        record = condition(load_record(there[number]))
        pieces += _floor_pieces(marked, record.id)
        for name, delineator in delineators.items():
            pieces += _pieces(name, delineator(record), marked, record.id)
    progress(len(chosen), len(chosen))
    names = [*delineators, FLOOR]
    return DelineationScore(
        n_records=len(chosen),
        rows=tuple(_rows(pieces, names)),
        false_alarms=tuple(_false_alarms(pieces, list(delineators))),
        disagreements=tuple(sorted(_disagreements(pieces), key=_how_bad, reverse=True)),
    )


def found_waves(beats: Beats, lead: str | None = None) -> dict[str, FloatArray]:
    """Return the waves of beats as (n, 3) onset, peak and offset by wave: the global ones, or those of one lead.

    The peak of QRS is the R peak; P and T have none. Global waves include P waves that no QRS complex follows. A QRS
    complex is found in a lead when it has a bound there, and in the beat when its R peak is.
    """
    waves = {}
    for wave, (on, off) in {"P": ("p_on", "p_off"), "QRS": ("qrs_on", "qrs_off"), "T": ("t_on", "t_off")}.items():
        bounds = [getattr(beats, name) if lead is None else _of_lead(beats, name, lead) for name in (on, off)]
        known = np.isfinite(bounds[0]) | np.isfinite(bounds[1])
        peak = beats.r_s if wave == "QRS" else np.full(len(beats), np.nan)
        rows = np.stack([bounds[0], peak, bounds[1]], axis=1)
        waves[wave] = rows if wave == "QRS" and lead is None else rows[known]
    if lead is None and beats.extra_p_s.size:
        alone = np.full((beats.extra_p_s.size, 3), np.nan)
        alone[:, 1] = beats.extra_p_s
        waves["P"] = np.concatenate([waves["P"], alone])
    return waves


def _of_lead(beats: Beats, name: str, lead: str) -> FloatArray:
    return beats.lead_marks[name][beats.leads.index(lead)]


def _pieces(name: str, beats: Beats, marked: Marked, record: str) -> Iterator[_Piece]:
    """Yield the matches of one delineator in one recording, for both tables."""
    whole = found_waves(beats)
    for wave in WAVES:
        matches = match(whole[wave], marked.median[wave], marked.median_span_s, marked.doubtful[wave])
        yield _Piece(GLOBAL, name, record, wave, marked.has_p, matches)
    for lead in marked.leads:
        found = found_waves(beats, lead)
        for wave in WAVES:
            matches = match(found[wave], marked.leads[lead][wave], marked.span_s[lead])
            yield _Piece(PER_LEAD, name, record, wave, marked.has_p, matches)


def _floor_pieces(marked: Marked, record: str) -> Iterator[_Piece]:
    """Yield the matches of the cardiologists' median over leads with their marks of each lead."""
    for lead, waves in marked.leads.items():
        for wave in WAVES:
            matches = match(marked.median[wave], waves[wave], marked.span_s[lead])
            yield _Piece(PER_LEAD, FLOOR, record, wave, marked.has_p, matches)


def _rows(pieces: Sequence[_Piece], names: Sequence[str]) -> Iterator[MarkRow]:
    """Yield the rows in reading order: table, wave, mark, and the delineators below one another."""
    for table in (GLOBAL, PER_LEAD):
        for wave, marks in COLUMNS.items():
            chosen = {
                name: [p.matches for p in pieces if (p.table, p.delineator, p.wave) == (table, name, wave)]
                for name in names
            }
            for mark, column in marks.items():
                for name, matches in chosen.items():
                    if matches:
                        yield _row(matches, (table, name, wave, mark), column)


def _row(matches: Sequence[Matches], keys: tuple[str, str, str, str], column: int) -> MarkRow:
    """Return the row of the mark in ``column``; ``keys`` are table, delineator, wave and mark."""
    errors_ms = 1000 * np.concatenate([one.errors_s[:, column] for one in matches])
    hits, missed = errors_ms.size, sum(one.missed_s.size for one in matches)
    extra = sum(one.extra_s.size for one in matches)
    known = errors_ms[np.isfinite(errors_ms)]
    size_ms = np.abs(known)
    return MarkRow(
        *keys,
        se_percent=_percent(hits, hits + missed),
        ppv_percent=_percent(hits, hits + extra),
        mean_ms=float(known.mean()) if known.size else float("nan"),
        sd_ms=float(known.std(ddof=1)) if known.size > 1 else float("nan"),
        mae_ms=float(size_ms.mean()) if known.size else float("nan"),
        p95_ms=float(np.percentile(size_ms, 95)) if known.size else float("nan"),
        n=int(known.size),
        n_marked=hits + missed,
        n_extra=extra,
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else float("nan")


def _false_alarms(pieces: Sequence[_Piece], names: Sequence[str]) -> Iterator[FalseAlarms]:
    for table in (GLOBAL, PER_LEAD):
        for name in names:
            chosen = [p for p in pieces if (p.table, p.delineator, p.wave, p.has_p) == (table, name, "P", False)]
            if chosen:
                waves, among = sum(p.matches.extra_s.size for p in chosen), len({p.record for p in chosen})
                yield FalseAlarms(table, name, among, waves, waves / among)


def _disagreements(pieces: Sequence[_Piece]) -> Iterator[Disagreement]:
    for piece in pieces:
        if piece.table == GLOBAL:
            matches, marks = piece.matches, COLUMNS[piece.wave]
            errors_ms = 1000 * matches.errors_s[:, list(marks.values())]
            worst = (float("nan"), "", float("nan"))
            if np.isfinite(errors_ms).any():
                row, column = np.unravel_index(int(np.nanargmax(np.abs(errors_ms))), errors_ms.shape)
                worst = (float(errors_ms[row, column]), list(marks)[int(column)], float(matches.at_s[row]))
            n_marked = matches.at_s.size + matches.missed_s.size
            counts = (n_marked, matches.missed_s.size, matches.extra_s.size)
            yield Disagreement(piece.delineator, piece.record, piece.wave, *counts, *worst)


def _how_bad(one: Disagreement) -> tuple[int, float]:
    """Missed and invented waves first, then the largest error in size."""
    return one.missed + one.extra, abs(one.error_ms) if np.isfinite(one.error_ms) else 0.0

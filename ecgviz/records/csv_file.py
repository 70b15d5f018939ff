"""CSV and TSV files: a header row of lead names, one row a sample; rate and unit stated in the file or given.

Stated in the file means: comment lines before the header (``# fs: 500``, ``# unit: mV``, ``# age: 63``, ``# sex: F``),
a unit behind each lead name (``II [uV]``), a row of units below the header, or a time column (``time [s]``, ``t_ms``).
Comment lines also tell whether a recording was simulated (``# simulated: yes``), and what was altered or assumed, a
sentence a line (``# altered: P waves removed``, ``# assumption: rate entered by the user``).
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records import fields
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray

MAX_COLUMNS = 200
_COMMENT = re.compile(r"#\s*(fs|rate|sampling_rate|unit|units)\s*[:=]\s*(\S{1,20})(?:\s*Hz)?\s*$", re.IGNORECASE)
_PERSON = re.compile(r"#\s*(age|sex)\s*[:=]\s*(.*)$", re.IGNORECASE)
_TOLD = re.compile(r"#\s*(altered|assumption|simulated)\s*:\s*(.*)$", re.IGNORECASE)
_YES = ("yes", "true", "1")
_NAME_UNIT = re.compile(r"^(.{1,40}?)\s*[\[(]([^\])]{1,12})[\])]$|^(.{1,40}?)_([munµμ]?v|m?s)$", re.IGNORECASE)
_TIME = ("time", "t", "seconds", "time_s", "timestamp")
_SECONDS = {"s": 1.0, "sec": 1.0, "seconds": 1.0, "ms": 1e-3, "milliseconds": 1e-3}
_MISSING = ("nan", "na")
_WHOLE = re.compile(r"[-+]?\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(?:[.,]\d{3})+")
_UNIFORM = 0.51
"""Largest distance of a time stamp from an even clock, in samples: rounded stamps pass, gaps and jumps do not."""


def read_csv(path: Path, fs: float | None, unit: str | None) -> Record:
    """Read a CSV: comma, semicolon or tab between cells; a decimal comma with the last two.

    ``fs`` (Hz) and ``unit`` are taken where the file states none. Empty cells, ``nan`` and ``NA`` are missing samples.

    Raises
    ------
    RecordError
        For no header row, an unknown unit or lead, no rate or unit, rows of different length, cells that are no
        numbers or may have marks between thousands, or a time column that does not run evenly or as stated.
    """
    source = fields.shown(path.name)
    stated, told, lines = _split_comments(_text(path, source), source)
    if len(lines) < 2:
        raise RecordError(f"{source}: a header row of lead names and rows of samples are needed")
    separator = max(";\t,", key=lines[0].count)
    names, units = _names(lines[0].split(separator), source)
    rows = lines[1:]
    second = [cell.strip() for cell in rows[0].split(separator)]
    if (
        len(second) == len(names)
        and all(re.fullmatch(r"[^\W\d]{1,12}", cell) for cell in second)
        and not {cell.casefold() for cell in second} & {*_MISSING, "inf", "infinity"}
    ):
        _check_same_units(names, units, second, source)
        units, rows = list(second), rows[1:]
    values = _table(rows, separator, len(names), source)
    if separator != ",":
        _check_marks(rows, separator, names, source)
    clock = [n for n, name in enumerate(names) if name.casefold() in _TIME]
    leads = [n for n in range(len(names)) if n not in clock]
    known = stated_rate(stated, source)
    notes: tuple[str, ...] = ()
    if clock:
        known, notes = _timed_rate(known, values[:, clock[0]], units[clock[0]], source)
    rate, rate_note = fields.agreed_rate(known, fs, source)
    scaled, unit_note = _scale(values[:, leads].T, [units[n] for n in leads], stated.get("unit"), unit, source)
    not_taken = fields.not_taken(stated.get("age", ""), stated.get("sex", ""))
    return Record(
        signal=scaled,
        fs=rate,
        leads=fields.lead_names([names[n] for n in leads], source),
        id=source,
        age_years=fields.age(stated.get("age", "")),
        sex=fields.sex(stated.get("sex", "")),
        assumptions=(*fields.sentences(told["assumption"]), *notes, *rate_note, *unit_note, *not_taken),
        altered=fields.sentences(told["altered"]),
        simulated=any(text.strip().casefold() in _YES for text in told["simulated"]),
    )


def stated_rate(stated: dict[str, str], source: str) -> float | None:
    """Return the rate of the comment lines, or None; a rate that is no number is refused."""
    if "fs" not in stated:
        return None
    rate = fields.number(re.sub("hz$", "", stated["fs"], flags=re.IGNORECASE))
    if not rate > 0:
        raise RecordError(f"{source}: the sampling rate {fields.shown(stated['fs'])} is no number of hertz")
    return rate


def _text(path: Path, source: str) -> str:
    """Return the file's text, which must be UTF-8 (or UTF-16 with its mark, as spreadsheets write it)."""
    data = path.read_bytes()
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecordError(f"{source}: this is no text file (byte {error.start} is not UTF-8)") from error


def _split_comments(text: str, source: str) -> tuple[dict[str, str], dict[str, list[str]], list[str]]:
    """Return what comment lines state of rate, unit, age and sex, what they tell besides, and the table's lines.

    Two lines that state differing rates, units, ages or sexes are refused: neither can be taken for the right one.
    """
    words = {"rate": "fs", "sampling_rate": "fs", "units": "unit"}
    told: dict[str, list[str]] = {"altered": [], "assumption": [], "simulated": []}
    stated: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        if line.startswith("#"):
            if match := _COMMENT.match(line) or _PERSON.match(line):
                key = words.get(match[1].lower(), match[1].lower())
                value = match[2].strip()
                if stated.setdefault(key, value).casefold() != value.casefold():
                    # What stands after age and sex may be anything, and is not repeated.
                    both = "" if key in ("age", "sex") else f": {fields.shown(stated[key])} and {fields.shown(value)}"
                    raise RecordError(f"{source}: two comment lines state {key} differently{both}")
            elif match := _TOLD.match(line):
                told[match[1].lower()].append(match[2])
        elif line.strip():
            lines.append(line)
    return stated, told, lines


def _names(cells: Sequence[str], source: str) -> tuple[list[str], list[str | None]]:
    """Split header cells into names and the units behind them."""
    if len(cells) > MAX_COLUMNS:
        raise RecordError(f"{source}: a header row of {len(cells)} columns: is the table transposed (one row a lead)?")
    names: list[str] = []
    units: list[str | None] = []
    for cell in cells:
        text = cell.strip().strip('"').strip()
        match = _NAME_UNIT.match(text)
        names.append((match[1] or match[3]) if match else text)
        units.append((match[2] or match[4]) if match else None)
    if all(not np.isnan(fields.number(name.replace(",", "."))) for name in names):
        raise RecordError(f"{source}: the first row holds numbers; a header row of lead names is needed")
    return names, units


def _table(rows: Sequence[str], separator: str, n_columns: int, source: str) -> FloatArray:
    """Return the samples as float64 of shape (N, columns)."""
    values = np.fromiter(_cells(rows, separator, n_columns, source), dtype=np.float64)
    return values.reshape(-1, n_columns)


def _cells(rows: Sequence[str], separator: str, n_columns: int, source: str) -> Iterator[float]:
    """Yield cell after cell as a number, so that a large table is never held twice."""
    for n, row in enumerate(rows, start=1):
        cells = row.split(separator)
        if len(cells) != n_columns:
            raise RecordError(f"{source}: sample {n} has {len(cells)} columns, the header row {n_columns}")
        for cell in cells:
            text = cell.strip().strip('"')
            try:
                yield float(text.replace(",", ".") if separator != "," else text) if text else np.nan
            except ValueError as error:
                if text.casefold() in _MISSING:
                    yield np.nan
                    continue
                raise RecordError(
                    f"{source}: {fields.shown(text)} stands in sample {n} where a number belongs"
                ) from error


def _check_same_units(names: Sequence[str], behind: Sequence[str | None], below: Sequence[str], source: str) -> None:
    """Refuse a lead whose units behind its name and in the row below it are two."""
    for name, one, other in zip(names, behind, below, strict=True):
        if one is None or name.casefold() in _TIME:
            continue
        if fields.millivolts(one, source) != fields.millivolts(other, source):
            raise RecordError(
                f"{source}: a lead is in {fields.shown(one)} by its name, and in {fields.shown(other)} below"
            )


def _check_marks(rows: Sequence[str], separator: str, names: Sequence[str], source: str) -> None:
    """Refuse marks between thousands: "4,995" microvolts would be read as 4.995, beside a whole 990 of its column."""
    comma, point = (next((n for n, row in enumerate(rows, start=1) if mark in row), 0) for mark in ",.")
    if comma and point:
        raise RecordError(
            f'{source}: "," stands in sample {comma} and "." in sample {point}: one of them parts thousands, or two '
            "programs wrote the table; write all numbers with one decimal mark and nothing between thousands"
        )
    whole: set[int] = set()
    grouped: dict[int, str] = {}
    for row in rows if comma or point else ():
        for n, cell in enumerate(row.split(separator)):
            text = cell.strip().strip('"')
            if _WHOLE.fullmatch(text):
                whole.add(n)
            elif _THOUSANDS.fullmatch(text):
                grouped.setdefault(n, text)
            elif "," in text or "." in text:
                return  # 0,995 or 1,2: here the mark is a decimal one
    for n, name in enumerate(names):
        if n in whole and n in grouped:
            plain = fields.shown(re.sub("[,.]", "", grouped[n]))
            raise RecordError(
                f"{source}: column {fields.shown(name)} holds whole numbers and {fields.shown(grouped[n])}: is that "
                f"{plain}? Write numbers with nothing between thousands, or all of them with their decimals"
            )


def _timed_rate(
    stated: float | None, times: FloatArray, unit: str | None, source: str
) -> tuple[float, tuple[str, ...]]:
    """Return the rate of the comment lines when the time column runs at it, else that of the time column."""
    timed, notes = _rate_of(times, unit, source)
    if stated is None:
        return timed, notes
    drift = abs(stated / timed - 1) * (len(times) - 1)
    if drift > _UNIFORM or abs(stated - timed) > 0.01 * timed:
        raise RecordError(f"{source}: states {stated:g} Hz, but its time column runs at {timed:g} Hz")
    return stated, ()


def _rate_of(times: FloatArray, unit: str | None, source: str) -> tuple[float, tuple[str, ...]]:
    """Return the rate of an evenly running time column, with the assumptions it takes."""
    if unit is not None and unit.casefold() not in _SECONDS:
        raise RecordError(f"{source}: the time column is in {fields.shown(unit)}; seconds or ms are read")
    seconds = times * _SECONDS[unit.casefold() if unit else "s"]
    n = len(seconds)
    span = float(seconds[-1] - seconds[0]) if n > 1 else 0.0
    if not span > 0:
        raise RecordError(f"{source}: the time column does not run forward")
    rate = (n - 1) / span
    if np.nanmax(np.abs((seconds - seconds[0]) * rate - np.arange(n))) > _UNIFORM or np.isnan(seconds).any():
        raise RecordError(f"{source}: the time column does not run evenly (gaps or jumps); one fixed rate is needed")
    if abs(rate - round(rate)) < 1e-3 * rate:
        rate = float(round(rate))
    notes = (f"rate of {rate:g} Hz derived from the time column",)
    return rate, notes if unit else (*notes, "the time column states no unit: taken as seconds")


def _scale(
    signal: FloatArray, units: Sequence[str | None], stated: str | None, given: str | None, source: str
) -> tuple[FloatArray, tuple[str, ...]]:
    """Turn every lead into millivolts by its own unit, or the one for all; a file that states two is refused."""
    for unit in filter(None, units if stated else ()):
        if fields.millivolts(unit, source) != fields.millivolts(str(stated), source):
            both = f"{fields.shown(str(stated))} for all leads, and {fields.shown(unit)} in its header row"
            raise RecordError(f"{source}: states {both}")
    agreed = [fields.agreed_unit(unit or stated, given, source) for unit in units]
    factors = np.array([factor for factor, _ in agreed])
    return signal * factors[:, None], tuple(dict.fromkeys(note for _, notes in agreed for note in notes))

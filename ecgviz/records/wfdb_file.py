"""WFDB records: a ``.hea`` file and the signal files it names, ``.mat`` of the PhysioNet/CinC challenges included."""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ecgviz.errors import RecordError
from ecgviz.records import fields, own_span
from ecgviz.records.header import MAX_BYTES, Channel, Header, parse_header
from ecgviz.types import Record
from ecgviz.types.arrays import FloatArray

_BITS = {"8": 8, "16": 16, "24": 24, "32": 32, "61": 16, "80": 8, "160": 16, "212": 12, "310": 32 / 3, "311": 32 / 3}
_COMPRESSED_BITS = {"508": 8, "516": 16, "524": 24}
_MISSING = {
    "80": 7,
    "508": 7,
    "310": 9,
    "311": 9,
    "212": 11,
    "16": 15,
    "61": 15,
    "160": 15,
    "516": 15,
    "24": 23,
    "524": 23,
    "32": 31,
}
_LARGEST_COMPRESSION = 20
_PADDING_BYTES = {"212": 2, "310": 3, "311": 3}
_AGE = re.compile(
    r"#\s*<?age>?\s*:\s*([^\s,;]{1,10}(?:\s+(?:months?|mos?|weeks?|wks?|days?|d|hours?|hrs?|h)\b)?)", re.IGNORECASE
)
"""With the unit where that is not the year: "6 months" is no number of years."""
_SEX = re.compile(
    r"#\s*(?:<?age>?\s*:.{0,40}?[\s,;])?"  # "#<age>: 65 <sex>: F": both on one line
    r"<?(?:sex|gender)>?\s*:\s*([^\s,;]{1,10})",
    re.IGNORECASE,
)
_CODES = re.compile(r"#\s*dx\s*:\s*([\d, ]{1,400})$", re.IGNORECASE)


def read_wfdb(path: Path, fs: float | None, unit: str | None) -> Record:
    """Read one WFDB record; ``path`` is its header, its stem, or one of its signal files.

    ``fs`` (Hz) and ``unit`` are taken where the header states none. A gain without a unit is millivolts by WFDB's own
    rule, which becomes an assumption, and so does LUDB's rule where gains scale every lead to 1 mV (`own_span`). Of the
    comments only age, sex and diagnostic codes are read. Samples that the storage format marks as invalid are NaN.

    Raises
    ------
    RecordError
        For headers that `parse_header` refuses, signal files that are missing, are links, or are not as long as the
        header says, an unknown unit or lead, no rate, a storage format that wfdb does not read, or leads that were each
        scaled to 1 mV, so that their millivolts are lost.
    """
    header, source = read_header(path)
    rate, rate_note = fields.agreed_rate(header.fs, fs, source)
    counts = read_counts(path, header, source)
    signal, assumptions = _volts(counts, header, unit, source)
    leads = fields.lead_names([channel.name for channel in header.channels], source)
    if own_span.is_own_span(signal, leads, header):
        signal, assumptions = own_span.millivolts(counts, leads, source), (*assumptions, own_span.NOTE)
    age, sex = _stated(_AGE, header.comments), _stated(_SEX, header.comments)
    return Record(
        signal=signal,
        fs=rate * header.channels[0].samples_per_frame,
        leads=leads,
        id=source,
        assumptions=(*rate_note, *assumptions, *fields.not_taken(age, sex)),
        age_years=fields.age(age),
        sex=fields.sex(sex),
        codes=_codes(header.comments),
    )


def header_path(path: Path) -> Path:
    """Return the header that belongs to a header, a stem or a signal file; its suffix may be in capitals."""
    if path.suffix.lower() == ".hea":
        return path
    name = path.stem if path.suffix else path.name
    capitals = path.with_name(f"{name}.HEA")
    small = path.with_name(f"{name}.hea")
    return capitals if capitals.is_file() and not small.is_file() else small


def read_header(path: Path) -> tuple[Header, str]:
    """Return the parsed header and the name that messages call it by."""
    place = header_path(path)
    if not place.is_file():
        raise RecordError(f"{fields.shown(path.name)}: there is no header {fields.shown(place.name)} beside it")
    source = fields.shown(place.name)
    with place.open("rb") as stream:
        header = parse_header(stream.read(MAX_BYTES + 1), source)
    if path.suffix.lower() not in ("", ".hea") and path.name not in header.files:
        raise RecordError(f"{source}: the header of that name does not speak of {fields.shown(path.name)}")
    return header, source


def read_counts(path: Path, header: Header, source: str) -> FloatArray:
    """Return stored integers as float64 of shape (L, N), NaN where invalid, once the files are what the header says."""
    place = header_path(path)
    frames = {_frames(place.parent / name, header, source) for name in header.files}
    if len(frames) != 1:
        raise RecordError(f"{source}: its signal files differ in length: {sorted(frames)} frames")
    if len({channel.samples_per_frame for channel in header.channels}) != 1:
        raise RecordError(f"{source}: its signals have different sampling rates; give one record per rate")
    try:
        found = _decoded(place.resolve(), header)
    except (ValueError, TypeError, IndexError, KeyError, OSError, ImportError, RuntimeError) as error:
        raise RecordError(f"{source}: the signal files cannot be decoded ({type(error).__name__})") from error
    read = list(zip(found.file_name, found.adc_gain, found.baseline, strict=True))
    if read != [(channel.file, channel.gain, channel.baseline) for channel in header.channels]:
        raise RecordError(f"{source}: the header can be read in two ways; write it as the WFDB specification has it")
    # wfdb 4.3.1 cannot hand out the stored integers of format 61, so they are taken back from its physical values.
    rows = zip(found.e_p_signal, header.channels, strict=True)
    return np.stack([np.round(row * channel.gain + channel.baseline) for row, channel in rows])


def _decoded(place: Path, header: Header) -> Any:
    """Return what wfdb reads of a header; one whose suffix is in capitals, which it does not open, as a copy."""
    import wfdb  # takes half a second, pandas among it, and serves these files alone

    if place.suffix == ".hea":
        return wfdb.rdrecord(str(place.with_suffix("")), physical=True, smooth_frames=False)
    with tempfile.TemporaryDirectory(prefix="ecgviz-header-") as scratch:
        shutil.copyfile(place, Path(scratch) / f"{place.stem}.hea")
        for name in header.files:
            (Path(scratch) / name).symlink_to(place.parent / name)
        return wfdb.rdrecord(str(Path(scratch) / place.stem), physical=True, smooth_frames=False)


def _frames(path: Path, header: Header, source: str) -> int:
    """Return how many frames a signal file holds, when that is what the header says."""
    name = fields.shown(path.name)
    if path.is_symlink():
        raise RecordError(f"{source}: signal file {name} is a link; copy the file itself beside the header")
    if not path.is_file():
        raise RecordError(f"{source}: signal file {name} is not in the folder of the header")
    channels = [channel for channel in header.channels if channel.file == path.name]
    first = channels[0]
    if len({(channel.fmt, channel.offset) for channel in channels}) != 1:
        raise RecordError(f"{source}: {name} mixes storage formats or offsets")
    size = path.stat().st_size - first.offset
    per_frame = sum(channel.samples_per_frame for channel in channels)
    if first.fmt in _COMPRESSED_BITS:
        least = (header.n_frames or 0) * per_frame * _COMPRESSED_BITS[first.fmt] / 8 / _LARGEST_COMPRESSION
        if header.n_frames is None or size < least:
            raise RecordError(f"{source}: {name} is too short for the {header.n_frames} samples that the header states")
        return header.n_frames
    if first.fmt not in _BITS:
        raise RecordError(
            f"{source}: {name} has storage format {first.fmt}; known are {', '.join((*_BITS, *_COMPRESSED_BITS))}"
        )
    bytes_per_frame = per_frame * _BITS[first.fmt] / 8
    frames = header.n_frames or int(size / bytes_per_frame)
    spare = size - frames * bytes_per_frame
    if frames < 1 or not 0 <= spare <= _PADDING_BYTES.get(first.fmt, 0):
        raise RecordError(
            f"{source}: {name} holds {size} bytes where the header's {frames} samples of {per_frame} signals take "
            f"{frames * bytes_per_frame:.0f}: header and signal file do not belong together, or the file is cut"
        )
    return frames


def _volts(counts: FloatArray, header: Header, unit: str | None, source: str) -> tuple[FloatArray, tuple[str, ...]]:
    """Turn counts into millivolts, and say what was assumed."""
    factors = [
        fields.agreed_unit(channel.unit or (None if unit else "mV"), unit, source) for channel in header.channels
    ]
    rows = [
        (row - channel.baseline) / channel.gain * factor
        for row, channel, (factor, _) in zip(counts, header.channels, factors, strict=True)
    ]
    assumptions = list(dict.fromkeys(note for _, notes in factors for note in notes))
    if not unit and not all(channel.unit for channel in header.channels):
        assumptions.append("the header's gain has no unit: taken as counts per mV, which is WFDB's rule")
    wrong = [
        n for n, (row, channel) in enumerate(zip(counts, header.channels, strict=True)) if not _sums_up(row, channel)
    ]
    if wrong:
        names = ", ".join(fields.shown(header.channels[n].name) for n in wrong)
        assumptions.append(
            f"the header's checksum does not fit lead {names}: the samples were changed after they were written"
        )
    return np.stack(rows), tuple(assumptions)


def _sums_up(row: FloatArray, channel: Channel) -> bool:
    """Return whether the samples add up to the header's 16-bit checksum (0: not stated; skewed: not checkable)."""
    if not channel.checksum or channel.skew:
        return True
    invalid = -(2.0 ** _MISSING[channel.fmt]) if channel.fmt in _MISSING else 0.0
    total = int(np.where(np.isnan(row), invalid, row).sum())
    return (total - channel.checksum) % 65536 == 0


def _stated(pattern: re.Pattern[str], comments: tuple[str, ...]) -> str:
    """Return what comments of that form state, "" where none does, all of it where they differ."""
    return " or ".join(dict.fromkeys(match[1] for line in comments if (match := pattern.match(line))))


def _codes(comments: tuple[str, ...]) -> tuple[str, ...]:
    """Return the diagnostic codes (digits only) that a comment states."""
    found = next((match[1] for line in comments if (match := _CODES.match(line))), "")
    return tuple(code.strip() for code in found.split(",") if code.strip())

"""A strict reading of WFDB header text, done before wfdb is let near the files.

wfdb 4.3.1 fills gaps without a word (no rate: 250 Hz; no gain: 200 units per mV; no unit: mV), believes any length that
a header claims, follows links and records that name themselves. This module reads the same grammar
(https://wfdb.io/spec/header-files.html), and refuses what is missing, dishonest or larger than a header can be.
"""

import re
from dataclasses import dataclass

from ecgviz.errors import RecordError
from ecgviz.records.fields import shown

MAX_BYTES = 64 * 1024
MAX_LINES = 200

_FILE = re.compile(r"[-\w]{1,200}(\.\w{1,20})?", re.ASCII)
_RECORD = re.compile(r"[-\w]{1,200}", re.ASCII)
_COUNT = re.compile(r"\d{1,12}", re.ASCII)
_RATE = re.compile(r"(\d{1,9}(\.\d{1,9})?)(/\S{1,40})?", re.ASCII)
_FORMAT = re.compile(r"(?P<fmt>\d{1,3})(x(?P<spf>\d{1,4}))?(:(?P<skew>\d{1,6}))?(\+(?P<offset>\d{1,6}))?", re.ASCII)
_GAIN = re.compile(
    r"(?P<gain>-?\d{1,12}(\.\d{0,12})?(e[-+]?\d{1,2})?)?(\((?P<base>-?\d{1,10})\))?(/(?P<unit>\S{1,20}))?"
)
_INTEGER = re.compile(r"-?\d{1,10}", re.ASCII)


@dataclass(frozen=True)
class Channel:
    """One signal line: where the samples lie, and how a stored integer becomes a voltage (``unit`` None: not said)."""

    file: str
    fmt: str
    samples_per_frame: int
    skew: int
    offset: int
    gain: float
    baseline: int
    unit: str | None
    checksum: int
    name: str


@dataclass(frozen=True)
class Header:
    """What a header states of the whole record and of each signal.

    ``fs`` and ``n_frames`` are None where it states none. ``comments`` are the comment lines as they stand;
    `ecgviz.records.wfdb_file` alone reads them, by an allow-list.
    """

    fs: float | None
    n_frames: int | None
    channels: tuple[Channel, ...]
    comments: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """Names of the signal files, each once."""
        return tuple(dict.fromkeys(channel.file for channel in self.channels))


def parse_header(data: bytes, source: str) -> Header:
    """Read the bytes of a ``.hea`` file.

    Raises
    ------
    RecordError
        For anything but one single-segment header that states a gain and a name for every signal; ``source`` names the
        file in the message.
    """
    if len(data) > MAX_BYTES:
        raise RecordError(
            f"{source}: a header of {len(data)} bytes is none (limit {MAX_BYTES}): is it the signal file?"
        )
    text = data.decode("ascii", errors="replace")
    if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
        raise RecordError(f"{source}: this is no WFDB header, it holds control characters: is it the signal file?")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MAX_LINES:
        raise RecordError(f"{source}: a header of {len(lines)} lines is not plausible (limit {MAX_LINES})")
    body = [line for line in lines if not line.startswith("#")]
    if not body:
        raise RecordError(f"{source}: the header is empty")
    n_signals, fs, n_frames = _record_line(body[0], source)
    if len(body) - 1 != n_signals:
        raise RecordError(f"{source}: the header announces {n_signals} signals and describes {len(body) - 1}")
    channels = tuple(_signal_line(line, n, source) for n, line in enumerate(body[1:], start=1))
    comments = tuple(line for line in lines if line.startswith("#"))
    return Header(fs, n_frames, channels, comments)


def _record_line(line: str, source: str) -> tuple[int, float | None, int | None]:
    """Return number of signals, rate and number of frames of the first header line."""
    words = line.split()
    if "/" in words[0]:
        raise RecordError(f"{source}: this header joins several segments or lies in another folder; give one segment")
    if not _RECORD.fullmatch(words[0]) or len(words) < 2 or not _COUNT.fullmatch(words[1]):
        raise RecordError(f"{source}: the first line is not 'name signals rate samples': {shown(line)}")
    if not 1 <= int(words[1]) <= MAX_LINES:
        raise RecordError(f"{source}: a header of {int(words[1])} signals has nothing to read")
    rate = _RATE.fullmatch(words[2]) if len(words) > 2 else None
    if len(words) > 2 and not rate:
        raise RecordError(f"{source}: the sampling rate {shown(words[2])} is no number")
    if rate and float(rate[1]) == 0:
        raise RecordError(f"{source}: the header states a sampling rate of 0 Hz")
    if len(words) > 3 and not _COUNT.fullmatch(words[3]):
        raise RecordError(f"{source}: the number of samples {shown(words[3])} is no number")
    n_frames = int(words[3]) if len(words) > 3 else None
    return int(words[1]), float(rate[1]) if rate else None, n_frames or None


def _signal_line(line: str, n: int, source: str) -> Channel:
    """Read one signal line: file, format, gain, resolution, zero, first value, checksum, block size, name."""
    words = line.split(maxsplit=8)
    if not _FILE.fullmatch(words[0]):
        raise RecordError(
            f"{source}: signal {n} lies in {shown(words[0])}, which is not the plain name of a file in the same folder"
        )
    storage = _FORMAT.fullmatch(words[1]) if len(words) > 1 else None
    if not storage:
        raise RecordError(f"{source}: signal {n} states no storage format")
    gain = _GAIN.fullmatch(words[2]) if len(words) > 2 else None
    if not gain or gain["gain"] is None or float(gain["gain"]) == 0:
        raise RecordError(f"{source}: signal {n} has no gain, so its numbers are no voltages (state counts per mV)")
    numbers = words[3:8]
    wrong = [word for word in numbers if not _INTEGER.fullmatch(word)]
    if wrong:
        raise RecordError(f"{source}: signal {n} has {shown(wrong[0])} where a whole number belongs")
    if len(words) < 9:
        raise RecordError(f"{source}: signal {n} has no lead name")
    zero = int(numbers[1])
    return Channel(
        file=words[0],
        fmt=storage["fmt"],
        samples_per_frame=int(storage["spf"] or 1),
        skew=int(storage["skew"] or 0),
        offset=int(storage["offset"] or 0),
        gain=float(gain["gain"]),
        baseline=int(gain["base"]) if gain["base"] else zero,
        unit=gain["unit"],
        checksum=int(numbers[3]),
        name=words[8],
    )

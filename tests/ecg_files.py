"""Small ECG-like signals, and files written byte by byte, so that readers are tested against another hand."""

import io
import zipfile
from pathlib import Path

import numpy as np

LEADS = ("I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6")


def beats_mv(fs: float, duration_s: float = 10.0, rate_bpm: float = 70.0) -> np.ndarray:
    """Return twelve leads (12, N) in mV that obey the limb-lead identities; P, QRS and T are smooth bumps."""
    t = np.arange(round(fs * duration_s)) / fs
    waves = {"p": (-0.16, 0.02), "q": (-0.02, 0.008), "r": (0.0, 0.012), "s": (0.03, 0.01), "t": (0.28, 0.05)}
    shape = dict.fromkeys(waves, 0.0)
    for r_s in np.arange(0.5, duration_s, 60 / rate_bpm):
        for name, (at_s, width_s) in waves.items():
            shape[name] = shape[name] + np.exp(-(((t - r_s - at_s) / width_s) ** 2) / 2)

    def lead(p: float, q: float, r: float, s: float, t_wave: float) -> np.ndarray:
        return sum(a * shape[n] for n, a in zip("pqrst", (p, q, r, s, t_wave), strict=True))

    first, second = lead(0.08, -0.05, 0.7, -0.1, 0.2), lead(0.15, -0.08, 1.1, -0.2, 0.3)
    limb = [first, second, second - first, -(first + second) / 2, first - second / 2, second - first / 2]
    chest = [lead(0.1, 0.0, 0.2 + 0.3 * n, -1.2 + 0.2 * n, 0.1 + 0.06 * n) for n in range(6)]
    return np.stack([*limb, *chest])


def write_wfdb(
    folder: Path,
    signal_mv: np.ndarray,
    *,
    name: str = "rec",
    leads: tuple[str, ...] = LEADS,
    first: str = "{name} {n} 500 {samples}",
    gain: str = "1000/mV",
    comments: tuple[str, ...] = (),
) -> Path:
    """Write a 16-bit WFDB record by hand and return its header; ``first`` and ``gain`` are fields of it as text."""
    counts = np.round(signal_mv * 1000).astype("<i2")
    (folder / f"{name}.dat").write_bytes(counts.T.tobytes())
    lines = [first.format(name=name, n=len(leads), samples=counts.shape[1])]
    for row, lead in zip(counts, leads, strict=True):
        checksum = int(row.astype(np.int64).sum()) & 0xFFFF
        lines.append(f"{name}.dat 16 {gain} 16 0 {row[0]} {checksum} 0 {lead}")
    path = folder / f"{name}.hea"
    path.write_text("\n".join([*lines, *comments]) + "\n")
    return path


def damaged_member(archive: bytes, member: str) -> bytes:
    """Return a ZIP in which the compressed bytes of one member are no deflate stream any more."""
    with zipfile.ZipFile(io.BytesIO(archive)) as whole:
        info = whole.getinfo(member)
    start = info.header_offset + 30 + len(member)  # of a local header, which has no room for more than the name
    start += int.from_bytes(archive[info.header_offset + 28 : info.header_offset + 30], "little")
    return archive[:start] + b"\xff" * info.compress_size + archive[start + info.compress_size :]

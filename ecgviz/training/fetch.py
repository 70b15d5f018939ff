"""PTB-XL from PhysioNet, file by file: what arrived stays, and each file is held against its published checksum.

A file is written beside its place as ``NAME.part`` and gets its name only when its checksum is right. After an
interruption the same call goes on where it stopped, in the middle of a file too. wfdb's downloader is not used: it
writes under the final name, and compares lengths only.
"""

import hashlib
import os
import re
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from ecgviz.errors import RecordError

PTBXL_URL = "https://physionet.org/files/ptb-xl/1.0.3/"
SUMS = "SHA256SUMS.txt"
RATES_HZ = (100, 500)
CONNECTIONS = 4
"""At once: PTB-XL is 43,600 small files a rate, and PhysioNet serves everybody."""
TIMEOUT_S = 30.0
CHUNK_BYTES = 4096
"""A break loses the chunk that it falls in."""

_LINE = re.compile(r"([0-9a-f]{64}) [ *]?(\S+)")
_PATH = re.compile(r"(?:\w[\w.-]*/)*\w[\w.-]*", re.ASCII)
"""A published path: relative, and no part of it begins with a dot."""


@dataclass(frozen=True)
class Fetched:
    """How many files there are now, and how many of them were there before, came anew, or took the place of others."""

    n_files: int
    n_present: int
    n_new: int
    n_replaced: int


def fetch_ptbxl(
    out: Path,
    rates_hz: Collection[int] = (100,),
    *,
    base: str = PTBXL_URL,
    retries: int = 3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fetched:
    """Fetch the tables of PTB-XL and its recordings at the rates asked for, and verify every file.

    Parameters
    ----------
    out : Path
        Folder, as `ecgviz.records.ptbxl` reads it. A file with the published checksum stays; any other one under a
        published name, such as what a broken download left, is replaced once the right one is here.
    rates_hz : some of 100 and 500
        0.6 and 2.6 GB.
    base : str
        Where the files and their ``SHA256SUMS.txt`` lie, with a slash at its end.
    retries : int
        Further attempts at a request, after 0, 1, 2, ... seconds.
    progress : called with the number of files done and to do.

    Raises
    ------
    RecordError
        When the server cannot be reached, breaks off, lacks a file, or sends one with another checksum; what is
        complete stays.
    """
    with requests.Session() as session:
        session.headers["Accept-Encoding"] = "identity"  # a part is continued by its number of bytes
        again = Retry(retries, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False)
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=again, pool_maxsize=CONNECTIONS))
        sums = _published(session, base, out, rates_hz)
        pool = ThreadPoolExecutor(CONNECTIONS)
        try:
            jobs = [pool.submit(_settle, session, base + name, out / name, wanted) for name, wanted in sums.items()]
            found = []
            for job in as_completed(jobs):
                found.append(job.result())
                progress(len(found), len(jobs))
        finally:
            pool.shutdown(cancel_futures=True)
    return Fetched(len(found), found.count("present"), found.count("new"), found.count("replaced"))


def _published(session: requests.Session, base: str, out: Path, rates_hz: Collection[int]) -> dict[str, str]:
    """Return the checksum of every file that is wanted, by its path; the list itself is kept in ``out``."""
    part = out / f"{SUMS}.part"
    part.unlink(missing_ok=True)  # it has no checksum of its own, so it is never continued
    _download(session, base + SUMS, part)
    sums: dict[str, str] = {}
    for line in part.read_text(encoding="utf-8", errors="replace").splitlines():
        found = _LINE.fullmatch(line.strip())
        if not found or not _PATH.fullmatch(found[2]):
            part.unlink()
            raise RecordError(f"{base}{SUMS} is no list of checksums: is a login page or a proxy in between?")
        sums[found[2]] = found[1]
    os.replace(part, out / SUMS)
    unwanted = tuple(f"records{rate}/" for rate in RATES_HZ if rate not in rates_hz)
    return {name: wanted for name, wanted in sums.items() if not name.startswith(unwanted) and name != SUMS}


def _settle(session: requests.Session, url: str, path: Path, wanted: str) -> str:
    """Bring one file to its published checksum, and return what was needed: "present", "new" or "replaced"."""
    there = path.is_file()
    if there and _sha256(path) == wanted:
        return "present"
    part = path.with_name(f"{path.name}.part")
    continued = part.is_file()
    _download(session, url, part)
    if continued and _sha256(part) != wanted:  # the part may have been of something else: once more from its start
        part.unlink()
        _download(session, url, part)
    found = _sha256(part)
    if found != wanted:
        part.unlink()
        raise RecordError(
            f"{url} arrived with SHA-256 {found[:12]}..., {SUMS} says {wanted[:12]}...: it was altered on its way, "
            "or is being published anew; try again later"
        )
    os.replace(part, path)
    return "replaced" if there else "new"


def _download(session: requests.Session, url: str, part: Path) -> None:
    """Write what the server has beyond the bytes in ``part``, or everything where it does not continue."""
    start = part.stat().st_size if part.is_file() else 0
    asked = {"Range": f"bytes={start}-"} if start else {}
    try:
        with session.get(url, headers=asked, stream=True, timeout=TIMEOUT_S) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:
                return  # the part is whole already, or longer: its checksum tells
            if not answer.ok:
                raise RecordError(f"{url} cannot be fetched: the server says {answer.status_code} {answer.reason}")
            continues = answer.status_code == requests.codes.partial_content
            part.parent.mkdir(parents=True, exist_ok=True)
            with part.open("ab" if continues else "wb") as stream:
                for chunk in answer.iter_content(CHUNK_BYTES):
                    stream.write(chunk)
    except (requests.ConnectionError, requests.Timeout) as error:
        host = urlsplit(url).netloc
        raise RecordError(f"{host} cannot be reached: is there internet? Run it again and it goes on") from error
    except requests.RequestException as error:
        raise RecordError(f"{url} broke off ({type(error).__name__}): run it again and it goes on") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()

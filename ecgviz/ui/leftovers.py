"""What a server left of uploads because it was killed while one was parsed: they hold a patient's data.

Whose folder one is cannot be told for sure: after a restart, and in every container, another process may bear the
number of the one that made it. So its age decides. No server has an upload's folder for long
(`ecgviz.records.isolate.WALL_S`), so that an old one is nobody's, and those of another server that runs now stay.
"""

import os
import shutil
import stat
import tempfile
import time
from pathlib import Path
from threading import Timer

PREFIX = "ecgviz-upload-"
OLD_S = 600.0
"""An upload's folder that nothing was added to for so long was left behind."""


def at_start() -> None:
    """Remove what was left behind, and do so once more when that of a server killed just now has become old."""
    sweep()
    later = Timer(OLD_S + 1, sweep)
    later.daemon = True
    later.start()


def sweep() -> None:
    """Remove this user's old folders of uploads; links and other users' folders stay."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            held = folder.lstat()
        except OSError:
            continue  # its own server removed it meanwhile
        own = stat.S_ISDIR(held.st_mode) and held.st_uid == os.getuid()
        if own and time.time() - held.st_mtime > OLD_S:
            shutil.rmtree(folder, ignore_errors=True)

"""From a record to a `Case`, and a case to a folder and back: what the command line, the app and the report share."""

from ecgviz.pipeline.analyse import analyse
from ecgviz.pipeline.folder import load_case, save_case

__all__ = ["analyse", "load_case", "save_case"]

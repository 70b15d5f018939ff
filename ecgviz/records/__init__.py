"""Files in, records out: readers, lead names, quality, and the tables of published folders."""

from ecgviz.records.demo import demo_names
from ecgviz.records.load import READERS, load_record

__all__ = ["READERS", "demo_names", "load_record"]

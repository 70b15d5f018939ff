"""What the words of the dashboard mean: one table for tooltips and the Glossary page, each entry with its source."""

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, Field

from ecgviz import yaml_text

TABLE = "terms.yaml"


class Entry(BaseModel):
    """One term: its short definition, its source (a publication, or the module that defines it), and where it is used.

    ``kind`` groups entries, ``pages`` are the titles of the pages that use it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[a-z_]+$")
    term: str = Field(min_length=1)
    kind: str = Field(min_length=1)
    short: str = Field(min_length=20, max_length=140)
    source: str = Field(min_length=5)
    pages: tuple[str, ...] = ()


@cache
def entries() -> Mapping[str, Entry]:
    """Return every entry by its id, in the order of the table."""
    rows = yaml_text.ours((files("ecgviz.glossary") / TABLE).read_text(encoding="utf-8"))
    return MappingProxyType({row["id"]: Entry(**row) for row in rows})


def define(*ids: str) -> str:
    """Return the definitions of terms in Markdown, a paragraph each, as a tooltip shows them."""
    return "\n\n".join(f"**{entries()[each].term}.** {entries()[each].short}" for each in ids)


def of_page(page: str) -> Sequence[str]:
    """Return the ids of the terms that a page uses, by the page's title."""
    return [entry.id for entry in entries().values() if page in entry.pages]

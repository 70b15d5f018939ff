"""Which studies there are, and how far everybody is."""

from dataclasses import dataclass
from pathlib import Path

from ecgviz.errors import ReviewError
from ecgviz.review import store
from ecgviz.review.database import DATABASE


@dataclass(frozen=True)
class Overview:
    """A study at a glance; ``done`` holds for each reader the answers given, and how many there are to give."""

    study: str
    question: str
    done: tuple[tuple[str, int, int], ...]


def studies_in(studies: Path) -> tuple[Path, ...]:
    """Return the folders of all studies, by name; raises ReviewError when there is no such folder."""
    if not studies.is_dir():
        raise ReviewError(f"there is no folder {studies}; `ecgviz review create` makes studies")
    return tuple(sorted(path.parent for path in studies.glob(f"*/{DATABASE}") if not path.parent.name.startswith(".")))


def overview(folder: Path) -> Overview:
    """Return a study at a glance; corrections are no further answers."""
    study, found = store.study(folder), []
    given = store.current(folder)
    for person in store.people(folder):
        waiting = store.turns(folder, person.reader_id)
        to_give = len(waiting) * (1 if person.role == "adjudicator" else 2)
        if person.role != "owner":
            found.append((person.reader_id, sum(row["reader_id"] == person.reader_id for row in given), to_give))
    return Overview(study.id, study.question, tuple(found))

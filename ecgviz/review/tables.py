"""The tables of a study's database, and the steps by which an older one becomes a newer one.

What readers said is only ever added to: triggers refuse to change or delete a row, whoever asks. Drafts alone may
change; they are no answers. Answers to one question form a chain: one first answer, each correction names the answer
that it supersedes, and no answer is superseded twice.
"""

from pathlib import Path

MIGRATIONS: tuple[str, ...] = tuple(
    path.read_text(encoding="utf-8") for path in sorted((Path(__file__).parent / "migrations").glob("*.sql"))
)
"""Step n leads from version n - 1 to n, which ``PRAGMA user_version`` holds; steps are added, never changed."""

EXPORTED = ("study", "readers", "items", "turns", "answers", "audit")
"""Tables that are read and travel: drafts are no answers, and codes open a study."""

"""How a learner's answer is scored: right, missed, wrong or contradictory."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ecgviz.teach.schema import Lesson


@dataclass(frozen=True)
class Score:
    """The lessons of one answer and of the truth, each in exactly one group.

    ``right`` was true and answered, ``missed`` true and not answered. ``contradictory`` was answered and cannot be true
    beside the truth, or beside another part of the same answer. ``also`` was answered and is not part of the truth, but
    its criteria are met on this recording, or its readers left it open: it is not counted against the learner.
    ``wrong`` is the rest of the answer.
    """

    right: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    contradictory: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything true was said, and nothing that is wrong or contradictory."""
        return bool(self.right) and not (self.missed or self.wrong or self.contradictory)

    @property
    def outcome(self) -> str:
        """The answer in one word: "right", "partly right", "contradictory", "wrong" or "missed" (no answer)."""
        if self.passed:
            return "right"
        if self.right:
            return "partly right"
        return "contradictory" if self.contradictory else "wrong" if self.wrong or self.also else "missed"


def score(
    answered: Collection[str], truth: Collection[str], met: Collection[str], lessons: Mapping[str, Lesson]
) -> Score:
    """Score an answer.

    Parameters
    ----------
    answered : collection of str
        Ids of lessons that the learner named; empty for no answer.
    truth : collection of str
        Ids of lessons that are true of the case (`Case.answers`).
    met : collection of str
        Ids of lessons that are not counted against a learner (`Opened.uncounted`): their published criteria are met on
        the recording, or its readers left them open.
    lessons : mapping of str to Lesson
        All lessons, which say what excludes what.
    """
    said = dict.fromkeys(answered)
    contradictory = [
        name for name in said if name not in truth and set(lessons[name].excludes) & ({*truth, *said} - {name})
    ]
    others = [name for name in said if name not in truth and name not in contradictory]
    return Score(
        right=tuple(name for name in said if name in truth),
        missed=tuple(name for name in dict.fromkeys(truth) if name not in said),
        wrong=tuple(name for name in others if name not in met),
        contradictory=tuple(contradictory),
        also=tuple(name for name in others if name in met),
    )

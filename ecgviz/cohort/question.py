"""What is summed up: one network, method and label, on some of the records of a store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecgviz.cohort.store import Cohort
from ecgviz.errors import CohortError

WHICH: Mapping[str, str] = {
    "called": "called",
    "stated": "stated",
    "called rightly": "called AND stated",
    "called wrongly": "called AND NOT stated",
    "missed": "stated AND NOT called",
    "rightly not called": "NOT called AND NOT stated",
    "right": "correct",
    "wrong": "NOT correct",
    "all": "true",
}
"""Records by what the network and the readers say of the label."""
GROUPS: Mapping[str, str] = {
    "prediction": (
        "CASE WHEN stated IS NULL THEN 'not known' WHEN called AND stated THEN 'called rightly' WHEN called "
        "THEN 'called wrongly' WHEN stated THEN 'missed' ELSE 'rightly not called' END"
    ),
    "age": (
        "CASE WHEN age_years < 40 THEN 'under 40' WHEN age_years < 60 THEN '40 to 59' WHEN age_years < 75 "
        "THEN '60 to 74' WHEN age_years >= 75 THEN '75 and older' ELSE 'not known' END"
    ),
    "sex": "coalesce(sex, 'not known')",
    "device": "coalesce(device, 'not known')",
    "site": "coalesce('site ' || site, 'not known')",
    "stage": "CASE WHEN len(stages) > 0 THEN 'stage ' || array_to_string(stages, ' or ') ELSE 'not told' END",
}
"""What records can be divided by."""


@dataclass(frozen=True)
class Question:
    """One network, method and label of a store, on records of one kind of `WHICH`.

    ``group`` and ``member`` narrow that to one member of a group of `GROUPS`, such as ("sex", "female").
    """

    model: str
    method: str
    label: str
    which: str = "called"
    group: str | None = None
    member: str | None = None

    def __post_init__(self) -> None:
        if self.which not in WHICH:
            raise CohortError(f"records are not chosen by {self.which!r}, but by one of {', '.join(WHICH)}")
        grouping(self.group)

    def condition(self) -> tuple[str, list[Any]]:
        """Return the condition on the view ``cohort`` and its parameters; rows that failed are left out."""
        text = f"failure IS NULL AND model = ? AND method = ? AND label = ? AND {WHICH[self.which]}"
        parameters: list[Any] = [self.model, self.method, self.label]
        if self.group is not None and self.member is not None:
            text += f" AND {grouping(self.group)} = ?"
            parameters.append(self.member)
        return text, parameters

    def rows(self, cohort: Cohort, *columns: str) -> Any:
        """Return columns, or expressions, of the records as an Arrow table, in the order of the records."""
        condition, parameters = self.condition()
        chosen = ", ".join(columns)
        return cohort.arrow(f"SELECT {chosen} FROM cohort WHERE {condition} ORDER BY record", parameters)  # noqa: S608


def grouping(group: str | None) -> str:
    """Return the expression that names a record's member of a group; without group, all are one.

    Raises
    ------
    CohortError
        For an unknown group.
    """
    if group is None:
        return "'all'"
    if group not in GROUPS:
        raise CohortError(f"records are not divided by {group!r}, but by one of {', '.join(GROUPS)}")
    return GROUPS[group]


def available(cohort: Cohort) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return the labels that a store holds, by model and method."""
    found = cohort.arrow("SELECT model, method, list(DISTINCT label ORDER BY label) AS labels FROM rows GROUP BY ALL")
    rows = sorted(found.to_pylist(), key=lambda row: (row["model"], row["method"]))
    return {(row["model"], row["method"]): tuple(row["labels"]) for row in rows}


def tells_places(cohort: Cohort) -> frozenset[tuple[str, str]]:
    """Return the models and methods of which a map tells leads and waves apart, so that it has a lead x wave matrix."""
    whole = "bool_or(by_lead IS NOT NULL AND by_atom IS NOT NULL)"
    found = cohort.arrow(f"SELECT model, method FROM rows GROUP BY ALL HAVING {whole}")  # noqa: S608
    return frozenset((row["model"], row["method"]) for row in found.to_pylist())

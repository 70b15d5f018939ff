"""Edits of the person: another age or sex, with the samples as they were."""

from dataclasses import replace

from ecgviz.edit.relay import Edited
from ecgviz.errors import EditError
from ecgviz.types import Beats, Record

UNKNOWN = "unknown"


def change_person(record: Record, beats: Beats, age_years: float | None = None, sex: str | None = None) -> Edited:
    """State another age or sex; no sample is changed.

    Criteria whose limits depend on age or sex follow, and so do networks that are told them; to all others the edit
    makes no difference, which is worth seeing too.

    Parameters
    ----------
    record, beats
    age_years : float or None
        0 to 120; None keeps what is stated.
    sex : {"male", "female", "unknown", None}
        None keeps what is stated, "unknown" takes it away.

    Raises
    ------
    EditError
        When nothing would be changed.
    RecordError
        For an age or a sex that is none.
    """
    changed = {}
    if age_years is not None and age_years != record.age_years:
        changed["age"] = f"age {_age(record.age_years)} stated as {_age(age_years)}"
    if sex is not None and sex != (record.sex or UNKNOWN):
        changed["sex"] = f"sex {record.sex or UNKNOWN} stated as {sex}"
    if not changed:
        raise EditError(f"{record.id} states this age and sex already, so nothing would be changed")
    sentence = " and ".join(changed.values())
    stated = replace(
        record,
        age_years=float(age_years) if "age" in changed and age_years is not None else record.age_years,
        sex=(None if sex == UNKNOWN else sex) if "sex" in changed else record.sex,
        id=f"{record.id}+{'+'.join(changed)}",
        altered=(*record.altered, sentence),
    )
    return Edited(stated, beats, f"altered: {sentence}")


def _age(years: float | None) -> str:
    return "unknown" if years is None else f"{years:g} years"

"""Catalogue files in, checked entries out; every fault names its file, entry and field."""

import reprlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ecgviz import yaml_text
from ecgviz.criteria.rule_schema import AnyAbnormalRule, Evaluable, FindingRule, LeadsRule, UseRule, restrict
from ecgviz.criteria.schema import CatalogueFile, Definition, Entry, Source
from ecgviz.errors import CriteriaError

FORMS = ("value", "leads", "sum", "pattern", "finding", "any_abnormal", "beats", "unmeasured", "use")
TELLING = ("value_error", "finite_number")
"""Faults that say what is wrong, before those of the other types that a field might have had."""
OURS = Path(__file__).resolve().parent / "catalogue"


@dataclass(frozen=True, eq=False)
class Catalogue:
    """Checked entries by id, in the order of their files, and their sources; ``origin`` is the file of each entry.

    ``questions`` numbers what rules ask, by the identity of the rule: those that ask the same, whatever their text,
    role or source, have one number and are asked once a record.
    """

    entries: dict[str, Entry]
    sources: dict[str, Source]
    origin: dict[str, str]
    questions: dict[int, int]


def load(folder: Path | None = None) -> Catalogue:
    """Return the shipped catalogue, with the entries of a user's own folder beside ours.

    A user's files may use our sources and shared rules, and bring their own. The result is kept until one of them
    changes; the shipped files are a part of the program, and are read once.

    Raises
    ------
    CriteriaError
        When the folder is missing or empty, or a file does not hold what it should: the message names file, entry
        and field.
    """
    if folder is None:
        return _load(())
    own = sorted(Path(folder).glob("*.yaml"))
    if not own:
        raise CriteriaError(f"{folder}: there is no folder with criteria (*.yaml) there")
    return _load(tuple((path, path.stat().st_mtime_ns) for path in own))


@lru_cache(maxsize=8)
def _load(stamped: tuple[tuple[Path, int], ...]) -> Catalogue:
    """Read the shipped files, and a user's own with the times at which they were changed."""
    files = {path: _read(path) for path in (*sorted(OURS.glob("*.yaml")), *(path for path, _ in stamped))}
    sources: dict[str, Source] = {}
    shared: dict[str, Evaluable] = {}
    entries: dict[str, Entry] = {}
    origin: dict[str, str] = {}
    for path, content in files.items():
        _add(path, "source", sources, content.sources)
        _add(path, "shared rule", shared, content.shared_rules)
        ids = [entry.id for entry in content.entries]
        twice = sorted({name for name in ids if ids.count(name) > 1 or name in entries})
        if twice:
            raise CriteriaError(
                f"{path.name}: entry {twice[0]}, field id: the catalogue has an entry of that id already"
            )
        for entry in content.entries:
            entries[entry.id], origin[entry.id] = entry, path.name
    alike: dict[Any, Any] = {}
    entries = {name: _resolve(entry, origin[name], shared, alike) for name, entry in entries.items()}
    for entry in entries.values():
        _check_names(entry, origin[entry.id], entries, sources)
    for entry in entries.values():
        _check_order(entry, origin[entry.id], entries, ())
    return Catalogue(entries, sources, origin, _questions(entries.values()))


def _questions(entries: Iterable[Entry]) -> dict[int, int]:
    """Return a number for what each rule asks; a sum that cannot be formed names its text, which belongs to it then."""
    numbers: dict[str, int] = {}
    found = {}
    for rule in (rule for entry in entries for definition in entry.definitions for rule in definition.rules):
        beside = {"role", "source", "verification", "points"} | (set() if rule.form == "sum" else {"text"})
        found[id(rule)] = numbers.setdefault(rule.model_dump_json(exclude=beside), len(numbers))
    return found


def _add(path: Path, what: str, known: dict[str, Any], more: dict[str, Any]) -> None:
    twice = sorted(set(known) & set(more))
    if twice:
        raise CriteriaError(f"{path.name}: {what} {twice[0]}: the catalogue has one of that name already")
    known.update(more)


def _read(path: Path) -> CatalogueFile:
    try:
        text = path.read_text(encoding="utf-8")
        content = yaml_text.ours(text) if OURS in path.parents else yaml_text.theirs(text)
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise CriteriaError(f"{path.name}: this is not YAML: {' '.join(str(fault).split())}") from fault
    try:
        return CatalogueFile.model_validate(content)
    except ValidationError as fault:
        raise CriteriaError(_first_fault(path, content, fault)) from fault


def _first_fault(path: Path, content: Any, fault: ValidationError) -> str:
    faults = fault.errors()
    told = (one for kind in TELLING for one in faults if one["type"] == kind)
    first = next(told, faults[0])
    place = _place(first["loc"])
    where = path.name
    if len(place) > 1 and place[0] == "entries":
        entry = content["entries"][int(place[1])]
        number = f"number {int(place[1]) + 1}"
        name = entry.get("id", number) if isinstance(entry, dict) else number
        where, place = f"{where}: entry {name}", place[2:]
    message = yaml_text.wrong_with(first)
    return f"{where}, field {'.'.join(place) or 'top'}: {message} (given {_short(first.get('input'))})"


def _place(location: tuple[int | str, ...]) -> list[str]:
    """Return the path of a field as the file has it, without the form of a rule and the types that were tried."""
    parts = [str(part) for part in location]
    kept = []
    for n, part in enumerate(parts):
        a_rule = n > 1 and ((parts[n - 2] == "rules" and parts[n - 1].isdigit()) or parts[n - 2] == "shared_rules")
        tried = part in ("float", "Table") or part.startswith("function-")
        if not (a_rule and part in FORMS) and not tried:
            kept.append(part)
    return kept


def _short(value: Any) -> str:
    plain = isinstance(value, str | int | float)  # in others YAML may name one list a million times
    text = repr(value) if plain else reprlib.repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _resolve(entry: Entry, file: str, shared: dict[str, Evaluable], alike: dict[Any, Any]) -> Entry:
    """Return an entry with its shared rules in place; equal conditions become one object, which is judged once."""
    definitions = []
    for d, definition in enumerate(entry.definitions):
        rules = []
        for r, rule in enumerate(definition.rules):
            place = f"{file}: entry {entry.id}, field definitions.{d}.rules.{r}.use"
            found = _used(rule, place, shared) if isinstance(rule, UseRule) else rule
            if isinstance(found, LeadsRule):
                cases = (c.model_copy(update={"any_of": alike.setdefault(c.any_of, c.any_of)}) for c in found.cases)
                found = found.model_copy(update={"cases": tuple(cases)})
            rules.append(found)
        definitions.append(definition.model_copy(update={"rules": tuple(rules)}))
    return entry.model_copy(update={"definitions": tuple(definitions)})


def _used(rule: UseRule, place: str, shared: dict[str, Evaluable]) -> Evaluable:
    if rule.use not in shared:
        raise CriteriaError(f"{place}: there is no shared rule {rule.use!r}; known are {', '.join(shared)}")
    base = shared[rule.use]
    given: dict[str, Any] = rule.model_dump(include={"role", "text", "source", "verification"}, exclude_none=True)
    if isinstance(base, LeadsRule):
        try:
            given["cases"] = base.cases if rule.leads is None else restrict(base, rule.leads)
        except ValueError as fault:
            raise CriteriaError(f"{place}: {fault}") from fault
        given["count"] = rule.count or base.count
    elif rule.leads is not None or rule.count is not None:
        raise CriteriaError(f"{place}: the shared rule {rule.use!r} is none on leads, so it has no leads and no count")
    return base.model_copy(update=given)


def _check_names(entry: Entry, file: str, entries: dict[str, Entry], sources: dict[str, Source]) -> None:
    where = f"{file}: entry {entry.id}, field"
    for field in ("blocked_by", "blocked_if_met"):
        for name in getattr(entry, field):
            if name not in entries:
                raise CriteriaError(f"{where} {field}: there is no entry {name!r}")
    keys = [definition.key for definition in entry.definitions]
    if len(set(keys)) != len(keys):
        raise CriteriaError(f"{where} definitions: the keys {', '.join(keys)} are not all different")
    if all(definition.broad for definition in entry.definitions):
        raise CriteriaError(f"{where} definitions: all are broad, so that no other entry could ask for this one")
    for d, definition in enumerate(entry.definitions):
        _check_definition(definition, f"{where} definitions.{d}", entries, sources)


def _check_definition(
    definition: Definition, where: str, entries: dict[str, Entry], sources: dict[str, Source]
) -> None:
    alternatives = sum(getattr(rule, "points", 1) for rule in definition.rules if rule.role == "alternative")
    if all(rule.role in ("supporting", "note") for rule in definition.rules):
        raise CriteriaError(f"{where}.rules: all rules are supporting or notes, so none decides")
    if definition.at_least > max(alternatives, 1):
        raise CriteriaError(f"{where}.at_least: {definition.at_least} of {alternatives} alternatives can never hold")
    if definition.source not in sources:
        raise CriteriaError(f"{where}.source: there is no source {definition.source!r}; known are {', '.join(sources)}")
    for name in definition.blocked_by:
        if name not in entries:
            raise CriteriaError(f"{where}.blocked_by: there is no entry {name!r}")
    if definition.mirror_of is not None and definition.mirror_of not in entries:
        raise CriteriaError(f"{where}.mirror_of: there is no entry {definition.mirror_of!r}")
    for r, rule in enumerate(definition.rules):
        if isinstance(rule, UseRule):
            continue
        if rule.source is not None and rule.source not in sources:
            raise CriteriaError(f"{where}.rules.{r}.source: there is no source {rule.source!r}")
        if isinstance(rule, FindingRule):
            known = [d.key for d in entries[rule.finding].definitions] if rule.finding in entries else []
            if not known or rule.definition not in (None, *known):
                named = " ".join(filter(None, (rule.finding, rule.definition)))
                raise CriteriaError(f"{where}.rules.{r}.finding: there is no finding {named!r}")


def _check_order(entry: Entry, file: str, entries: dict[str, Entry], above: tuple[str, ...]) -> None:
    if entry.id in above:
        circle = " -> ".join((*above[above.index(entry.id) :], entry.id))
        raise CriteriaError(f"{file}: entry {entry.id}, field blocked_by: the entries wait for each other: {circle}")
    rules = [rule for definition in entry.definitions for rule in definition.rules]
    asked = [rule.finding for rule in rules if isinstance(rule, FindingRule)]
    if any(isinstance(rule, AnyAbnormalRule) for rule in rules):
        asked += [other.id for other in entries.values() if other.makes_abnormal]
    asked += [definition.mirror_of for definition in entry.definitions if definition.mirror_of is not None]
    asked += [name for definition in entry.definitions for name in definition.blocked_by]
    for name in (*entry.blocked_by, *entry.blocked_if_met, *asked):
        _check_order(entries[name], file, entries, (*above, entry.id))

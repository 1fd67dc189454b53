"""When an attribute or a field applies: `when` in the ontology, the same rule in the browser (`studio/src/model/conditions.ts`).

Shape, each object with exactly one of the first keys:

    {"all": [..]} | {"any": [..]} | {"not": {..}}
    {"class": [class names]}                      of attributes only: the class of the annotation
    {"attribute": name, "in"?: [values]}          of attributes only: another attribute of the same annotation
    {"field": key, "in"?: [values]}               of fields only

Without `in`, any answer will do. What does not apply counts as unanswered for what depends on it. A choice is compared by
its values (one of them is enough), a rating by its number, a preference by its strength (0 is a tie).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from evenhand.pure.kinds.kind import Obj
from evenhand.pure.numbers import is_number
from evenhand.pure.trouble import Fault

DEEP_MOST = 8
PARTS_MOST = 100
GROUPS = ("all", "any")
LEAVES = ("attribute", "field")

Names = Mapping[str, set[str]]
"""What a condition may refer to: "class", "attribute" or "field" to the names there are."""


def faults_in(path: str, value: object, names: Names, depth: int = 0) -> Iterator[Fault]:
    """Every fault of one condition, with its path. `names` lists what it may refer to."""
    if depth > DEEP_MOST:
        yield {"path": path, "detail": f"is nested more than {DEEP_MOST} deep"}
        return
    if not isinstance(value, dict):
        yield {"path": path, "detail": 'must be a condition, as {"field": key, "in": [values]}'}
        return
    condition = cast(Obj, value)
    head = next((k for k in (*GROUPS, "not", *names) if k in condition), None)
    if head is None:
        yield {"path": path, "detail": f"must have one of all, any, not, {', '.join(names)}"}
        return
    allowed = (head, "in") if head in LEAVES else (head,)
    for key in condition:
        if key not in allowed:
            yield {"path": f"{path}.{key}", "detail": f"does not go with {head}"}
    at, inner = f"{path}.{head}", condition[head]
    if head in GROUPS:
        yield from _faults_in_group(at, inner, names, depth)
    elif head == "not":
        yield from faults_in(at, inner, names, depth + 1)
    elif head == "class":
        yield from _unknown(at, inner, names["class"])
    elif not isinstance(inner, str) or inner not in names[head]:
        yield {"path": at, "detail": f"names no {head} of this ontology"}
    if "in" in condition and head in LEAVES:
        yield from _faults_in_values(f"{path}.in", condition["in"])


def _faults_in_group(path: str, value: object, names: Names, depth: int) -> Iterator[Fault]:
    if not isinstance(value, list) or not 1 <= len(cast(list[Any], value)) <= PARTS_MOST:
        yield {"path": path, "detail": f"must be a list of 1 to {PARTS_MOST} conditions"}
        return
    for i, part in enumerate(cast(list[Any], value)):
        yield from faults_in(f"{path}[{i}]", part, names, depth + 1)


def _unknown(path: str, value: object, known: set[str]) -> Iterator[Fault]:
    if not isinstance(value, list) or not value:
        yield {"path": path, "detail": "must be a list of class names"}
        return
    for i, name in enumerate(cast(list[Any], value)):
        if not isinstance(name, str) or name not in known:
            yield {"path": f"{path}[{i}]", "detail": "names no class of this ontology"}


def _faults_in_values(path: str, value: object) -> Iterator[Fault]:
    if not isinstance(value, list) or not 1 <= len(cast(list[Any], value)) <= PARTS_MOST:
        yield {"path": path, "detail": f"must be a list of 1 to {PARTS_MOST} values"}
        return
    for i, one in enumerate(cast(list[Any], value)):
        if not (isinstance(one, str | bool) or is_number(one)):
            yield {"path": f"{path}[{i}]", "detail": "must be a text, a number, true or false"}


def names_in(condition: Obj) -> set[str]:
    """The attributes or fields that a condition depends on."""
    if "not" in condition:
        return names_in(condition["not"])
    for head in GROUPS:
        if head in condition:
            return {name for part in condition[head] for name in names_in(part)}
    return {condition[head] for head in LEAVES if head in condition}


def circle_in(conditions: Mapping[str, Obj]) -> str | None:
    """A name whose condition depends, over others or at once, on itself; None when there is none."""
    needs = {name: names_in(condition) for name, condition in conditions.items()}
    done: set[str] = set()
    for start in needs:
        # An explicit stack: 200 fields may form a chain.
        path: list[tuple[str, Iterator[str]]] = [(start, iter(sorted(needs[start])))]
        while path:
            name, rest = path[-1]
            following = next(rest, None)
            if following is None:
                done.add(name)
                path.pop()
            elif any(following == above for above, _ in path):
                return following
            elif following in needs and following not in done:
                path.append((following, iter(sorted(needs[following]))))
    return None


def holds(condition: Obj, class_: str | None, values_of: Callable[[str], Sequence[object]]) -> bool:
    """Does it hold? `values_of` gives what an attribute or a field was answered with; nothing when it was not."""
    if "not" in condition:
        return not holds(condition["not"], class_, values_of)
    if "all" in condition:
        return all(holds(part, class_, values_of) for part in condition["all"])
    if "any" in condition:
        return any(holds(part, class_, values_of) for part in condition["any"])
    if "class" in condition:
        return class_ in condition["class"]
    values = values_of(condition["attribute"] if "attribute" in condition else condition["field"])
    if "in" not in condition:
        return len(values) > 0
    return any(_same(value, one) for value in values for one in condition["in"])


def _same(a: object, b: object) -> bool:
    # True == 1 in Python, and nowhere else that an answer passes through.
    return a == b and isinstance(a, bool) == isinstance(b, bool)


Question = tuple[str, str | None]
"""A field's key and, for what is asked of each answer, the answer's id."""


class Conditions:
    """The conditions of an ontology, ready to be asked about many answers."""

    def __init__(self, ontology: Obj) -> None:
        self.attributes: dict[str, Obj] = {a["name"]: a["when"] for a in ontology.get("attributes", []) if "when" in a}
        self.fields: dict[str, Obj] = {f["key"]: f["when"] for f in ontology.get("fields", []) if "when" in f}
        self.each = frozenset(f["key"] for f in ontology.get("fields", []) if f.get("target") == "answers")

    def attribute_applies(self, annotation: Obj) -> Callable[[str], bool]:
        """Tells for each attribute name whether it applies to this annotation."""
        return _attribute_rule(self.attributes, annotation["class"], annotation.get("attributes") or {})

    def field_applies(self, annotations: Sequence[Obj]) -> Callable[[str, str | None], bool]:
        """Tells for each field (and answer it is asked of) whether it applies in this answer."""
        given: dict[str, list[Obj]] = {}
        if self.fields:
            for a in annotations:
                if "field" in a:
                    given.setdefault(a["field"], []).append(a)
        known: dict[Question, bool] = {}

        def applies(key: str, target: str | None) -> bool:
            if key not in self.fields:
                return True
            question = (key, target)
            if question not in known:
                known[question] = holds(self.fields[key], None, lambda other: values_of(other, target))
            return known[question]

        def values_of(key: str, target: str | None) -> list[object]:
            each = key in self.each
            return [
                value
                for a in given.get(key, [])
                if (not each or target is None or a.get("target") == target)
                and applies(key, a.get("target") if each else None)
                for value in _values(a)
            ]

        return applies

    def settle(self, answer: Obj) -> Obj:
        """The answer without what does not apply. The given one is not changed."""
        if not self.attributes and not self.fields:
            return answer
        applies = self.field_applies(answer["annotations"])
        kept: list[Obj] = []
        for a in answer["annotations"]:
            if "field" in a:
                if applies(a["field"], a.get("target") if a["field"] in self.each else None):
                    kept.append(a)
            else:
                kept.append(self._settle_attributes(a))
        return {**answer, "annotations": kept}

    def _settle_attributes(self, a: Obj) -> Obj:
        if not a.get("attributes"):
            return a
        fits = self.attribute_applies(a)
        held = {name: value for name, value in a["attributes"].items() if fits(name)}
        if len(held) == len(a["attributes"]):
            return a
        bare = {k: v for k, v in a.items() if k != "attributes"}
        return {**bare, "attributes": held} if held else bare


def _attribute_rule(conditions: Mapping[str, Obj], class_: str, held: Obj) -> Callable[[str], bool]:
    known: dict[str, bool] = {}

    def applies(name: str) -> bool:
        if name not in conditions:
            return True
        if name not in known:
            known[name] = holds(conditions[name], class_, values_of)
        return known[name]

    def values_of(name: str) -> list[object]:
        value = held.get(name)
        if value is None or value == "" or not applies(name):
            return []
        return cast(list[object], value) if isinstance(value, list) else [value]

    return applies


def _values(a: Obj) -> list[object]:
    match a["kind"]:
        case "choice":
            return list(a["values"])
        case "text":
            return [a["text"]] if a["text"].strip() else []
        case "rating":
            return [a["value"]]
        case _:
            return [a["strength"]]

"""Answers: all annotations that one person gave to one task. Checked against the ontology, compared, merged."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, cast

from evenhand.pure.conditions import Conditions
from evenhand.pure.kinds.kind import Obj, wrong
from evenhand.pure.kinds.line import GAP_SHARE
from evenhand.pure.kinds.listing import BY_NAME, check_annotation
from evenhand.pure.kinds.point import REACH_PX
from evenhand.pure.trouble import Fault, Invalid

ANNOTATIONS_MAX = 20_000
FAULTS_MAX = 20
CANDIDATES_MAX = 256  # neighbours looked at for one shape, so that a pile of equal boxes stays cheap

# Which annotation answers a field of which type.
FIELD_KINDS = {"choice": "choice", "text": "text", "number": "rating", "rating": "rating", "preference": "preference"}


class Checker:
    """An ontology made ready for checking many answers."""

    def __init__(self, ontology: Obj) -> None:
        self.attributes: dict[str, Obj] = {a["name"]: a for a in ontology.get("attributes", [])}
        every = frozenset(self.attributes)
        self.kinds: dict[str, frozenset[str]] = {}
        self.allowed: dict[str, frozenset[str]] = {}
        self.required: dict[str, tuple[str, ...]] = {}
        for c in ontology.get("classes", []):
            name = c["name"]
            self.kinds[name] = frozenset(c["kinds"])
            self.allowed[name] = frozenset(c["attributes"]) if "attributes" in c else every
            self.required[name] = tuple(
                a for a in self.attributes if a in self.allowed[name] and self.attributes[a].get("required")
            )
        self.fields: dict[str, Obj] = {f["key"]: f for f in ontology.get("fields", [])}
        self.values: dict[str, frozenset[str]] = {
            f["key"]: frozenset(c["value"] for c in f.get("choices", [])) for f in ontology.get("fields", [])
        }
        self.limits: dict[str, Obj] = ontology.get("limits") or {}
        self.conditions = Conditions(ontology)

    def check(self, answer: object, data: Obj | None = None, *, complete: bool = True) -> None:
        """Raise `Invalid` that names every fault (the first twenty). `complete=False` lets required things be
        missing and keeps what does not apply (yet): for prelabels and drafts."""
        annotations = annotations_of(answer)
        faults: list[Fault] = []
        ids: set[str] = set()
        given: set[tuple[str, str | None]] = set()
        for i, a in enumerate(annotations):
            try:
                self._check_one(a, data, ids, given, complete)
            except Invalid as e:
                for fault in e.errors:
                    path = f"annotations[{i}].{fault['path']}" if fault["path"] else f"annotations[{i}]"
                    faults.append({"path": path, "detail": fault["detail"]})
                if len(faults) >= FAULTS_MAX:
                    break
        if complete and not faults:
            faults.extend(self._check_fields(cast(list[Obj], annotations), given, data))
        if faults:
            raise Invalid(
                f"The answer cannot be taken: {faults[0]['path']}: {faults[0]['detail']}.", errors=faults[:FAULTS_MAX]
            )

    def _check_one(
        self, value: object, data: Obj | None, ids: set[str], given: set[tuple[str, str | None]], complete: bool
    ) -> None:
        kind = check_annotation(value)
        a = cast(Obj, value)
        if a["id"] in ids:
            raise wrong("id", "is used twice in this answer")
        ids.add(a["id"])
        if not kind.classed:
            self._check_field(a, data, given)
            return
        name = a["class"]
        kinds = self.kinds.get(name)
        if kinds is None:
            raise wrong("class", f"{name!r} is not a class of this project")
        if kind.name not in kinds:
            raise wrong("kind", f"class {name!r} is drawn as {' or '.join(sorted(kinds))}, not as {kind.name}")
        if a.get("attributes"):
            self._check_attributes(a)
        if complete:
            self._check_applying(a)
        if kind.name == "span":
            _check_span(a, data)
        elif kind.name in self.limits:
            self._check_limits(a, self.limits[kind.name])

    def _check_attributes(self, a: Obj) -> None:
        allowed = self.allowed[a["class"]]
        for name, value in a["attributes"].items():
            path = f"attributes.{name}"
            attribute = self.attributes.get(name)
            if attribute is None or name not in allowed:
                raise wrong(path, f"class {a['class']!r} has no such attribute")
            type_ = attribute["type"]
            if type_ == "choice":
                _check_attribute_choice(path, value, attribute)
            elif type_ == "text":
                if not isinstance(value, str):
                    raise wrong(path, "must be a text")
            elif type_ == "boolean":
                if not isinstance(value, bool):
                    raise wrong(path, "must be true or false")
            elif isinstance(value, bool) or not isinstance(value, int | float):
                raise wrong(path, "must be a number")

    def _check_applying(self, a: Obj) -> None:
        """Attributes that apply and are required are there; those that do not apply are not."""
        held = a.get("attributes") or {}
        applies = self.conditions.attribute_applies(a)
        for needed in self.required[a["class"]]:
            if needed not in held and applies(needed):
                raise wrong(f"attributes.{needed}", "is required")
        for name in held:
            if not applies(name):
                raise wrong(f"attributes.{name}", "does not apply here: leave it out, or change what it depends on")

    @staticmethod
    def _check_limits(a: Obj, limit: Obj) -> None:
        if a["kind"] == "box":
            if a["w"] < limit.get("min_w", 0):
                raise wrong("w", f"must be at least {limit['min_w']} pixels")
            if a["h"] < limit.get("min_h", 0):
                raise wrong("h", f"must be at least {limit['min_h']} pixels")
            if limit.get("can_rotate") is False and a.get("angle_rad"):
                raise wrong("angle_rad", "boxes are not turned in this project")
            return
        n = len(a["points"])
        if n < limit.get("min_points", 0):
            raise wrong("points", f"must have at least {limit['min_points']} points")
        if n > limit.get("max_points", n):
            raise wrong("points", f"must have at most {limit['max_points']} points")

    def _check_field(self, a: Obj, data: Obj | None, given: set[tuple[str, str | None]]) -> None:
        key = a["field"]
        field = self.fields.get(key)
        if field is None:
            raise wrong("field", f"{key!r} is not a field of this project")
        if FIELD_KINDS[field["type"]] != a["kind"]:
            raise wrong("kind", f"field {key!r} is answered with a {FIELD_KINDS[field['type']]}, not a {a['kind']}")
        target = a.get("target")
        _check_target(field, target, data)
        if (key, target) in given and not (field.get("multiple") and a["kind"] in ("text", "rating")):
            raise wrong("field", f"{key!r} is answered twice")
        given.add((key, target))
        if a["kind"] == "choice":
            if len(a["values"]) > 1 and not field.get("multiple"):
                raise wrong("values", f"field {key!r} takes one value")
            for i, v in enumerate(a["values"]):
                if v not in self.values[key]:
                    raise wrong(f"values[{i}]", f"{v!r} is not a choice of field {key!r}")
        elif a["kind"] == "rating":
            _check_scale(a["value"], field)
        elif a["kind"] == "preference":
            ids = _answer_ids(data)
            if ids is not None and a["winner"] is not None and a["winner"] not in ids:
                raise wrong("winner", "is not one of the task's answers")
        elif field.get("required") and not a["text"].strip():
            raise wrong("text", "must not be empty")

    def _check_fields(
        self, annotations: list[Obj], given: set[tuple[str, str | None]], data: Obj | None
    ) -> list[Fault]:
        """Fields that apply and are required are answered; those that do not apply are not."""
        faults: list[Fault] = []
        answered = {key for key, _ in given}
        applies = self.conditions.field_applies(annotations)
        for i, a in enumerate(annotations):
            key = a.get("field")
            if key is not None and not applies(key, self._asked_of(key, a)):
                detail = f"field {key!r} does not apply here: leave it out, or change what it depends on"
                faults.append({"path": f"annotations[{i}].field", "detail": detail})
        for key, field in self.fields.items():
            if not field.get("required"):
                continue
            ids = _answer_ids(data) if field.get("target") == "answers" else None
            if ids is None:
                if key not in answered and applies(key, None):
                    faults.append({"path": f"fields.{key}", "detail": "is required"})
                continue
            faults.extend(
                {"path": f"fields.{key}", "detail": f"is required for answer {id_!r}"}
                for id_ in ids
                if (key, id_) not in given and applies(key, id_)
            )
        return faults

    def _asked_of(self, key: str, a: Obj) -> str | None:
        return a.get("target") if self.fields[key].get("target") == "answers" else None


def annotations_of(answer: object) -> list[Any]:
    """The annotations of an answer whose outer shape is right; raises `Invalid` where it is not."""
    if not isinstance(answer, dict):
        raise wrong("", "An answer must be an object with annotations")
    a = cast(Obj, answer)
    for key in a:
        if key != "annotations":
            raise wrong(str(key), "an answer has no such key")
    annotations = a.get("annotations")
    if not isinstance(annotations, list):
        raise wrong("annotations", "must be a list")
    rows = cast(list[Any], annotations)
    if len(rows) > ANNOTATIONS_MAX:
        raise wrong("annotations", f"has more than {ANNOTATIONS_MAX:,} entries")
    return rows


def _check_attribute_choice(path: str, value: object, attribute: Obj) -> None:
    choices = attribute.get("choices", ())
    if attribute.get("multiple"):
        if not isinstance(value, list):
            raise wrong(path, "must be a list of its choices")
        values = cast(list[str], value)
    else:
        if not isinstance(value, str):
            raise wrong(path, "must be one of its choices")
        values = [value]
    for v in values:
        if v not in choices:
            raise wrong(path, f"{v!r} is not one of its choices")
    if len(set(values)) != len(values):
        raise wrong(path, "names a choice twice")


def _check_span(a: Obj, data: Obj | None) -> None:
    if data is None:
        return
    text = data.get("text")
    if not isinstance(text, str):
        raise wrong("kind", "this task has no text to mark")
    if a["end"] > len(text):
        raise wrong("end", f"is beyond the text, which has {len(text):,} code points")


def _check_scale(value: float, field: Obj) -> None:
    low, high, step = field.get("min"), field.get("max"), field.get("step")
    if low is not None and value < low:
        raise wrong("value", f"must be at least {low}")
    if high is not None and value > high:
        raise wrong("value", f"must be at most {high}")
    if step is not None:
        steps = (value - (low or 0)) / step
        if abs(steps - round(steps)) > 1e-6:
            raise wrong("value", f"must be in steps of {step}")


def _answer_ids(data: Obj | None) -> list[str] | None:
    """Ids of the answers that the task shows; None when the task is not known."""
    if data is None:
        return None
    conversation = cast(Obj, data.get("conversation") or {})
    return [str(a["id"]) for a in cast(list[Obj], conversation.get("answers") or [])]


def _check_target(field: Obj, target: str | None, data: Obj | None) -> None:
    if target is None:
        if field.get("target") == "answers":
            raise wrong("target", f"field {field['key']!r} is asked once for each answer: name the answer")
        return
    if field.get("target") != "answers" and field.get("prefill") != "answer":
        raise wrong("target", f"field {field['key']!r} is asked of the task, not of an answer")
    ids = _answer_ids(data)
    if ids is not None and target not in ids:
        raise wrong("target", "is not one of the task's answers")


def check_answer(answer: object, ontology: Obj, data: Obj | None = None, *, complete: bool = True) -> None:
    """Raise `Invalid` unless the answer fits the ontology and, where given, the task's data."""
    Checker(ontology).check(answer, data, complete=complete)


# ---------------------------------------------------------------- comparing


def _group(a: Obj) -> tuple[str, str, str]:
    if "class" in a:
        return (a["kind"], a["class"], "")
    return (a["kind"], a["field"], a.get("target") or "")


def _extent(a: Obj) -> tuple[float, float]:
    """Where on the x axis (or in the text) anything close enough to have something in common can be."""
    if a["kind"] == "span":
        return (a["start"], a["end"])
    b = BY_NAME[a["kind"]].bounds(a)
    if b is None:
        return (0.0, 0.0)
    if a["kind"] == "point":
        return (b[0] - REACH_PX / 2, b[2] + REACH_PX / 2)
    if a["kind"] == "line":
        reach = 1.25 * GAP_SHARE * (b[2] - b[0] + b[3] - b[1])
        return (b[0] - reach, b[2] + reach)
    return (b[0], b[2])


def _pairs(left: list[Obj], right: list[Obj]) -> list[tuple[float, int, int]]:
    """(distance, i, j) of all pairs with something in common, by a sweep along the x axis."""
    distance = BY_NAME[left[0]["kind"]].distance
    spans = [(*_extent(a), j) for j, a in enumerate(right)]
    spans.sort()
    out: list[tuple[float, int, int]] = []
    order = sorted((*_extent(a), i) for i, a in enumerate(left))
    active: list[tuple[float, float, int]] = []
    k = 0
    for low, high, i in order:
        while k < len(spans) and spans[k][0] <= high:
            active.append(spans[k])
            k += 1
        if len(active) > CANDIDATES_MAX:
            active = [s for s in active if s[1] >= low]
        for _, end, j in active[-4 * CANDIDATES_MAX :]:
            if end >= low:
                d = distance(left[i], right[j])
                if d < 1.0:
                    out.append((d, i, j))
    return out


def _without_twins(left: list[Obj], right: list[Obj]) -> tuple[list[Obj], list[Obj], int]:
    """Both sides without the pairs that are equal but for their ids, and how many pairs that were."""

    def content(a: Obj) -> str:
        return repr(sorted((k, v) for k, v in a.items() if k not in ("id", "attributes")))

    waiting: dict[str, list[Obj]] = {}
    for b in right:
        waiting.setdefault(content(b), []).append(b)
    rest: list[Obj] = []
    for a in left:
        twins = waiting.get(content(a))
        if twins:
            twins.pop()
        else:
            rest.append(a)
    return rest, [b for group in waiting.values() for b in group], len(left) - len(rest)


def _matched(left: list[Obj], right: list[Obj]) -> float:
    """Sum of 1 - distance over a one-to-one matching, the closest pairs first."""
    left, right, same = _without_twins(left, right)
    if not left or not right:
        return float(same)
    # Ties in an order that does not depend on which side is called left.
    pairs = sorted(_pairs(left, right), key=lambda p: (p[0], p[1] + p[2], min(p[1], p[2])))
    used_left: set[int] = set()
    used_right: set[int] = set()
    total = float(same)
    for d, i, j in pairs:
        if i not in used_left and j not in used_right:
            used_left.add(i)
            used_right.add(j)
            total += 1.0 - d
    return total


def agreement(answer_a: Obj | None, answer_b: Obj | None) -> float | None:
    """How much two answers say the same, 0..1: annotations of the same kind and class (or field) are matched one to
    one, closest first; the sum of 1 - distance over the mean number of annotations. Two empty answers agree (1).
    None when either is missing."""
    if answer_a is None or answer_b is None:
        return None
    rows_a, rows_b = cast(list[Obj], answer_a["annotations"]), cast(list[Obj], answer_b["annotations"])
    if not rows_a and not rows_b:
        return 1.0
    groups_a: dict[tuple[str, str, str], list[Obj]] = {}
    groups_b: dict[tuple[str, str, str], list[Obj]] = {}
    for a in rows_a:
        groups_a.setdefault(_group(a), []).append(a)
    for b in rows_b:
        groups_b.setdefault(_group(b), []).append(b)
    total = sum(_matched(groups_a[g], groups_b[g]) for g in sorted(groups_a.keys() & groups_b.keys()))
    return max(0.0, min(1.0, 2 * total / (len(rows_a) + len(rows_b))))


# ---------------------------------------------------------------- merging, counting


def merge_answers(answers: Sequence[Obj]) -> Obj:
    """One answer out of several, given earliest first: each choice by majority (ties to the set of values named
    earliest), everything else from the earliest. The given answers are not changed."""
    if not answers:
        return {"annotations": []}
    votes: dict[str, list[Obj]] = {}
    for answer in answers:
        for a in answer["annotations"]:
            if a["kind"] == "choice":
                votes.setdefault(a["field"], []).append(a)
    merged: list[Obj] = []
    ids: set[str] = {a["id"] for a in answers[0]["annotations"] if a["kind"] != "choice"}
    for a in answers[0]["annotations"]:
        if a["kind"] != "choice":
            merged.append(a)
        elif a["field"] in votes:
            merged.append(_majority(votes.pop(a["field"]), ids))
    merged.extend(_majority(rest, ids) for rest in votes.values())
    return {"annotations": merged}


def _majority(votes: list[Obj], ids: set[str]) -> Obj:
    counts = Counter(frozenset(v["values"]) for v in votes)
    most = max(counts.values())
    winner = next(v for v in votes if counts[frozenset(v["values"])] == most)
    id_, n = winner["id"], 2
    while id_ in ids:
        id_, n = f"{winner['id'][:56]}-{n}", n + 1
    ids.add(id_)
    return winner if id_ == winner["id"] else {**winner, "id": id_}


def label_counts(answer: Obj) -> dict[str, int]:
    """How often each class was drawn and each value chosen: `{"car": 3, "weather: rain": 1}`."""
    counts: Counter[str] = Counter()
    for a in answer["annotations"]:
        if "class" in a:
            counts[a["class"]] += 1
        elif a["kind"] == "choice":
            counts.update(f"{a['field']}: {v}" for v in a["values"])
        else:
            counts[a["field"]] += 1
    return dict(counts)


def classes_of(answer: Obj) -> list[str]:
    """The classes drawn, each once, in order of first use: what a task can be found by."""
    return list(dict.fromkeys(a["class"] for a in answer["annotations"] if "class" in a))

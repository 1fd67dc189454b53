"""A text: `field` and `text`; `target` names the answer that it is about."""

from collections import Counter

from evenhand.pure.kinds.kind import NAME_MAX, Kind, Obj, check_text, keys, no_area, no_bounds, ordered

# Above this many cells the edit distance gives way to a count of shared words, which is linear.
CELLS_MAX = 250_000


def _check(a: Obj) -> None:
    check_text("field", a["field"], NAME_MAX, 1)
    check_text("text", a["text"])
    if "target" in a:
        check_text("target", a["target"], NAME_MAX, 1)


def _normalise(a: Obj) -> Obj:
    return ordered(a, "field", "text", "target")


def _edits(a: str, b: str) -> int:
    """Levenshtein 1966, one row at a time."""
    row = list(range(len(b) + 1))
    for i, ca in enumerate(a, 1):
        left = row[0]
        row[0] = i
        for j, cb in enumerate(b, 1):
            left, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, left + (ca != cb))
    return row[-1]


def _distance(a: Obj, b: Obj) -> float:
    """Edits per character of the longer text, spaces run together; for long texts, words not shared."""
    s, t = " ".join(a["text"].split()), " ".join(b["text"].split())
    if s == t:
        return 0.0
    if len(s) * len(t) <= CELLS_MAX:
        return _edits(s, t) / max(len(s), len(t))
    ws, wt = Counter(s.split()), Counter(t.split())
    return 1.0 - 2 * (ws & wt).total() / (ws.total() + wt.total())


_required, _allowed = keys("field", "text", classed=False, optional=("target",))
TEXT = Kind("text", False, _required, _allowed, _check, _normalise, no_bounds, no_area, _distance)

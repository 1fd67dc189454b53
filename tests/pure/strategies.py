"""Hypothesis strategies for annotations of every kind, and an ontology that takes them all."""

from typing import Any

from hypothesis import strategies as st

Obj = dict[str, Any]

CLASSES = ("car", "person", "Straße, nass")
ids = st.text("abcXYZ019_-", min_size=1, max_size=12)
coordinate = st.floats(-2000, 2000, allow_nan=False).map(lambda v: round(v, 3))
size = st.floats(0.5, 1500).map(lambda v: round(v, 3))
words = st.text(st.characters(codec="utf-8"), max_size=40)
attributes = st.fixed_dictionaries(
    {},
    optional={
        "colour": st.sampled_from(["red", "blue"]),
        "seats": st.integers(0, 9),
        "note": words,
        "hidden": st.booleans(),
        "parts": st.lists(st.sampled_from(["door", "wheel", "roof"]), unique=True),
    },
)
classed: dict[str, Any] = {"id": ids, "class": st.sampled_from(CLASSES)}


def _kind(name: str, own: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Obj]:
    return st.fixed_dictionaries({"id": ids, "kind": st.just(name), **own}, optional=optional or {})


def _classed(name: str, own: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[Obj]:
    return _kind(name, {"class": st.sampled_from(CLASSES), **own}, {"attributes": attributes, **(optional or {})})


def _with_end(a: Obj, length: int) -> Obj:
    return {**a, "end": a["start"] + length}


def _with_winner(a: Obj, won: tuple[str | None, int]) -> Obj:
    return {**a, "winner": won[0], "strength": won[1]}


point_pair = st.lists(coordinate, min_size=2, max_size=2)
BY_KIND: dict[str, st.SearchStrategy[Obj]] = {
    "box": _classed("box", {"x": coordinate, "y": coordinate, "w": size, "h": size}, {"angle_rad": st.floats(-10, 10)}),
    "polygon": _classed("polygon", {"points": st.lists(point_pair, min_size=3, max_size=12)}),
    "line": _classed("line", {"points": st.lists(point_pair, min_size=2, max_size=12)}),
    "point": _classed("point", {"x": coordinate, "y": coordinate}),
    "span": st.builds(
        _with_end,
        _classed("span", {"start": st.integers(0, 200)}),
        st.integers(1, 60),
    ),
    "choice": _kind(
        "choice",
        {
            "field": st.just("weather"),
            "values": st.lists(st.sampled_from(["sun", "rain", "fog"]), min_size=1, unique=True),
        },
    ),
    "text": _kind("text", {"field": st.just("note"), "text": words}),
    "rating": _kind("rating", {"field": st.just("stars"), "value": st.integers(1, 5) | st.floats(1, 5)}),
    "preference": st.builds(
        _with_winner,
        _kind("preference", {"field": st.just("better")}),
        st.tuples(st.sampled_from(["a", "b"]), st.integers(1, 3)) | st.just((None, 0)),
    ),
}
annotations = st.one_of(*BY_KIND.values())

ONTOLOGY: Obj = {
    "classes": [{"name": n, "kinds": ["box", "polygon", "line", "point", "span"]} for n in CLASSES],
    "attributes": [
        {"name": "colour", "type": "choice", "choices": ["red", "blue"]},
        {"name": "seats", "type": "number"},
        {"name": "note", "type": "text"},
        {"name": "hidden", "type": "boolean"},
        {"name": "parts", "type": "choice", "choices": ["door", "wheel", "roof"], "multiple": True},
    ],
    "fields": [
        {
            "key": "weather",
            "type": "choice",
            "multiple": True,
            "choices": [{"value": v} for v in ("sun", "rain", "fog")],
        },
        {"key": "note", "type": "text"},
        {"key": "stars", "type": "rating", "min": 1, "max": 5},
        {"key": "better", "type": "preference"},
    ],
}


def _distinct(rows: list[Obj]) -> list[Obj]:
    """Unique ids, and each field answered once."""
    out: list[Obj] = []
    fields: set[str] = set()
    for i, a in enumerate(rows):
        if "field" in a:
            if a["field"] in fields:
                continue
            fields.add(a["field"])
        out.append({**a, "id": f"{a['id']}-{i}"})
    return out


def answers_of(*kinds: str, most: int = 12) -> st.SearchStrategy[Obj]:
    pool = st.one_of(*(BY_KIND[k] for k in kinds)) if kinds else annotations
    return st.lists(pool, max_size=most).map(lambda rows: {"annotations": _distinct(rows)})

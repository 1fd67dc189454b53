"""What the machine of the test mode answers: a made-up response for every task type, the same for the same seed.

Types that a surface opens go the long way: a made-up native answer, then the mapping that real work takes. The others
are written here in the shape of part C. Responses that hold links ask `url_for(name, content)` for each file.
"""

import math
import random
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import msgspec

from evenhand.pure.conditions import Conditions
from evenhand.pure.kinds.kind import Obj
from evenhand.pure.scale.checks import leaves
from evenhand.pure.scale.inbound import inbound
from evenhand.pure.scale.outbound import respond
from evenhand.pure.scale.types import TEXT_FIELDS, TaskType, prompts, unit_fields

UrlFor = Callable[[str, bytes], str]

WIDTH, HEIGHT = 640, 480  # assumed where the size of the picture is not known
FRAMES = 3
SHAPES_MAX = 5
WORDS = ("lorem", "ipsum", "dolor", "sit", "amet", "consectetur", "adipiscing", "elit", "sed", "eiusmod")
PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364600000000600023081d02f0000000049454e44ae426082"
)


def made_up_answer(ontology: Obj, data: Obj, seed: int | str) -> Obj:
    """A native answer that the ontology accepts: one annotation per class (at most five), every field answered."""
    rng = random.Random(f"answer {seed}")
    rows: list[Obj] = []
    image = cast(Obj, data.get("image") or {})
    width, height = float(image.get("width") or WIDTH), float(image.get("height") or HEIGHT)
    text = data.get("text") if isinstance(data.get("text"), str) else None
    limits = cast(Obj, ontology.get("limits") or {})
    described = {a["name"]: a for a in ontology.get("attributes", [])}
    for known in cast(list[Obj], ontology.get("classes", []))[:SHAPES_MAX]:
        for kind in known["kinds"]:
            if (kind == "span") != (text is not None) or (kind == "span" and not text):
                continue
            a: Obj = {"id": _id(rng), "kind": kind, "class": known["name"]}
            a |= _shape(rng, kind, width, height, limits.get(kind) or {}, text)
            attributes = {
                name: _attribute(rng, described[name])
                for name in known.get("attributes", described)
                if name in described
            }
            rows.append(a | ({"attributes": attributes} if attributes else {}))
            break
    conversation = cast(Obj, data.get("conversation") or {})
    targets = [str(a["id"]) for a in cast(list[Obj], conversation.get("answers") or [])]
    for field in cast(list[Obj], ontology.get("fields", [])):
        asked: list[str | None] = list(targets) if field.get("target") == "answers" else [None]
        rows.extend(_field(rng, field, target, targets) for target in asked)
    return Conditions(ontology).settle({"annotations": rows})


def _id(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _words(rng: random.Random, count: int = 4) -> str:
    return " ".join(rng.choice(WORDS) for _ in range(count))


def _shape(rng: random.Random, kind: str, width: float, height: float, limit: Obj, text: str | None) -> Obj:
    if kind == "span":
        length = len(text or "")
        start = rng.randrange(length)
        return {"start": start, "end": rng.randint(start + 1, min(length, start + 12))}
    if kind == "point":
        return {"x": round(rng.uniform(0, width), 1), "y": round(rng.uniform(0, height), 1)}
    if kind == "box":
        w = max(float(limit.get("min_w", 0)), rng.randint(5, 40) / 100 * width, 1.0)
        h = max(float(limit.get("min_h", 0)), rng.randint(5, 40) / 100 * height, 1.0)
        x, y = rng.uniform(0, max(0.0, width - w)), rng.uniform(0, max(0.0, height - h))
        return {"x": round(x, 1), "y": round(y, 1), "w": round(w + 0.05, 1), "h": round(h + 0.05, 1)}
    least = 3 if kind == "polygon" else 2
    count = max(least, int(limit.get("min_points", 0)), min(5, int(limit.get("max_points") or 5)))
    cx, cy, r = width / 2, height / 2, min(width, height) / 4
    turn = rng.uniform(0, math.tau)
    angles = [turn + math.tau * i / count for i in range(count)]
    return {"points": [[round(cx + r * math.cos(t), 1), round(cy + r * math.sin(t), 1)] for t in angles]}


def _attribute(rng: random.Random, attribute: Obj) -> Any:
    kind = attribute["type"]
    if kind == "choice":
        value = rng.choice(attribute["choices"])
        return [value] if attribute.get("multiple") else value
    if kind == "number":
        return rng.randint(0, 10)
    return rng.random() < 0.5 if kind == "boolean" else _words(rng, 2)


def _field(rng: random.Random, field: Obj, target: str | None, targets: list[str]) -> Obj:
    a: Obj = {"id": _id(rng), "kind": "text", "field": field["key"]}
    kind = field["type"]
    if kind == "choice":
        return a | {"kind": "choice", "values": [rng.choice(field["choices"])["value"]]}
    if kind == "preference":
        winner = rng.choice(targets) if targets else None
        return a | {"kind": "preference", "winner": winner, "strength": rng.randint(1, 3) if winner else 0}
    if target is not None:
        a["target"] = target
    if kind in ("number", "rating"):
        low = field.get("min", min(0, field.get("max", 0)))
        high = field.get("max", low + 10)
        step = field.get("step", 1)
        return a | {"kind": "rating", "value": low + step * rng.randint(0, max(0, math.floor((high - low) / step)))}
    return a | {"text": _words(rng)}


# ---------------------------------------------------------------- responses


@dataclass(frozen=True, slots=True)
class _Make:
    type: TaskType
    params: Obj
    rng: random.Random
    seed: int | str
    url_for: UrlFor
    root: Sequence[Sequence[Obj]] = ()  # the cuboids of each frame of the task that this one starts from

    def link(self, name: str, content: Any) -> str:
        return self.url_for(name, msgspec.json.encode(content))

    def label(self, *keys: str) -> str:
        """One of the labels that the task names."""
        for key in keys:
            if self.params.get(key):
                return str(self.rng.choice(leaves(key, self.params[key])).original)
        return "object"

    def frames(self) -> int:
        attachments = self.params.get("attachments")
        return max(1, min(50, len(cast(list[Any], attachments)))) if isinstance(attachments, list) else FRAMES


def made_up(type_: TaskType, params: Obj, seed: int | str, url_for: UrlFor, root: Sequence[Sequence[Obj]] = ()) -> Obj:
    """The `response` of a test-mode task. `params` has its defaults and has been checked. `root`: the cuboids, frame by
    frame, of the lidarannotation task that a follow-up starts from."""
    m = _Make(type_, params, random.Random(f"response {seed}"), seed, url_for, root)
    return MADE[type_.family if type_.geometry != "cuboid" or type_.family == "video" else "cuboid"](m)


def _openable(m: _Make) -> Obj:
    native = inbound(m.type, {**m.params, "hypothesis": None, "base_annotations": None})
    answer = made_up_answer(native.ontology, native.data, m.seed)
    return respond(m.type, m.params, [answer], task_id=str(m.seed), seconds=m.rng.randint(5, 90))


def _image(m: _Make) -> Obj:
    """Shapes that no surface draws yet are made here; the rest come the long way."""
    response = _openable(m)
    for kind, geometry in cast(dict[str, Obj], m.params["geometries"]).items():
        if kind in ("cuboid", "ellipse"):
            leaf = m.rng.choice(leaves(f"geometries.{kind}.objects_to_annotate", geometry["objects_to_annotate"]))
            a: Obj = {"uuid": _id(m.rng), "type": kind, "label": leaf.original, "attributes": {}}
            response["annotations"].append({**a, "vertices": _cuboid() if kind == "cuboid" else _ellipse()})
    return response


def _ellipse() -> list[Obj]:
    return [{"x": x, "y": y} for x, y in ((320, 120), (480, 240), (320, 360), (160, 240))]


def _cuboid() -> list[Obj]:
    corners = (
        ("face-topleft", 100, 100), ("face-bottomleft", 100, 220), ("face-topright", 240, 100),
        ("face-bottomright", 240, 220), ("side-topcorner", 300, 80), ("side-bottomcorner", 300, 190),
    )  # fmt: skip
    return [{"x": x, "y": y, "type": "vertex", "description": d} for d, x, y in corners]


def _cuboids_2d(m: _Make) -> Obj:
    return {"annotations": [{"label": m.label("objects_to_annotate"), "vertices": _cuboid()}]}


def _lane(m: _Make) -> Obj:
    """No public format is known: open lines, as in lineannotation."""
    vertices = [{"x": 10, "y": 470}, {"x": 320, "y": 200}]
    return {"annotations": [{"vertices": vertices, "label": m.label("objects_to_annotate")}]}


def _segment(m: _Make) -> Obj:
    found = leaves("labels", m.params["labels"])
    mapping: Obj = {}
    labeled: Obj = {}
    for i, leaf in enumerate(found):
        name = str(leaf.original)
        color = f"#{m.rng.randrange(1 << 24):06x}"
        mapping[name] = {"index": i + 1, "color": color}
        labeled[name] = m.url_for(f"labeled-{i + 1}.png", PIXEL)
    return {
        "annotations": {
            "unlabeled": m.url_for("unlabeled.png", PIXEL),
            "labeled": labeled,
            "combined": {"image": m.url_for("combined.png", PIXEL), "indexedImage": m.url_for("indexed.png", PIXEL)},
        },
        "labelMapping": mapping,
    }


def _video_label(m: _Make) -> tuple[str, str]:
    for kind, geometry in cast(dict[str, Obj], m.params.get("geometries") or {}).items():
        leaf = m.rng.choice(leaves(f"geometries.{kind}.objects_to_annotate", geometry["objects_to_annotate"]))
        return kind, str(leaf.original)
    return m.type.geometry or "box", m.label("objects_to_annotate")


def _drawn(kind: str, shift: int) -> Obj:
    if kind == "cuboid":
        return {"vertices": _cuboid()}
    if kind == "ellipse":
        return {"vertices": _ellipse()}
    if kind == "point":
        return {"x": 100 + shift, "y": 100}
    if kind == "box":
        return {"left": 100 + shift, "top": 100, "width": 80, "height": 60}
    return {"vertices": [{"x": 100 + shift, "y": 100}, {"x": 180 + shift, "y": 100}, {"x": 180 + shift, "y": 160}]}


def _event(m: _Make) -> str | None:
    events = cast(list[Any], m.params.get("events_to_annotate") or [])
    if not events:
        return None
    return str(leaves("events_to_annotate", events)[0].original)


def _video(m: _Make) -> Obj:
    kind, label = _video_label(m)
    id_ = _id(m.rng)
    same: Obj = {"uuid": id_, "type": kind, "label": label, "attributes": {}}
    none: Obj = {}
    frames = [{"annotations": [{**same, **_drawn(kind, i)}], "global_attributes": none} for i in range(m.frames())]
    out: Obj = {"annotations": {"url": m.link("annotations.json", frames)}}
    event = _event(m)
    if event is not None:
        events = [{"label": event, "type": "range", "start": 0, "end": 1}]
        out["events"] = {"url": m.link("events.json", {"events": events})}
    return out


def _playback(m: _Make) -> Obj:
    kind, label = _video_label(m)
    none: Obj = {}
    frames = [{"key": i, **_drawn(kind, i), "attributes": none, "timestamp": i / 10} for i in range(m.frames())]
    file = {"annotations": {_id(m.rng): {"label": label, "geometry": kind, "frames": frames}}}
    out: Obj = {"annotations": {"url": m.link("annotations.json", file)}}
    event = _event(m)
    if event is not None:
        events = {"events": [{"label": event, "type": "range", "start": 0, "end": 1}]}
        out["events"] = {"url": m.link("events.json", events)}
    return out


def _cuboids(m: _Make) -> Obj:
    id_, label = _id(m.rng), m.label("labels")
    frames = [
        {
            "cuboids": [
                {
                    "uuid": id_,
                    "label": label,
                    "camera_used": None,
                    "position": {"x": 5.0 + i, "y": 2.0, "z": 0.5},
                    "dimensions": {"x": 1.8, "y": 4.2, "z": 1.5},
                    "yaw": 0.0,
                    "stationary": False,
                    "attributes": {},
                    "distance_to_device": round(math.hypot(5.0 + i, 2.0), 3),
                    "numberOfPoints": 0,
                }
            ]
        }
        for i in range(m.frames())
    ]
    return {"annotations": {"url": m.link("annotations.json", frames)}}


def _pointsegments(m: _Make) -> Obj:
    objects = [{"label": str(v.original), "index": i + 1} for i, v in enumerate(leaves("labels", m.params["labels"]))]
    file: Obj = {"objects": objects, "point_objects": [[0] for _ in range(m.frames())]}
    return {"point_segmentations": {"url": m.link("point_segmentations.json", file)}}


def _topdown(m: _Make) -> Obj:
    kind, label = _video_label(m)
    a: Obj = {"uuid": _id(m.rng), "type": kind, "label": label, "attributes": {}, **_drawn(kind, 0)}
    return {"annotations": [a], "global_attributes": {}, "links": [], "is_customer_fix": False}


def _linking(m: _Make) -> Obj:
    """Each cuboid of the root task is found again in the picture of the camera; without a root, one made-up cuboid."""
    alone: Obj = {"uuid": _id(m.rng), "label": m.label("labels")}
    frames: list[Obj] = []
    for cuboids in m.root or [[alone]] * m.frames():
        rows: list[Obj] = [
            {"cuboid_uuid": one["uuid"], "label": one["label"], "type": "box", **_drawn("box", 0)} for one in cuboids
        ]
        frames.append({"camera_responses": [{"camera_used": 0, "annotations": rows}]})
    return {"annotations": {"url": m.link("annotations.json", frames)}}


def _document(m: _Make) -> Obj:
    rows: list[Obj] = []
    features = cast(list[Any], m.params.get("features") or [{"type": "text", "label": "text"}])
    for i, value in enumerate(features):
        feature = cast(Obj, value) if isinstance(value, dict) else {"type": "text", "label": str(value)}
        location: Obj = {"type": "box", "left": 20, "top": 20 + 30 * i, "width": 200, "height": 20}
        if m.params.get("geometry") == "polygon":
            corners = ((20, 20), (220, 20), (220, 40), (20, 40))
            location = {"type": "polygon", "vertices": [{"x": x, "y": y + 30 * i} for x, y in corners]}
        grouped = feature.get("type") == "group"
        rows.append(
            {
                "uuid": _id(m.rng),
                "page": 0,
                "label": str(feature.get("label") or feature.get("title") or feature.get("type") or "text"),
                "text": "" if grouped else _words(m.rng),
                "location": location,
                "refs": [rows[0]["uuid"]] if grouped and rows else [],
            }
        )
    return {"annotations": rows}


def _textcollection(m: _Make) -> Obj:
    response = _openable(m)
    for _, f in unit_fields("fields", m.params["fields"]):
        entry = response["annotations"][f["field_id"]]
        if f["type"] == "datetime":
            entry["response"] = ["2024-01-01T00:00:00.000Z"]
        elif f["type"] == "time_range":
            entry["response"] = [{"start": 0, "end": 1}]
        elif f["type"] not in TEXT_FIELDS and f.get("choices"):
            entry["response"] = [[v.original for v in leaves("choices", f["choices"])]]
    return response


def _audio(m: _Make) -> Obj:
    words = [m.rng.choice(WORDS) for _ in range(6)]
    alignment = [{"word": w, "start": i / 2, "end": i / 2 + 0.4, "confidence": 0.9} for i, w in enumerate(words)]
    return {"transcript": " ".join(words), "duration": len(words) / 2, "alignment": alignment}


def _phonecall(m: _Make) -> Obj:
    out: Obj = {"outcome": "success"}
    if m.params.get("fields"):
        out["fields"] = {key: _words(m.rng, 2) for key, _, _ in prompts(m.params["fields"])}
    if m.params.get("choices"):
        out["choice"] = m.label("choices")
    return out


def _chat(m: _Make) -> Obj:
    """The v1 view of a conversation; its v2 threads come from `chat.made_up_chat`."""
    prompt = m.params.get("prompt")
    text = prompt if isinstance(prompt, str) and prompt else _words(m.rng)
    turn: Obj = {"id": _id(m.rng), "annotations": []}
    turn["messages"] = [
        {"role": role, "content": {"text": said}, "source_id": _id(m.rng), "annotations": []}
        for role, said in (("user", text), ("assistant", _words(m.rng, 8)))
    ]
    return {"threads": [{"id": _id(m.rng), "turns": [turn], "annotations": []}]}


MADE: dict[str, Callable[[_Make], Obj]] = {
    "image": _image,
    "legacy": _openable,
    "cuboid": _cuboids_2d,
    "lane": _lane,
    "segment": _segment,
    "video": _video,
    "playback": _playback,
    "cuboids": _cuboids,
    "pointsegments": _pointsegments,
    "topdown": _topdown,
    "linking": _linking,
    "categorization": _openable,
    "comparison": _openable,
    "transcription": _openable,
    "datacollection": _openable,
    "textcollection": _textcollection,
    "ner": _openable,
    "document": _document,
    "audio": _audio,
    "phonecall": _phonecall,
    "chat": _chat,
}

"""COCO: images, annotations, categories, in one JSON document that `pycocotools` opens.

Layout: `annotations` go out as the tasks come; `images` wait in a spool; `categories` are known at the end (the order
of keys in JSON is free). Boxes carry their outline as segmentation, so that every tool can draw a mask of them; turned
boxes have the bounds of the turned box as `bbox`. A point is one keypoint named after its class. Lines have no place.
The key `evenhand` holds what COCO cannot say (id, kind, the box before it was turned), so that reading gives it back.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, cast

import msgspec

from evenhand.pure.formats.task import ExportTask, Report, Spool, Streaming, image_of, pieces, safe_name, safe_path
from evenhand.pure.kinds.box import outline
from evenhand.pure.kinds.kind import Obj
from evenhand.pure.kinds.listing import BY_NAME
from evenhand.pure.trouble import Invalid

CARRIES = ("box", "polygon", "point")
OMITS = (
    "single answers",
    "reviews",
    "priority",
    "fields (choices, texts, ratings, preferences)",
    "ontology beyond the names of classes",
)


class CocoWriter(Streaming):
    """`ontology`: the project's, so that category ids follow its order; classes it lacks are numbered as they come."""

    def __init__(self, ontology: Obj | None = None, new_spool: Spool | None = None) -> None:
        self.report = Report("coco", OMITS)
        self._images = (new_spool or BytesIO)()
        self._categories: dict[str, int] = {}
        self._points: set[str] = set()
        self._names: dict[int, int] = {}  # file name -> asset; hashes, since the texts would take ten times as much
        self._image = self._annotation = 0
        self._encode = msgspec.json.Encoder().encode
        self._learn(ontology or {})

    def _learn(self, ontology: Obj) -> None:
        for c in cast(list[Obj], ontology.get("classes", [])):
            self._category(c["name"])
            if "point" in c["kinds"]:
                self._points.add(c["name"])

    def _category(self, name: str) -> int:
        return self._categories.setdefault(name, len(self._categories) + 1)

    def start(self) -> bytes:
        info = {"description": "Exported by Evenhand", "version": "1.0"}
        return b'{"info":' + self._encode(info) + b',"licenses":[],"annotations":['

    def task(self, task: ExportTask) -> bytes:
        report = self.report
        found = image_of(task)
        if found is None:
            report.skip("the task shows no image of known size", task.id)
            return b""
        if task.result is None:
            report.skip("the task has no result yet", task.id)
            return b""
        self._image += 1
        self._spool(task, *found)
        report.tasks += 1
        rows = [row for a in task.result if (row := self._row(task.id, a)) is not None]
        if not rows:
            return b""
        first = self._annotation == len(rows)
        return (b"" if first else b",") + self._encode(rows)[1:-1]

    def _spool(self, task: ExportTask, image: Obj, width: float, height: float) -> None:
        name = image.get("name") if isinstance(image.get("name"), str) else None
        ours: Obj = {"task": task.id}
        for key in ("name", "project", "batch", "unique_id", "tags", "metadata"):
            if getattr(task, key):
                ours[key] = getattr(task, key)
        if name is not None:
            ours["image"] = name
        row: Obj = {
            "id": self._image,
            "width": width,
            "height": height,
            "file_name": self._file_name(task, name or "", str(image.get("asset", ""))),
            "evenhand": ours,
        }
        self._images.write((b"" if self._image == 1 else b",") + self._encode(row))

    def _file_name(self, task: ExportTask, image: str, asset: str) -> str:
        """Where the picture lay when it was sent, if the task's name tells; two pictures never share one."""
        whole = task.name or ""
        found = safe_path(whole if whole.endswith("/" + image) and image else image, task.id)
        if self._names.setdefault(hash(found), hash(asset)) != hash(asset):
            stem, dot, suffix = found.rpartition(".")
            found = f"{stem if dot else found}-{safe_name(task.id)}{dot}{suffix if dot else ''}"
            self.report.change("two pictures have one name, so the task's id was added to the later one's", task.id)
        return found

    def _row(self, task: str, a: Obj) -> Obj | None:
        kind = a["kind"]
        if kind not in CARRIES:
            self.report.skip(f"COCO has no place for a {kind}", task, a["id"])
            return None
        ours: Obj = {"id": a["id"], "kind": kind}
        self._annotation += 1
        self.report.annotations += 1
        row: Obj = {"id": self._annotation, "image_id": self._image, "category_id": self._category(a["class"])}
        if kind == "point":
            self._points.add(a["class"])
            row |= {"bbox": [a["x"], a["y"], 0, 0], "area": 0, "segmentation": []}
            row |= {"keypoints": [a["x"], a["y"], 2], "num_keypoints": 1}
        else:
            points = a["points"] if kind == "polygon" else outline(a)
            if kind == "box" and not a.get("angle_rad"):
                bbox = [a["x"], a["y"], a["w"], a["h"]]
            else:
                x0, y0, x1, y1 = cast(tuple[float, float, float, float], BY_NAME[kind].bounds(a))
                bbox = [x0, y0, x1 - x0, y1 - y0]
                if kind == "box":
                    ours |= {"box": [a["x"], a["y"], a["w"], a["h"]], "angle_rad": a["angle_rad"]}
                    self.report.change("a turned box has the bounds of its outline as bbox", task, a["id"])
            area = BY_NAME[kind].area(a)
            row |= {"bbox": bbox, "area": area, "segmentation": [[v for p in points for v in p]]}
        row["iscrowd"] = 0
        if a.get("attributes"):
            row["attributes"] = a["attributes"]
        row["evenhand"] = ours
        return row

    def finish(self) -> Iterator[bytes]:
        yield b'],"images":['
        yield from pieces(self._images)
        rows: list[Obj] = []
        for name, id_ in self._categories.items():
            row: Obj = {"id": id_, "name": name, "supercategory": ""}
            rows.append(row | ({"keypoints": [name], "skeleton": []} if name in self._points else {}))
        yield b'],"categories":' + self._encode(rows) + b',"evenhand_report":' + self.report.json() + b"}\n"


def read_coco(chunks: Iterable[bytes], report: Report | None = None) -> Iterator[ExportTask]:
    """One task for each image. Of other makers' files the polygons, boxes and keypoints are read; run-length masks are
    named in the report."""
    report = report or Report("coco")
    try:
        document = msgspec.json.decode(b"".join(chunks))
        categories = {c["id"]: str(c["name"]) for c in document["categories"]}
        images = {i["id"]: i for i in document["images"]}
        by_image: dict[Any, list[Obj]] = {id_: [] for id_ in images}
        for row in document["annotations"]:
            if row["image_id"] not in by_image or row["category_id"] not in categories:
                report.skip("the annotation names an image or a category that the file lacks", str(row.get("id")))
                continue
            by_image[row["image_id"]].extend(_read_row(row, categories[row["category_id"]], report))
        for id_, image in images.items():
            yield _read_image(image, by_image[id_])
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError, IndexError) as e:
        raise Invalid(f"This is not a COCO file: {type(e).__name__} {e}") from None


def _read_image(image: Obj, result: list[Obj]) -> ExportTask:
    ours = cast(Obj, image.get("evenhand") or {})
    shown: Obj = {"width": image["width"], "height": image["height"], "name": ours.get("image", image["file_name"])}
    kept = {k: ours[k] for k in ("name", "project", "batch", "unique_id", "tags", "metadata") if k in ours}
    data: Obj = {"medium": "image", "image": shown}
    return ExportTask(id=str(ours.get("task", image["id"])), data=data, result=result, **kept)


def _read_row(row: Obj, name: str, report: Report) -> list[Obj]:
    ours = cast(Obj, row.get("evenhand") or {})
    base: Obj = {"id": str(ours.get("id", row["id"])), "kind": ours.get("kind", ""), "class": name}
    more: Obj = {"attributes": row["attributes"]} if row.get("attributes") else {}
    if base["kind"] == "box":
        x, y, w, h = ours.get("box", row["bbox"])
        turned = {"angle_rad": ours["angle_rad"]} if "angle_rad" in ours else {}
        return [base | {"x": x, "y": y, "w": w, "h": h} | turned | more]
    keypoints, segmentation = row.get("keypoints"), row.get("segmentation")
    if keypoints and base["kind"] in ("", "point"):
        seen = [keypoints[i : i + 3] for i in range(0, len(keypoints), 3)]
        return [
            base
            | {"id": base["id"] if len(seen) == 1 else f"{base['id']}-{i}", "kind": "point", "x": p[0], "y": p[1]}
            | more
            for i, p in enumerate(seen)
            if p[2]
        ]
    if isinstance(segmentation, dict):
        report.skip("run-length masks are not read", base["id"])
        return []
    if segmentation:
        rings = [[list(ring[i : i + 2]) for i in range(0, len(ring), 2)] for ring in segmentation]
        return [
            base | {"id": base["id"] if len(rings) == 1 else f"{base['id']}-{i}", "kind": "polygon", "points": r} | more
            for i, r in enumerate(rings)
        ]
    x, y, w, h = row["bbox"]
    return [base | {"kind": "box", "x": x, "y": y, "w": w, "h": h} | more]

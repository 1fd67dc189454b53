"""YOLO (Ultralytics): a zip of `labels/*.txt`, `data.yaml`, `images.txt` and `report.json`.

A data set is either of boxes (`class cx cy w h`) or of outlines (`class x1 y1 x2 y2 ...`): the readers of this format
drop outlines where the two are mixed. So when the ontology has a class that is drawn as a polygon, every box becomes
its four corners too. Pictures are not inside: `images.txt` says which file of yours belongs to which label file.
"""

import math
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import cast

import msgspec

from evenhand.pure.formats.task import ExportTask, Report, Spool, Streaming, image_of, safe_name
from evenhand.pure.formats.zipstream import ZipStream
from evenhand.pure.kinds.box import outline
from evenhand.pure.kinds.geometry import clip_to_rectangle, polygon_area
from evenhand.pure.kinds.kind import Obj
from evenhand.pure.trouble import Invalid

CARRIES = ("box", "polygon")
OMITS = (
    "ids of annotations",
    "attributes",
    "single answers",
    "reviews",
    "fields (choices, texts, ratings, preferences)",
    "metadata",
)
ENTRY_MAX = 64 << 20  # bytes of one file when reading: no archive unpacks to more than it should
ENTRIES_MAX = 2_000_000


class YoloWriter(Streaming):
    """`mode`: "detect" (boxes), "segment" (outlines), or "" to follow the ontology (outlines where it is not known)."""

    def __init__(self, ontology: Obj | None = None, new_spool: Spool | None = None, mode: str = "") -> None:
        self.report = Report("yolo", OMITS)
        spool = new_spool or BytesIO
        self._zip = ZipStream(spool())
        self._index = spool()
        self._classes: dict[str, int] = {}
        classes = cast(list[Obj], (ontology or {}).get("classes", []))
        for c in classes:
            if set(c["kinds"]) & set(CARRIES):
                self._class(c["name"])
        outlines = not classes or any("polygon" in c["kinds"] for c in classes)
        self.mode = mode or ("segment" if outlines else "detect")

    def _class(self, name: str) -> int:
        return self._classes.setdefault(name, len(self._classes))

    def start(self) -> bytes:
        return b""

    def task(self, task: ExportTask) -> bytes:
        found = image_of(task)
        if found is None:
            self.report.skip("the task shows no image of known size", task.id)
            return b""
        if task.result is None:
            self.report.skip("the task has no result yet", task.id)
            return b""
        image, width, height = found
        rows = [row for a in task.result if (row := self._row(task.id, a, width, height)) is not None]
        self.report.tasks += 1
        self.report.annotations += len(rows)
        name = str(image.get("name") or "")
        safe = safe_name(name, "image")
        stem, dot, suffix = safe.rpartition(".")
        stem = f"{stem if dot else safe}-{safe_name(task.id)}"
        entry: Obj = {"image": f"images/{stem}.{suffix if dot else 'jpg'}", "task": task.id, "name": name}
        self._index.write(msgspec.json.encode(entry | {"width": width, "height": height}) + b"\n")
        return self._zip.file(f"labels/{stem}.txt", "".join(f"{row}\n" for row in rows).encode())

    def _row(self, task: str, a: Obj, width: float, height: float) -> str | None:
        kind = a["kind"]
        if kind not in CARRIES:
            self.report.skip(f"YOLO has no place for a {kind}", task, a["id"])
            return None
        if self.mode == "detect" and (kind == "polygon" or a.get("angle_rad")):
            what = "polygon" if kind == "polygon" else "turned box"
            self.report.skip(f"a data set of boxes has no place for a {what}", task, a["id"])
            return None
        if self.mode == "detect":
            x0, y0 = max(0.0, a["x"]), max(0.0, a["y"])
            x1, y1 = min(width, a["x"] + a["w"]), min(height, a["y"] + a["h"])
            if x1 <= x0 or y1 <= y0:
                self.report.skip("the shape lies outside of its image", task, a["id"])
                return None
            if (x0, y0, x1, y1) != (a["x"], a["y"], a["x"] + a["w"], a["y"] + a["h"]):
                self.report.change("the shape was cut at the edge of its image", task, a["id"])
            values = [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]
            return f"{self._class(a['class'])} {' '.join(map(_number, values))}"
        return self._outline(task, a, width, height)

    def _outline(self, task: str, a: Obj, width: float, height: float) -> str | None:
        points = cast(list[list[float]], a["points"] if a["kind"] == "polygon" else outline(a))
        if a["kind"] == "box":
            self.report.change("a box became the outline of its four corners", task, a["id"])
        if any(not (0 <= p[0] <= width and 0 <= p[1] <= height) for p in points):
            points = [list(p) for p in clip_to_rectangle(points, 0, 0, width, height)]
            if len(points) < 3 or polygon_area(points) <= 0:
                self.report.skip("the shape lies outside of its image", task, a["id"])
                return None
            self.report.change("the shape was cut at the edge of its image", task, a["id"])
        values = [v for p in points for v in (_number(p[0] / width), _number(p[1] / height))]
        return f"{self._class(a['class'])} {' '.join(values)}"

    def finish(self) -> Iterator[bytes]:
        names = "".join(f"  {i}: {msgspec.json.encode(name).decode()}\n" for name, i in self._classes.items())
        task = "segment" if self.mode == "segment" else "detect"
        head = f"# task: {task}\npath: .\ntrain: images\nval: images\nnc: {len(self._classes)}\nnames:"
        yield self._zip.file("data.yaml", f"{head}{chr(10) + names if names else ' {}'}".encode())
        yield from self._zip.spooled("images.txt", self._index)
        yield self._zip.file("report.json", self.report.json())
        yield from self._zip.finish()


def _number(value: float) -> str:
    """The shortest decimals that read back as the same number, without an exponent."""
    text = repr(float(min(1.0, max(0.0, value))))
    return f"{float(text):.20f}".rstrip("0") if "e" in text else text


def read_yolo(chunks: Iterable[bytes]) -> Iterator[ExportTask]:
    """Tasks of an archive that `YoloWriter` made. Ids of annotations are made up: 1, 2, 3, ..."""
    try:
        with zipfile.ZipFile(BytesIO(b"".join(chunks))) as archive:
            if len(archive.filelist) > ENTRIES_MAX:
                raise Invalid("The archive has too many files.")
            classes = _classes(_entry(archive, "data.yaml").decode())
            for line in _entry(archive, "images.txt", 16 * ENTRY_MAX).splitlines():
                row = msgspec.json.decode(line)
                stem = str(row["image"]).removeprefix("images/").rpartition(".")[0]
                text = _entry(archive, f"labels/{stem}.txt").decode()
                shown: Obj = {"width": row["width"], "height": row["height"], "name": row["name"]}
                rows = [_read_row(r, i, classes, shown) for i, r in enumerate(text.splitlines(), 1) if r.strip()]
                yield ExportTask(id=row["task"], data={"medium": "image", "image": shown}, result=rows)
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, TypeError, msgspec.MsgspecError) as e:
        raise Invalid(f"This is not a YOLO archive of ours: {type(e).__name__} {e}") from None


def _entry(archive: zipfile.ZipFile, name: str, most: int = ENTRY_MAX) -> bytes:
    with archive.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Invalid(f"{name} unpacks to more than {most >> 20} MiB.")
    return content


def _classes(yaml: str) -> dict[int, str]:
    """Our own spelling of `names`, where each name is a JSON string."""
    out: dict[int, str] = {}
    for line in yaml.partition("\nnames:")[2].split("\n"):
        number, colon, name = line.strip().partition(": ")
        if colon and number.isdigit():
            out[int(number)] = str(msgspec.json.decode(name))
    return out


def _read_row(line: str, number: int, classes: dict[int, str], image: Obj) -> Obj:
    index, *rest = line.split()
    values = [float(v) for v in rest]
    if not all(map(math.isfinite, values)):
        raise ValueError("a coordinate is not a number")
    width, height = image["width"], image["height"]
    base: Obj = {"id": str(number), "kind": "polygon", "class": classes[int(index)]}
    if len(values) == 4:
        cx, cy, w, h = values
        w, h = w * width, h * height
        return base | {"kind": "box", "x": cx * width - w / 2, "y": cy * height - h / 2, "w": w, "h": h}
    return base | {"points": [[x * width, y * height] for x, y in zip(values[::2], values[1::2], strict=True)]}

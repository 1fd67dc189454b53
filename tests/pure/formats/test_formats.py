"""Laws over the whole list of formats; the readers of the field as oracles."""

import csv
import io
import json
import time
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.formats.coco import read_coco
from evenhand.pure.formats.csv import guard, records, unguard
from evenhand.pure.formats.listing import BY_NAME, FORMATS, Format
from evenhand.pure.formats.task import ExportTask, Report, safe_name, safe_path, write
from evenhand.pure.formats.yolo import YoloWriter, read_yolo
from evenhand.pure.formats.zipstream import ZipStream
from evenhand.pure.kinds.listing import normalise
from evenhand.pure.trouble import Invalid
from tests.pure.strategies import ONTOLOGY, answers_of, words

Obj = dict[str, Any]
FIXTURES = Path(__file__).parents[3] / "fixtures" / "formats"
FORMAT_NAMES = [f.name for f in FORMATS]

name_text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
optional = st.none() | name_text


def tasks_of(*kinds: str, most: int = 4) -> st.SearchStrategy[list[ExportTask]]:
    one = st.builds(
        ExportTask,
        name=optional,
        project=optional,
        batch=optional,
        state=st.sampled_from(["open", "done", "canceled"]),
        created_at=st.just("2024-01-01T00:00:00.000Z"),
        completed_at=st.none() | st.just("2024-01-01T00:00:01.000Z"),
        metadata=st.dictionaries(words, words | st.integers(-5, 5), max_size=2),
        tags=st.lists(words, max_size=2),
        unique_id=optional,
        id=st.just(""),
        result=answers_of(*kinds, most=5).map(lambda a: [normalise(x) for x in a["annotations"]]),
        answers=st.lists(answers_of(most=2), max_size=1),
        reviews=st.lists(st.fixed_dictionaries({"decision": st.just("accept"), "comment": words}), max_size=2),
        priority=st.integers(-1000, 1000),
        error=optional,
        ontology=st.sampled_from([{}, ONTOLOGY]),
        data=st.builds(_data, name_text),
    )
    return st.lists(one, max_size=most).map(
        lambda rows: [msgspec.structs.replace(t, id=f"{i:024x}") for i, t in enumerate(rows)]
    )


def _data(name: str) -> Obj:
    return {"medium": "image", "image": {"name": name, "width": 4000, "height": 3000, "url": "/m/x"}, "text": "x" * 300}


def written(format_: Format, tasks: list[ExportTask], **options: Any) -> tuple[bytes, Report]:
    writer = format_.writer(options.get("ontology", ONTOLOGY), None)
    return b"".join(write(writer, tasks)), writer.report


def cut(content: bytes) -> Iterator[bytes]:
    for i in range(0, len(content), 7):
        yield content[i : i + 7]


@given(tasks_of())
def test_jsonl_is_lossless(tasks: list[ExportTask]) -> None:
    content, report = written(BY_NAME["jsonl"], tasks)
    assert list(BY_NAME["jsonl"].read(cut(content))) == tasks
    assert content.count(b"\n") == len(tasks) == report.tasks
    assert not report.skipped


@given(tasks_of())
def test_csv_gives_every_annotation_back(tasks: list[ExportTask]) -> None:
    content, _ = written(BY_NAME["csv"], tasks)
    back = list(BY_NAME["csv"].read(cut(content)))
    without = {"data": {}, "ontology": {}, "answers": [], "reviews": [], "priority": 0, "error": None}
    assert back == [msgspec.structs.replace(t, **without) for t in tasks]
    table = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    assert len(table) == sum(max(1, len(t.result or ())) for t in tasks)
    for row in table:
        for key in ("name", "class", "text", "value", "unique_id", "field"):
            if row["kind"] != "rating":
                assert not row[key].startswith(tuple("=+-@\t\r"))


@given(tasks_of())
def test_coco_gives_back_what_it_carries(tasks: list[ExportTask]) -> None:
    content, report = written(BY_NAME["coco"], tasks)
    back = list(BY_NAME["coco"].read(cut(content)))
    kinds = BY_NAME["coco"].kinds
    assert [t.id for t in back] == [t.id for t in tasks]
    for t, b in zip(tasks, back, strict=True):
        assert b.result == [a for a in t.result or () if a["kind"] in kinds]
        for key in ("name", "project", "batch", "unique_id", "tags", "metadata"):
            assert getattr(b, key) == getattr(t, key)
        assert b.data["image"]["name"] == t.data["image"]["name"]
    lost = sum(1 for t in tasks for a in t.result or () if a["kind"] not in kinds)
    assert sum(r["count"] for r in report.skipped.values()) == lost
    assert report.annotations == sum(len(b.result or ()) for b in back)


def inside(a: Obj) -> Obj:
    """The same shape, moved into a 4000 x 3000 image."""
    if a["kind"] == "box":
        return {**a, "x": abs(a["x"]), "y": abs(a["y"]) / 2}
    return {**a, "points": [[abs(x), abs(y)] for x, y in a["points"]]}


def plain(a: Obj) -> list[float]:
    if a["kind"] == "box":
        return [a["x"], a["y"], a["w"], a["h"]]
    return [v for p in a["points"] for v in p]


@pytest.mark.parametrize(("mode", "kind"), [("detect", "box"), ("segment", "polygon")])
@given(data=st.data())
def test_yolo_gives_back_what_it_carries(mode: str, kind: str, data: st.DataObject) -> None:
    tasks = data.draw(tasks_of(kind))
    for t in tasks:
        t.result = [inside({k: v for k, v in a.items() if k != "angle_rad"}) for a in t.result or ()]
    writer = YoloWriter(ONTOLOGY, None, mode)
    back = list(read_yolo(write(writer, tasks)))
    assert not writer.report.skipped
    assert not writer.report.changed
    for t, b in zip(tasks, back, strict=True):
        assert b.id == t.id
        for a, c in zip(t.result or (), b.result or (), strict=True):
            assert (a["kind"], a["class"]) == (c["kind"], c["class"])
            assert plain(c) == pytest.approx(plain(a), abs=1e-6)


@pytest.mark.parametrize("name", FORMAT_NAMES)
@given(tasks=tasks_of(most=3))
def test_nothing_is_dropped_in_silence(name: str, tasks: list[ExportTask]) -> None:
    for t in tasks[:1]:
        t.result, t.data = None, {"medium": "none"}
    _, report = written(BY_NAME[name], tasks)
    skipped = sum(r["count"] for r in report.skipped.values())
    whole = 0 if name in ("jsonl", "csv") else len(tasks[:1])
    assert report.tasks + whole == len(tasks)
    assert report.annotations + skipped - whole == sum(len(t.result or ()) for t in tasks)
    for row in report.skipped.values():
        assert 1 <= len(row["examples"]) <= 5
    assert json.loads(report.json())["format"] == name


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_golden_files(name: str) -> None:
    tasks = [msgspec.convert(t, ExportTask) for t in json.loads((FIXTURES / "tasks.json").read_text("utf-8"))]
    ontology = tasks[0].ontology
    content, _ = written(BY_NAME[name], tasks, ontology=ontology)
    golden = FIXTURES / f"golden.{BY_NAME[name].suffix}"
    if name == "yolo":
        with zipfile.ZipFile(io.BytesIO(content)) as z:
            assert z.testzip() is None
            files = {n: z.read(n).decode() for n in z.namelist()}
        content = (json.dumps(files, indent=1, ensure_ascii=False) + "\n").encode()
        golden = FIXTURES / "golden.yolo.json"
    assert content.decode() == golden.read_bytes().decode()


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_the_same_input_gives_the_same_bytes_and_empty_is_fine(name: str) -> None:
    tasks = [ExportTask(id="1", data=_data("a.png"), result=[BOX])]
    assert written(BY_NAME[name], tasks)[0] == written(BY_NAME[name], tasks)[0]
    content, _ = written(BY_NAME[name], [])
    assert list(BY_NAME[name].read([content])) == []


@pytest.mark.parametrize("name", ["coco", "yolo", "csv", "jsonl"])
@given(content=st.binary(max_size=200))
def test_garbage_is_refused(name: str, content: bytes) -> None:
    try:
        list(BY_NAME[name].read([content]))
    except Invalid as e:
        assert e.message


BOX: Obj = {"id": "b", "kind": "box", "class": "car", "x": 10, "y": 20, "w": 30, "h": 40}
POLYGON: Obj = {"id": "p", "kind": "polygon", "class": "person", "points": [[1, 1], [50, 1], [50, 50.5]]}
POINT: Obj = {"id": "q", "kind": "point", "class": "car", "x": 5, "y": 6}


def test_pycocotools_opens_it(tmp_path: Path) -> None:
    from pycocotools.coco import COCO  # pyright: ignore[reportMissingTypeStubs]

    turned = {**BOX, "id": "t", "angle_rad": 0.5}
    tasks = [ExportTask(id=f"{i:024x}", data=_data(f"{i}.png"), result=[BOX, POLYGON, POINT, turned]) for i in range(3)]
    content, report = written(BY_NAME["coco"], tasks)
    file = tmp_path / "coco.json"
    file.write_bytes(content)
    coco: Any = COCO(str(file))
    assert sorted(coco.getImgIds()) == [1, 2, 3]
    assert len(coco.getAnnIds()) == 12
    assert coco.loadCats([1])[0]["name"] == "car"
    ids = coco.getAnnIds(imgIds=[2], catIds=[2])
    (a,) = coco.loadAnns(ids)
    assert a["bbox"] == [1, 1, 49, 49.5]
    assert coco.annToMask(a).sum() == pytest.approx(a["area"], rel=0.05)
    for box in (a for a in coco.loadAnns(coco.getAnnIds(imgIds=[1])) if a["segmentation"]):
        assert coco.annToMask(box).shape == (3000, 4000)
    assert list(report.changed) == ["a turned box has the bounds of its outline as bbox"]


def test_coco_names_its_images_apart() -> None:
    """A trainer finds pictures by file_name: folders are kept, and two pictures never share one."""
    given = [("day/a.png", "a.png"), ("night/a.png", "a.png"), ("day/a.png", "a.png"), (None, "a.png"), ("x", "../b")]
    tasks: list[ExportTask] = []
    for i, (name, image) in enumerate([*given, given[0]]):
        data = _data(image)
        data["image"]["asset"] = str(i % 5)  # the last one shows the same picture as the first
        tasks.append(ExportTask(id=f"{i:024x}", name=name, data=data, result=[BOX]))
    content, report = written(BY_NAME["coco"], tasks)
    names = [image["file_name"] for image in json.loads(content)["images"]]
    assert names == ["day/a.png", "night/a.png", f"day/a-{2:024x}.png", "a.png", "b", "day/a.png"]
    (change,) = report.changed.values()
    assert change == {"count": 1, "examples": [f"{2:024x}"]}


@given(st.text())
def test_safe_paths_stay_inside(text: str) -> None:
    path = safe_path(text)
    assert path and not path.startswith("/")
    assert not {"", ".", ".."} & set(path.split("/"))


def test_foreign_coco() -> None:
    document: Obj = {
        "images": [{"id": 7, "width": 10, "height": 10, "file_name": "x.jpg"}],
        "categories": [{"id": 3, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "bbox": [1, 2, 3, 4]},
            {"id": 2, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "segmentation": [[0, 0, 1, 0, 1, 1]] * 2},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "segmentation": {"counts": "x"}},
            {"id": 4, "image_id": 7, "category_id": 3, "bbox": [0, 0, 1, 1], "keypoints": [1, 2, 2, 0, 0, 0, 3, 4, 1]},
            {"id": 5, "image_id": 8, "category_id": 3, "bbox": [0, 0, 1, 1]},
        ],
    }

    report = Report("coco")
    (task,) = read_coco([json.dumps(document).encode()], report)
    assert [a["id"] for a in task.result or ()] == ["1", "2-0", "2-1", "4-0", "4-2"]
    assert len(report.skipped) == 2


def test_yolo_rows_and_names() -> None:
    names = ["../../etc/passwd", "a b/ü.png", "CON.png", "-rf.jpg", "", ".hidden", "x" * 300 + ".png"]
    tasks = [ExportTask(id=f"{i:024x}", data=_data(n), result=[BOX, POLYGON]) for i, n in enumerate(names)]
    content, report = written(BY_NAME["yolo"], tasks)
    with zipfile.ZipFile(io.BytesIO(content)) as z:
        listed = z.namelist()
        row = z.read(listed[0]).decode()
        yaml = z.read("data.yaml").decode()
    assert len(set(listed)) == len(names) + 3
    for n in listed:
        assert ".." not in n.split("/")
        assert not n.startswith("/")
        assert n.count("/") <= 1
    assert listed[0] == f"labels/passwd-{0:024x}.txt"
    assert row.splitlines()[0].split()[0] == "0"
    assert len(row.splitlines()[0].split()) == 9  # a box among outlines is four corners
    assert '  2: "Straße, nass"' in yaml
    assert report.changed["a box became the outline of its four corners"]["count"] == len(names)


def test_yolo_of_boxes_cuts_at_the_edge() -> None:
    ontology: Obj = {"classes": [{"name": "car", "kinds": ["box"]}]}
    rows = [{**BOX, "x": -10, "y": 0, "w": 410, "h": 300}, {**BOX, "x": -100}, POLYGON]
    content, report = written(
        BY_NAME["yolo"], [ExportTask(id="1", data=_data("a.png"), result=rows)], ontology=ontology
    )
    with zipfile.ZipFile(io.BytesIO(content)) as z:
        assert z.read("labels/a-1.txt").decode() == "0 0.05 0.05 0.1 0.1\n"
    assert sum(r["count"] for r in report.skipped.values()) == 2
    assert sum(r["count"] for r in report.changed.values()) == 1


@given(words)
def test_guard_is_reversible(text: str) -> None:
    assert unguard(guard(text)) == text
    assert not guard(text).startswith(tuple("=+-@"))


@given(st.lists(st.lists(words, min_size=2, max_size=4), max_size=4), st.integers(1, 9))
def test_records_agree_with_the_standard_reader(rows: list[list[str]], step: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows(rows)
    content = out.getvalue().encode()
    assert list(records(content[i : i + step] for i in range(0, len(content), step))) == rows


@given(st.text())
def test_safe_names(text: str) -> None:
    name = safe_name(text)
    assert name
    assert len(name) <= 121
    assert not set(name) & set('/\\:*?"<>|\0\n')
    assert not name.startswith((".", "-"))
    assert not name.endswith((".", " "))


def test_zip_with_more_files_than_the_old_format_counts() -> None:
    with TemporaryFile() as directory, TemporaryFile() as out:
        z = ZipStream(directory)
        for i in range(70_000):
            out.write(z.file(f"labels/{i}.txt", b"x" * (i % 3)))
        out.write(z.file("big.txt", b"ab" * 5_000))
        out.writelines(z.finish())
        out.seek(0)
        with zipfile.ZipFile(out) as archive:
            assert len(archive.namelist()) == 70_001
            assert archive.read("labels/69998.txt") == b"xx"
            assert archive.read("big.txt") == b"ab" * 5_000


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_memory_is_flat(name: str) -> None:
    task = ExportTask(id="0" * 24, data=_data("a.png"), result=[BOX, POLYGON] * 5, ontology=ONTOLOGY)

    def peak(count: int) -> int:
        with TemporaryFile() as a, TemporaryFile() as b:
            files = [a, b]
            writer = BY_NAME[name].writer(ONTOLOGY, lambda: files.pop())
            tracemalloc.start()
            for piece in write(writer, (task for _ in range(count))):
                assert len(piece) < 1 << 20
            top = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return top

    peak(10)
    assert peak(2_000) < peak(200) + 300_000


def test_jsonl_speed() -> None:
    tasks = [ExportTask(id=f"{i:024x}", data=_data("a.png"), result=[BOX]) for i in range(20_000)]
    writer = BY_NAME["jsonl"].writer(None, None)
    start = time.process_time()
    for _ in write(writer, tasks):
        pass
    assert time.process_time() - start < 1

"""What the demo is made of: fixtures/demo, next to the code of a clone or inside an installed package."""

from pathlib import Path
from typing import Any

import msgspec

from evenhand.pure.trouble import Conflict


class SeedFailed(Conflict):
    pass


class DemoPerson(msgspec.Struct):
    name: str
    email: str


class DemoOrg(msgspec.Struct):
    name: str
    owner: DemoPerson
    projects: list[str]
    manager: DemoPerson | None = None
    viewer: DemoPerson | None = None


class Content(msgspec.Struct):
    operators: list[DemoPerson]
    director: DemoPerson
    annotators: list[DemoPerson]
    reviewers: list[DemoPerson]
    leaver: DemoPerson
    organisations: list[DemoOrg]


class Choice(msgspec.Struct):
    """The finished answer of a comparison."""

    winner: str
    strength: int
    points: list[int]
    why: str = ""


class DemoTask(msgspec.Struct):
    """A task; with boxes, polygons, marks or a choice it is answered by an annotator and, unless `waiting`, judged."""

    name: str = ""
    picture: str = ""
    text: str = ""
    question: str = ""
    answers: list[str] = []
    tags: list[str] | None = None
    boxes: list[list[Any]] = []  # class, x, y, w, h, attributes that are true
    polygons: list[list[Any]] = []  # class, then points
    topic: str = ""
    marks: list[tuple[str, str]] = []  # class, the words where they first occur
    choice: Choice | None = None
    waiting: bool = False

    @property
    def called(self) -> str:
        return self.name or self.picture


class DemoQuestion(msgspec.Struct):
    task: str
    text: str
    answer: str


class DemoFix(msgspec.Struct):
    """The reviewer's correction of one box."""

    task: str
    comment: str
    box: int
    w: float


class DemoProject(msgspec.Struct):
    name: str
    medium: str
    rate: str
    review: str
    batch: str
    ontology: dict[str, Any]
    tasks: list[DemoTask]
    question: DemoQuestion | None = None
    fixed: DemoFix | None = None


def folder() -> Path:
    """Where the demo's files are: an installed wheel carries them beside this module, a clone in fixtures/demo."""
    here = Path(__file__).resolve().parent
    for place in (here / "files", here.parents[2] / "fixtures" / "demo"):
        if (place / "demo.json").is_file():
            return place
    raise SeedFailed("The demo's pictures and texts are missing from this installation.", hint="Install it again.")


def load() -> tuple[Content, dict[str, DemoProject], dict[str, str]]:
    """People and customers; projects; instructions by project."""
    place = folder()
    content = msgspec.json.decode((place / "demo.json").read_bytes(), type=Content)
    names = [name for org in content.organisations for name in org.projects]
    projects = {n: msgspec.json.decode((place / f"{n}.json").read_bytes(), type=DemoProject) for n in names}
    return content, projects, {n: (place / f"{n}.md").read_text(encoding="utf-8") for n in names}


def annotations_of(task: DemoTask) -> list[dict[str, Any]] | None:
    """The finished answer that the files hold for a task, or None."""
    out: list[dict[str, Any]] = []
    for name, x, y, w, h, *true in task.boxes:
        out.append(
            {"kind": "box", "class": name, "attributes": dict.fromkeys(true, True), "x": x, "y": y, "w": w, "h": h}
        )
    for name, *points in task.polygons:
        out.append({"kind": "polygon", "class": name, "attributes": {}, "points": points})
    for name, words in task.marks:
        start = task.text.index(words)
        out.append({"kind": "span", "class": name, "attributes": {}, "start": start, "end": start + len(words)})
    if task.topic:
        out.append({"kind": "choice", "field": "topic", "values": [task.topic]})
    if task.choice is not None:
        out.append(
            {"kind": "preference", "field": "better", "winner": task.choice.winner, "strength": task.choice.strength}
        )
        for target, points in zip("ab", task.choice.points, strict=False):
            out.append({"kind": "rating", "field": "points", "value": points, "target": target})
        if task.choice.why:
            out.append({"kind": "text", "field": "why", "text": task.choice.why})
    return [{"id": f"n{i}", **one} for i, one in enumerate(out, 1)] or None


def input_of(task: DemoTask, asset: str | None) -> dict[str, Any]:
    """The task's data as the API takes it."""
    if asset is not None:
        return {"asset": asset}
    if task.question:
        answers = [{"id": i, "text": text} for i, text in zip("ab", task.answers, strict=True)]
        return {"conversation": {"messages": [{"role": "user", "text": task.question}], "answers": answers}}
    return {"text": task.text}

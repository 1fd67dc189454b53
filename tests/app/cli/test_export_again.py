"""A JSONL export goes in again as new tasks: their data, names and results, and the rest is named, never lost in silence."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.app.cli.conftest import Place


def _there(place: Place, org: str, mode: str = "live") -> dict[str, str]:
    return {"EVENHAND_URL": place.url, "EVENHAND_KEY": place.more[f"{org} {mode}"]}


def _twin(place: Place, name: str, folder: Path, there: dict[str, str], to: dict[str, str], title: str) -> str:
    """A new project of the same medium and ontology."""
    found = place.good("project", "show", name, **there)
    ontology = folder / "ontology.json"
    ontology.write_text(json.dumps(found["ontology"]))
    return place.good("project", "create", title, "--medium", found["medium"], "--ontology", ontology, **to)["id"]


def _export(place: Place, project: str, there: dict[str, str], file: Path | None = None) -> list[dict[str, Any]]:
    done = place.run("export", "--project", project, "--format", "jsonl", "--state", "all", **there)
    assert done.code == 0, done.err
    if file is not None:
        file.write_text(done.out)
    return [json.loads(line) for line in done.out.splitlines()]


def _shape(task: dict[str, Any], *, results: bool = True) -> Any:
    """What must be the same before and after."""
    data = {k: v for k, v in task["data"].items() if k not in ("image", "prelabels", "name", "references")}
    image = task["data"].get("image")
    if image:
        data["image"] = (image["width"], image["height"])
    labels = (task["result"] or task["data"].get("prelabels") or []) if results else []
    kept = {name: task.get(name) for name in ("name", "tags", "priority", "metadata", "ontology", "unique_id")}
    return json.dumps([data, kept, labels], sort_keys=True)


PROJECTS = [
    ("Alder Works", "Everyday photographs"),
    ("Birch Works", "Letters and short news"),
]


@pytest.mark.parametrize(("org", "name"), PROJECTS)
def test_the_round_trip(demo: Place, tmp_path: Path, org: str, name: str) -> None:
    """Into the test space of the same customer: another wall, where neither the pictures nor the unique ids are known."""
    live, test = _there(demo, org), _there(demo, org, "test")
    file = tmp_path / "out.jsonl"
    first = _export(demo, name, live, file)
    assert any(task["result"] for task in first) and any(task["answers"] for task in first)
    project = _twin(demo, name, tmp_path, live, test, f"{name} again")
    done = demo.run("task", "import", file, "--project", project, "--json", **test)
    assert done.code == 0, done
    assert (done.json["created"], done.json["failed"]) == (len(first), 0)
    again = _export(demo, project, test)
    assert sorted(map(_shape, again)) == sorted(map(_shape, first))
    answers = sum(len(task["answers"]) for task in first)
    assert done.json["left_behind"]["answers, with who gave them and when"] == answers
    assert f"{answers} answers" in done.err
    assert demo.run("task", "import", file, "--project", project, "--json", **test).json["repeated"] == len(first)


@pytest.mark.parametrize(("org", "name"), PROJECTS)
def test_into_the_same_organisation(demo: Place, tmp_path: Path, org: str, name: str) -> None:
    live = _there(demo, org)
    file = tmp_path / "out.jsonl"
    first = _export(demo, name, live, file)
    project = _twin(demo, name, tmp_path, live, live, f"{name} beside")
    done = demo.run("task", "import", file, "--project", project, "--leave-out", "unique_id, result", "--json", **live)
    assert done.code == 0, done
    again = _export(demo, project, live)
    for task in first:
        task["unique_id"] = None
        task["result"] = None
    assert sorted(map(_shape, again)) == sorted(map(_shape, first))
    assert {t["data"]["image"]["asset"] for t in again if "image" in t["data"]} == {
        t["data"]["image"]["asset"] for t in first if "image" in t["data"]
    }


def test_what_is_taken_cancelled_or_unknown_is_named(demo: Place, tmp_path: Path) -> None:
    live = _there(demo, "Birch Works")
    project = demo.good("project", "create", "Source", "--medium", "text", **live)["id"]
    (tmp_path / "in.jsonl").write_text(
        '{"data": {"text": "one"}, "unique_id": "taken-1", "tags": ["a", "b"], "priority": 7, "metadata": {"k": [1]}}\n'
        '{"data": {"text": "two", "context": "beside"}, "name": "second"}\n'
        '{"data": {"text": "three"}, "name": "gone"}\n'
    )
    assert demo.good("task", "import", tmp_path / "in.jsonl", "--project", project, **live)["created"] == 3
    gone = next(t for t in demo.good("task", "list", "--project", project, **live)["items"] if t["name"] == "gone")
    assert demo.run("task", "cancel", gone["id"], **live).code == 0
    file = tmp_path / "out.jsonl"
    _export(demo, project, live, file)
    with file.open("a") as out:
        out.write('{"report":{"format":"jsonl","skipped":[]}}\n')
    other = demo.good("project", "create", "Target", "--medium", "text", **live)["id"]
    done = demo.run("task", "import", file, "--project", other, "--json", **live)
    assert (done.code, done.json["created"], done.json["failed"]) == (1, 1, 1), done
    assert "taken-1" not in str(done.json["left_behind"]) and done.json["errors"][0]["where"] == "line 1"
    assert "--leave-out unique_id" in done.err and "1 cancelled tasks" in done.err
    kept = demo.good("task", "import", file, "--project", other, "--leave-out", "unique_id", **live)
    assert kept["created"] == 2 and kept["left_behind"]["cancelled tasks"] == 1
    (first,) = [t for t in _export(demo, other, live) if t["data"]["text"] == "one"]
    assert (first["tags"], first["priority"], first["metadata"]) == (["a", "b"], 7, {"k": [1]})
    refused = demo.run("task", "import", file, "--project", other, "--leave-out", "answers", **live)
    assert refused.code == 1 and "can't be left out" in refused.err


def test_a_link_that_is_too_old(demo: Place, tmp_path: Path) -> None:
    """The picture is neither here nor to be had: the line is named, and says what to do."""
    live, test = _there(demo, "Alder Works"), _there(demo, "Alder Works", "test")
    file = tmp_path / "out.jsonl"
    tasks = _export(demo, "Everyday photographs", live)
    for task in tasks:
        task["data"]["image"]["url"] += "x"
    file.write_text("".join(json.dumps(task) + "\n" for task in tasks))
    project = _twin(demo, "Everyday photographs", tmp_path, live, test, "Too old")
    done = demo.run("task", "import", file, "--project", project, "--json", **test)
    assert (done.code, done.json["created"], done.json["failed"]) == (1, 0, len(tasks))
    assert "export again" in done.json["errors"][0]["detail"]

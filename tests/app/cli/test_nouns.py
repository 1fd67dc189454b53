"""Projects, batches, tasks and exports from the command line."""

import json
import zipfile
from pathlib import Path

import httpx

from tests.app.cli.conftest import Place


def test_a_project_with_its_files(served: Place, tmp_path: Path) -> None:
    ontology = {"classes": [{"name": "car", "kinds": ["box"]}]}
    (tmp_path / "o.json").write_text(json.dumps(ontology))
    (tmp_path / "i.md").write_text("# Cars\nBox every car.")
    words = ["project", "create", "Streets", "--medium", "image", "--review", "sample", "--review-rate", "0.25"]
    made = served.good(*words, "--ontology", tmp_path / "o.json", "--instructions", tmp_path / "i.md")
    assert made["instructions"].startswith("# Cars") and made["ontology"]["classes"][0]["name"] == "car"
    assert (made["review"], made["review_rate"]) == ("sample", 0.25)
    shown = served.good("project", "show", "Streets")
    assert shown["id"] == made["id"] and shown["progress"]["counts"]["total"] == 0
    assert "Streets" in served.run("project", "list").out
    assert "nothing has been reviewed yet" in served.run("project", "show", made["id"]).out
    (tmp_path / "bad.json").write_text('{"classes": [{"name": "x", "kinds": ["blob"]}]}')
    bad = served.run("project", "create", "Bad", "--medium", "image", "--ontology", tmp_path / "bad.json")
    assert bad.code == 1 and "classes[0].kinds[0]" in bad.err
    assert served.run("project", "show", "No such").code == 1


def test_batches_and_tasks(served: Place, tmp_path: Path) -> None:
    served.good("project", "create", "Batched", "--medium", "text")
    batch = served.good("batch", "create", "First", "--project", "Batched", "--staging")
    assert batch["state"] == "staging"
    (tmp_path / "t.jsonl").write_text('{"text": "held", "name": "a"}\n{"text": "held too", "name": "b"}\n')
    served.good("task", "import", tmp_path / "t.jsonl", "--project", "Batched", "--batch", "First")
    assert served.good("batch", "show", batch["id"])["counts"]["held"] == 2
    assert served.good("batch", "finalize", batch["id"])["state"] == "in_progress"
    assert served.good("batch", "pause", batch["id"])["state"] == "paused"
    assert served.good("batch", "resume", batch["id"])["state"] == "in_progress"
    tasks = served.good("task", "list", "--project", "Batched", "--batch", "First")
    assert tasks["total"] == 2
    one, other = (task["id"] for task in tasks["items"])
    assert "first" not in served.run("task", "show", one).err
    done = served.run("task", "cancel", one, "0" * 24, "--json")
    assert done.code == 1 and [t["canceled"] for t in done.json] == [True, False]
    assert served.good("task", "list", "--project", "Batched", "--state", "canceled")["items"][0]["id"] == one
    assert served.good("batch", "cancel", batch["id"])["state"] == "cancelled"
    assert served.good("task", "show", other)["state"] == "canceled"
    assert [b["name"] for b in served.good("batch", "list", "--project", "Batched")] == ["First"]


def test_exports(served: Place, tmp_path: Path) -> None:
    served.good("project", "create", "Exported", "--medium", "text")
    (tmp_path / "t.jsonl").write_text('{"text": "not done", "name": "a"}\n')
    served.good("task", "import", tmp_path / "t.jsonl", "--project", "Exported")
    target = tmp_path / "out.jsonl"
    words = ("export", "--project", "Exported", "--format", "jsonl", "-o", target)
    assert served.run(*words, "--state", "all").code == 0
    assert json.loads(target.read_text())["name"] == "a"
    again = served.run(*words)
    assert again.code == 1 and "--force" in again.err
    assert served.run(*words, "--force").code == 0
    assert target.read_text() == ""  # nothing is done yet
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.jsonl", "t.jsonl"]
    coco = served.run("export", "--project", "Exported", "--format", "coco", "--state", "all")
    assert coco.code == 0 and "annotations" in json.loads(coco.out) and "left out" in coco.err
    assert served.run("export", "--project", "Exported", "--format", "yolo", "-o", tmp_path / "y.zip").code == 0
    assert zipfile.is_zipfile(tmp_path / "y.zip")
    assert served.run("export", "--project", "Exported", "--format", "csv", "-o", "/proc/nowhere.csv").code == 1


def test_a_command_here_leaves_a_trace_and_no_key(local: Place, served: Place) -> None:
    local.good("project", "list", "--org", "Alder")
    assert not [key for key in local.good("key", "list", "--org", "Alder") if key["name"] == "command line"]
    with httpx.Client(headers={"authorization": f"Bearer {served.more['EVENHAND_KEY']}"}) as client:
        facts = client.get(f"{served.url}/api/v1/audit").json()["items"]
    of_keys = [fact for fact in facts if fact["what"] in ("KeyRevoked", "KeyCreated")]
    assert [fact["what"] for fact in of_keys[:2]] == ["KeyRevoked", "KeyCreated"]

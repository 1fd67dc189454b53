"""Imports: what is good goes in once, what is bad is named with its line, whatever happens in between."""

import gzip
import json
import os
import shutil
import signal
import time
from pathlib import Path

import httpx
import pytest

from evenhand.app.cli.readers import open_source
from evenhand.pure.trouble import Invalid
from tests.app.cli.conftest import Place

PICTURES = Path(__file__).resolve().parents[3] / "fixtures" / "demo"


def _project(place: Place, name: str, medium: str = "text") -> str:
    return place.good("project", "create", name, "--medium", medium)["id"]


def _names(place: Place, project: str) -> list[str]:
    done = place.run("export", "--project", project, "--format", "jsonl", "--state", "all")
    assert done.code == 0, done.err
    return [task["name"] for task in map(json.loads, done.out.splitlines())]


def test_jsonl(served: Place, tmp_path: Path) -> None:
    project = _project(served, "JSONL")
    source = tmp_path / "tasks.jsonl"
    source.write_bytes(
        b'\xef\xbb\xbf{"data": {"text": "one"}, "name": "one", "tags": ["a"]}\n'
        b'{"data": {"text": 2}, "name": "number"}\n'
        b"\n"
        b"{nonsense\r\n"
        b'{"text": "caf\xe9"}\n'
        b'{"text": "flat", "name": "six", "metadata": {"k": 1}}\r\n'
        b'{"text": "last", "name": "seven"}'
    )
    done = served.run("task", "import", source, "--project", "JSONL", "--json")
    assert done.code == 1
    assert (done.json["created"], done.json["failed"]) == (3, 3)
    assert [e["where"] for e in done.json["errors"]] == ["line 2", "line 4", "line 5"]
    assert "0xe9" in done.json["errors"][2]["detail"]
    for place in ("line 2: ", "line 4: ", "line 5: ", "3 could not be imported"):
        assert place in done.err
    again = served.run("task", "import", source, "--project", "JSONL", "--json")
    assert (again.json["created"], again.json["repeated"], again.json["failed"]) == (0, 3, 3)
    assert sorted(_names(served, project)) == ["one", "seven", "six"]


CSV = (
    (
        "\ufeffname,text,tags,metadata.source\r\n"
        'one,"with ""quotes"", a comma and\r\ntwo lines","a;b",x\r\n'
        ",plain,,\r\n"
        "short,row\r\n"
        'bad,"closed" too early,,\r\n'
    ).encode()
    + b"latin,caf\xe9,,\r\nsix,ok,,z\r\n"
    + b'seven,"never closed,,\r\neight,lost,,\r\n'
)


def test_csv_and_its_traps(served: Place, tmp_path: Path) -> None:
    project = _project(served, "CSV")
    source = tmp_path / "tasks.csv"
    source.write_bytes(CSV)
    done = served.run("task", "import", source, "--project", project, "--json")
    assert done.code == 1
    assert done.json["created"] == 3
    assert [e["where"] for e in done.json["errors"]] == ["line 5", "line 6", "line 7", "line 9"]
    assert "UTF-8" in done.json["errors"][2]["detail"]
    assert "never closed" in done.json["errors"][3]["detail"]
    out = served.run("export", "--project", project, "--format", "jsonl", "--state", "all").out
    first = json.loads(out.splitlines()[0])
    assert first["data"]["text"] == 'with "quotes", a comma and\r\ntwo lines'
    assert (first["tags"], first["metadata"]) == (["a", "b"], {"source": "x"})


def test_csv_of_comparisons_with_semicolons(served: Place, tmp_path: Path) -> None:
    project = _project(served, "Pairs", "conversation")
    source = tmp_path / "pairs.csv"
    source.write_text("question;answer.a;answer.b\nWhy?;Because.;Why not?\n")
    assert served.good("task", "import", source, "--project", project)["created"] == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.csv", b"", "is empty"),
        ("strange.csv", b"text,colour\nx,red\n", "colour"),
        ("twice.csv", b"text,text\nx,y\n", "twice"),
        ("wide.csv", "text\nx\n".encode("utf-16"), "UTF-8"),
        ("empty.jsonl", b"", "is empty"),
        ("tasks.xlsx", b"PK", "--as"),
        ("gone.csv", None, "no file or folder"),
    ],
)
def test_a_file_that_holds_no_tasks_is_one_sentence(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(Invalid) as trouble:
        open_source(tmp_path / name, None, "text")
    assert words in f"{trouble.value} {trouble.value.hint}"


@pytest.mark.parametrize(("name", "content"), [("header.csv", "text,name\n"), ("blank.jsonl", "\n\n")])
def test_a_file_without_rows_holds_no_tasks(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert list(open_source(tmp_path / name, None, "text").records()) == []


@pytest.mark.parametrize(
    ("name", "content", "sentence", "hint"),
    [
        ("a.jsonl", gzip.compress(b'{"text":"x"}', mtime=0), "is compressed (gzip)", "Unpack it"),
        ("a.jsonl.gz", gzip.compress(b'{"text":"x"}', mtime=0), "is compressed (gzip)", "Unpack it"),
        ("a.csv", b"PK\x03\x04...", "is a zip file or a spreadsheet", "save a spreadsheet as CSV"),
        ("a.jsonl", b'\xef\xbb\xbf\n[\n{"text":"x"}\n]', "is one JSON array", "one task a line"),
        ("a.json", b'[{"text":"x"}]', "is one JSON array", "one task a line"),
        ("a.jsonl", '{"text":"x"}'.encode("utf-16"), "is not UTF-8", "Save it as UTF-8"),
        ("a.jsonl", b"", "is empty", "nothing to import"),
        ("a.xyz", b"x", "can't be told from its name", "--as"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(
    tmp_path: Path, name: str, content: bytes, sentence: str, hint: str
) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        open_source(source, None, "text")
    assert sentence in caught.value.message
    assert hint in (caught.value.hint or "")


def test_a_file_name_that_is_no_text(served: Place, tmp_path: Path) -> None:
    _project(served, "Odd names", "image")
    folder = tmp_path / "pictures"
    folder.mkdir()
    shutil.copy(PICTURES / "01-chickens.jpg", os.fsencode(folder) + b"/b\xe9d\n\x1b[31m.jpg")
    (folder / "none\x1b[31m.jpg").write_bytes(b"not a picture")
    done = served.run("task", "import", folder, "--project", "Odd names", "--json")
    assert (done.code, done.json["created"], done.json["failed"]) == (1, 1, 1), done.err
    assert "none" in done.err and "\x1b" not in done.err


def test_a_pipe_is_no_source(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")  # reading it twice would wait for ever
    with pytest.raises(Invalid, match="not a file or a folder"):
        open_source(tmp_path / "pipe.jsonl", None, "text")


def test_an_import_of_nothing_is_exit_1(served: Place, tmp_path: Path) -> None:
    _project(served, "Nothing")
    (tmp_path / "header.csv").write_text("text,name\n")
    done = served.run("task", "import", tmp_path / "header.csv", "--project", "Nothing")
    assert done.code == 1
    assert "no tasks" in done.err


def test_a_folder_of_pictures(served: Place, tmp_path: Path) -> None:
    project = _project(served, "Folder", "image")
    folder = tmp_path / "pictures"
    (folder / "deep").mkdir(parents=True)
    for name in ("01-chickens.jpg", "02-cows.jpg"):
        shutil.copy(PICTURES / name, folder / name)
    shutil.copy(PICTURES / "03-dog.jpg", folder / "deep" / "dög.jpg")
    (folder / "empty.png").write_bytes(b"")
    (folder / "not-one.png").write_text("no picture")
    (folder / "notes.md").write_text("hello")
    done = served.run("task", "import", folder, "--project", project, "--json")
    assert done.code == 1
    assert done.json["created"] == 3
    assert {e["where"] for e in done.json["errors"]} == {"empty.png", "not-one.png"}
    again = served.run("task", "import", folder, "--project", project, "--json")
    assert (again.json["created"], again.json["repeated"]) == (0, 3)
    assert sorted(_names(served, project)) == ["01-chickens.jpg", "02-cows.jpg", "deep/dög.jpg"]


def test_a_folder_of_texts(served: Place, tmp_path: Path) -> None:
    project = _project(served, "Texts")
    (tmp_path / "a.txt").write_text("Grüße")
    (tmp_path / "b.txt").write_bytes(b"fine\nbad \xff\n")
    done = served.run("task", "import", tmp_path, "--project", project, "--json")
    assert (done.code, done.json["created"]) == (1, 1)
    assert "Line 2" in done.json["errors"][0]["detail"]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "no .txt files" in served.run("task", "import", empty, "--project", project).err


def _many(path: Path, lines: int) -> Path:
    path.write_text("".join(f'{{"text": "Text number {i} {"x" * 300}", "name": "n{i}"}}\n' for i in range(lines)))
    return path


def test_kill_9_in_the_middle_doubles_nothing(served: Place, tmp_path: Path) -> None:
    project = _project(served, "Killed")
    source = _many(tmp_path / "many.jsonl", 12_000)
    key = served.more["EVENHAND_KEY"]
    process = served.start("task", "import", str(source), "--project", project)
    deadline = time.monotonic() + 30
    total = 0
    with httpx.Client(base_url=f"{served.url}/api/v1", headers={"authorization": f"Bearer {key}"}) as counted:
        while total == 0 and time.monotonic() < deadline and process.poll() is None:
            total = counted.get(f"/projects/{project}").json()["counts"]["total"]
            time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert 0 < total < 12_000, "it was over before it could be killed"
    found = served.good("task", "import", source, "--project", project)
    assert found["created"] + found["repeated"] == 12_000
    assert found["repeated"] > 0
    names = _names(served, project)
    assert len(names) == len(set(names)) == 12_000


def test_kill_9_without_a_server(still: Place, tmp_path: Path) -> None:
    """The database that the command has started dies with it, and nothing is lost or doubled."""
    still.good("org", "create", "Alder")
    project = _project(still, "Killed")
    source = _many(tmp_path / "many.jsonl", 12_000)
    process = still.start("task", "import", str(source), "--project", project)
    time.sleep(3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = still.good("task", "import", source, "--project", project)
    assert found["created"] + found["repeated"] == 12_000
    assert still.good("project", "show", project)["counts"]["total"] == 12_000


def test_from_another_machine(local: Place, still: Place, tmp_path: Path) -> None:
    """With a URL and a key; nothing of an installation is needed here."""
    served = local
    key = served.good("key", "create", "--org", "Alder", "--mode", "test")["key"]
    there = {"EVENHAND_URL": served.url, "EVENHAND_KEY": key}
    project = still.good("project", "create", "Far", "--medium", "text", **there)["id"]
    (tmp_path / "one.txt").write_text("far away")
    assert still.good("task", "import", tmp_path, "--project", "Far", **there)["created"] == 1
    assert not still.home.exists()
    (task,) = still.good("task", "list", "--project", project, **there)["items"]
    assert still.good("task", "show", task["id"], **there)["data"]["text"] == "far away"
    assert [p["name"] for p in served.good("project", "list", "--mode", "test")] == ["Far"]
    wrong = still.run("project", "list", "--url", served.url, "--key", "live_wrongwrongwrong")
    assert wrong.code == 1 and "--key" in wrong.err
    assert "--org" in still.run("project", "list", "--org", "Alder", **there).err
    away = still.run("project", "list", "--url", f"http://localhost:{still.port}", "--key", key)
    assert away.code == 1 and "does not answer" in away.err

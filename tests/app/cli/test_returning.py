"""Leave, and come back: an archive goes in again, whatever happens on the way. One that lies is refused before anything is made."""

import io
import json
import struct
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.cli.returning import BEHIND, CARRIED, read_archive
from evenhand.features.leaving.parts import PARTS
from evenhand.pure.formats.archive import Archive
from evenhand.pure.trouble import Invalid
from tests.app.cli.conftest import Place
from tests.features.deliveries.test_returning import shape


def customer(place: Place, name: str) -> dict[str, str]:
    """A new organisation, as the environment of commands."""
    place.good("org", "create", name)
    key = place.good("key", "create", "--org", name, "--mode", "live")["key"]
    return {"EVENHAND_URL": place.url, "EVENHAND_KEY": key}


def exports(archive: Path) -> dict[str, list[str]]:
    """The tasks of each project by its name, without ids and times."""
    with zipfile.ZipFile(archive) as found:
        names = [json.loads(line) for line in found.read("projects.jsonl").splitlines()]
        return {
            project["body"]["name"]: sorted(
                shape(json.loads(line), came_in=True)
                for line in found.read(f"projects/{project['project_id']}.jsonl").splitlines()
            )
            for project in names
        }


@pytest.fixture(scope="module")
def archives(demo: Place, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("archives")
    out = {org: folder / f"{org}.zip" for org in ("Alder Works", "Birch Works")}
    for org, path in out.items():
        done = demo.run("archive", "take", path, "--org", org)
        assert done.code == 0, done.err
    return out


def test_every_table_comes_in_or_is_named() -> None:
    assert {part.name for part in PARTS} | {"views", "events"} == {*CARRIED, *BEHIND}


@pytest.mark.parametrize("org", ["Alder Works", "Birch Works"])
def test_it_comes_back_as_it_was(demo: Place, archives: dict[str, Path], tmp_path: Path, org: str) -> None:
    new = customer(demo, f"{org} again")
    before = exports(archives[org])
    assert before and any(before.values())
    # killed somewhere on the way, it goes on
    running = demo.start("archive", "import", str(archives[org]), **new)
    client = httpx.Client(base_url=demo.url, headers={"authorization": f"Bearer {new['EVENHAND_KEY']}"})
    with client:
        while running.poll() is None and not client.get("/api/v1/projects").json()["items"]:
            pass
    running.kill()
    running.communicate(timeout=20)
    done = demo.run("archive", "import", archives[org], "--json", **new)
    assert done.code == 0, done.err
    assert done.json["errors"] == []
    again = demo.good("archive", "import", archives[org], **new)
    assert sum(p["created"] for p in again["projects"]) == 0
    taken = tmp_path / "again.zip"
    assert demo.run("archive", "take", taken, **new).code == 0
    assert exports(taken) == before
    left = done.json["left_behind"]
    assert (
        left["people of the organisation"] > 0
        and "events of the log, which are evidence of another installation" in left
    )
    assert "answers" not in left and demo.good("archive", "import", archives[org], "--check")["left_behind"] == {
        words: count for words, count in left.items() if not words.startswith("answers of tasks")
    }

    # settings, ontology and instructions too
    def settings(path: Path) -> list[Any]:
        with zipfile.ZipFile(path) as found:
            rows = [json.loads(line) for line in found.read("projects.jsonl").splitlines()]
            kept = ("medium", "state", "overlap", "review", "review_rate", "lease_s")
            ontologies = [found.read(f"projects/{row['project_id']}.ontology.json") for row in rows]
            return sorted(
                [*(row[name] for name in kept), row["body"]["name"], text]
                for row, text in zip(rows, ontologies, strict=True)
            )

    assert settings(taken) == settings(archives[org])


# --- what lies


def rewritten(source: Path, target: Path, change: Callable[[dict[str, bytes]], None], *, listed: bool = True) -> Path:
    """The archive with other content. `listed`: with a manifest that agrees."""
    with zipfile.ZipFile(source) as found:
        content = {name: found.read(name) for name in found.namelist()}
    change(content)
    if listed:
        content.pop("manifest.jsonl", None)
        lines = [
            {"path": n, "bytes": len(data), "sha256": sha256(data).hexdigest(), "lines": data.count(b"\n")}
            for n, data in content.items()
        ]
        end = {"format": "evenhand-archive-v1", "complete": True}
        content["manifest.jsonl"] = b"".join(json.dumps(line).encode() + b"\n" for line in [*lines, end])
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in content.items():
            out.writestr(name, data)
    return target


def _first(content: dict[str, bytes], pattern: str) -> str:
    return next(name for name in content if name.startswith("projects/") and name.endswith(pattern) and content[name])


def _path(content: dict[str, bytes]) -> None:
    content["files/../../../etc/passwd"] = b"x"


def _absolute(content: dict[str, bytes]) -> None:
    content["/etc/passwd"] = b"x"


def _bomb(content: dict[str, bytes]) -> None:
    content.clear()
    content["views.jsonl"] = b" " * 140_000_000


def _wrong_type(content: dict[str, bytes]) -> None:
    name = _first(content, ".jsonl")
    content[name] = content[name].replace(b'"answers":[', b'"answers":3,"x":[', 1)


def _no_picture(content: dict[str, bytes]) -> None:
    del content[next(name for name in content if name.startswith("files/"))]


def _no_project(content: dict[str, bytes]) -> None:
    content["projects.jsonl"] = b'{"project_id": 3}\n'


def _other_format(content: dict[str, bytes]) -> None:
    content["organisation.json"] = b'{"format":"evenhand-archive-v9","organisation":"x","name":"x","mode":"live"}'


def _deep(content: dict[str, bytes]) -> None:
    content["batches.jsonl"] = b"[" * 100_000 + b"\n"


def _changed(content: dict[str, bytes]) -> None:
    content["README.md"] += b"!"


@pytest.mark.parametrize(
    ("change", "listed", "words"),
    [
        (_path, True, "none of ours has"),
        (_absolute, True, "none of ours has"),
        (_bomb, True, "times as large"),
        (_wrong_type, True, "line 1"),
        (_no_picture, True, "is not in the archive"),
        (_no_project, True, "projects.jsonl, line 1"),
        (_other_format, True, "no archive of Evenhand"),
        (_deep, True, "batches.jsonl"),
        (_changed, False, "another size"),
    ],
)
def test_what_lies_is_refused(archives: dict[str, Path], tmp_path: Path, change: Any, listed: bool, words: str) -> None:
    lying = rewritten(archives["Alder Works"], tmp_path / "lying.zip", change, listed=listed)
    with lying.open("rb") as file, pytest.raises(Invalid) as caught:
        read_archive(Archive(file))
    assert words in caught.value.message


def test_nothing_is_made_before_all_of_it_was_read(demo: Place, archives: dict[str, Path], tmp_path: Path) -> None:
    """The address that it would go to is not even asked."""
    lying = rewritten(archives["Alder Works"], tmp_path / "lying.zip", _wrong_type)
    done = demo.run("archive", "import", lying, EVENHAND_URL="http://127.0.0.1:9", EVENHAND_KEY="x")
    assert done.code == 1 and "line 1" in done.err and "127.0.0.1" not in done.err, done.err


def _flipped(data: bytes) -> bytes:
    """One byte of a picture is another."""
    with zipfile.ZipFile(io.BytesIO(data)) as found:
        info = next(i for i in found.infolist() if i.filename.startswith("files/"))
    at = info.header_offset + 200
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _encrypted(data: bytes) -> bytes:
    at = data.rindex(b"PK\x01\x02")  # of the archive: its evidence is a zip file as well
    (flags,) = struct.unpack_from("<H", data, at + 8)
    return data[: at + 8] + struct.pack("<H", flags | 1) + data[at + 10 :]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda data: data[: len(data) // 2], "no whole archive"),
        (lambda data: data[:-30], "no whole archive"),
        (lambda data: b"#!/bin/sh\n" + data, "no whole archive"),
        (lambda _: b"PK\x03\x04nothing", "no whole archive"),
        (lambda _: b"", "no whole archive"),
        (_flipped, "damaged"),
        (_encrypted, "packed in a way"),
    ],
)
def test_what_is_damaged_is_refused(archives: dict[str, Path], spoil: Callable[[bytes], bytes], words: str) -> None:
    bad = io.BytesIO(spoil(archives["Alder Works"].read_bytes()))
    with pytest.raises(Invalid) as caught:
        read_archive(Archive(bad))
    assert words in caught.value.message

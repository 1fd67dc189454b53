"""What lies about on the machine of a whole installation: its home, its temporary files, its logs, its backups. Nobody who has
the database's files, a dump, a log or a backup without the keys reads a word of a customer."""

import asyncio
import json
import shutil
import subprocess
import sys
import tarfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.opening import key_service
from evenhand.infra.crypto.datakey import WrappedKey, bind
from evenhand.infra.crypto.xaes import Xaes
from evenhand.infra.envelope import Keyring, Unwrap
from evenhand.infra.keys import load_keys
from evenhand.infra.postgres.backup import keys_beside
from evenhand.infra.postgres.server import server_of
from tests.failure.running import PREFIX, Running, free_port, seed
from tests.laws.test_canary import sightings
from tests.places import short_folder

CANARY = "DUNNOCKEGG"
ONTOLOGY: dict[str, Any] = {"fields": [{"key": "n", "type": "text", "long": True, "title": f"Note {CANARY}"}]}
#: until files are sealed as rows are, they lie open
OPEN = () if find_spec("evenhand.infra.files") else ("objects",)
COMMAND = [sys.executable, "-c", "import sys; from evenhand.app.cli import main; sys.exit(main())"]


class Watched(Running):
    """Its temporary files are its own."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "TMPDIR": str(self.folder / "tmp")}


@pytest.fixture(scope="module")
def lived_in() -> Iterator[Watched]:
    """A server in which a customer has sent, labelled, exported and looked, with the canary everywhere."""
    folder = short_folder("ev-lie-")
    (folder / "tmp").mkdir()
    running = Watched(folder, free_port())
    try:
        running.start()
        live_in(running)
        yield running
    finally:
        running.end()
        shutil.rmtree(folder, ignore_errors=True)


def live_in(running: Watched) -> None:
    cast = seed(running, 1)
    with httpx.Client(base_url=f"{running.url}{PREFIX}", timeout=30) as api:
        api.headers["authorization"] = f"Bearer {cast.key}"
        body = {"name": f"Project {CANARY}", "medium": "text", "ontology": ONTOLOGY, "instructions": f"# {CANARY}"}
        project = api.post("/projects", json=body).json()["id"]
        lines = "\n".join(f'{{"data":{{"text":"{CANARY} {n} {CANARY * 200}"}},"name":"{CANARY}"}}' for n in range(600))
        assert api.post(f"/projects/{project}/tasks/bulk", content=lines).json()["created"] == 600
        # larger than what a form keeps in memory
        big = {"file": (f"{CANARY}.txt", f"{CANARY} ".encode() * 200_000, "text/plain")}
        assert api.post("/assets", files=big).status_code == 200
        api.post(f"/projects/{project}/tasks", json={"data": {"text": CANARY, CANARY: CANARY}})  # refused, and logged?
        for form in ("csv", "jsonl"):
            assert CANARY in api.get("/exports", params={"project": project, "format": form, "state": "todo"}).text
    with httpx.Client(base_url=f"{running.url}{PREFIX}", timeout=30) as person:
        signed = person.post("/session", json={"email": cast.emails[0], "password": "correct horse battery"})
        person.headers["x-evenhand-csrf"] = signed.json()["csrf"]
        for lease in person.post("/work/next", json={"want": 3}).json()["assignments"]:
            answer = {"annotations": [{"id": "n", "kind": "text", "field": "n", "text": f"I saw {CANARY}"}]}
            sent = person.post(f"/work/{lease['handle']}/submit", json={"key": "k", "answer": answer, "seconds": 2})
            assert sent.status_code == 200, sent.text


def found_in(folder: Path) -> list[str]:
    out: list[str] = []
    for path in sorted(folder.rglob("*")):
        if set(OPEN) & set(path.parts):
            continue
        if path.is_file() and not path.is_socket() and (said := sightings(path.read_bytes(), CANARY)):
            out.append(f"{path.relative_to(folder)}: {said[0][:100]}")
    return out


def test_nothing_of_it_lies_in_the_home_its_logs_or_its_temporary_files(lived_in: Watched) -> None:
    with lived_in.database() as conn:
        conn.execute("checkpoint")
    files = [path for path in lived_in.folder.rglob("*") if path.is_file()]
    assert {"pg", "objects", "logs"} <= {p.relative_to(lived_in.folder / "home").parts[0] for p in files
                                         if p.is_relative_to(lived_in.folder / "home")}  # fmt: skip
    assert found_in(lived_in.folder) == []
    (lived_in.folder / "tmp" / "planted").write_text(CANARY)
    assert len(found_in(lived_in.folder)) == 1, "the search finds it"
    (lived_in.folder / "tmp" / "planted").unlink()


@pytest.fixture(scope="module")
def backed_up(lived_in: Watched) -> Path:
    target = lived_in.folder / "b.evenhand"
    done = subprocess.run([*COMMAND, "backup", str(target)], env=lived_in.environment, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture(scope="module")
def backup(lived_in: Watched, backed_up: Path) -> dict[str, bytes]:
    """Its parts by name, those that are packed unpacked too."""
    out: dict[str, bytes] = {}
    with tarfile.open(backed_up) as archive:
        for member in archive:
            if (data := archive.extractfile(member)) is not None:
                out[member.name] = data.read()
                out[f"{member.name}, unpacked"] = unpacked(lived_in, out[member.name])
    return out


def test_nothing_of_it_lies_in_a_dump_or_a_backup(backup: dict[str, bytes]) -> None:
    for name, held in backup.items():
        assert name.startswith(OPEN) or not sightings(held, CANARY), name
    assert "database.dump" in backup and any(name.startswith("objects/") for name in backup), list(backup)


def raw_keys(running: Watched) -> dict[str, bytes]:
    """Every key of the installation and of its customers as it is used, by level: what a backup must not hold."""
    home = running.settings.home
    keys = load_keys(home.keys)
    out = {name: (home.keys / name).read_bytes() for name in ("master.key", "log.key")}
    out |= {purpose: keys.key(purpose) for purpose in ("kms-root", "platform-seal")}
    for file in (home.keys / "kms").glob("*.key"):
        for version, sealed in json.loads(file.read_text())["versions"].items():
            place = f"evenhand/local-key/1/{file.stem}/{version}".encode()
            out[f"customer {file.stem} {version}"] = Xaes(keys.key("kms-root")).open(b64decode(sealed), place)

    async def told(used: Unwrap) -> None:
        """Nobody is told: this is no reading."""

    for org, key_id in running.rows("select distinct org_id, key_id from evenhand.org_key"):
        rows = running.rows("select version, wrapped from evenhand.org_key where org_id = %s", org)
        stored = [WrappedKey(version, 0, wrapped) for version, wrapped in rows]
        ring = Keyring(org, key_service(home, keys), key_id, stored, on_unwrap=told)
        above = asyncio.run(ring.open_org_keys())
        out |= {f"organisation {org} {version}": key for version, key in above.items()}
        for project, version, under, wrapped in running.rows(
            "select project_id, version, under, wrapped from evenhand.data_key where org_id = %s", org
        ):
            place = bind("evenhand/project-key/1", org, project, version, under)
            out[f"project {org} {project} {version}"] = Xaes(above[under]).open(wrapped, place)
    return out


def keys_in(data: bytes, keys: dict[str, bytes]) -> list[str]:
    """The keys that stand in it, as they are, in hexadecimal or in base64."""
    low = data.lower()
    return [
        name for name, key in keys.items() if key in data or key.hex().encode() in low or b64encode(key)[:42] in data
    ]


def test_a_backup_holds_ciphertext_and_wrapped_keys_only(
    lived_in: Watched, backed_up: Path, backup: dict[str, bytes]
) -> None:
    keys = raw_keys(lived_in)
    levels = {name.split(" ")[0] for name in keys}
    assert {"customer", "organisation", "project", "master.key", "kms-root"} <= levels
    assert not [name for name in backup if name.startswith(("keys/", "demo.json"))]
    for name, held in backup.items():
        assert not keys_in(held, keys), name
    apart = keys_beside(backed_up).read_bytes()
    assert set(keys_in(apart, keys)) == {"master.key", "log.key"}, "the search finds what is there, and it is apart"


def unpacked(running: Watched, dump: bytes) -> bytes:
    """A dump of pg_dump is packed: its SQL, as `pg_restore` gives it; nothing for other files."""
    if not dump.startswith(b"PGDMP"):
        return b""
    program = server_of(running.settings.home).binaries.program("pg_restore")
    done = subprocess.run([program, "-f", "-"], input=dump, capture_output=True, timeout=60)
    assert done.returncode == 0 and b"COPY evenhand.task " in done.stdout, done.stderr
    return done.stdout

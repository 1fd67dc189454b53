"""A full disk: one plain sentence, nothing half kept, and work goes on when there is room again."""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.failure.running import PREFIX, Cast, Running, free_port, patiently, seed

COMMAND = [sys.executable, "-c", "import sys; from evenhand.app.cli import main; sys.exit(main())"]
LEFT_BYTES = 128_000


def mounted(place: Path, size: str) -> None:
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", place], capture_output=True)
    if made.returncode:
        pytest.skip("this machine lets nobody mount a small file system")


@dataclass
class Room:
    """A small disk, and something of somebody else's on it."""

    place: Path

    def fill(self, left: int = LEFT_BYTES) -> None:
        free = shutil.disk_usage(self.place).free
        (self.place / "ballast").write_bytes(b"x" * max(0, free - left))

    def free(self) -> None:
        (self.place / "ballast").unlink()

    def files(self) -> set[str]:
        return {path.name for path in self.place.rglob("*") if path.is_file()} - {"ballast"}


@pytest.fixture
def room(running: Running) -> Iterator[Room]:
    """The disk of the objects."""
    place = running.settings.home.objects
    mounted(place, "4m")
    try:
        yield Room(place)
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def api(running: Running, cast: Cast) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {cast.key}"}, timeout=30) as made:
        yield made


def noise(folder: Path, number: int) -> Path:
    """A picture of about 500 kB that cannot be packed smaller."""
    path = folder / f"noise{number}.png"
    Image.frombytes("RGB", (400, 400), os.urandom(480_000)).save(path)
    return path


def project(api: httpx.Client, name: str, medium: str = "image") -> str:
    made = api.post(f"{PREFIX}/projects", json={"name": name, "medium": medium})
    assert made.status_code == 200, made.text
    return str(made.json()["id"])


def media(url: str) -> httpx.Response:
    return httpx.get(url)


def told_plainly(reply: httpx.Response) -> None:
    assert reply.status_code == 507, reply.text
    body = reply.json()
    assert "disk" in body["detail"] and body["detail"].count("\n") == 0 and body["hint"]
    assert int(reply.headers["retry-after"]) >= 1


def no_bug(running: Running) -> None:
    assert [line for line in running.log.splitlines() if "a bug" in line or "Traceback" in line] == []


def test_an_upload(running: Running, api: httpx.Client, room: Room, tmp_path: Path) -> None:
    data = noise(tmp_path, 1).read_bytes()
    room.fill()
    send = {"file": ("noise.png", data, "image/png")}
    fields = {"reference_id": "one"}
    told_plainly(api.post(f"{PREFIX}/assets", files=send, data=fields))
    assert room.files() == set(), "nothing half written is left"
    small = api.post(f"{PREFIX}/assets", files={"file": ("a.txt", b"what fits is taken", "text/plain")})
    assert small.status_code == 200
    room.free()
    kept = api.post(f"{PREFIX}/assets", files=send, data=fields)
    assert kept.status_code == 200, "the reference was not used up"
    assert media(kept.json()["url"]).content == data
    no_bug(running)


def test_looking_goes_on(running: Running, api: httpx.Client, room: Room, tmp_path: Path) -> None:
    """A thumbnail that can't be kept is no reason to show nothing."""
    data = noise(tmp_path, 1).read_bytes()
    kept = api.post(f"{PREFIX}/assets", files={"file": ("noise.png", data, "image/png")}).json()
    room.fill(left=0)
    before = room.files()
    for _ in range(8):  # so that each process of the server has met it
        seen = media(kept["thumb_url"])
        assert seen.status_code == 200 and seen.content == data
    assert room.files() == before
    room.free()
    assert {media(kept["thumb_url"]).headers["content-type"] for _ in range(8)} == {"image/jpeg"}
    no_bug(running)


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """Somebody's web server."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            data = (folder / self.path.strip("/")).read_bytes()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None: ...

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}"
    made.shutdown()
    made.server_close()


def test_an_attachment(running: Running, api: httpx.Client, room: Room, tmp_path: Path) -> None:
    """It waits, as long as it takes, and is not counted as the customer's mistake."""
    noise(tmp_path, 1)
    where = project(api, "Fetched")
    room.fill()
    job = "select state, attempts, run_at > now() from evenhand.job where kind = 'tasks.fetch'"
    with served(tmp_path) as url:
        made = api.post(f"{PREFIX}/projects/{where}/tasks", json={"data": {"image_url": f"{url}/noise1.png"}})
        assert made.status_code == 200, made.text
        for _ in range(3):
            patiently(lambda: running.rows(job) == [("ready", 0, True)], 20, "the job is put off")
            assert room.files() == set()
            running.rows("update evenhand.job set run_at = now() where kind = 'tasks.fetch' returning 1")
        state = "select q.state from evenhand.queue q where q.task_id = %s"
        assert running.rows(state, made.json()["id"]) == [("fetching",)]
        room.free()

        def opened() -> bool:
            running.rows(
                "update evenhand.job set run_at = now() where kind = 'tasks.fetch' and state = 'ready' returning 1"
            )
            return running.rows(state, made.json()["id"]) == [("open",)]

        patiently(opened, 20, "the task is opened")
    assert len(room.files()) == 1
    no_bug(running)


def command(
    running: Running, cast: Cast, *words: str | Path, remote: bool = True
) -> "subprocess.CompletedProcess[str]":
    env = {**running.environment, **({"EVENHAND_URL": running.url, "EVENHAND_KEY": cast.key} if remote else {})}
    return subprocess.run([*COMMAND, *map(str, words)], env=env, capture_output=True, text=True, timeout=90)


def test_an_import_of_a_folder(running: Running, cast: Cast, api: httpx.Client, room: Room, tmp_path: Path) -> None:
    where = project(api, "Folder")
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for number in range(4):
        noise(pictures, number)
    room.fill(left=1_200_000)
    done = command(running, cast, "task", "import", pictures, "--project", "Folder")
    assert done.returncode == 1, done
    assert "disk" in done.stderr and "Traceback" not in done.stderr and "bug" not in done.stderr
    assert len(room.files()) == 2, "what had room, whole"
    room.free()
    done = command(running, cast, "task", "import", pictures, "--project", "Folder")
    assert done.returncode == 0, done
    names = [row[0] for row in running.rows("select task_id from evenhand.task where project_id = %s", where)]
    assert len(names) == 4 and len(room.files()) == 4, "each once"
    no_bug(running)


def test_a_backup(running: Running, cast: Cast, tmp_path: Path) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted(place, "4m")
    try:
        small = Room(place)
        small.fill()
        done = command(running, cast, "backup", place / "b.tar", remote=False)
        assert done.returncode == 1, done
        said = done.stderr.strip().splitlines()
        assert any("cannot be written: the disk is full" in line for line in said), said
        assert "Traceback" not in done.stderr
        assert small.files() == set()
        small.free()
        done = command(running, cast, "backup", place / "b.tar", remote=False)
        assert done.returncode == 0, done
        assert small.files() == {"b.tar", "b.tar.keys"}
    finally:
        subprocess.run(["umount", "-l", place], check=True)


@pytest.fixture
def cramped() -> Iterator[tuple[Running, Room]]:
    """A whole installation on one small disk."""
    folder = Path(tempfile.mkdtemp(prefix="ev-full-", dir="/tmp"))
    try:
        mounted(folder, "200m")
        made = Running(folder, free_port())
        try:
            made.start()
            yield made, Room(folder)
        finally:
            made.end()
            subprocess.run(["umount", "-l", folder], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_an_import_that_fills_the_disk_of_the_database(cramped: tuple[Running, Room]) -> None:
    """The import is refused whole, reading goes on, and the same import goes through when there is room."""
    running, room = cramped
    cast = seed(running)
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {cast.key}"}, timeout=60) as api:
        where = project(api, "Words", "text")
        room.fill(left=3_000_000)
        line = {"data": {"text": os.urandom(2_000).hex()}}
        lines = "\n".join(json.dumps({**line, "unique_id": f"u{n}"}) for n in range(1_500))
        url = f"{PREFIX}/projects/{where}/tasks/bulk?import=once"
        told_plainly(api.post(url, content=lines))
        told_plainly(api.post(url, content=lines))
        assert api.get(f"{PREFIX}/tasks", params={"project": where}).json()["items"] == []
        assert running.health() == 200
        room.free()
        reply: Any = api.post(url, content=lines)
        assert reply.status_code == 200 and reply.json()["created"] == 1_500, reply.text
        again = api.post(url, content=lines).json()
        assert (again["created"], again["repeated"]) == (0, 1_500)
    no_bug(running)
    assert running.stop() == 0


@pytest.mark.parametrize("left", [0, 24_000])
@pytest.mark.parametrize("words", [("up", "--no-browser"), ("org", "create", "Acme")])
def test_a_start_without_any_room(tmp_path: Path, left: int, words: tuple[str, ...]) -> None:
    place = tmp_path / "small"
    place.mkdir()
    mounted(place, "64k")
    try:
        Room(place).fill(left)
        env = {**os.environ, "EVENHAND_HOME": str(place / "home"), "EVENHAND_PORT": str(free_port())}
        done = subprocess.run([*COMMAND, *words], env=env, capture_output=True, text=True, timeout=60)
        said = done.stderr.strip().splitlines()
        assert done.returncode == 1 and len(said) == 2, done
        assert "full" in said[0] and "Free some space" in said[1]
    finally:
        subprocess.run(["umount", "-l", place], check=True)

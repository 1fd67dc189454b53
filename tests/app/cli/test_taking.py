"""`evenhand archive take` goes on where it was, whatever happened, and what it writes is what the server has."""

import hashlib
import json
import os
import socket
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.app.cli.conftest import Place

SOME = 300_000  # bytes of a reply, of more than twice that


class Wire:
    """A connection that can break or stall: the address of a server, behind which `breaks` says what happens to the next
    replies that are longer than SOME bytes, "cut" or "stall"."""

    def __init__(self, port: int, breaks: list[str]) -> None:
        self._to, self.breaks = port, breaks
        self.stalled = threading.Event()
        self.let_go = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]

    def run(self) -> None:
        with suppress(OSError):
            while True:
                near = self._door.accept()[0]
                far = socket.create_connection(("127.0.0.1", self._to))
                threading.Thread(target=self._copy, args=(near, far), daemon=True).start()
                threading.Thread(target=self._reply, args=(far, near), daemon=True).start()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                target.sendall(piece)
            target.shutdown(socket.SHUT_WR)

    def _reply(self, far: socket.socket, near: socket.socket) -> None:
        count = 0
        with suppress(OSError), far, near:
            while piece := far.recv(16384):
                near.sendall(piece)
                count += len(piece)
                if count > SOME and self.breaks:
                    if self.breaks.pop(0) == "stall":
                        self.stalled.set()
                        self.let_go.wait(30)
                    for end in (near, far):  # closing alone waits for who reads from it
                        end.shutdown(socket.SHUT_RDWR)
                    return

    def close(self) -> None:
        self.let_go.set()
        self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()


@contextmanager
def wire(port: int, *breaks: str) -> Iterator[Wire]:
    made = Wire(port, list(breaks))
    running = threading.Thread(target=made.run, daemon=True)
    running.start()
    yield made
    made.close()
    running.join(5)


@pytest.fixture(scope="module")
def files(served: Place) -> Place:
    """Two files of more than SOME bytes each."""
    client = httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {served.more['EVENHAND_KEY']}"})
    with client:
        for n in range(2):
            done = client.post("/api/v1/assets", files={"file": (f"{n}.bin", os.urandom(400_000))})
            assert done.status_code == 200, done.text
    return served


def check(target: Path) -> None:
    with zipfile.ZipFile(target) as found:
        for line in map(json.loads, found.read("manifest.jsonl").splitlines()[:-1]):
            assert hashlib.sha256(found.read(line["path"])).hexdigest() == line["sha256"]
        assert sum(name.startswith("files/") for name in found.namelist()) >= 2


def test_it_goes_on_after_a_cut_and_after_kill_9(files: Place, tmp_path: Path) -> None:
    target = tmp_path / "everything.zip"
    part = tmp_path / ".everything.zip.part"
    with wire(files.port, "cut", "stall") as line:
        url = f"http://localhost:{line.port}"
        running = files.start("archive", "take", str(target), EVENHAND_URL=url)
        assert line.stalled.wait(30), running.communicate(timeout=5)
        running.kill()  # the reply before was cut, and this one has come in part
        running.communicate(timeout=10)
    had = part.stat().st_size
    assert had >= SOME and not target.exists()
    assert (part.stat().st_mode & 0o077, line.breaks) == (0, [])
    done = files.run("archive", "take", target)
    assert done.code == 0, done.err
    assert "Going on after" in done.err
    check(target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["everything.zip"]
    # whole means whole
    kept = httpx.get(
        f"{files.url}/api/v1/archive", headers={"authorization": f"Bearer {files.more['EVENHAND_KEY']}"}, timeout=60
    )
    assert hashlib.sha256(target.read_bytes()).hexdigest() == kept.headers["etag"].strip('"')
    assert "exists already" in files.run("archive", "take", target).err


def test_it_begins_anew_where_another_archive_has_taken_the_place(files: Place, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    with wire(files.port, "stall") as line:
        running = files.start("archive", "take", str(first), EVENHAND_URL=f"http://localhost:{line.port}")
        assert line.stalled.wait(30), running.communicate(timeout=5)
        running.kill()
        running.communicate(timeout=10)
    assert files.run("archive", "take", second).code == 0
    assert files.run("archive", "take", first).code == 0
    check(first)
    assert first.read_bytes() == second.read_bytes()
    # what lies there and is not what it should be is noticed, and the next run begins anew
    (tmp_path / ".third.zip.part").write_bytes(b"x" * 1000)
    size, digest = first.stat().st_size, hashlib.sha256(first.read_bytes()).hexdigest()
    (tmp_path / ".third.zip.part.note").write_text(json.dumps({"size": size, "sha256": digest}))
    third = files.run("archive", "take", tmp_path / "third.zip")
    assert third.code == 1 and "not what the server had" in third.err
    assert files.run("archive", "take", tmp_path / "third.zip").code == 0
    check(tmp_path / "third.zip")

"""A machine without a network: Evenhand is installed from the archive, started, worked with, exported and stopped. Runs in a
network namespace without a route; strace writes down what every process sends.

python inside.py ARCHIVE_FOLDER WORKING_FOLDER
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

TRACE = [
    "strace",
    "-f",
    "--seccomp-bpf",
    "-qq",
    "-s",
    "96",
    "-e",
    "trace=connect,sendto,sendmsg,sendmmsg",
    "-e",
    "signal=none",
]
PORT = 8080  # the one that nobody had to choose
#: what a program would do that calls home: by name, by address over UDP, and by address over TCP
CALLER = """
import socket
for act in (
    lambda: socket.getaddrinfo("updates.example.org", 443),
    lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.7", 9)),
    lambda: socket.create_connection(("2001:db8::7", 443), 1),
    lambda: socket.create_connection(("192.0.2.8", 443), 1),
):
    try:
        act()
    except OSError:
        pass
"""


def main(archive: Path, work: Path) -> None:
    _loopback_up()
    assert Path("/proc/net/route").read_text().count("\n") == 1, "no route leads anywhere"
    environment = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(work), "EVENHAND_HOME": str(work / "home"),
        "EVENHAND_PORT": str(PORT), "LANG": "C.UTF-8",
    }  # fmt: skip
    program = work / "program"
    trace = Traced(work, environment)
    trace.run("install", "sh", str(archive / "install.sh"), str(program))
    with trace.serving("up", str(program / "bin" / "evenhand"), "up", "--demo", "--no-browser") as url:
        found = work_on(url, json.loads((work / "home" / "demo.json").read_text()))
        evenhand = str(program / "bin" / "evenhand")
        trace.run("doctor", evenhand, "doctor")
        trace.run("export", evenhand, "export", "--project", found["project"], "--format", "jsonl",
                  "--state", "all", "--org", "Alder Works", "-o", str(work / "export.jsonl"))  # fmt: skip
    trace.run("caller", sys.executable, "-c", CALLER)
    (work / "found.json").write_text(json.dumps(found))


class Traced:
    """Commands under strace, each with a file of what it and its children sent."""

    def __init__(self, work: Path, environment: dict[str, str]) -> None:
        self._work, self._environment = work, environment

    def _start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        with (self._work / f"{name}.said").open("wb") as said:
            line = [*TRACE, "-o", str(self._work / f"{name}.trace"), *command]
            return subprocess.Popen(line, env=self._environment, cwd=self._work, stdout=said, stderr=said)

    def run(self, name: str, *command: str) -> None:
        done = self._start(name, *command).wait(120)
        assert done == 0, f"{name}: {done}\n{(self._work / f'{name}.said').read_text()}"

    @contextmanager
    def serving(self, name: str, *command: str) -> Generator[str]:
        """Up until it answers, and Ctrl-C at the end."""
        tracer, url = self._start(name, *command), f"http://localhost:{PORT}"
        said = self._work / f"{name}.said"
        until = time.monotonic() + 90
        while "Press Ctrl-C" not in said.read_text():
            assert tracer.poll() is None and time.monotonic() < until, said.read_text()
            time.sleep(0.05)
        (child,) = Path(f"/proc/{tracer.pid}/task/{tracer.pid}/children").read_text().split()
        try:
            yield url
        finally:
            os.kill(int(child), signal.SIGINT)
            assert tracer.wait(40) == 0, said.read_text()


def work_on(url: str, demo: dict[str, Any]) -> dict[str, Any]:
    """A picture is labelled through the API as the browser does it, and comes out in the customer's export."""
    alder = demo["organisations"][0]
    ana = next(p for p in demo["people"] if p["email"].startswith("ana@"))
    with httpx.Client(base_url=url, timeout=30) as client:
        page = _ok(client.get("/"))
        assert "<script" in page.text, "the studio is installed"
        session = _ok(client.post("/api/v1/session", json={"email": ana["email"], "password": ana["password"]})).json()
        client.headers["x-evenhand-csrf"] = session["csrf"]
        (lease,) = _ok(client.post("/api/v1/work/next", json={"want": 1})).json()["assignments"]
        picture = _ok(client.get(lease["data"]["image"]["url"]))  # from the other host name
        assert picture.headers["content-type"] == "image/jpeg" and len(picture.content) > 10_000
        box = {"id": "a", "kind": "box", "class": "animal", "attributes": {}, "x": 11, "y": 12, "w": 33, "h": 44}
        sent = {"key": "once", "answer": {"annotations": [box]}, "seconds": 3}
        _ok(client.post(f"/api/v1/work/{lease['handle']}/submit", json=sent))
        client.headers = httpx.Headers({"authorization": f"Bearer {alder['live_key']}"})
        client.cookies.clear()
        project = lease["project"]["id"]
        lines = _ok(client.get("/api/v1/exports", params={"project": project})).text.splitlines()
    return {"task": lease["task"], "project": lease["project"]["name"], "lines": lines}


def _ok(reply: httpx.Response) -> httpx.Response:
    assert reply.status_code == 200, f"{reply.request.url}: {reply.status_code} {reply.text[:500]}"
    return reply


def _loopback_up() -> None:
    """`ip link set lo up`, on machines without `ip`."""
    set_flags, up_and_running = 0x8914, 0x41
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
        fcntl.ioctl(made, set_flags, struct.pack("16sH14x", b"lo", up_and_running))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

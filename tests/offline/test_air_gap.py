"""`make offline` makes an archive; with it and nothing else Evenhand is installed, works, and reaches for nobody."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.offline.traced import addresses, beyond

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpacked. What it is made of is kept in .make/offline from one run to the next."""
    place = tmp_path_factory.mktemp("offline")
    made = subprocess.run([sys.executable, ROOT / "scripts" / "offline.py", place], capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    (file,) = place.glob("*.tar")
    with tarfile.open(file) as tar:
        tar.extractall(place, filter="data")
    (folder,) = (path for path in place.iterdir() if path.is_dir())
    return folder


@pytest.fixture
def work() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="ev-", dir="/tmp"))  # short: the database's socket lives below
    yield made
    shutil.rmtree(made, ignore_errors=True)


def _why_not() -> str:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a network namespace takes Linux and root"
    missing = [name for name in ("strace", "unshare") if shutil.which(name) is None]
    if missing:
        return f"{' and '.join(missing)} is not installed"
    if subprocess.run(["unshare", "--net", "strace", "-qq", "-o", os.devnull, "true"], capture_output=True).returncode:
        return "this machine allows no network namespace, or no tracing in one"
    return ""


def test_it_is_installed_and_works_and_reaches_for_nobody(archive: Path, work: Path) -> None:
    if why := _why_not():
        pytest.skip(why)
    command = ["unshare", "--net", sys.executable, HERE / "inside.py", archive, work]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads((work / "found.json").read_text())
    line = next(json.loads(line) for line in found["lines"] if f'"{found["task"]}"' in line)
    shapes = [shape for answer in line["answers"] for shape in answer["annotations"]]
    assert (11, 12, 33, 44) in [(s["x"], s["y"], s["w"], s["h"]) for s in shapes]
    assert found["task"] in (work / "export.jsonl").read_text()
    for name in ("install", "up", "doctor", "export"):
        trace = (work / f"{name}.trace").read_text()
        assert not beyond(trace), f"{name}: {beyond(trace)[:5]}"
    # the trace has what the server did send, and would have shown what it did not
    served = set(addresses((work / "up.trace").read_text()))
    assert any(one.startswith("unix ") and ".s.PGSQL" in one for one in served), served
    seen = " ".join(beyond((work / "caller.trace").read_text()))
    for address in ("port 53", "192.0.2.7 port 9", "2001:db8::7 port 443", "192.0.2.8 port 443"):
        assert address in seen, seen


def test_what_was_changed_on_the_way_is_not_installed(archive: Path, work: Path) -> None:
    copy = work / "archive"
    shutil.copytree(archive, copy)
    assert subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=copy).returncode == 0
    wheel = next((copy / "wheels").glob("evenhand-*.whl"))
    wheel.write_bytes(wheel.read_bytes() + b"\n")
    done = subprocess.run(["sh", "install.sh", work / "program"], cwd=copy, capture_output=True, text=True)
    assert done.returncode != 0 and "DO NOT MATCH THE HASHES" in done.stderr, done.stderr
    assert not (work / "program" / "bin" / "evenhand").exists()
    (work / "mine").mkdir()
    (work / "mine" / "letter").write_text("kept")
    refused = subprocess.run(["sh", "install.sh", work / "mine"], cwd=copy, capture_output=True, text=True)
    assert refused.returncode == 1 and "holds something else" in refused.stderr
    assert [path.name for path in (work / "mine").iterdir()] == ["letter"]


def test_the_same_sources_give_the_same_bytes(archive: Path, tmp_path: Path) -> None:
    for _ in range(2):
        subprocess.run([sys.executable, ROOT / "scripts" / "offline.py", tmp_path], check=True, capture_output=True)
    (again,) = tmp_path.glob("*.tar")
    with tarfile.open(again) as tar:
        inner = {m.name: tar.extractfile(m).read() for m in tar.getmembers()}  # type: ignore[union-attr]
    assert inner == {
        f"{archive.name}/{p.relative_to(archive)}": p.read_bytes() for p in archive.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize(
    ("line", "far"),
    [
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/tmp/x/.s.PGSQL.1"}, 110) = 0', []),
        ('7 connect(3, {sa_family=AF_INET, sin_port=htons(8080), sin_addr=inet_addr("127.0.0.1")}, 16) = 0', []),
        ('7 sendto(3, "x", 1, 0, NULL, 0) = 1', []),
        ('7 sendto(3, [{nlmsg_len=20}], 20, 0, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 20', []),
        ('7 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("127.0.0.53")}, 16) = 0',
         ["127.0.0.53 port 53"]),
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/run/systemd/resolve/io.systemd.Resolve"}, 42) = 0',
         ['unix "/run/systemd/resolve/io.systemd.Resolve"']),
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT (No such file)', []),
        ('7 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = 0', ['unix "/var/run/nscd/socket"']),
        ('7 connect(3, {sa_family=AF_INET, sin_port=htons(1), sin_addr=inet_addr("10.0.0.1")}, 16 <unfinished ...>',
         ["10.0.0.1 port 1"]),
        ('7 connect(3, {sa_family=AF_INET6, sin6_port=htons(5), sin6_flowinfo=htonl(0), '
         'inet_pton(AF_INET6, "2001:db8::1", &sin6_addr), sin6_scope_id=0}, 28) = -1', ["2001:db8::1 port 5"]),
        ('7 connect(3, {sa_family=AF_VSOCK, svm_cid=2}, 16) = 0', ["AF_VSOCK"]),
    ],
)  # fmt: skip
def test_the_reader_of_traces(line: str, far: list[str]) -> None:
    assert beyond(line) == far

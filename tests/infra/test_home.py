"""The home folder, the port, and the lock."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from evenhand.infra.home import AlreadyRunning, Home, HomeTrouble, port_from_environment, write_private

HOLDER = """
    import sys, time
    from pathlib import Path
    from evenhand.infra.home import Home
    lock = Home(Path(sys.argv[1])).make().lock()
    print("held", flush=True)
    time.sleep(600)
"""


def test_every_folder_is_private(tmp_path: Path) -> None:
    home = Home(tmp_path / "deep" / "home").make()
    for folder in (home.path, home.objects, home.keys, home.run, home.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    home.path.chmod(0o755)
    home.make()
    assert stat.S_IMODE(home.path.stat().st_mode) == 0o700


def test_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Home.from_environment({}).path == tmp_path / ".evenhand"
    assert Home.from_environment({"EVENHAND_HOME": "~/x"}).path == tmp_path / "x"
    monkeypatch.chdir(tmp_path)
    assert Home.from_environment({"EVENHAND_HOME": "rel/ative"}).path == tmp_path / "rel" / "ative"
    monkeypatch.delenv("HOME")
    assert Home.from_environment({}).path.name == ".evenhand"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a stranger's folder")
def test_a_strangers_folder_is_refused(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 65534, 65534)
    with pytest.raises(HomeTrouble, match="belongs to"):
        Home(home).make()


def test_a_file_in_its_place_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("precious")
    with pytest.raises(HomeTrouble, match="a file is in its place"):
        Home(tmp_path / "home").make()


@pytest.mark.parametrize("given", ["eighty", "0", "65536", "-1", "80.5", "٨٠", "9" * 5000, "8080 8081"])
def test_a_port_that_is_none(given: str) -> None:
    with pytest.raises(HomeTrouble, match="whole number from 1 to 65535"):
        port_from_environment({"EVENHAND_PORT": given})


def test_ports() -> None:
    assert port_from_environment({}) == 8080
    assert port_from_environment({"EVENHAND_PORT": " "}) == 8080
    assert port_from_environment({"EVENHAND_PORT": "65535"}) == 65535


def test_two_at_once_and_a_killed_one(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(HOLDER), home.path], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(AlreadyRunning, match=rf"already running .*process {holder.pid}\)"):
            home.lock()
        holder.kill()
        holder.wait()
    with home.lock(), pytest.raises(AlreadyRunning):
        home.lock()
    home.lock().give_back()


def test_a_forked_child_does_not_keep_the_lock(tmp_path: Path) -> None:
    home = Home(tmp_path / "home").make()
    lock = home.lock()
    child = os.fork()
    if child == 0:
        lock.give_back()
        os._exit(0)
    os.waitpid(child, 0)
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(HOLDER), home.path], capture_output=True, text=True, timeout=30
    )
    assert "AlreadyRunning" in done.stderr
    lock.give_back()


def test_private_files_are_whole(tmp_path: Path) -> None:
    file = tmp_path / "key"
    write_private(file, "one")
    write_private(file, b"two")
    assert file.read_bytes() == b"two"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [file]

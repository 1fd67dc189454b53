"""Exit codes and words: trouble, bugs, Ctrl-C, a reader that went away."""

import argparse
import signal
import socket
import subprocess
import time
from pathlib import Path

import httpx
import pytest

from evenhand.app.cli import run
from evenhand.app.cli.commands import Command
from tests.app.cli.conftest import COMMAND, Place


def test_trouble_is_a_sentence_a_hint_and_exit_1(served: Place) -> None:
    done = served.run("org", "create", "Alder")
    assert done.code == 1
    assert done.out == ""
    assert done.err == "evenhand: There is an organisation called 'Alder' already.\n  Choose another name.\n"
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("EVENHAND_PORT", "eighty", "a port is a whole number"),
        ("EVENHAND_PUBLIC_URL", "http://label.example.org", "plain http"),
        ("EVENHAND_HOME", "/dev/null/home", "cannot be made"),
    ],
)
def test_wrong_settings_are_one_sentence(still: Place, variable: str, value: str, words: str) -> None:
    done = still.run("org", "list", **{variable: value})
    assert done.code == 1
    assert words in done.err
    assert "Traceback" not in done.err


def test_a_port_in_use_is_one_sentence(still: Place) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", still.port))
        taken.listen()
        done = still.run("up", "--no-browser")
    assert done.code == 1
    assert f"Port {still.port} is in use" in done.err


def test_a_second_up_says_who_runs(served: Place) -> None:
    done = served.run("up", "--no-browser")
    assert done.code == 1
    assert "already running" in done.err


def test_a_bug_says_so_and_where_its_log_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EVENHAND_HOME", str(tmp_path / "home"))
    broken = Command("broken", "", "show:as_json", "")  # which can't print what it is given
    assert run._run(argparse.Namespace(command=broken)) == 1
    said = capsys.readouterr().err
    assert "This is a bug in Evenhand." in said
    log = tmp_path / "home" / "logs" / "cli.log"
    assert str(log) in said
    assert "Traceback" not in said
    assert "Traceback" in log.read_text()


def test_ctrl_c_is_130_without_a_traceback(served: Place, tmp_path: Path) -> None:
    project = served.good("project", "create", "Interrupted", "--medium", "text")["id"]
    source = tmp_path / "many.jsonl"
    source.write_text("".join(f'{{"text": "Text {i} {"x" * 2000}"}}\n' for i in range(20_000)))
    process = served.start("task", "import", str(source), "--project", "Interrupted")
    with httpx.Client(base_url=served.url, headers={"authorization": f"Bearer {served.more['EVENHAND_KEY']}"}) as api:
        until = time.monotonic() + 40
        while not api.get("/api/v1/tasks", params={"project": project, "limit": 1}).json()["total"]:
            assert time.monotonic() < until and process.poll() is None, "the import has not begun"
            time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert b"Traceback" not in err
    assert b"Stopped." in err


def test_a_reader_that_goes_away_is_no_error_page(served: Place) -> None:
    script = f"{subprocess.list2cmdline(COMMAND)} org list | head -c 1 >/dev/null"
    done = subprocess.run(["bash", "-c", script], env=served.env, capture_output=True, timeout=30)
    assert b"Traceback" not in done.stderr


def test_up_serves_until_ctrl_c_and_leaves_nothing(still: Place) -> None:
    process = still.start("up", "--no-browser")
    deadline = time.monotonic() + 30
    said = ""
    assert process.stdout is not None
    while "Press Ctrl-C" not in said and time.monotonic() < deadline:
        said += process.stdout.readline().decode()
    assert "/link/" in said  # the first operator's
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 0
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", still.port)) != 0
    assert still.good("status")["running"] is False

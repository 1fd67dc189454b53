"""Exit codes and words: trouble, bugs, Ctrl-C, a reader that went away."""

import argparse
import contextlib
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from evenhand.app import cli
from evenhand.app.cli import run
from evenhand.app.cli.commands.entry import Command
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


class Interrupted:
    """What Ctrl-C does while a class is made."""

    def __set_name__(self, owner: type, name: str) -> None:
        raise KeyboardInterrupt


def made_meanwhile(_: str) -> object:
    """An import in the middle of which Ctrl-C comes."""

    class Made:
        field = Interrupted()

    return Made


@pytest.mark.parametrize("place", [cli, run])
def test_ctrl_c_while_a_class_is_made_is_a_stop(
    place: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python up to 3.11 makes a RuntimeError of it, in whatever is being imported just then."""
    monkeypatch.setattr(place, "load", made_meanwhile)
    assert cli.main(["org", "list"]) == 130
    assert capsys.readouterr().err == "\nevenhand: Stopped.\n"


#: says when its own code begins: before that Python itself starts, and its Ctrl-C is not ours
SAYS = "import sys, evenhand.app.cli as cli; print('begun', flush=True); sys.exit(cli.main())"


@pytest.mark.parametrize("where", ["served", "here"])
def test_ctrl_c_at_any_moment_of_an_import(served: Place, local: Place, tmp_path: Path, where: str) -> None:
    """Twenty times in all: 130, one line, no traceback; and the same command again brings the rest, nothing twice."""
    place = served if where == "served" else local
    lines, times = 10_000, 14 if where == "served" else 6
    source = tmp_path / "many.jsonl"
    source.write_text("".join(f'{{"text": "Text {i} {"x" * 1000}"}}\n' for i in range(lines)))
    name = f"Interrupted {where}"
    place.good("project", "create", name, "--medium", "text")
    command = [sys.executable, "-c", SAYS, "task", "import", str(source), "--project", name, "--import-key"]
    begun = time.monotonic()
    assert subprocess.run([*command, "whole"], env=place.env, capture_output=True, timeout=60).returncode == 0
    whole = time.monotonic() - begun
    chance, stopped = random.Random(4), 0
    for turn in range(times):
        process = subprocess.Popen(
            [*command, f"turn {turn}"], env=place.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        assert process.stdout is not None and process.stdout.readline() == b"begun\n"
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(chance.uniform(0, whole * 0.8))
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        if b"10,000 tasks imported" in out:  # it had finished; Python itself may die of the signal while it goes
            assert process.returncode in (0, -signal.SIGINT)
            continue
        stopped += 1
        assert (process.returncode, b"Traceback" in err, b"Stopped." in err) == (130, False, True), err
    assert stopped >= times // 2
    again = place.good("task", "import", source, "--project", name, "--import-key", "turn 0")
    assert again["created"] + again["repeated"] == lines
    until = time.monotonic() + 20  # of so many tasks the count is as of up to two seconds ago
    while (total := place.good("project", "show", name)["counts"]["total"]) < 2 * lines and time.monotonic() < until:
        pass
    assert total % 2000 == 0 and 2 * lines <= total <= (times + 1) * lines, "chunks are in whole or not at all"


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

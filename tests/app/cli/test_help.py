"""Every command explains itself, at once."""

import resource
import subprocess
import sys

import pytest

from evenhand.app.cli import main
from evenhand.app.cli.commands.entry import Command
from evenhand.app.cli.commands.listing import COMMANDS


@pytest.mark.parametrize("command", COMMANDS, ids=[c.words for c in COMMANDS])
def test_help_has_an_example(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command.words.split(), "--help"])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert "Example:\n  " in said
    assert f"evenhand {command.words}" in said.split("Example:", 1)[1]


@pytest.mark.parametrize(
    "command",
    [c for c in COMMANDS if c.words not in ("up", "export", "archive take", "evidence", "verifier", "witness")],
    ids=lambda c: c.words,
)
def test_what_prints_data_prints_json(command: Command) -> None:
    assert command.words in ("doctor", "status") or any("--json" in o.names for o in command.options)


def test_help_loads_nothing_heavy_and_answers_at_once() -> None:
    look = (
        "import sys; from evenhand.app.cli.commands.parser import parser; parser().format_help(); "
        "print([m for m in ('asyncio', 'httpx', 'msgspec', 'asyncpg', 'starlette') if m in sys.modules])"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert done.stdout.strip() == "[]"
    assert (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime) < 0.3


def test_every_work_is_there() -> None:
    from importlib import import_module

    for command in COMMANDS:
        module, _, name = command.work.partition(":")
        assert callable(getattr(import_module(f"evenhand.app.cli.{module}"), name)), command.words


def test_no_words_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "commands:" in capsys.readouterr().out


@pytest.mark.parametrize(
    "words", [["nonsense"], ["org"], ["key", "create"], ["key", "create", "--org", "x", "--mode", "no"]]
)
def test_wrong_usage_is_2(words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("evenhand ")

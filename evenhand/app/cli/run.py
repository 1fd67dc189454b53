"""Running a command: exit codes, and errors in one plain sentence with what to do next.

0 done, 1 trouble, 2 wrong usage, 130 Ctrl-C. Trouble is what we foresaw; anything else is a bug and says so.
"""

import argparse
import errno
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from evenhand.app.cli.commands.parser import parser
from evenhand.app.cli.loading import load, stopped
from evenhand.pure.trouble import Trouble

TROUBLE, USAGE, INTERRUPTED = 1, 2, 130


def _say(words: str) -> None:
    sys.stdout.flush()
    sys.stderr.write(f"evenhand: {words}\n")


def _unforeseen(err: BaseException) -> None:
    _say(f"Something unforeseen went wrong ({type(err).__name__}). This is a bug in Evenhand.")
    trace = "".join(traceback.format_exception(err))
    try:
        home = import_module("evenhand.infra.home").Home.from_environment()
        home.make()
        log: Path = home.logs / "cli.log"
        with os.fdopen(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a", encoding="utf-8") as file:
            file.write(f"{datetime.now(UTC).isoformat()} {sys.argv[1:3]}\n{trace}\n")
        sys.stderr.write(f"  What is known about it is in {log}.\n")
    except (OSError, Trouble):
        sys.stderr.write(trace)


def _disk_is_full(err: BaseException) -> bool:
    """Whether there was no room, for a file of ours or for the database, which tells by its state 53100."""
    if isinstance(err, OSError):
        return err.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(err, "sqlstate", None) == "53100"


def _version() -> int:
    sys.stdout.write(f"evenhand {import_module('importlib.metadata').version('evenhand')}\n")
    return 0


def _interrupted() -> int:
    sys.stderr.write("\nevenhand: Stopped.\n")
    return INTERRUPTED


def _run(given: argparse.Namespace) -> int:
    try:
        code = load(given.command.work)(given)
        sys.stdout.flush()
        return code
    except Trouble as err:
        _say(err.message)
        for fault in err.errors[:10]:
            sys.stderr.write(f"  {fault['path']}: {fault['detail']}\n")
        if err.hint:
            sys.stderr.write(f"  {err.hint}\n")
        return TROUBLE
    except KeyboardInterrupt:
        return _interrupted()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader has gone; nobody is left to tell
        return TROUBLE
    except Exception as err:
        # what is not foreseen above is a bug: told in a sentence, with its trace in a file
        if stopped(err):
            return _interrupted()
        if _disk_is_full(err):
            _say("The disk is full.")
            sys.stderr.write("  Free some space and run it again; everything that was acknowledged is safe.\n")
            return TROUBLE
        _unforeseen(err)
        return TROUBLE


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point. Returns the exit code."""
    reader = parser()
    given = reader.parse_args(arguments)
    if given.version:
        return _version()
    if given.noun is None:
        reader.print_help()
        return USAGE
    return _run(given)

"""The command line of the verifier: what is read, what is printed, how it ends.

The program that is handed out ends with it.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.checks import TOO_LATE_S, Question, verify
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.wrong import Unreadable


def run(given: argparse.Namespace) -> int:
    """Verifies as the arguments say, prints, and gives the exit code: 0, 1 or 2."""
    try:
        key = VerifierKey.parse(_text(given.key))
        policy = Policy.parse(_read(given.policy))
        since = Checkpoint.parse(_read(given.since)) if given.since else None
        with ExitStack() as opened:
            bundle = opened.enter_context(Bundle(given.bundle))
            against = opened.enter_context(Bundle(given.against)) if given.against else None
            report = verify(bundle, Question(key, policy, since, against, given.late))
    except Unreadable as err:
        return _say(
            given.json, 2, {"exit": 2, "unreadable": str(err)}, f"not checked  {err}\nNothing could be checked.\n"
        )
    return _say(given.json, report.exit, report.as_json(), report.as_text())


def _say(as_json: bool, code: int, value: object, text: str) -> int:
    # what is in a bundle may hold anything; control characters must not reach a terminal
    plain = "".join(c if c.isprintable() or c == "\n" else "?" for c in text)
    sys.stdout.write(json.dumps(value, indent=2) + "\n" if as_json else plain)
    return code


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as err:
        raise Unreadable(f"{name} can't be read: {err.strerror}") from err


def _text(given: str) -> str:
    """A key as it stands, or the file that holds it."""
    return given if given.count("+") >= 2 else _read(given).decode("utf-8", "replace").strip()


def main(arguments: Sequence[str] | None = None) -> int:
    reader = argparse.ArgumentParser(
        description="Checks a bundle of evidence from Evenhand's transparency log, offline."
    )
    reader.add_argument("bundle", help="the bundle, a zip file")
    reader.add_argument(
        "--policy", required=True, help="whose word is enough: a file as c2sp.org/tlog-policy describes it"
    )
    reader.add_argument("--key", required=True, help="the log's key (name+id+base64), or a file that holds it")
    reader.add_argument("--since", help="a checkpoint that you saved earlier")
    reader.add_argument("--against", help="a second bundle, earlier or somebody else's")
    reader.add_argument(
        "--late", type=int, default=TOO_LATE_S, help="seconds after which an event counts as back-dated"
    )
    reader.add_argument("--json", action="store_true", help="print JSON for programs")
    return run(reader.parse_args(arguments))

"""`evenhand verify` and `evenhand verifier`: evidence is checked without a home, a server, a database or a network."""

import argparse
import sys
from pathlib import Path

from evenhand.app.offline import run
from evenhand.app.standalone import program
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Conflict, Invalid


def verify(given: argparse.Namespace) -> int:
    return run(given)


def verifier(given: argparse.Namespace) -> int:
    """Writes the verifier as one file, never over an existing one."""
    if given.output is None:
        sys.stdout.write(program())
        return 0
    target = Path(given.output)
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(program(target.name))
    except FileExistsError as err:
        raise Conflict(f"{target} exists already.", hint="Name another file.") from err
    except OSError as err:
        raise Invalid(f"{target} can't be written: {plain_reason(err)}.") from err
    return 0

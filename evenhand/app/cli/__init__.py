"""The command line. A command is an entry in `commands`; its code is found by a dotted name when it is run."""

import sys
from collections.abc import Sequence

from evenhand.app.cli.loading import load, stopped

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point. Returns the exit code. What is needed is loaded here, so that Ctrl-C means the same from the first
    moment: one line, and 130."""
    try:
        return load("run:main")(arguments)
    except BaseException as err:
        # KeyboardInterrupt comes from here, and inside of what was raised while it was handled
        if not stopped(err):
            raise
        sys.stderr.write("\nevenhand: Stopped.\n")
        return 130

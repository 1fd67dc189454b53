"""The command line. A command is an entry in `commands`; its code is found by a dotted name when it is run."""

from evenhand.app.cli.run import main

__all__ = ["main"]

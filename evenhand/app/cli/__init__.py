"""The command line. Every command is one line in `commands`; what it does is found by its dotted name when it is run."""

from evenhand.app.cli.run import main

__all__ = ["main"]

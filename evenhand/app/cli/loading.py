"""The one place where a module is loaded by its name: a command loads its own code only, so that `--help` answers at
once and a command for another machine needs no server code."""

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """ "module:function" below evenhand.app.cli."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"evenhand.app.cli.{module}"), function)

"""The one place where a module is loaded by its name: a command loads its own code only, so that `--help` answers at
once and a command for another machine needs no server code."""

from importlib import import_module
from typing import Any


def load(name: str) -> Any:
    """ "module:function" below evenhand.app.cli."""
    module, _, function = name.partition(":")
    return getattr(import_module(f"evenhand.app.cli.{module}"), function)


def stopped(err: BaseException | None) -> bool:
    """Whether it went wrong while Ctrl-C was being obeyed: what is torn down in the middle may complain in its own words. So may
    Python itself: up to 3.11 a Ctrl-C that comes while a class is made (an enumeration, in any import) is a RuntimeError from
    `__set_name__`, and the Ctrl-C is its cause."""
    while err is not None:
        if (
            isinstance(err, KeyboardInterrupt) or type(err).__name__ == "CancelledError"
        ):  # asyncio is not loaded for this
            return True
        err = err.__cause__ or err.__context__
    return False

"""What a command is, and the options that many share.

Nothing is imported from below `evenhand.app.cli` in this package, so that `evenhand --help` answers at once.
"""

from dataclasses import dataclass
from typing import Any

MODES = ("live", "test")


@dataclass(frozen=True, slots=True)
class Option:
    """One argument of a command, as argparse takes it."""

    names: tuple[str, ...]
    settings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Command:
    """`work` is "module:function" below evenhand.app.cli; it takes the parsed arguments and gives an exit code."""

    words: str
    help: str
    work: str
    example: str
    options: tuple[Option, ...] = ()
    more: str = ""


def opt(*names: str, **settings: Any) -> Option:
    return Option(names, settings)


JSON = opt("--json", action="store_true", help="print JSON for programs")
LIMIT = opt("--limit", type=int, default=50, metavar="N", help="at most this many, newest first (default 50)")
#: where a command on projects, batches and tasks goes
WHERE = (
    opt("--org", metavar="NAME_OR_ID", help="organisation on this machine (may be left out when there is only one)"),
    opt("--mode", choices=MODES, default="live", help="its live or its test space (default live)"),
    opt("--url", metavar="URL", help="another Evenhand, such as https://label.example.org (or EVENHAND_URL)"),
    opt("--key", metavar="KEY", help="its API key (better: EVENHAND_KEY, which other users can't see)"),
)
PROJECT = opt("--project", required=True, metavar="PROJECT", help="id or name of the project")

HERE_OR_THERE = (
    "Works on the installation of this machine ($EVENHAND_HOME), whether its server runs or not; "
    "with --url and a key on another one, over HTTP."
)

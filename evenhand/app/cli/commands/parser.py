"""The list of commands as a parser."""

import argparse
from textwrap import fill
from typing import Any

from evenhand.app.cli.commands.entry import Command
from evenhand.app.cli.commands.listing import COMMANDS, GROUPS


class _Formatter(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=30, width=100)


def _filled(command: Command) -> str:
    """The command's description, in lines of at most 98 characters."""
    return fill(f"{command.help[0].upper()}{command.help[1:]}. {command.more}".rstrip(), 98)


def parser() -> argparse.ArgumentParser:
    """The whole parser. A parsed command has `command`, the Command."""
    top = argparse.ArgumentParser(
        "evenhand",
        description="Evenhand: data labelling that favours no customer.",
        epilog="Example:\n  evenhand up --demo\n\n"
        "The home is $EVENHAND_HOME (~/.evenhand), the port $EVENHAND_PORT (8080).",
        formatter_class=_Formatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="store_true", help="print the version")
    kinds: Any = top.add_subparsers(title="commands", metavar="COMMAND", dest="noun")
    groups: dict[str, Any] = {}
    for command in COMMANDS:
        noun, _, verb = command.words.partition(" ")
        place = kinds
        if verb:
            if noun not in groups:
                group = kinds.add_parser(
                    noun, help=GROUPS[noun], description=f"{GROUPS[noun].capitalize()}.", formatter_class=_Formatter,
                    epilog=f"Example:\n  {command.example}", allow_abbrev=False,
                )  # fmt: skip
                groups[noun] = group.add_subparsers(title="commands", metavar="COMMAND", dest="verb", required=True)
            place = groups[noun]
        added = place.add_parser(
            verb or noun,
            help=command.help,
            description=_filled(command),
            epilog=f"Example:\n  {command.example}",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )
        for option in command.options:
            added.add_argument(*option.names, **option.settings)
        added.set_defaults(command=command)
    return top

"""Writes docs/reference anew from the code: the commands and the native API. Nothing in there is edited by hand."""

from __future__ import annotations

import json
from pathlib import Path

from evenhand.app.cli.commands import COMMANDS
from evenhand.app.http.openapi import document
from evenhand.app.http.server import PREFIX, ROUTES

REFERENCE = Path(__file__).resolve().parents[1] / "docs" / "reference"
MADE = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"


def commands() -> str:
    parts = [MADE, "# Commands\n"]
    for command in COMMANDS:
        parts.append(f"\n## evenhand {command.words}\n\n{_sentence(command.help)}\n\n    {command.example}\n")
        if command.more:
            parts.append(f"\n{command.more}\n")
        rows = [
            f"| `{', '.join(option.names)}` | {_cell(str(option.settings.get('help', '')))} |"
            for option in command.options
        ]
        if rows:
            parts.append("\n| | |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(parts)


def routes(api: dict[str, dict[str, dict[str, dict[str, object]]]]) -> str:
    rows = [
        f"| {method.upper()} | `{path}` | {_cell(str(operation.get('summary', '')))} |"
        for path, operations in sorted(api["paths"].items())
        for method, operation in operations.items()
    ]
    return (
        f"{MADE}# Native API\n\nThe whole document is [openapi.json](openapi.json).\n\n| | path | |\n|---|---|---|\n"
        + ("\n".join(rows) + "\n")
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")


def main() -> None:
    REFERENCE.mkdir(parents=True, exist_ok=True)
    api = document(ROUTES, PREFIX)
    for name, text in {
        "commands.md": commands(),
        "api.md": routes(api),
        "openapi.json": json.dumps(api, indent=1, sort_keys=True) + "\n",
    }.items():
        (REFERENCE / name).write_text(text)
        print(f"docs/reference/{name}")


if __name__ == "__main__":
    main()

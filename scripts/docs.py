"""Writes docs/reference from the code: api.md and openapi.json from the route table, commands.md from the parsers.

python scripts/docs.py          write
python scripts/docs.py --check  say what is not up to date, exit 1
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from evenhand.app.cli.commands.entry import Command, Option
from evenhand.app.cli.commands.listing import COMMANDS, GROUPS
from evenhand.app.http.openapi import document
from evenhand.app.http.routes import ROUTES, Route
from evenhand.app.http.server import PREFIX

ROOT = Path(__file__).resolve().parents[1]
REFERENCE = ROOT / "docs" / "reference"
MADE = "<!-- Made by `make docs` from the code: change it there. -->\n"
WHO = {
    "public": "anybody",
    "person": "a signed-in person",
    "customer": "an API key, or a member with `Evenhand-Org`",
    "operator": "an operator",
    "director": "a director",
}
SECTIONS = {
    "work": "Work",
    "session": "Signing in",
    "account": "Your account, and sessions",
    "entry": "How people and keys get in",
    "projects": "Projects and batches",
    "tasks": "Tasks and files",
    "exports": "Exports, deliveries and callbacks",
    "org": "The organisation and the operator",
    "quality": "Known answers and training",
    "trust": "Evidence",
    "contracts": "Contracts",
    "neutrality": "Neutrality",
    "grants": "Access, and who left",
    "keys": "Encryption keys",
    "leaving": "Keeping and deleting",
}


# --- the command line


def _option(option: Option) -> str:
    settings = option.settings
    name = ", ".join(option.names)
    if not option.names[0].startswith("-"):
        name = settings.get("metavar", name)
    elif "action" not in settings or settings["action"] == "append":
        value = settings.get("metavar") or "|".join(settings.get("choices", ())) or option.names[-1].strip("-").upper()
        name = f"{name} {value}"
    words = settings.get("help", "")
    if settings.get("choices") and "metavar" in settings:
        words += f" ({', '.join(settings['choices'])})"
    if settings.get("required"):
        words += " (required)"
    return f"| `{name.replace('|', chr(92) + '|')}` | {words} |"


def _command(command: Command) -> list[str]:
    out = [f"### evenhand {command.words}", "", f"{command.help[0].upper()}{command.help[1:]}. {command.more}".rstrip()]
    out += ["", "```text", command.example, "```", ""]
    if command.options:
        out += ["| argument | what it is |", "|---|---|", *map(_option, command.options), ""]
    return out


def cli() -> str:
    out = [
        MADE,
        "# Commands",
        "",
        "Exit codes: 0 done, 1 trouble (one sentence and what to do next, on standard error), 2 wrong usage, "
        "130 stopped with Ctrl-C. Every command knows `--help`.",
        "",
        "| variable | what it is |",
        "|---|---|",
        "| `EVENHAND_HOME` | folder of the installation (default `~/.evenhand`) |",
        "| `EVENHAND_PORT` | port of the server (default 8080) |",
        "| `EVENHAND_PUBLIC_URL` | the address that people use (default `http://localhost:PORT`) |",
        "| `EVENHAND_URL`, `EVENHAND_KEY` | another server and its API key, for projects, batches, tasks and exports |",
        "",
    ]
    chapters: dict[str, list[str]] = {}
    for command in COMMANDS:
        noun, _, verb = command.words.partition(" ")
        group = GROUPS[noun] if verb else {"export": "results"}.get(noun, "the installation")
        title = group[0].upper() + group[1:]
        chapters.setdefault(title, []).extend(_command(command))
    for title, text in chapters.items():
        out += [f"## {title}", "", *text]
    return "\n".join(out).rstrip() + "\n"


# --- the API


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if "enum" in schema:
        return " or ".join(f"`{value}`" for value in schema["enum"])
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"]:
        return f"object of {_kind(schema['additionalProperties'])}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false", "null": "null"}.get(
        kind, f"{kind}"
    ) + (f" ({schema['format']})" if "format" in schema else "")


def _fields(schema: dict[str, Any]) -> list[str]:
    required = set(schema.get("required", ()))
    out = ["| field | type | |", "|---|---|---|"]
    for name, one in schema.get("properties", {}).items():
        default = one.get("default")
        note = "required" if name in required else "" if default in (None, "", [], {}) else f"default `{default}`"
        out.append(f"| `{name}` | {_kind(one).replace('|', chr(92) + '|')} | {note} |")
    return [*out, ""]


def _route(route: Route, operation: dict[str, Any]) -> list[str]:
    out = [f"### {route.method} {PREFIX}{route.path}", "", f"{route.summary}. For {WHO[route.who]}.", ""]
    asked = [p for p in operation.get("parameters", ()) if p["in"] == "query"]
    if asked:
        out += ["Query: " + ", ".join(f"`{p['name']}`" for p in asked) + ".", ""]
    for what, content in (
        ("Body", operation.get("requestBody", {}).get("content", {})),
        ("Reply", operation["responses"][str(route.status)].get("content", {})),
    ):
        for media, found in content.items():
            shown = "" if media == "application/json" else f" (`{media}`)"
            out += [f"{what}{shown}: {_kind(found['schema'])}.", ""]
    return out


def api() -> str:
    spec = document(ROUTES, PREFIX)
    out = [
        MADE,
        "# The native API",
        "",
        f"The same as an OpenAPI document: [openapi.json](openapi.json), and on a running "
        f"server at `{PREFIX}/openapi.json`. Errors are problem documents "
        "(RFC 9457) with `detail`, `hint` and `code`. Lists give `items` and `next`: send it back as `cursor`. A write with "
        "an `Idempotency-Key` can be sent again without harm. The API that is compatible with another vendor's client is "
        "served at `/v1` and `/v2`.",
        "",
    ]
    title = ""
    for route in ROUTES:
        here = SECTIONS[route.handler.__module__.rsplit(".", 1)[1]]
        if here != title:
            title = here
            out += [f"## {title}", ""]
        path = PREFIX + re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)
        out += _route(route, spec["paths"][path][route.method.lower()])
    out += ["## Objects", ""]
    for name, schema in sorted(spec["components"]["schemas"].items()):
        out += [f"### {name}", ""]
        if schema.get("description"):
            out += [schema["description"].split("\n", 1)[0], ""]
        if "properties" in schema:
            out += _fields(schema)
    return "\n".join(out).rstrip() + "\n"


def pages() -> dict[Path, str]:
    """What docs/reference must hold."""
    spec = json.dumps(document(ROUTES, PREFIX), indent=1, sort_keys=True) + "\n"
    return {REFERENCE / "api.md": api(), REFERENCE / "commands.md": cli(), REFERENCE / "openapi.json": spec}


def main() -> int:
    reader = argparse.ArgumentParser(description="Writes docs/reference from the code.")
    reader.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is not up to date")
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    if reader.parse_args().check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is not up to date: run `make docs`.")
        return 1 if stale else 0
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path in stale:
        path.write_text(pages()[path], encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

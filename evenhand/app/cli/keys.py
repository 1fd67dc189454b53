"""Commands on a customer's encryption keys. API keys are `evenhand key`."""

import argparse
import os
from pathlib import Path
from typing import Any

from evenhand.app.cli import show
from evenhand.app.cli.api import open_api
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Invalid

#: where secrets come from: the environment, which other users of the machine cannot see
_SECRETS = {
    "local": {},
    "vault": {"token": "VAULT_TOKEN"},
    "aws": {
        "access_key": "AWS_ACCESS_KEY_ID",
        "secret_key": "AWS_SECRET_ACCESS_KEY",
        "session_token": "AWS_SESSION_TOKEN",
    },
}


def show_keys(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        return _show(given, api.get("/encryption"))


def check(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        done = api.post("/encryption/check")
    if given.json:
        show.as_json(done)
    else:
        show.line(
            f"The key {done['key_id']} at {done['where']} wraps and opens: {done['wrap_ms']} and {done['unwrap_ms']} ms."
        )
    return 0


def use(given: argparse.Namespace) -> int:
    body: dict[str, Any] = {"kind": given.service}
    for field in ("key_id", "address", "region", "mount", "namespace"):
        if getattr(given, field):
            body[field] = getattr(given, field)
    if given.authority:
        try:
            body["authority"] = Path(given.authority).read_text()
        except OSError as err:
            raise Invalid(f"{given.authority} can't be read: {plain_reason(err)}.", hint="Give a PEM file.") from err
    for field, variable in _SECRETS[given.service].items():
        if os.environ.get(variable):
            body[field] = os.environ[variable]
        elif field != "session_token":
            raise Invalid(
                f"{variable} is not set.", hint="Set it: a secret on the command line could be seen by others."
            )
    with open_api(given) as api:
        return _show(given, api.put("/encryption/service", body))


def rotate(given: argparse.Namespace) -> int:
    body: dict[str, Any] = {"level": given.level}
    with open_api(given) as api:
        if given.project:
            body["project"] = api.project(given.project)["id"]
        return _show(given, api.post("/encryption/rotate", body))


def _show(given: argparse.Namespace, keys: dict[str, Any]) -> int:
    if given.json:
        show.as_json(keys)
        return 0
    service = keys["service"]
    show.pairs(
        (
            ("key service", service["where"]),
            ("your key", service["key_id"]),
            ("state", service["trouble"] or service["state"]),
            ("organisation key", f"version {keys['organisation'][0]['version']}"),
            ("project keys", str(len([p for p in keys["projects"] if p["project"]]))),
            ("in memory at most", f"{keys['life_s']:.0f} s"),
        )
    )
    show.line()
    show.table(
        ("opened", "by", "for", "at", "version", "keys below"),
        [
            (show.moment(u["at"]), u["process"], u["purpose"], u["service"], u["versions"], u["keys"])
            for u in keys["uses"]
        ],
        empty="Nobody has opened it yet.",
    )
    return 0

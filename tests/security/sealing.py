"""What several of the tests of sealed bodies need."""

import json
import re
from dataclasses import dataclass
from typing import Any

import psycopg

from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import World
from tests.pg import TestServer

CANARY = "WHINCHATNEST"
_NAMES = {"project": "project", "batch": "batch", "task": "done_task", "asset": "asset", "callback": "callback",
          "person": "member", "key": "key", "question": "question", "deletion": "deletion"}  # fmt: skip


@dataclass
class Clock:
    """By which keys live, in place of the machine's."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def looking(server: TestServer, urls: DatabaseUrls) -> psycopg.Connection[Any]:
    """A connection that sees every row: of somebody who has the whole database."""
    database = roles.connection_info(urls.owner)["dbname"]
    return psycopg.connect(server.admin_url_of(database), autocommit=True)


async def project_with(world: World, key: str, tasks: int, name: str = "P1") -> str:
    """A project of text tasks. Returns its id."""
    api = world.keyed(key)
    made = await api.post(f"{PREFIX}/projects", json={"name": name, "medium": "text", "ontology": {"fields": []}})
    assert made.status_code == 200, made.text
    lines = "\n".join(json.dumps({"data": {"text": f"Text {n}"}}) for n in range(tasks))
    if tasks:
        sent = await api.post(f"{PREFIX}/projects/{made.json()['id']}/tasks/bulk", content=lines)
        assert sent.status_code == 200, sent.text
    return made.json()["id"]


async def everything(world: World, key: str, ids: dict[str, str]) -> dict[str, tuple[int, str]]:
    """What a customer can read: the status and text of each address."""
    api, out = world.keyed(key), dict[str, tuple[int, str]]()
    for route in ROUTES:
        if route.method == "GET" and route.who == "customer":
            path = re.sub(r"\{(\w+)\}", lambda m: ids[_NAMES[m[1]]], route.path)
            query = {"project": ids["project"]} if route.path.startswith("/exports") else {}
            reply = await api.get(f"{PREFIX}{path}", params=query)
            out[route.path] = (reply.status_code, reply.text)
    return out

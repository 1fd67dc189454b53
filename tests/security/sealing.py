"""What several of the tests of sealed bodies need."""

import json
from typing import Any

import psycopg

from evenhand.app.http.server import PREFIX
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import World
from tests.pg import TestServer

CANARY = "WHINCHATNEST"


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

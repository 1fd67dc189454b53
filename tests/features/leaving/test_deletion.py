"""Deletion that can be proved: what is gone, what is left, and what the customer's verifier says of it."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evenhand.app.transparency import log_signer
from evenhand.features.trust.sequencer import tick
from evenhand.infra.db import SYSTEM
from evenhand.pure.log.deletions import Commitment
from evenhand.pure.log.notes import Note
from evenhand.pure.log.report import OK
from tests.conftest import World
from tests.features.trust.test_log import bundle_of, checked, end_epoch, faults, log_in
from tests.laws.estate import Estate, fill

pytestmark = pytest.mark.anyio
API = "/api/v1"


@pytest.fixture
async def estate(world: World) -> Estate:
    return await fill(world, "Acme", "ALPHA")


async def rows_of(world: World, org: str, project: str) -> dict[str, int]:
    """Rows by table that name the project, or a task of it."""
    out: dict[str, int] = {}
    async with world.db.tx(org, SYSTEM) as tx:
        tables = await tx.conn.fetch(
            "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
            " where c.relnamespace = 'evenhand'::regnamespace and c.relkind = 'r' and a.attname = 'project_id'"
        )
        for table, _ in tables:
            if table not in ("erasure", "hold"):
                count = await tx.conn.fetchval(
                    f"select count(*) from evenhand.{table} where org_id = $1 and project_id = $2", org, project
                )
                if count:
                    out[table] = count
    return out


def certificate(note: str) -> dict[str, Any]:
    text = Note.parse(note.encode()).text
    return json.loads(text.removeprefix("evenhand-deletion-v1\n"))


async def test_a_deleted_project_is_gone_and_proved(world: World, estate: Estate, tmp_path: Path) -> None:
    this = replace(log_in(tmp_path), signer=log_signer(world.services.settings))
    api, org, project = world.keyed(estate.customer.live_key), estate.customer.live, estate.ids["project"]
    async with world.db.tx(org, SYSTEM) as tx:
        tasks = [r["task_id"] for r in await tx.conn.fetch("select task_id from evenhand.task where org_id = $1"
                 " and project_id = $2 order by task_id", org, project)]  # fmt: skip
        answers = await tx.conn.fetch("select task_id, answer_id from evenhand.answer where org_id = $1", org)
    name = (await api.get(f"{API}/projects/{project}")).json()["name"]
    wrong = await api.post(f"{API}/projects/{project}/delete", json={"confirm": name + "x"})
    assert wrong.status_code == 400 and name in wrong.json()["detail"]
    asked = (await api.post(f"{API}/projects/{project}/delete", json={"confirm": name})).json()
    assert asked["state"] == "running" and asked["certificate"] == ""
    again = await api.post(f"{API}/projects/{project}/delete", json={"confirm": name})
    assert again.status_code == 409
    await world.drain()
    done = (await api.get(f"{API}/deletions/{asked['id']}")).json()
    assert done["state"] == "done" and done["tasks"] == len(tasks) and done["answers"] == len(answers) > 0
    assert await rows_of(world, org, project) == {}
    assert (await api.get(f"{API}/projects/{project}")).status_code == 404
    assert (await api.get(f"{API}/tasks/{tasks[0]}")).status_code == 404
    assert await rows_of(world, org, estate.ids["pictures"]), "the other project is whole"

    said = certificate(done["certificate"])
    assert said["rows"]["task"] == len(tasks) and said["rows"]["answer"] == len(answers) and said["project"] == project
    # whoever has the ids computes the commitment again
    gone = Commitment(base64.b64decode(said["commitment"]["salt"]))
    for task in tasks:
        gone.add("task", [task])
        gone.add("answer", sorted(a["answer_id"] for a in answers if a["task_id"] == task))
    assert gone.as_dict() == said["commitment"]

    await tick(world.db, this)
    await end_epoch(world, this)
    raw = await bundle_of(world, this, org)
    report = checked(raw, this)
    assert report.check("deletions").status == OK and faults(report) == [], report.as_text()

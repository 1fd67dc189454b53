"""Work for the benchmarks: a customer, annotators with sessions, tasks."""

import json
import urllib.request
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bench.support.serving import Running
from evenhand.app.services import Services
from evenhand.features.people import actions as people
from evenhand.features.projects import actions as projects
from evenhand.features.projects.actions import NewProject
from evenhand.features.tasks.imports import CHUNK, import_lines
from evenhand.infra.db import SYSTEM

PASSWORD = "a long enough password"
ONTOLOGY = {
    "classes": [],
    "attributes": [],
    "fields": [{"key": "mood", "type": "choice", "choices": [{"value": "good"}, {"value": "bad"}], "required": True}],
}
ANSWER = {"annotations": [{"id": "a1", "kind": "choice", "field": "mood", "values": ["good"]}]}


@dataclass
class Seeded:
    org: str
    project: str
    people: list[str]
    sessions: list[tuple[str, str]]  # cookie, csrf


def line(n: int) -> bytes:
    return b'{"data":{"text":"Order %d has not arrived yet, and I should like to know where it is."}}' % n


def project_with(running: Running, name: str, org: str, tasks: int) -> str:
    async def work(opened: Services) -> str:
        async with opened.db.tx(org, SYSTEM) as tx:
            made = await projects.create_project(tx, NewProject(name, "text", ONTOLOGY, lease_s=3600))

        async def lines() -> AsyncIterator[list[bytes]]:
            for at in range(0, tasks, CHUNK):
                yield [line(n) for n in range(at, min(tasks, at + CHUNK))]

        report = await import_lines(opened.db, org, SYSTEM, made.id, lines())
        if report.created != tasks:
            raise SystemExit(f"only {report.created} of {tasks} tasks were created: {report.errors[:3]}")
        return made.id

    return running.do(work)


def pause(running: Running, org: str, project: str) -> None:
    async def work(opened: Services) -> None:
        async with opened.db.tx(org, SYSTEM) as tx:
            await projects.change_project(tx, project, projects.ProjectPatch(state="paused"))

    running.do(work)


def people_with_sessions(running: Running, count: int) -> tuple[str, list[str], list[tuple[str, str]]]:
    """An organisation and annotators who are signed in."""

    async def work(opened: Services) -> tuple[str, list[str]]:
        org = await people.create_org(opened.db, "Bench")
        found: list[str] = []
        for n in range(count):
            person = await people.add_person(opened.db, f"a{n}@bench.example", f"Annotator {n}", PASSWORD)
            await people.add_member(opened.db, org.id, person, "annotator")
            found.append(person)
        return org.id, found

    org, found = running.do(work)
    return org, found, [sign_in(running, f"a{n}@bench.example") for n in range(count)]


def sign_in(running: Running, email: str) -> tuple[str, str]:
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    ask = urllib.request.Request(
        f"{running.base}/api/v1/session", body, {"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(ask) as reply:
        cookie = reply.headers["set-cookie"].split(";", 1)[0]
        return cookie, json.load(reply)["csrf"]

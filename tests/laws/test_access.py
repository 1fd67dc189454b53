"""Who gets content leaves an event first: every route of the tables records one or stands on a written list with a reason, and
where the event can't be written nothing is shown."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from evenhand.app.http.access import OWN, SILENT, SILENT_SCALE, silent
from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.app.scale.asking import ENTRIES
from evenhand.features.deliveries.callbacks import add_callback
from evenhand.infra.access import commitment, ids_in
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.infra.seal import At
from tests.conftest import World
from tests.laws.estate import fill
from tests.laws.test_twin import CUSTOMER, PERSON, ids_of

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
#: kinds of facts by which content leaves
ACCESS = {"ArchiveMade", "ArchiveTaken", "ContentShown", "TaskViewed", "Exported", "TaskLeased", "WorkRecalled"}
LOOKS = Path(__file__).parents[2] / "studio" / "src" / "app" / "console" / "words" / "looks.ts"
#: requests that change what later ones ask for come last
_LAST = ("audit", "requeue", "cancel", "DELETE", "recall", "release", "skip")


def test_every_route_is_decided() -> None:
    names = {r.name for r in ROUTES}
    assert set(SILENT) | set(OWN) <= names, "the lists name routes that are none"
    assert not set(SILENT) & set(OWN)
    assert all(reason.strip() for reason in SILENT.values())
    for found in ROUTES:  # a customer's route records by itself, and what is public is nobody's; a person's has to say
        decided = found.who != "person" or found.name in {*SILENT, *OWN}
        assert decided, f"{found.name} shows something unseen: add it to app/http/access.py"
    assert set(SILENT_SCALE) <= {entry.name for entry in ENTRIES}
    for entry in ENTRIES:
        assert entry.method != "GET" or entry.name not in SILENT_SCALE or SILENT_SCALE[entry.name]


def test_every_look_has_words() -> None:
    """A customer reads what was looked at, and not which route was asked."""
    said = set(re.findall(r"'console\.look\.([A-Z]+ [^']+)'", LOOKS.read_text()))
    shown = {route.name for route in ROUTES if route.who == "customer" and not silent(route.name)}
    assert said == shown | {name for name, kind in OWN.items() if kind == "ContentShown"}


async def facts_of(world: World, org: str) -> list[tuple[str, dict[str, Any]]]:
    async with await world.system(org) as tx:
        rows = await tx.conn.fetch(
            "select fact_id, kind, body from evenhand.fact where org_id = $1 order by fact_id", org
        )
        return [(row["kind"], tx.seal.open(row["body"], At("fact", row["fact_id"]))) for row in rows]


async def test_every_route_that_shows_content_records_it_first(world: World) -> None:
    estate = await fill(world, "Acme", "ALPHA")
    a, org = ids_of(estate), estate.customer.live
    key, worker = world.keyed(estate.customer.live_key), await world.browser("acme.ann@people.example")

    async def by_key(method: str, path: str, options: Any) -> httpx.Response:
        return await key.request(method, f"{PREFIX}{path}", **options)

    async def by_worker(method: str, path: str, options: Any) -> httpx.Response:
        return await worker.ask(method, path, **options)

    await world.drain()  # no archive is made while a deletion is under way
    assert (await key.post(f"{PREFIX}/archive")).status_code == 200
    wanted = [(name, case, by_key) for name, case in CUSTOMER.items() if name not in SILENT]
    wanted += [(name, case, by_worker) for name, case in PERSON.items() if name not in SILENT]
    wanted.sort(key=lambda one: next((n for n, word in enumerate(_LAST, 1) if word in one[0]), 0))
    seen: set[str] = set()
    for name, case, ask in wanted:
        method, path = name.split(" ", 1)
        for where, options in case(a, {**a, "n": "2"}) or [(path, {})]:
            before = len(await facts_of(world, org))
            reply = await ask(method, where, options)
            added = (await facts_of(world, org))[before:]
            if reply.status_code != 200:  # not possible in this state: a pilot that was, a course that nobody takes
                continue
            kinds = {kind for kind, _ in added}
            assert kinds & ACCESS, f"{name} showed content and left no event ({kinds})"
            if name in OWN:
                assert OWN[name] in kinds or reply.json() == {"items": []}, (name, kinds)
            else:
                assert name in {body["asked"] for kind, body in added if kind == "ContentShown"}
            seen.add(name)
    assert len(seen) > 25, seen
    assert {name for name, _, _ in wanted if name.startswith("GET ")} <= seen, "what a GET shows was not looked at"


async def test_the_event_commits_to_the_list(world: World) -> None:
    estate = await fill(world, "Acme", "ALPHA")
    key, org = world.keyed(estate.customer.live_key), estate.customer.live
    found = (await key.get("/api/v1/tasks", params={"limit": 3})).json()["items"]
    kind, body = (await facts_of(world, org))[-1]
    ids = [one["id"] for one in found]
    assert kind == "ContentShown" and body["count"] == len(ids) == 3
    assert body["objects"] == commitment(ids) == commitment(reversed(ids)) != commitment(ids[:2])
    assert body["listed"] == ids and body["actor_kind"] == "key"
    theirs = (await key.get("/v1/tasks", params={"limit": 2})).json()["docs"]
    kind, body = (await facts_of(world, org))[-1]
    assert (kind, body["asked"], body["count"]) == ("ContentShown", "v1 GET tasks", len(theirs))
    assert body["listed"] == [one["task_id"] for one in theirs] == ids_in({"docs": theirs, "total": 9})


async def test_a_callback_is_recorded_before_it_leaves(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")
    acme, told = await world.customer("Acme"), asyncio.Event()
    kinds: list[str] = []

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        kinds.extend(kind for kind, _ in await facts_of(world, acme.live))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        writer.close()
        told.set()

    receiver = await asyncio.start_server(receive, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/"
    async with await world.system(acme.live) as tx:
        await add_callback(tx, url, {"what": "news"})
    await world.drain()
    await told.wait()
    assert kinds[-1] == "CallbackSent"
    assert [kind for kind, _ in await facts_of(world, acme.live)][-2:] == ["CallbackSent", "CallbackEnded"]
    receiver.close()


@contextmanager
def unwritable(urls: DatabaseUrls, how: str) -> Iterator[None]:
    """No fact can be written: the grant is gone, or the disk of the table is full."""
    full = (
        "create function evenhand.no_room() returns trigger language plpgsql as $$ begin"
        " raise exception 'no space left' using errcode = '53100'; end $$;"
        " create trigger no_room before insert on evenhand.fact execute function evenhand.no_room()"
    )
    do, undo = {
        "revoked": (
            "revoke insert on evenhand.fact from evenhand_app, evenhand_loader",
            "grant insert on evenhand.fact to evenhand_app, evenhand_loader",
        ),
        "full": (full, "drop trigger no_room on evenhand.fact; drop function evenhand.no_room()"),
    }[how]
    with psycopg.connect(urls.owner, autocommit=True) as owner:
        owner.execute(do)
        try:
            yield
        finally:
            owner.execute(undo)


@pytest.mark.parametrize(("how", "status"), [("revoked", 503), ("full", 507)])
async def test_where_the_event_cannot_be_written_content_is_refused(
    world: World, urls: DatabaseUrls, how: str, status: int
) -> None:
    estate = await fill(world, "Acme", "ALPHA")
    a = ids_of(estate)
    key, worker = world.keyed(estate.customer.live_key), await world.browser("acme.ann@people.example")
    asked: list[tuple[str, Any]] = []
    with unwritable(urls, how):
        for path in (
            "/tasks", f"/tasks/{a['done_task']}", f"/projects/{a['project']}", "/projects", "/questions", "/callbacks",
            f"/exports?project={a['project']}", f"/assets/{a['asset']}", f"/tasks/{a['done_task']}/history", "/deliveries",
        ):  # fmt: skip
            asked.append((path, await key.get(f"{PREFIX}{path}")))
        for path in ("/v1/tasks", f"/v1/task/{a['done_task']}", "/v2/tasks", "/v1/projects"):
            asked.append((path, await key.get(path)))
        for path in (f"/work/projects/{a['project']}/instructions", f"/work/{a['handle']}"):
            asked.append((path, await worker.get(path)))
        if how == "full":  # its function writes with the rights of its owner, who keeps the grant
            asked.append(("next", await worker.post("/work/next", {"want": 1})))
        # other links to files have their event when they are issued: those of a lease, at the first look
        (link,) = estate.links[2:]
        asked.append(("media", await world.client().get(link, headers={"host": "127.0.0.1:8080"})))
    for path, reply in asked:
        wanted = 503 if path.startswith(("/v1", "/v2")) else status
        assert reply.status_code == wanted, (path, reply.status_code, reply.text)
        assert "ALPHA" not in reply.text and a["done_task"] not in reply.text, path
        assert not reply.headers["content-type"].startswith("image/"), path
        said = reply.json()
        assert said.get("hint") or said.get("error"), path
        assert int(reply.headers["retry-after"]) >= 1
    assert (await key.get(f"{PREFIX}/tasks")).status_code == 200
    shown = await world.client().get(link, headers={"host": "127.0.0.1:8080"})
    assert shown.status_code == 200 and shown.headers["content-type"] == "image/jpeg"


async def test_reading_what_is_free_of_content_goes_on(world: World, urls: DatabaseUrls) -> None:
    """The page that says how it is does not go dark with the log."""
    acme = await world.customer("Acme")
    key = world.keyed(acme.live_key)
    with unwritable(urls, "revoked"):
        for path in ("/members", "/audit", "/keys"):
            assert (await key.get(f"{PREFIX}{path}")).status_code == 200, path
        assert (await world.client().get("/log/status")).status_code == 200

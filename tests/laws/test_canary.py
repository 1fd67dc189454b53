"""Canaries: A writes a word everywhere a customer, an annotator or a reviewer can write. It must never come out at B's, at
B's annotators', at the operator's or in any log."""

import base64
import logging
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from evenhand.app.http.errors import problem_of
from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM
from evenhand.infra.jobs import _where
from evenhand.infra.seal import At
from tests.conftest import PASSWORD, World
from tests.laws.estate import Estate, fill
from tests.laws.test_twin import CASES, ids_of
from tests.pg import TestServer

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
CANARY = "QUAILFEATHER"
FORMATS = ("jsonl", "coco", "yolo", "csv")


def spellings(word: str) -> list[bytes]:
    """How the word may look in a reply or a log: plain, hexadecimal (bytea), base64 at its three offsets, escaped."""
    raw = word.encode()
    out = [raw, raw.lower(), raw.hex().encode(), raw.hex().upper().encode(), raw.decode().encode("utf-16-le")]
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + raw)
        out.append(coded[4 if shift else 0 : len(coded) // 4 * 4 - 4])
    return out


SPELLINGS = spellings(CANARY)


def sightings(text: bytes, word: str = CANARY) -> list[str]:
    looks = SPELLINGS if word == CANARY else spellings(word)
    return [f"...{text[max(0, at - 80) : at + 40]!r}" for s in looks if (at := text.find(s)) >= 0]


@pytest.mark.parametrize("shift", range(4))
def test_the_search_finds_what_it_should(shift: int) -> None:
    hidden = b"x" * shift + f'{{"note":"{CANARY}"}}'.encode()
    for text in (hidden, hidden.hex().encode(), base64.b64encode(hidden), hidden.decode().encode("utf-16-le")):
        assert sightings(text), text
    assert not sightings(b"nothing of the kind")


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """Everything that any logger says, at DEBUG."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    root, keep = logging.getLogger(), Keep(logging.NOTSET)
    levels = {
        name: logging.getLogger(name).level for name in ("", "asyncio", "evenhand", "httpx", "httpcore", "asyncpg")
    }
    for name in levels:
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.addHandler(keep)
    yield lines
    root.removeHandler(keep)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


async def everything(world: World, a: Estate, b: Estate) -> list[tuple[str, httpx.Response]]:
    """All that B, B's annotators and the operator can fetch, with their own ids and with A's."""
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    owner = await world.browser(b.customer.owner_email, b.customer.live)
    intruder = await world.browser(b.customer.owner_email, a.customer.live)
    ann, rev = await world.browser("birch.ann@people.example"), await world.browser("birch.rev@people.example")
    root = await world.browser("root@operator.example", a.customer.live)
    key = world.keyed(b.customer.live_key)
    names = {"token": "used_link", "project": "project", "batch": "batch", "task": "done_task", "asset": "asset",
             "handle": "handle", "callback": "callback", "person": "member", "key": "key", "question": "question",
             "deletion": "deletion", "wall": "wall", "org": "org", "grant": "grant", "ask": "ask",
             "session": "session", "passkey": "passkey", "domain": "domain", "feed": "feed", "receipt": "ask"}  # fmt: skip
    out: list[tuple[str, httpx.Response]] = []
    own, theirs = ids_of(b), ids_of(a)
    for route in ROUTES:
        for ids in (own, theirs):
            path = re.sub(r"\{(\w+)\}", lambda m, ids=ids: ids[names[m[1]]], route.path)
            queries = [{}]
            if route.path.startswith("/exports"):
                queries = [{"project": ids[p], "format": f} for p in ("project", "pictures") for f in FORMATS]
            if route.method == "GET":
                for query in queries:
                    for label, ask in (
                        ("owner", owner),
                        ("intruder", intruder),
                        ("ann", ann),
                        ("rev", rev),
                        ("root", root),
                    ):
                        out.append((f"{label} {path} {query}", await ask.get(path, params=query)))
                    out.append((f"key {path} {query}", await key.get(f"{PREFIX}{path}", params=query)))
            else:
                # errors speak too: bodies that are wrong in every way, and A's ids
                for body in (b"", b"{}", b"{", b'{"name":1}'):
                    reply = await key.request(route.method, f"{PREFIX}{path}", content=body)
                    if (route.method, route.path) != ("DELETE", "/session"):
                        out.append((f"key {route.method} {path}", reply))
    for cases in (CASES["customer"], CASES["person"]):
        for name, case in cases.items():
            if name in ("POST /members/invite", "POST /projects", "POST /access/domains"):
                continue
            for path, options in case(theirs, own):
                out.append((f"key {name}", await key.request(name.split(" ", 1)[0], f"{PREFIX}{path}", **options)))
                out.append((f"ann {name}", await ann.ask(name.split(" ", 1)[0], path, **options)))
    for role, browser in (("label", ann), ("review", rev)):
        out.append((f"next {role}", await browser.post("/work/next", {"want": 3, "role": role})))
    for path in ("/", "/healthz", "/studio/x", f"{PREFIX}/openapi.json", *b.links, *(f"{x[:-4]}AAAA" for x in a.links)):
        out.append((path, await world.client().get(path, headers={"host": "127.0.0.1:8080"})))
    return out


async def test_no_canary_comes_out(world: World, pg_server: TestServer, logged: list[str]) -> None:
    log = pg_server.server.log_file
    begin = log.stat().st_size if log.is_file() else 0
    a = await fill(world, "Acme", CANARY)
    b = await fill(world, "Birch", "OWLPELLET")
    # names of people are theirs and the operator knows them: they are no content of a customer
    await world.client().post(f"{PREFIX}/links/{a.tokens['link']}", json={"name": "New", "password": PASSWORD})
    # the same customer does see it: the search works, and the word is everywhere
    mine = world.keyed(a.customer.live_key)
    at_home = [f"/projects/{a.ids['project']}", f"/tasks/{a.ids['done_task']}", "/questions", "/callbacks", "/deliveries",
               "/keys", f"/assets/{a.ids['asset']}", f"/exports?project={a.ids['project']}",
               f"/projects/{a.ids['project']}/batches", f"/projects/{a.ids['project']}/versions", "/tasks"]  # fmt: skip
    for path in at_home:
        assert sightings((await mine.get(f"{PREFIX}{path}")).content), f"the canary is not in {path}"
    await provoke(world, a)
    seen: list[str] = []
    replies = await everything(world, a, b)
    assert len(replies) > 500
    for what, reply in replies:
        headers = b"\n".join(k + b": " + v for k, v in reply.headers.raw)
        seen += [f"{what} ({reply.status_code}): {s}" for s in sightings(reply.content + headers)]
        assert reply.status_code < 500 or reply.status_code in (502, 503), f"{what}: {reply.status_code} {reply.text}"
    assert not seen, "\n".join(seen)
    lines = "\n".join(logged).encode()
    assert len(logged) > 100 and not sightings(_own(lines)), sightings(_own(lines))[:3]
    told = log.read_bytes()[begin:] if log.is_file() else b""
    assert told, "PostgreSQL's log was read"
    assert not sightings(told), sightings(told)[:3]


def _own(lines: bytes) -> bytes:
    """What our program logged: the test's own client logs the addresses that it asks for."""
    return b"\n".join(line for line in lines.split(b"\n") if not line.startswith(b"HTTP Request:"))


async def provoke(world: World, a: Estate) -> None:
    """Errors with A's content in hand: checks that fail, keys that clash, jobs that break, statements that are wrong."""
    api = world.keyed(a.customer.live_key)
    for _ in range(2):
        await api.post(f"{PREFIX}/projects", json={"name": f"Project {CANARY}", "medium": "text"})
        await api.post(f"{PREFIX}/projects/{a.ids['project']}/batches", json={"name": f"Batch {CANARY}"})
        task = {"data": {"text": CANARY}, "unique_id": f"{CANARY}-0"}
        await api.post(f"{PREFIX}/projects/{a.ids['project']}/tasks", json=task)
    await api.get(f"{PREFIX}/tasks", params={"q": f"{CANARY}\0", "tag": f"{CANARY}\0"})
    await api.get(f"{PREFIX}/tasks", params={"cursor": f"{CANARY}\0"})
    await api.post(f"{PREFIX}/projects", json={"name": CANARY, "medium": CANARY})
    await api.post(f"{PREFIX}/projects/{a.ids['project']}/tasks/bulk", content=f'{{"data":{{"{CANARY}'.encode())
    async with world.db.connection("app") as conn:
        # a bug of ours: PostgreSQL refuses rows that hold the word, and says so in its log
        sealed = (await world.db.seal(a.customer.live)).shut({"note": CANARY}, At("note", "x"))
        for statement in (
            "insert into evenhand.project (org_id, project_id, name_mac, kind, medium, body)"
            " values ($1, 'x', '', 'native', 'none', $2)",
            "insert into evenhand.task (org_id, task_id, project_id, kind, state, body) values ($1, 'x', 'y', 'z', 'odd', $2)",
            "insert into evenhand.setting (org_id, name, body) values ($1, null, $2)",
            "select $1::text, $2::bytea, 1 / 0",
        ):
            for org in (a.customer.live, "nobody"):
                try:
                    async with world.db.tx(a.customer.live, SYSTEM) as tx:
                        await tx.conn.execute(statement, org, sealed)
                except Exception as err:
                    assert not isinstance(err, AssertionError)
        await conn.fetchval("select 1")


def test_nothing_of_a_body_is_in_a_trail() -> None:
    """Errors that quote content are told by kind and place only."""

    def broken() -> Any:
        raise ValueError(CANARY)

    try:
        broken()
    except ValueError as err:
        assert CANARY not in str(problem_of(err)) and CANARY not in _where(err)

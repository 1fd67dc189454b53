"""What a customer is told and how it is served does not depend on who else is here.

Told: the same work of A is played in two installations, one of them with a busy B, and every answer is compared byte by byte. Ids,
times, keys and tokens are drawn afresh in each, so the n-th one that appears takes the name of its kind and n: which are equal to
which, and where, is compared, and nothing is left out. Not asked is the evidence, and the archive of everything, which holds it:
its log is one for all and shows the size class of all customers' events together, by design.

Served: of the work time of people whom A shares with a B that is a hundred times larger, A gets its share less what the scheduler's
theorem allows it to be behind.
"""

import re
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.app.opening import key_service
from evenhand.features.assets import links
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.pure.fairness.bounds import Extent, lag_limit
from tests.conftest import KEYS, World, settings_for, world_of
from tests.laws.estate import Estate, answer, fill, people_of
from tests.laws.test_twin import ids_of
from tests.pg import TestServer

pytestmark = pytest.mark.anyio

_WITH_EVIDENCE = ("/trust/", "/archive")
_FRESH = re.compile(
    rb"(?P<time>\d{4}-\d\d-\d\d(?:T|%20| )\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)?)"
    rb"|(?P<secret>(?<=\"draft_key\":\")[A-Za-z0-9+/=]+)"
    rb"|(?P<key>(?:live|test|cb|whsec)_[A-Za-z0-9_-]{4,})"
    rb"|(?P<id>[0-9a-f]{24}(?=(?:[0-9a-f]{24})*(?![A-Za-z0-9_-])))"  # one, or several in a row
    rb"|(?P<token>(?<![A-Za-z0-9_-])(?![a-z_-]+(?![A-Za-z0-9_-]))[A-Za-z0-9_-]{22,}=*)"  # no word of many letters
    rb"|(?P<pseudonym>(?<=Worker )[0-9A-F]{4}(?:-[0-9A-F]{4}){3})|(?P<name>(?<=filename=\"evenhand-)[0-9a-f]{8})"
    # measured by the clock: how long somebody had the task on screen, and what is made of that
    rb"|(?P<seconds>(?<=\"(?:paid_s|median)\":)[0-9.e-]+|(?<=\"fresh_s\":)[0-9]+|(?<=\"seconds\":)[0-9][0-9.e-]*|(?<=\"(?:p90)\":)[0-9.e-]+"
    rb"|(?<=\"total\":)\d+\.\d{6,})"
)


def told(transcript: list[bytes]) -> list[bytes]:
    """The transcript with a stable name for each fresh value."""
    names: dict[bytes, bytes] = {}
    counts: dict[str, int] = {}

    def name(found: re.Match[bytes]) -> bytes:
        kind = str(found.lastgroup)
        if kind == "seconds":  # how long it took; two of them may be equal by chance
            return b"<seconds>"
        if found[0] not in names:
            counts[kind] = counts.get(kind, 0) + 1
            names[found[0]] = f"<{kind} {counts[kind]}>".encode()
        return names[found[0]]

    return [_FRESH.sub(name, entry) for entry in transcript]


def test_what_differs_is_seen() -> None:
    one, other = b"0123456789abcdef01234567", b"abcdefabcdefabcdefabcdef"
    assert told([one + b" " + other + b" " + one]) == told([other + b" " + one + b" " + other])
    assert told([one + b" " + one]) != told([one + b" " + other])
    assert told([b'{"open":3}']) != told([b'{"open":4}'])


@dataclass
class Played(World):
    """A world in which what A's clients are answered is written down; before each of their requests B does something."""

    transcript: list[bytes] = field(default_factory=list[bytes])
    busy: Any = None
    listening: bool = True

    def client(self, **options: Any) -> httpx.AsyncClient:
        made = super().client(**options)
        if self.listening:
            made.event_hooks = {"request": [self._meanwhile], "response": [self._write_down]}
        return made

    async def _meanwhile(self, _: httpx.Request) -> None:
        if self.busy is not None:
            await self.busy()

    async def _write_down(self, reply: httpx.Response) -> None:
        await reply.aread()
        asked = f"{reply.request.method} {reply.request.url.raw_path.decode()}\n".encode()
        headers = b"".join(
            k.lower() + b": " + v + b"\n" for k, v in sorted(reply.headers.raw) if k != b"content-length"
        )
        self.transcript.append(asked + f"{reply.status_code}\n".encode() + headers + reply.content)


class Busy:
    """B: imports, labels, exports, searches and makes mistakes, a piece at a time."""

    def __init__(self, world: World, b: Estate, annotator: Any) -> None:
        self._world, self._b, self._ann, self._turn = world, b, annotator, 0
        self._api = world.keyed(b.customer.live_key)
        self.did = 0

    async def __call__(self) -> None:
        self._turn += 1
        project = self._b.ids["project"]
        kind = self._turn % 5
        if kind == 0:
            lines = b"\n".join(b'{"data":{"text":"More of B"},"tags":["b"]}' for _ in range(30))
            reply = await self._api.post(f"{PREFIX}/projects/{project}/tasks/bulk", content=lines)
        elif kind == 1:
            reply = await self._ann.post("/work/next", {"want": 3})
            for lease in reply.json()["assignments"]:
                body = {"key": lease["handle"], "answer": answer("By B"), "seconds": 9}
                await self._ann.post(f"/work/{lease['handle']}/submit", body)
        elif kind == 2:
            reply = await self._api.get(f"{PREFIX}/exports", params={"project": project})
        elif kind == 3:
            reply = await self._api.get(f"{PREFIX}/tasks", params={"tag": "b", "q": "More"})
        else:
            reply = await self._api.post(f"{PREFIX}/projects", json={"name": f"B {self._turn}", "medium": "text"})
        assert reply.status_code == 200, reply.text
        self.did += 1


@pytest.fixture
async def other_world(pg_server: TestServer, template: str, tmp_path: Path) -> AsyncIterator[World]:
    """A second installation."""
    settings = settings_for(tmp_path / "other")
    settings.home.make()
    with pg_server.cloned(template) as urls:
        service = key_service(settings.home, KEYS)
        async with (
            Database(urls, KEYS, service, record, media_base=settings.media_url) as db,
            world_of(settings, db) as made,
        ):
            yield made


async def play(world: World, *, with_b: bool) -> list[bytes]:
    """The same work of A, and then every page that A's people and programs can read."""
    made = Played(world.services, world.app, world.clients, listening=False)
    if with_b:
        b = await fill(made, "Birch", "OWLPELLET")
        ann, _ = await people_of(made, "Birch")
        made.busy = Busy(made, b, ann)
    made.listening = True
    a = await fill(made, "Acme", "ALPHA")
    owner = await made.browser(a.customer.owner_email, a.customer.live)
    ann, rev = await people_of(made, "Acme")
    key = made.keyed(a.customer.live_key)
    names = {"token": "link", "project": "project", "batch": "batch", "task": "done_task", "asset": "asset",
             "handle": "handle", "callback": "callback", "person": "member", "key": "key", "question": "question"}  # fmt: skip
    ids = {**ids_of(a), "link": a.tokens["link"]}
    for route in ROUTES:
        if route.method != "GET" or route.path.startswith(_WITH_EVIDENCE):
            continue
        path = re.sub(r"\{(\w+)\}", lambda m: ids.get(names.get(m[1], m[1]), "nothing"), route.path)
        queries: list[dict[str, str]] = [{}]
        if route.path.startswith("/exports"):
            queries = [
                {"project": ids[p], "format": f} for p in ("project", "pictures") for f in ("jsonl", "coco", "csv")
            ]
        for query in queries:
            for browser in (owner, ann, rev):
                await browser.get(path, params=query)
            await key.get(f"{PREFIX}{path}", params=query)
    if with_b:
        assert made.busy.did > 100
    return made.transcript


@pytest.fixture
def one_round(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is linked again within ten minutes gets the same link: this round began half an hour ago and outlasts the test."""
    monkeypatch.setattr(links, "ROUND_S", int(time.time()) - links.LIFE_S // 2)


@pytest.mark.usefixtures("one_round")
async def test_every_answer_is_the_same_with_and_without_a_rival(world: World, other_world: World) -> None:
    alone, beside = told(await play(world, with_b=False)), told(await play(other_world, with_b=True))
    assert len(alone) > 180 and sum(b"\n200\n" in entry for entry in alone) > 110
    differ = [
        (one[:60], one[at - 100 : at + 60], other[at - 100 : at + 60])
        for one, other in zip(alone, beside, strict=True)
        if one != other
        for at in [next((n for n, (x, y) in enumerate(zip(one, other, strict=False)) if x != y), 100)]
    ]
    assert differ == [], "\n".join(map(str, differ))


SMALL, TIMES, PEOPLE, PIECE_S = 24, 100, 3, 30


async def test_a_small_customer_gets_its_share_beside_one_a_hundred_times_larger(world: World) -> None:
    """Both have the same contract, so half of the time of those who serve both is A's for as long as it has work."""
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    people = [f"shared{n}@people.example" for n in range(PEOPLE)]
    for email in people:
        await world.worker(email, acme.live, birch.live, shared=True)
    # the large one has four projects: who asks with more of them gets no more
    for customer, count in (*[(birch, SMALL * TIMES // 4)] * 4, (acme, SMALL)):
        api = world.keyed(customer.live_key)
        body = {"name": f"Work {new_id()}", "medium": "text", "ontology": {"fields": [{"key": "n", "type": "number"}]}}
        project = (await api.post(f"{PREFIX}/projects", json=body)).json()["id"]
        lines = "\n".join(f'{{"data":{{"text":"{n}"}}}}' for n in range(count))
        made = await api.post(f"{PREFIX}/projects/{project}/tasks/bulk", content=lines)
        assert made.json()["created"] == count, made.text
    await world.drain()
    browsers = [await world.browser(email) for email in people]
    served_ms = {acme.live: 0, birch.live: 0}
    done = {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}
    # while pieces are in work the account may be wrong by what they were expected to take and what they took
    one = Extent(1, PIECE_S * 1000, 2 * PEOPLE * PIECE_S * 1000)
    limit_ms = lag_limit(one, one, 1)
    while served_ms[acme.live] < SMALL * PIECE_S * 1000:
        for browser in browsers:
            reply = (await browser.post("/work/next", {"want": 1})).json()
            for lease in reply["assignments"]:
                served_ms[lease["handle"][:24]] += PIECE_S * 1000
                sent = {"key": lease["handle"], "answer": done, "seconds": PIECE_S}
                assert (await browser.post(f"/work/{lease['handle']}/submit", sent)).status_code == 200
        await world.drain()
        behind_ms = served_ms[birch.live] - served_ms[acme.live]
        assert behind_ms <= limit_ms, f"A is {behind_ms / 1000:.0f} s behind, and may be {limit_ms / 1000:.0f} s"
    assert 2 * SMALL * PIECE_S * 1000 - limit_ms <= sum(served_ms.values()) <= 2 * SMALL * PIECE_S * 1000 + limit_ms

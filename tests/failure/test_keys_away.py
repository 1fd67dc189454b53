"""A customer's key service dies or hangs while everybody works. Its reads fail in plain words within the life of a key, nobody else
waits or is refused, nothing acknowledged is lost, and all goes on by itself when the service is back."""

import asyncio
import contextlib
import io
import shutil
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import httpx
import pytest

from evenhand.app.opening import database, services
from evenhand.features.people import actions as people
from evenhand.features.trust.turns import Keeper
from evenhand.pure.log.bundle import Bundle
from evenhand.pure.log.checks import Question, verify
from evenhand.pure.log.notes import VerifierKey
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.report import OK
from tests.failure.running import PASSWORD, PREFIX, Cast, Running, free_port, patiently, seed
from tests.infra.kms.doubles import Aws, Double, Vault, serving
from tests.places import short_folder

LIFE_S = 8.0
SLOW_S = 5.0  # what a request that waits for the silent service would take is ten
TASKS = 300
FILE = bytes(range(256)) * 65_536  # 16 MB: more than sockets hold for a reader that stops
ONTOLOGY = {"fields": [{"key": "n", "type": "number"}]}
ANSWER = {"annotations": [{"id": "a", "kind": "rating", "field": "n", "value": 1}]}
SHARED = "shared@people.example"


class Brief(Running):
    """What a key service opened is kept for seconds."""

    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "EVENHAND_KEY_LIFE": f"{LIFE_S:.0f}"}


@pytest.fixture(scope="module")
def brief() -> Iterator[Brief]:
    folder = short_folder("ev-keys-")
    made = Brief(folder, free_port())
    made.start()
    yield made
    made.end()
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Service:
    """A key service and how it is hurt: `dies`: nobody listens; `hangs`: takes every question and says nothing."""

    double: Double
    chosen: dict[str, str]
    how: str
    running: contextlib.ExitStack
    answers: threading.Event

    def hurt(self) -> None:
        if self.how == "dies":
            self.running.close()
            return

        def silent() -> tuple[int, bytes]:
            self.answers.wait(60)
            return 503, b"{}"

        self.answers.clear()
        self.double.broken = silent

    def mend(self) -> None:
        if self.how == "dies":
            self.running.enter_context(serving(self.double, port=int(self.double.url.rpartition(":")[2])))
            return
        self.double.broken = None
        self.answers.set()


@pytest.fixture(params=["vault hangs", "aws dies"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    kind, how = request.param.split()
    double: Vault | Aws = Vault("hvs.token") if kind == "vault" else Aws("AKID", "s" * 40, region="eu-central-1")
    double.make("acme")
    with contextlib.ExitStack() as running:
        running.enter_context(serving(double))
        opens = {"token": "hvs.token"} if kind == "vault" else {
            "region": "eu-central-1", "access_key": "AKID", "secret_key": "s" * 40
        }  # fmt: skip
        chosen = {"kind": kind, "key_id": "acme", "address": double.url, **opens}
        made = Service(double, chosen, how, running, threading.Event())
        yield made
        made.answers.set()


class Customer:
    """A customer's program, and an annotator of its own."""

    def __init__(self, brief: Brief, name: str, cast: Cast, held: contextlib.ExitStack) -> None:
        self.cast, self.running = cast, brief
        key = {"authorization": f"Bearer {cast.key}"}
        self.api = held.enter_context(httpx.Client(base_url=brief.url + PREFIX, headers=key, timeout=30))
        body = {"name": name, "medium": "text", "ontology": ONTOLOGY}
        made = self.api.post("/projects", json=body)
        assert made.status_code == 200, made.text
        self.project = made.json()["id"]
        lines = "\n".join(f'{{"data":{{"text":"{name} {n}"}}}}' for n in range(TASKS))
        assert self.api.post(f"/projects/{self.project}/tasks/bulk", content=lines).json()["created"] == TASKS
        self.ann = sign_in(brief, cast.emails[0], held)

    def answers(self) -> dict[str, int]:
        rows = self.running.rows(
            "select assignment_id, count(*) from evenhand.answer where org_id = %s and origin = 'label' group by 1",
            self.cast.org,
        )
        return dict(rows)


def sign_in(running: Running, email: str, held: contextlib.ExitStack) -> httpx.Client:
    client = held.enter_context(httpx.Client(base_url=running.url + PREFIX, timeout=30))
    reply = client.post("/session", json={"email": email, "password": PASSWORD})
    assert reply.status_code == 200, reply.text
    client.headers["x-evenhand-csrf"] = reply.json()["csrf"]
    return client


def lease(ann: httpx.Client) -> dict[str, Any] | None:
    reply = ann.post("/work/next", json={"want": 1})
    assert reply.status_code == 200, reply.text
    return next(iter(reply.json()["assignments"]), None)


def submit(ann: httpx.Client, one: dict[str, Any]) -> httpx.Response:
    return ann.post(f"/work/{one['handle']}/submit", json={"key": one["handle"], "seconds": 1, "answer": ANSWER})


@dataclass
class Others:
    """Another customer that reads and exports, its annotator, and one that is shared: everything of theirs goes on meanwhile."""

    birch: Customer
    shared: httpx.Client
    slowest: float = 0.0
    last: float = 0.0

    def now_and_then(self) -> None:
        if time.monotonic() - self.last > 0.3:
            self.go()

    def go(self) -> None:
        for act in (self._read, self._export, self._own, self._shared):
            begun = time.monotonic()
            act()
            self.slowest = max(self.slowest, time.monotonic() - begun)
        self.last = time.monotonic()

    def _read(self) -> None:
        assert self.birch.api.get("/projects").status_code == 200

    def _export(self) -> None:
        reply = self.birch.api.get("/exports", params={"project": self.birch.project, "format": "jsonl"})
        assert reply.status_code == 200 and len(reply.text.splitlines()) == TASKS

    def _own(self) -> None:
        self._work(self.birch.ann)

    def _shared(self) -> None:
        self._work(self.shared)

    def _work(self, ann: httpx.Client) -> None:
        one = lease(ann)
        assert one is not None, "there is work of Birch's for everybody"
        reply = submit(ann, one)
        assert reply.status_code == 200 or one["data"]["text"].startswith("Acme"), reply.text


def both(brief: Brief, team: str, held: contextlib.ExitStack) -> tuple[Customer, Customer, httpx.Client]:
    acme = seed(brief, 1, name=f"Acme, {team}", team=f"{team}-a")
    birch = seed(brief, 1, name=f"Birch, {team}", team=f"{team}-b")

    async def share(email: str) -> None:
        async with services(brief.settings, *opened, connections=2) as s:
            person = await people.add_person(s.db, email, "Shared", PASSWORD)
            for org in (acme.org, birch.org):
                await people.add_member(s.db, org, person, "annotator", shared=True)

    email = f"{team}.{SHARED}"
    with database(brief.settings) as opened:
        asyncio.run(share(email))
    return Customer(brief, "Acme", acme, held), Customer(brief, "Birch", birch, held), sign_in(brief, email, held)


def test_a_key_service_is_away_and_comes_back(brief: Brief, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")  # as the server is told
    with contextlib.ExitStack() as held:
        away_and_back(brief, service, held)


def away_and_back(brief: Brief, service: Service, held: contextlib.ExitStack) -> None:
    acme, birch, shared = both(brief, service.how, held)
    assert acme.api.put("/encryption/service", json=service.chosen).status_code == 200
    link = acme.api.post("/assets", files={"file": ("big.bin", FILE, "application/octet-stream")}).json()["url"]
    mine = [patiently(lambda: lease(acme.ann), 20, "seats were given") for _ in range(2)]
    seen = {patiently(lambda: lease(shared), 20, "seats were given")["data"]["text"].split()[0] for _ in range(2)}
    assert seen == {"Acme", "Birch"}, "somebody works for both"
    assert submit(acme.ann, mine[0]).status_code == 200
    others = Others(birch, shared)

    with httpx.stream("GET", link, timeout=30) as media:
        pieces = media.iter_raw(65_536)
        first = next(pieces)
        service.hurt()
        begun = time.monotonic()

        def refused() -> bool:
            others.now_and_then()
            return acme.api.get("/projects").status_code != 200

        patiently(refused, LIFE_S + 25, "its reads end")
        while time.monotonic() < begun + LIFE_S + 1:  # in every process
            others.go()
        # a stream that was under way ends as well, and does not look whole
        with pytest.raises(httpx.HTTPError):
            read = len(first) + sum(map(len, pieces))
            assert read == len(FILE)

    refusals = [
        acme.api.get("/projects"),
        submit(acme.ann, mine[1]),
        acme.ann.post("/work/next", json={"want": 1}),
        acme.api.get("/exports", params={"project": acme.project, "format": "jsonl"}),
        acme.api.post(f"/projects/{acme.project}/tasks", json={"data": {"text": "more"}}),
        httpx.get(link, timeout=30),
    ]
    for reply in refusals:
        assert (reply.status_code, reply.json()["code"]) == (502, "key_service_down"), reply.text
        assert reply.json()["detail"].startswith("The key service") and "Nothing is lost" in reply.json()["hint"]
    for _ in range(3):
        others.go()
    sign_in(brief, f"{service.how}.{SHARED}", held)
    assert others.slowest < SLOW_S, f"somebody else waited {others.slowest:.1f} s"
    asyncio.run(end_batches(brief))
    assert told(brief, acme) < told(brief, birch)

    service.mend()
    patiently(lambda: acme.api.get("/projects").status_code == 200, 30, "it is read again")
    patiently(lambda: submit(acme.ann, mine[1]).status_code == 200, 30, "the answer is taken")
    acknowledged = {one["handle"][24:] for one in mine}
    given = acme.answers()
    assert acknowledged <= given.keys() and set(given.values()) == {1}
    whole = acme.api.get("/exports", params={"project": acme.project, "format": "jsonl"})
    assert whole.status_code == 200 and len(whole.text.splitlines()) == TASKS
    patiently(lambda: httpx.get(link, timeout=30).content == FILE, 30, "the file is read again")
    patiently(lambda: lease(acme.ann) is not None, 30, "work is handed out again")
    others.go()
    asyncio.run(end_batches(brief))
    same = "told of the turns that were sealed while its keys were away as well"
    patiently(lambda: told(brief, acme) == told(brief, birch) > 0, 20, same)
    with ThreadPoolExecutor() as pool:  # each waits for the end of an epoch
        assert all(pool.map(partial(complete, brief), (acme, birch)))
    brief.rows("update evenhand.job set run_at = now() where state = 'ready' returning 1")  # a minute later
    left = "select kind, state from evenhand.job where org_id = %s and state <> 'done'"
    patiently(lambda: not brief.rows(left, acme.cast.org), 20, "every job is done")
    assert [line for line in brief.log.splitlines() if "a bug" in line or "Traceback" in line] == []


async def end_batches(brief: Brief) -> None:
    """The scheduler ends a batch of ties every ten minutes, and tells of it."""
    with database(brief.settings) as opened:
        async with services(brief.settings, *opened, connections=2) as s:
            keeper = Keeper(s.db)
            await keeper.tick(close=True)
            await keeper.tick(close=True)


def told(brief: Brief, customer: Customer) -> int:
    of = "select count(*) from evenhand.fact where org_id = %s and kind = 'TurnsSealed'"
    return brief.rows(of, customer.cast.org)[0][0]


def complete(brief: Brief, customer: Customer) -> bool:
    """Whether its evidence has everything."""
    raw = customer.api.get("/trust/bundle", timeout=60)
    assert raw.status_code == 200, raw.text
    key = VerifierKey.parse(httpx.get(f"{brief.url}/log/key").text.strip())
    report = verify(Bundle(io.BytesIO(raw.content)), Question(key, Policy.parse(f"log {key}\nquorum none\n".encode())))
    assert report.exit == 0 and report.checks["decisions"].status == OK, report.as_text()
    return True

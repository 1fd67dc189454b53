"""The two-tenant twin: whatever B asks with A's ids is answered as if A did not exist. Same status, same body, and the
same statements in the same order. Every route of the table has a case here; a new one without a case fails."""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from evenhand.app.http.openapi import document
from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX
from evenhand.infra.ids import new_id
from tests.conftest import Browser, World
from tests.laws.estate import Estate, answer, fill

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nobody_numbers")]
Ids = dict[str, str]
Ask = tuple[str, dict[str, Any]]  # path, options of the request
Case = Callable[[Ids, Ids], list[Ask]]  # (the ids asked for, B's own) -> requests


def at(path: str, **options: Any) -> Ask:
    return path, options


def on(path: str, *names: str, **options: Any) -> Case:
    """One request for each name of an id that fits into `{}`."""
    return lambda a, _: [at(path.format(a[name]), **options) for name in names]


def nowhere(_: Ids, __: Ids) -> list[Ask]:
    """Takes no id: only the space itself could be A's, and that is asked of every customer route."""
    return []


_VERDICT = {"verdict": {"decision": "accept"}, "key": "k"}
_HANDLES = ("handle", "submitted_handle", "skipped_handle", "review_handle")
_TASKS = ("task_3", "done_task", "rejected_task", "picture_task")
CUSTOMER: dict[str, Case] = {
    "GET /projects": lambda a, _: [at("/projects", params={"cursor": "0" * 24})],
    "POST /projects": lambda _, b: [at("/projects", json={"name": f"Copy {b['n']}", "medium": "text"})],
    "GET /projects/{project}": on("/projects/{}", "project"),
    "PATCH /projects/{project}": on("/projects/{}", "project", json={"name": "Mine"}),
    "GET /projects/{project}/versions": on("/projects/{}/versions", "project"),
    "GET /projects/{project}/progress": on("/projects/{}/progress", "project"),
    "GET /projects/{project}/quality": on("/projects/{}/quality", "project"),
    "PATCH /projects/{project}/quality": on("/projects/{}/quality", "project", json={"pass_mark": 0.5}),
    "POST /projects/{project}/quality/again": lambda a, b: [
        at(f"/projects/{a['project']}/quality/again", json={"person": a["member"], "because": "why"}),
        at(f"/projects/{b['project']}/quality/again", json={"person": a["member"], "because": "why"}),
    ],
    "POST /projects/{project}/quality/tasks": lambda a, b: [
        at(f"/projects/{a['project']}/quality/tasks", json={"task": a["done_task"], "purpose": "training"}),
        at(f"/projects/{b['project']}/quality/tasks", json={"task": a["done_task"], "purpose": "training"}),
    ],
    "GET /projects/{project}/views": on("/projects/{}/views", "project"),
    "PATCH /projects/{project}/views": on(
        "/projects/{}/views", "project", json={"name": "Mine", "query": "state=done"}
    ),
    "GET /projects/{project}/pilot": on("/projects/{}/pilot", "project"),
    "POST /projects/{project}/pilot/next": on("/projects/{}/pilot/next", "project"),
    "POST /projects/{project}/pilot/go": on("/projects/{}/pilot/go", "project"),
    "GET /projects/{project}/seats": on("/projects/{}/seats", "project"),
    "PUT /projects/{project}/seats": lambda a, b: [
        at(f"/projects/{a['project']}/seats", json={"items": []}),
        at(f"/projects/{b['project']}/seats", json={"items": [{"person": a["member"], "role": "label"}]}),
    ],
    "GET /projects/{project}/batches": on("/projects/{}/batches", "project"),
    "POST /projects/{project}/batches": on("/projects/{}/batches", "project", json={"name": "Mine"}),
    "GET /batches/{batch}": on("/batches/{}", "batch", "staged"),
    "PATCH /batches/{batch}": on("/batches/{}", "batch", json={"priority": 3}),
    "POST /batches/{batch}/finalize": on("/batches/{}/finalize", "staged"),
    "POST /batches/{batch}/pause": on("/batches/{}/pause", "batch"),
    "POST /batches/{batch}/resume": on("/batches/{}/resume", "batch"),
    "POST /batches/{batch}/cancel": on("/batches/{}/cancel", "batch"),
    "POST /projects/{project}/tasks": lambda a, b: [
        at(f"/projects/{a['project']}/tasks", json={"data": {"text": "x"}}),
        at(f"/projects/{b['project']}/tasks", json={"data": {"text": "x"}, "batch": a["batch"]}),
        at(f"/projects/{b['pictures']}/tasks", json={"data": {"asset": a["asset"]}}),
    ],
    "POST /projects/{project}/tasks/bulk": lambda a, b: [
        at(f"/projects/{a['project']}/tasks/bulk", content=b'{"data":{"text":"x"}}'),
        at(f"/projects/{b['project']}/tasks/bulk", params={"batch": a["batch"]}, content=b'{"data":{"text":"x"}}'),
        at(f"/projects/{b['pictures']}/tasks/bulk", content=f'{{"data":{{"asset":"{a["asset"]}"}}}}'.encode()),
    ],
    "POST /projects/{project}/tasks/exported": lambda a, b: [
        at(f"/projects/{a['project']}/tasks/exported", content=b'{"data":{"medium":"text","text":"x"},"state":"open"}'),
        at(
            f"/projects/{b['pictures']}/tasks/exported",
            content=f'{{"data":{{"medium":"image","image":{{"asset":"{a["asset"]}"}}}},"state":"done"}}'.encode(),
        ),
    ],
    "GET /tasks": lambda a, _: [
        at("/tasks", params={"project": a["project"]}),
        at("/tasks", params={"batch": a["batch"]}),
        at("/tasks", params={"person": a["member"]}),
        at("/tasks", params={"q": a["done_task"]}),
        at("/tasks", params={"q": f"id:{a['unique']}"}),
        at("/tasks", params={"project": a["project"], "skip": 1}),
    ],
    "POST /tasks/requeue": lambda a, b: [
        at("/tasks/requeue", json={"project": a["project"], "person": a["member"]}),
        at("/tasks/requeue", json={"project": b["project"], "person": a["member"]}),
    ],
    "GET /tasks/{task}": on("/tasks/{}", *_TASKS),
    "GET /tasks/{task}/history": on("/tasks/{}/history", *_TASKS),
    "POST /tasks/{task}/cancel": on("/tasks/{}/cancel", *_TASKS),
    "POST /tasks/{task}/requeue": on("/tasks/{}/requeue", *_TASKS, json={}),
    "POST /tasks/{task}/audit": lambda a, b: [
        *on("/tasks/{}/audit", *_TASKS, json={"decision": "accept"})(a, b),
        at(f"/tasks/{a['done_task']}/audit", json={"decision": "fix", "answer": answer()}),
    ],
    "POST /assets": nowhere,
    "GET /assets/{asset}": on("/assets/{}", "asset"),
    "GET /callbacks": lambda a, _: [at("/callbacks", params={"task": a["done_task"]})],
    "POST /callbacks/{callback}/replay": on("/callbacks/{}/replay", "callback"),
    "GET /settings/callbacks": nowhere,
    "GET /exports": lambda a, b: [
        at("/exports", params={"project": a["project"]}),
        at("/exports", params={"project": a["project"], "format": "coco"}),
        at("/exports", params={"project": b["project"], "batch": a["batch"]}),
        at("/exports", params={"project": b["project"], "delivery": a["delivery"]}),
    ],
    "GET /exports/report": lambda a, b: [
        at("/exports/report", params={"project": a["project"]}),
        at("/exports/report", params={"project": b["project"], "batch": a["batch"]}),
        at("/exports/report", params={"project": b["project"], "delivery": a["delivery"]}),
    ],
    "GET /deliveries": lambda a, _: [at("/deliveries", params={"project": a["project"]})],
    "POST /deliveries": lambda a, _: [at("/deliveries", json={"project": a["project"]})],
    "GET /members": nowhere,
    # the address of A's owner gets the same reply as one that nobody has
    "POST /members/invite": lambda a, _: [at("/members/invite", json={"email": a["email"], "role": "viewer"})],
    "PATCH /members/{person}": on("/members/{}", "member", "owner", json={"role": "viewer"}),
    "DELETE /members/{person}": on("/members/{}", "member", "owner"),
    "GET /keys": nowhere,
    "POST /keys": nowhere,
    "DELETE /keys/{key}": on("/keys/{}", "key"),
    "GET /questions": lambda a, _: [at("/questions", params={"project": a["project"]})],
    "POST /questions/{question}/answer": on("/questions/{}/answer", "question", json={"text": "Mine"}),
    "GET /access": nowhere,
    "PUT /access/provider": nowhere,
    "DELETE /access/provider": nowhere,
    "POST /access/domains": lambda a, _: [at("/access/domains", json={"domain": a["domain"]})],
    "POST /access/domains/{domain}/verify": on("/access/domains/{}/verify", "domain"),
    "DELETE /access/domains/{domain}": on("/access/domains/{}", "domain"),
    "PUT /access/networks": nowhere,
    "GET /sessions": nowhere,
    "DELETE /sessions/{session}": on("/sessions/{}", "session"),
    "GET /audit": nowhere,
    "GET /trust/bundle": nowhere,
    "GET /trust/status": nowhere,
    "GET /trust/feeds": nowhere,
    "POST /trust/feeds": nowhere,
    "PATCH /trust/feeds/{feed}": on("/trust/feeds/{}", "feed", json={"on": False}),
    "DELETE /trust/feeds/{feed}": on("/trust/feeds/{}", "feed"),
    "GET /contract": nowhere,
    "GET /encryption": nowhere,
    "POST /encryption/check": nowhere,
    "PUT /encryption/service": nowhere,
    "POST /encryption/rotate": lambda a, _: [
        at("/encryption/rotate", json={"level": "project", "project": a["project"]}),
    ],
    "GET /projects/{project}/data": on("/projects/{}/data", "project"),
    "PUT /projects/{project}/retention": on("/projects/{}/retention", "project", json={"done_days": 1}),
    "PUT /projects/{project}/hold": on("/projects/{}/hold", "project", json={"reason": "Case 7"}),
    "DELETE /projects/{project}/hold": on("/projects/{}/hold", "project"),
    "POST /projects/{project}/delete": lambda a, _: [
        at(f"/projects/{a['project']}/delete", json={"confirm": f"Project {a['unique'][:-2]}"}),
    ],
    "GET /deletions/{deletion}": on("/deletions/{}", "deletion"),
    "GET /org": nowhere,
    "GET /org/data": nowhere,
    "GET /archive": nowhere,
    "POST /archive": nowhere,
    "POST /org/leave": nowhere,
    "PUT /org/hold": nowhere,
    "DELETE /org/hold": nowhere,
    "GET /support": nowhere,
    "POST /support/grants": lambda a, _: [
        at("/support/grants", json={"staff": a["owner"], "minutes": 5}),
        at("/support/grants", json={"staff": a["owner"], "minutes": 5, "project": a["project"]}),
    ],
    "DELETE /support/grants/{grant}": on("/support/grants/{}", "grant"),
    "GET /leavers": nowhere,
    "GET /people/{person}/report": on("/people/{}/report", "member", "owner"),
    "GET /walls": nowhere,
    "GET /settings/media": nowhere,
    "PUT /settings/media": nowhere,
    "PUT /walls": lambda a, _: [at("/walls", json={"name": a["org"], "cool_off_days": 9})],
    "DELETE /walls/{wall}": on("/walls/{}", "wall"),
}
PERSON: dict[str, Case] = {
    "POST /work/next": nowhere,
    "POST /work/heartbeat": lambda a, _: [at("/work/heartbeat", json={"handles": [a[h] for h in _HANDLES]})],
    "POST /work/release": lambda a, _: [at("/work/release", json={"handles": [a["handle"]]})],
    "GET /work/inbox": nowhere,
    "GET /work/summary": nowhere,
    "GET /work/projects/{project}/instructions": lambda a, _: [
        at(f"/work/projects/{a['project']}/instructions"),
        at(f"/work/projects/{a['project']}/instructions", headers={"evenhand-org": a["org"]}),
    ],
    "GET /work/{handle}": on("/work/{}", *_HANDLES),
    "PUT /work/{handle}/draft": on("/work/{}/draft", *_HANDLES, json={"version": 9, "body": {}}),
    "POST /work/{handle}/submit": lambda a, b: [
        *on("/work/{}/submit", *_HANDLES, json={"key": "k0", "answer": answer(), "seconds": 1})(a, b),
        *on("/work/{}/submit", *_HANDLES, json=_VERDICT)(a, b),
    ],
    "POST /work/{handle}/skip": on("/work/{}/skip", *_HANDLES, json={"reason": "other"}),
    "POST /work/{handle}/recall": on("/work/{}/recall", *_HANDLES),
    "POST /work/{handle}/question": on("/work/{}/question", *_HANDLES, json={"text": "What is it?"}),
    "DELETE /session": nowhere,
    "GET /me/security": nowhere,
    "GET /me/fresh": nowhere,
    "DELETE /me/app": nowhere,
    "POST /me/recovery": nowhere,
    "POST /me/prove": nowhere,
    "POST /me/prove/passkey": nowhere,
    "PATCH /me/passkeys/{passkey}": on("/me/passkeys/{}", "passkey", json={"name": "Mine"}),
    "DELETE /me/passkeys/{passkey}": on("/me/passkeys/{}", "passkey"),
    "DELETE /me/sessions/{session}": on("/me/sessions/{}", "session"),
    "DELETE /me/sessions": nowhere,
}
PUBLIC: dict[str, Case] = {
    "GET /session": nowhere,
    "GET /rate-card": nowhere,
    "GET /neutrality": nowhere,
    "GET /neutrality/days": nowhere,
    "GET /session/ways": nowhere,
    "POST /me/app": nowhere,
    "POST /me/app/confirm": nowhere,
    "POST /me/password": nowhere,
    "POST /me/passkeys": nowhere,
    "POST /me/passkeys/confirm": nowhere,
    "POST /session/passkey": nowhere,
    "POST /session/passkey/confirm": nowhere,
    "POST /session/provider": nowhere,  # by mail domain, which an organisation has shown to be its own
    "POST /session": lambda a, _: [at("/session", json={"email": a["email"], "password": "not the password"})],
    # whoever holds a link may use it; one that was used is like one that never was
    "GET /links/{token}": on("/links/{}", "used_link"),
    # a receipt is found by the ids in it, and opened by what nobody else has
    "GET /leaving/{receipt}": lambda a, _: [at(f"/leaving/{a['org']}{a['deletion']}{'x' * 43}")],
    "GET /leaving/{receipt}/evidence": lambda a, _: [at(f"/leaving/{a['org']}{a['deletion']}{'x' * 43}/evidence")],
    "POST /links/{token}": on("/links/{}", "used_link", json={"password": "long enough a password", "name": "X"}),
}
OPERATOR: dict[str, Case] = {
    "GET /operator/overview": nowhere,
    "POST /operator/people/invite": lambda a, _: [
        at("/operator/people/invite", json={"email": "x@y.example", "role": "annotator", "orgs": [a["org"]]})
    ],
    "GET /operator/access": nowhere,
    "POST /operator/break-glass": lambda a, _: [
        at("/operator/break-glass", json={"org": a["org"], "minutes": 5, "reason": "a reason of some length"})
    ],
    "POST /operator/break-glass/{ask}/confirm": on("/operator/break-glass/{}/confirm", "ask"),
    "POST /operator/people/leave": lambda a, _: [at("/operator/people/leave", json={"person": a["member"]})],
    "POST /operator/directors": lambda a, _: [at("/operator/directors", json={"email": a["email"]})],
    "GET /operator/kept-off": nowhere,
    "POST /operator/interests": lambda a, _: [at("/operator/interests", json={"person": a["member"], "org": a["org"]})],
    "POST /operator/conflict-groups": lambda a, _: [
        at("/operator/conflict-groups", json={"org": a["org"], "group": "telecoms"})
    ],
    "POST /operator/rate-card": nowhere,
    "GET /operator/contracts": nowhere,
    "GET /operator/contracts/{org}": on("/operator/contracts/{}", "org"),
    "PUT /operator/contracts/{org}": on("/operator/contracts/{}", "org", json={"price_class": "double"}),
    "POST /operator/people/reset": lambda a, _: [at("/operator/people/reset", json={"email": a["email"]})],
    "GET /operator/people/{person}/sessions": on("/operator/people/{}/sessions", "owner"),
    "DELETE /operator/people/{person}/sessions": on("/operator/people/{}/sessions", "owner"),
}
DIRECTOR: dict[str, Case] = {"GET /director/figures": nowhere}
CASES = {"director": DIRECTOR, "customer": CUSTOMER, "person": PERSON, "public": PUBLIC, "operator": OPERATOR}
_TOKEN = re.compile(r"'[^']*\.[0-9a-f]{64}'")
_FRESH = re.compile(r'"(link|expires_at)":"[^"]*"')


def test_every_route_has_a_case() -> None:
    for who, cases in CASES.items():
        mine = {f"{r.method} {r.path}" for r in ROUTES if r.who == who}
        assert mine == set(cases), f"routes without a case, or cases without a route, for {who}"
    paths: dict[str, Any] = document(ROUTES, PREFIX)["paths"]
    told = {f"{method.upper()} {path.removeprefix(PREFIX)}" for path, methods in paths.items() for method in methods}
    assert told == {name for cases in CASES.values() for name in cases}, "the document and the table differ"


@dataclass
class Recorder:
    """The statements of every connection, in order."""

    seen: list[str] = field(default_factory=list[str])

    def install(self, world: World) -> None:
        inner = world.db.connection

        def keep(record: Any) -> None:
            self.seen.append(_TOKEN.sub("'token'", record.query))

        @asynccontextmanager
        async def recorded(role: Any) -> AsyncGenerator[Any]:
            async with inner(role) as conn:
                conn.add_query_logger(keep)
                try:
                    yield conn
                finally:
                    await asyncio.sleep(0)  # the driver tells its loggers in the loop's next round
                    conn.remove_query_logger(keep)

        world.db.connection = recorded  # type: ignore[method-assign]

    def take(self) -> list[str]:
        seen, self.seen = self.seen, []
        return seen


def made_up(real: Ids) -> Ids:
    """Ids of the same forms that nobody has; handles into one space, as A's are."""
    out: Ids = {}
    space = new_id()
    for name, value in real.items():
        if "@" in value:
            out[name] = f"{new_id()}@nobody.example"
        elif name == "used_link":
            out[name] = (new_id() + new_id())[: len(value)]
        elif name == "unique":
            out[name] = f"{new_id()}-0"
        elif value.startswith("scaledata://"):
            out[name] = f"scaledata://{space}/{new_id()}"
        elif value.endswith(".example"):
            out[name] = f"d{new_id()}.example"
        elif len(value) == 48:
            out[name] = space + new_id()
        else:
            out[name] = new_id()
    return out


def masked(reply: httpx.Response, ids: Ids) -> tuple[int, str, str]:
    """The reply with nothing but the ids of the question taken out."""
    text = reply.text
    for value in sorted(ids.values(), key=len, reverse=True):
        text = text.replace(value, "<id>")
    return reply.status_code, reply.headers.get("content-type", ""), text


def ids_of(estate: Estate) -> Ids:
    spaces = {"org": estate.customer.live, "email": estate.customer.owner_email, "unique": f"{estate.mark}-0"}
    return {**estate.ids, **spaces, "used_link": estate.tokens["link"]}


async def statements_of(send: Any, ask: Ask, recorder: Recorder, ids: Ids) -> tuple[tuple[int, str, str], list[str]]:
    recorder.take()
    reply = await send(ask)
    return masked(reply, ids), recorder.take()


async def compare(cases: dict[str, Case], send: Any, a: Ids, b: Ids, recorder: Recorder) -> list[str]:
    """Sentences about what differs between A's ids and made-up ones."""
    out: list[str] = []
    for name, case in cases.items():
        method = name.split(" ", 1)[0]
        for n in range(len(case(a, b))):
            strangers, again = made_up(a), made_up(a)
            # once to warm what is cached by process, then the two that are compared
            await send(method, case(strangers, b)[n])
            theirs = await statements_of(lambda ask, m=method: send(m, ask), case(a, b)[n], recorder, a)
            nobodys = await statements_of(lambda ask, m=method: send(m, ask), case(again, b)[n], recorder, again)
            if theirs[0] != nobodys[0]:
                out.append(f"{name} #{n} answers {theirs[0]}\n   and for nobody's {nobodys[0]}")
            elif theirs[1] != nobodys[1]:
                out.append(f"{name} #{n} runs {theirs[1]}\n   and for nobody's {nobodys[1]}")
            if not nobodys[1]:
                out.append(f"{name} #{n} asked the database nothing")
    return out


@pytest.fixture
async def twins(world: World) -> tuple[Estate, Estate]:
    a = await fill(world, "Acme", "ALPHA")
    b = await fill(world, "Birch", "BETA")
    await world.client().post(
        f"/api/v1/links/{a.tokens['link']}", json={"name": "New One", "password": "another good password"}
    )
    return a, b


async def test_the_rival_is_nobody(world: World, twins: tuple[Estate, Estate]) -> None:
    a, b = ids_of(twins[0]), {**twins[1].ids, "n": "1"}
    recorder = Recorder()
    recorder.install(world)
    key = world.keyed(twins[1].customer.live_key)
    worker = await world.browser("birch.ann@people.example")
    reviewer = await world.browser("birch.rev@people.example")
    owner = await world.browser(twins[1].customer.owner_email, twins[1].customer.live)

    async def by_key(method: str, ask: Ask) -> httpx.Response:
        return await key.request(method, f"{PREFIX}{ask[0]}", **ask[1])

    def by(browser: Browser) -> Any:
        async def send(method: str, ask: Ask) -> httpx.Response:
            return await browser.ask(method, ask[0], **ask[1])

        return send

    async def by_nobody(method: str, ask: Ask) -> httpx.Response:
        return await world.client().request(method, f"{PREFIX}{ask[0]}", **ask[1])

    asked = {**CUSTOMER, "POST /projects": nowhere, "POST /members/invite": nowhere, "POST /access/domains": nowhere}
    faults = await compare(asked, by_key, a, b, recorder)
    faults += await compare(asked, by(owner), a, b, recorder)
    for browser in (worker, reviewer, owner):
        faults += await compare(PERSON, by(browser), a, b, recorder)
    faults += await compare(OPERATOR, by(owner), a, b, recorder)
    faults += await compare(PUBLIC, by_nobody, a, b, recorder)
    assert not faults, "\n".join(faults)


async def test_the_rivals_space_is_no_space(world: World, twins: tuple[Estate, Estate]) -> None:
    """Every customer route with A's space in Evenhand-Org, from people of B and from people of no space."""
    a, b = ids_of(twins[0]), ids_of(twins[1])
    recorder = Recorder()
    recorder.install(world)
    owner = await world.browser(twins[1].customer.owner_email)
    faults: list[str] = []
    for name in CUSTOMER:
        method, path = name.split(" ", 1)
        path = re.sub(r"\{(\w+)\}", lambda m: a.get(m[1], a["done_task"]), path)
        replies: list[Any] = []
        for space in (a["org"], new_id(), twins[0].customer.test, "nonsense", b["org"][:-1]):
            recorder.take()
            reply = await owner.ask(method, path, headers={"evenhand-org": space}, content=b"{}")
            # what has not the form of an id is told apart without asking
            replies.append(((reply.status_code, reply.text), recorder.take() if len(space) == 24 else replies[0][1]))
        if any(reply != replies[0] for reply in replies):
            faults.append(f"{name}: {replies}")
        if replies[0][0][0] != 404:
            faults.append(f"{name}: {replies[0][0]}")
    assert not faults, "\n".join(faults)


async def test_names_taken_by_the_rival_are_free(world: World, twins: tuple[Estate, Estate]) -> None:
    """Unique names, unique ids, reference ids and import keys belong to one space."""
    a, b = twins
    api = world.keyed(b.customer.live_key)
    project = await api.post("/api/v1/projects", json={"name": f"Project {a.mark}", "medium": "text"})
    assert project.status_code == 200, project.text
    batch = await api.post(f"/api/v1/projects/{b.ids['project']}/batches", json={"name": f"Batch {a.mark}"})
    assert batch.status_code == 200, batch.text
    task = {"data": {"text": "x"}, "unique_id": f"{a.mark}-0"}
    assert (await api.post(f"/api/v1/projects/{b.ids['project']}/tasks", json=task)).status_code == 200
    files = {"file": ("x.txt", b"words", "text/plain")}
    kept = await api.post("/api/v1/assets", files=files, data={"reference_id": f"ref {a.mark}"})
    assert kept.status_code == 200, kept.text


async def test_an_invitation_tells_nothing_of_the_rival(world: World, twins: tuple[Estate, Estate]) -> None:
    """B invites A's owner: the reply, the list of members and the link know no more than B typed."""
    a, b = twins
    api = world.keyed(b.customer.live_key)
    for email in (a.customer.owner_email, "nobody.knows@people.example"):
        made = await api.post("/api/v1/members/invite", json={"email": email, "role": "viewer"})
        assert made.status_code == 200, made.text
        assert _FRESH.sub('"x":"x"', made.text) == '{"x":"x","x":"x"}'
        member = next(m for m in (await api.get("/api/v1/members")).json()["items"] if m["email"] == email)
        assert (member["name"], member["state"]) == (email.split("@")[0], "invited")
        told = (await world.client().get(f"/api/v1/links/{made.json()['link'].rsplit('/', 1)[-1]}")).json()
        assert (told["email"], told["org_name"]) == (email, b.customer.name)

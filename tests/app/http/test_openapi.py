"""The OpenAPI document against the real server: schemathesis makes requests from it, and what people have written is sent as well;
the replies must be as it says."""

import asyncio
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

import anyio.to_thread
import httpx
import jsonschema_rs
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import load_all_checks, not_a_server_error

from bench.support.announced import Announced
from evenhand.app import worker
from evenhand.app.http.openapi import document
from evenhand.app.http.routes import ROUTES
from evenhand.app.http.server import PREFIX, build
from evenhand.app.opening import key_service
from evenhand.app.services import Services
from evenhand.app.settings import Settings
from evenhand.app.transparency import the_log
from evenhand.features.grants.figures import set_director
from evenhand.features.people import actions as people
from evenhand.features.trust import sequencer
from evenhand.infra.db import Database
from evenhand.infra.facts import record
from evenhand.infra.objects import Objects
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import KEYS, PASSWORD, World
from tests.laws.estate import fill
from tests.laws.test_twin import CASES, Ask, Ids, at, ids_of

pytestmark = pytest.mark.anyio
load_all_checks()
_WANTED = ("status_code_conformance", "content_type_conformance", "response_schema_conformance")
CHECKS = [not_a_server_error, *schemathesis.checks.CHECKS.get_by_names(_WANTED)]
#: path parameter -> which id of the estate
REAL = {"project": "project", "batch": "batch", "task": "done_task", "asset": "asset", "handle": "handle", "key": "key",
        "callback": "callback", "person": "member", "question": "question", "token": "used_link",
        "deletion": "deletion", "wall": "wall", "org": "org", "grant": "grant", "ask": "ask",
        "session": "session", "passkey": "passkey", "domain": "domain", "feed": "feed",
        "receipt": "ask"}  # fmt: skip
#: what each operation has answered so far
SEEN: dict[str, Counter[int]] = {}
#: requests that are right, where those of the twin's table are not meant to be
RIGHT: dict[str, list[Ask]] = {
    "POST /session": [at("/session", json={"email": "acme.ann@people.example", "password": PASSWORD})],
    "POST /support/grants": [at("/support/grants", json={"staff": "Helper", "minutes": 5})],
    "POST /members/invite": [at("/members/invite", json={"email": "one.more@people.example", "role": "viewer"})],
    "POST /trust/feeds": [at("/trust/feeds", json={"url": "https://siem.example/more"})],
}
LAST = {
    ("POST", "/projects/{project}/delete"): 1,
    ("DELETE", "/operator/people/{person}/sessions"): 3,
    ("DELETE", "/session"): 2,
    ("DELETE", "/members/{person}"): 1,
    ("DELETE", "/keys/{key}"): 1,
}
_LOUD = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large, HealthCheck.large_base_example,
         HealthCheck.function_scoped_fixture]  # fmt: skip


@dataclass
class Visitor:
    """How somebody is known: headers that go with every request."""

    headers: dict[str, str]


@contextmanager
def serving(settings_: Settings, urls: DatabaseUrls) -> Iterator[str]:
    """The application on a port of its own, in a thread with a loop and pools of its own."""

    @asynccontextmanager
    async def opened() -> Any:
        stop = asyncio.Event()
        async with Database(urls, KEYS, key_service(settings_.home, KEYS), record) as db:
            numbering = asyncio.create_task(sequencer.run(db, the_log(settings_, KEYS), stop, batch_s=0.2))
            yield Services(settings_, db, Objects(settings_.home.objects))
            stop.set()
            await numbering

    made = socket.socket()
    made.bind(("127.0.0.1", settings_.port))
    config = uvicorn.Config(build(settings_, opened, lambda _: []), lifespan="on", log_config=None, http="httptools")
    server = Announced(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[made])), daemon=True)
    thread.start()
    url = f"http://localhost:{settings_.port}"
    try:
        assert server.begun.wait(15) and server.started
        yield url
    finally:
        server.should_exit = True
        thread.join(10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signed_in(url: str, email: str, org: str = "") -> Visitor:
    reply = httpx.post(f"{url}{PREFIX}/session", json={"email": email, "password": PASSWORD})
    cookie = "; ".join(f"{name}={value}" for name, value in reply.cookies.items())
    headers = {"cookie": cookie, "x-evenhand-csrf": reply.json()["csrf"]}
    return Visitor({**headers, **({"evenhand-org": org} if org else {})})


async def test_replies_are_as_the_document_says(world: World, urls: DatabaseUrls) -> None:
    worker.listen()
    estate = await fill(world, "Acme", "ALPHA")
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    await people.add_person(world.db, "dina@operator.example", "Dina", PASSWORD)
    await set_director(world.db, "dina@operator.example")
    ids = ids_of(estate)
    port = free_port()
    there = replace(world.services.settings, port=port, public_url=f"http://localhost:{port}")

    def run() -> list[str]:
        with serving(there, urls) as url, httpx.Client(timeout=30) as client:
            visitors = {
                "customer": Visitor({"authorization": f"Bearer {estate.customer.live_key}"}),
                "person": signed_in(url, "acme.ann@people.example"),
                "operator": signed_in(url, "root@operator.example"),
                "director": signed_in(url, "dina@operator.example"),
                "public": Visitor({}),
            }
            spec = httpx.get(f"{url}{PREFIX}/openapi.json").json()
            schema: Any = schemathesis.openapi.from_dict(spec)
            faults: list[str] = []
            routes = sorted(ROUTES, key=lambda r: LAST.get((r.method, r.path), 0))
            for route in routes:
                operation = schema[f"{PREFIX}{route.path}"][route.method]
                visitor = visitors["person" if route.name == "GET /session" else route.who]
                for ask in [*CASES[route.who][route.name](ids, {**ids, "n": "1"}), *RIGHT.get(route.name, [])]:
                    faults += send(client, f"{url}{PREFIX}", operation, visitor, ids, ask)
                for mode, known in ((GenerationMode.POSITIVE, True), (GenerationMode.NEGATIVE, True),
                                    (GenerationMode.POSITIVE, False)):  # fmt: skip
                    faults += try_operation(url, operation, visitor, ids if known else None, mode)
            return faults

    faults = await anyio.to_thread.run_sync(run)
    assert not faults, "\n\n".join(faults)
    good = {label for label, statuses in SEEN.items() if statuses[200]}
    assert len(SEEN) == len(ROUTES) and len(good) > len(ROUTES) * 0.72, f"no good reply from {set(SEEN) - good}"


def send(client: httpx.Client, url: str, operation: Any, visitor: Visitor, ids: Ids, ask: Ask) -> list[str]:
    """Sentences about the reply to a request that somebody has written."""
    label, (path, options) = f"{operation.method.upper()} {operation.path}", ask
    given: dict[str, Any] = {**options, "headers": {**options.get("headers", {}), **visitor.headers}}
    reply = client.request(operation.method.upper(), f"{url}{path}", **given)
    client.cookies.clear()
    SEEN.setdefault(label, Counter())[reply.status_code] += 1
    named = {name: ids[REAL[name]] for name in re.findall(r"{(\w+)}", operation.path)}
    try:
        operation.Case(path_parameters=named).validate_response(reply, checks=CHECKS)
    except BaseExceptionGroup as err:
        return [f"{label} {path}: {str(one)[:1500]}" for one in err.exceptions]
    return []


def try_operation(
    url: str, operation: Any, visitor: Visitor, ids: dict[str, str] | None, mode: GenerationMode
) -> list[str]:
    """Sentences about replies that are not as the document says. With ids, what is asked for exists."""
    faults: list[str] = []
    label = f"{operation.method.upper()} {operation.path}"
    try:
        strategy = operation.as_strategy(generation_mode=mode)
    except Exception as err:  # nothing can be wrong with an operation that takes nothing
        assert mode is GenerationMode.NEGATIVE, f"{label}: {err}"
        return []

    @seed(7)
    @settings(max_examples=4, deadline=None, database=None, phases=[Phase.generate], suppress_health_check=_LOUD)
    @given(case=strategy)
    def attempt(case: Any) -> None:
        if ids is not None:
            for name in case.path_parameters or {}:
                case.path_parameters[name] = ids[REAL[name]]
        headers = {k: v for k, v in (case.headers or {}).items() if k.lower() == "idempotency-key"}
        case.headers.clear()
        case.headers.update({**headers, **visitor.headers})
        case.cookies.clear()
        reply = case.call(base_url=url)
        SEEN.setdefault(label, Counter())[reply.status_code] += 1
        case.validate_response(reply, checks=CHECKS)

    try:
        attempt()
    except Unsatisfiable:  # nothing can be wrong with an operation that takes nothing
        assert mode is GenerationMode.NEGATIVE, label
    except BaseExceptionGroup as err:
        faults += [f"{label} ({mode.name.lower()}): {str(one)[:1500]}" for one in err.exceptions]
    except Exception as err:
        faults.append(f"{label} ({mode.name.lower()}): {type(err).__name__} {str(err)[:1500]}")
    return faults


# --- the document itself


def spec() -> dict[str, Any]:
    return document(ROUTES, PREFIX, "evenhand_8080")


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(m, p, op) for p, methods in spec()["paths"].items() for m, op in methods.items()]


async def test_operations_have_names_summaries_and_errors() -> None:
    names = [op["operationId"] for _, _, op in operations()]
    assert len(set(names)) == len(names) == len(ROUTES)
    for method, path, op in operations():
        assert op["summary"] and not op["summary"].endswith("."), f"{method} {path}"
        assert {"400", "401", "404", "503"} <= set(op["responses"])
        for status, reply in op["responses"].items():
            if status not in ("200", "304"):
                assert set(reply["content"]) == {"application/problem+json"}


async def test_every_reference_leads_somewhere() -> None:
    whole = spec()
    found: set[str] = set()

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                found.add(node["$ref"])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(whole)
    schemas = {f"#/components/schemas/{name}" for name in whole["components"]["schemas"]}
    assert found <= schemas, found - schemas
    for name, schema in whole["components"]["schemas"].items():
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
        assert name.isidentifier(), name


async def test_the_document_is_served_as_it_is_made(world: World) -> None:
    reply = await world.client().get(f"{PREFIX}/openapi.json")
    assert reply.headers["content-type"] == "application/json"
    cookie = world.services.settings.cookie
    assert reply.json() == document(ROUTES, PREFIX, cookie)
    assert reply.json()["components"]["securitySchemes"]["session"]["name"] == cookie

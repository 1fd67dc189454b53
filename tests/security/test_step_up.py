"""What asks a person for a proof of the last minutes, route by route, and why. A route that changes something and stands in
neither table fails: whoever adds one decides.

What takes access away, or ends something that runs, asks for nothing: that is done in a hurry. So does what is done all day."""

import re
from typing import Any

import psycopg
import pytest

from evenhand.app.http.routes import ROUTES, Route
from evenhand.features.people import actions as people
from evenhand.infra.postgres import roles
from tests.conftest import PASSWORD, Browser, World
from tests.pg import TestServer

pytestmark = pytest.mark.anyio

#: why it asks -> the routes
ASKS: dict[str, set[str]] = {
    "data leaves": {
        "GET /exports", "GET /exports/report", "POST /archive", "GET /archive", "POST /trust/feeds",
    },
    "it shows what signs or opens something": {"GET /settings/callbacks", "POST /keys", "POST /me/recovery"},
    "an API key ends": {"DELETE /keys/{key}"},
    "it changes who holds the key over all keys, or the keys under it": {
        "PUT /encryption/service", "POST /encryption/rotate",
    },
    "it changes who gets in, or how": {
        "POST /members/invite", "PATCH /members/{person}", "DELETE /members/{person}", "DELETE /me/app",
        "DELETE /me/passkeys/{passkey}", "PUT /access/provider", "DELETE /access/provider", "POST /access/domains",
        "POST /access/domains/{domain}/verify", "DELETE /access/domains/{domain}", "PUT /access/networks",
        "POST /operator/people/invite", "POST /operator/people/reset", "POST /operator/people/leave", "POST /operator/directors",
    },
    "somebody of the operator's comes to read": {
        "POST /support/grants", "POST /operator/break-glass", "POST /operator/break-glass/{ask}/confirm",
    },
    "a wall between people is changed": {
        "PUT /walls", "DELETE /walls/{wall}", "POST /operator/interests", "POST /operator/conflict-groups",
    },
    "what was agreed with customers is changed": {"POST /operator/rate-card", "PUT /operator/contracts/{org}"},
    "data is deleted for good, or what keeps it from that": {
        "POST /projects/{project}/delete", "PUT /projects/{project}/retention", "PUT /projects/{project}/hold",
        "DELETE /projects/{project}/hold", "PUT /org/hold", "DELETE /org/hold", "POST /org/leave",
    },
    "pictures may go out without their viewers' names": {"PUT /settings/media"},
    "it says whether the proof is fresh": {"GET /me/fresh"},
}  # fmt: skip
#: why it does not ask -> the routes
GOES: dict[str, set[str]] = {
    "it is the proof, or the way in": {
        "POST /session", "POST /session/passkey", "POST /session/passkey/confirm", "POST /session/provider", "POST /links/{token}",
        "POST /me/prove", "POST /me/prove/passkey",
    },
    "its handler asks, unless it makes the first factor": {
        "POST /me/app", "POST /me/app/confirm", "POST /me/password", "POST /me/passkeys", "POST /me/passkeys/confirm",
    },
    "it only takes access away": {
        "DELETE /session", "DELETE /me/sessions/{session}", "DELETE /me/sessions", "DELETE /sessions/{session}",
        "DELETE /operator/people/{person}/sessions", "DELETE /support/grants/{grant}", "DELETE /trust/feeds/{feed}",
    },
    "it tries the key that is in use, and changes nothing": {"POST /encryption/check"},
    "a name": {"PATCH /me/passkeys/{passkey}"},
    "a feed whose address was given with a proof": {"PATCH /trust/feeds/{feed}"},
    "annotators' work": {
        "POST /work/next", "POST /work/heartbeat", "POST /work/release", "PUT /work/{handle}/draft", "POST /work/{handle}/submit",
        "POST /work/{handle}/skip", "POST /work/{handle}/recall", "POST /work/{handle}/question",
    },
    "a customer's daily work, inside its own space, by people who were let in with a proof": {
        "POST /projects", "PATCH /projects/{project}", "POST /projects/{project}/pilot/next", "POST /projects/{project}/pilot/go",
        "PUT /projects/{project}/seats", "PATCH /projects/{project}/views", "POST /projects/{project}/batches",
        "PATCH /batches/{batch}", "POST /batches/{batch}/finalize", "POST /batches/{batch}/pause", "POST /batches/{batch}/resume",
        "POST /batches/{batch}/cancel", "POST /projects/{project}/tasks", "POST /projects/{project}/tasks/bulk",
        "POST /projects/{project}/tasks/exported",
        "POST /tasks/requeue", "POST /tasks/{task}/cancel", "POST /tasks/{task}/requeue", "POST /tasks/{task}/audit",
        "POST /assets", "POST /questions/{question}/answer", "PATCH /projects/{project}/quality",
        "POST /projects/{project}/quality/tasks", "POST /projects/{project}/quality/again",
    },
    "it goes to an address that the project has": {"POST /callbacks/{callback}/replay"},
    "it is kept here; fetching it asks": {"POST /deliveries"},
    "files of events, which hold acts and ids and no content": {"GET /trust/bundle"},
    "whoever has the receipt may have it": {"GET /leaving/{receipt}/evidence"},
}  # fmt: skip


def decided(route: Route) -> bool:
    """Whether a route has to stand in a table: it changes something, or hands out a file, or has the mark."""
    return route.method != "GET" or route.fresh or route.media != "application/json"


def test_every_changing_route_is_decided() -> None:
    asks, goes = set[str]().union(*ASKS.values()), set[str]().union(*GOES.values())
    assert len(asks) + len(goes) == sum(map(len, (*ASKS.values(), *GOES.values()))), "each once"
    assert asks | goes == {route.name for route in ROUTES if decided(route)}
    assert asks == {route.name for route in ROUTES if route.fresh}


@pytest.fixture
def aged(pg_server: TestServer, world: World) -> Any:
    """Makes the proofs of all sessions old."""
    database = roles.connection_info(world.db._urls.owner)["dbname"]  # type: ignore[attr-defined]
    with psycopg.connect(pg_server.admin_url_of(database), autocommit=True) as conn:
        yield lambda: conn.execute("update evenhand.session set proved_at = now() - interval '11 minutes'")


async def test_an_old_proof_opens_none_of_them(world: World, aged: Any) -> None:
    """Nothing is looked at before the proof is: made-up ids and empty bodies are enough to be refused for it."""
    acme = await world.customer("Acme")
    await people.add_person(world.db, "root@operator.example", "Root", PASSWORD, operator=True)
    owner, root = await world.browser(acme.owner_email, acme.live), await world.browser("root@operator.example")
    aged()

    async def said(browser: Browser, route: Route) -> tuple[int, str]:
        path = re.sub(r"\{\w+\}", "0" * 24, route.path)
        reply = await browser.ask(route.method, path, **({} if route.method == "GET" else {"json": {}}))
        refused = reply.headers["content-type"] == "application/problem+json"
        return reply.status_code, reply.json()["code"] if refused else ""

    for route in ROUTES:
        if route.fresh:
            assert await said(root if route.who == "operator" else owner, route) == (403, "prove"), route.name
    assert (await owner.get("/projects")).status_code == 200, "the rest goes on"
    assert (await owner.ask("DELETE", f"/support/grants/{'0' * 24}")).status_code == 404, (
        "ending access is never held up"
    )
    key = await world.keyed(acme.live_key).post("/api/v1/encryption/rotate", json={"level": "project"})
    assert key.status_code == 200, "a key has scopes instead"
    assert (await owner.post("/me/prove", {"password": PASSWORD})).status_code == 200
    turned = await owner.post("/encryption/rotate", {"level": "project"})
    assert turned.status_code == 200, turned.text

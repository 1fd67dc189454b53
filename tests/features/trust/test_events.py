"""Every act of the list is an event: each is done for real, and its event is found in the customer's log and evidence."""

import io
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from evenhand.app.gateway import Gateway
from evenhand.app.opening import key_service
from evenhand.app.transparency import software, the_log
from evenhand.features.assets.links import LIFE_S
from evenhand.features.assets.viewings import close_ended
from evenhand.features.contracts import agreements, cards
from evenhand.features.contracts.types import NewCard, PriceClass, Terms
from evenhand.features.people import actions as people
from evenhand.features.trust import sequencer
from evenhand.features.trust.turns import Keeper
from evenhand.infra.access import commitment
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import person_alias, record
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.log.bundle import Bundle
from tests.authenticator import add_passkey
from tests.conftest import KEYS, PASSWORD, Browser, World
from tests.features.trust.test_log import bundle_of, end_epoch, faults, log_in
from tests.features.trust.test_log import checked as check
from tests.laws.estate import Estate, fill, picture
from tests.laws.test_access import facts_of

pytestmark = pytest.mark.anyio
REASON = "The export of last night is empty."


class Scene:
    """A customer with something of everything, its owner, and somebody of the operator's."""

    def __init__(self, world: World, urls: DatabaseUrls, estate: Estate, owner: Browser, root: Browser) -> None:
        self.world, self.urls, self.estate, self.owner, self.root = world, urls, estate, owner, root
        self.org, self.ids = estate.customer.live, estate.ids
        self.api = world.keyed(estate.customer.live_key)

    async def ask(self, method: str, path: str, **options: Any) -> Any:
        reply = await self.api.request(method, f"/api/v1{path}", **options)
        assert reply.status_code == 200, f"{method} {path}: {reply.text}"
        return reply.json() if "json" in reply.headers["content-type"] else reply.content

    async def owned(self, method: str, path: str, **options: Any) -> Any:
        reply = await self.owner.ask(method, path, **options)
        assert reply.status_code == 200, f"{method} {path}: {reply.text}"
        return reply

    async def alias(self, person: str) -> str:
        return person_alias(await self.world.db.seal(self.org), person)


#: what an act must have left: of each kind of event, one that says at least this
Expected = list[tuple[str, dict[str, Any]]]


async def reading(on: Scene) -> Expected:
    await on.ask("GET", f"/tasks/{on.ids['done_task']}")
    page = await on.ask("GET", "/tasks")
    ids = [task["id"] for task in page["items"]]
    return [("TaskViewed", {}), ("ContentShown", {"count": len(ids), "objects": commitment(ids)})]


async def media(on: Scene) -> Expected:
    key = await people.create_key(on.world.db, on.org, "live")  # links of one key are one page
    upload = {"file": ("new.jpg", picture(), "image/jpeg")}
    shown = (await on.world.keyed(key.key).post("/api/v1/assets", files=upload)).json()
    gate = Gateway(on.world.services)
    assert await (await gate.open(shown["url"].rsplit("/", 1)[-1])).read(0, 4)
    await gate.close()
    await close_ended(on.world.db, late_s=-2 * LIFE_S)
    return [("MediaIssued", {"count": 1}), ("MediaClosed", {"ranges": 1})]


async def deciding(on: Scene) -> Expected:
    rival = await on.world.customer("Zenith")
    for key in (on.estate.customer.live_key, rival.live_key):
        api = on.world.keyed(key)
        made = await api.post("/api/v1/projects", json={"name": "Shared", "medium": "none", "ontology": _FIELD})
        on.ids.setdefault("shared", made.json()["id"])
        assert (await api.post(f"/api/v1/projects/{made.json()['id']}/tasks", json={"data": {}})).status_code == 200
    await on.world.worker("pool@people.example", on.org, rival.live, shared=True)
    await on.world.drain()
    both = await on.world.browser("pool@people.example")
    for _ in range(6):  # other classes of work take their turns as well
        for given in (await both.post("/work/next", {"want": 1})).json()["assignments"]:
            sent = {"key": "k", "answer": {"annotations": [_NOTE]}, "seconds": 1}
            assert (await both.post(f"/work/{given['handle']}/submit", sent)).status_code == 200
    await Keeper(on.world.db).tick(close=True)
    return [("FlowEnrolled", {"batch": 1}), ("TaskLeased", {}), ("TurnsSealed", {"batch": 1, "won": 1})]


async def membership(on: Scene) -> Expected:
    """Somebody joins, and the job that follows gives seats; then they leave."""
    person = await on.world.worker("pat@people.example", on.org)
    await on.world.drain()
    await on.owned("DELETE", f"/members/{await on.alias(person)}")
    await on.world.drain()
    who = await on.alias(person)
    return [
        ("MemberJoined", {"role": "annotator"}), ("SeatsChanged", {"added": 1, "joined": [who]}),
        ("MemberRemoved", {}), ("SeatsChanged", {"removed": 1, "left": [who]}),
    ]  # fmt: skip


async def making_a_project(on: Scene) -> Expected:
    """Everybody of the pool gets a seat in it at once."""
    await on.ask("POST", "/projects", json={"name": "Open to all", "medium": "text", "rate": "9 an hour"})
    return [("ProjectCreated", {"rate": commitment(["9 an hour"])}), ("SeatsChanged", {"removed": 0})]


async def inviting(on: Scene) -> Expected:
    await on.owned("POST", "/members/invite", json={"email": "eve@people.example", "role": "viewer"})
    return [("MemberInvited", {"role": "viewer"})]


async def by_hand(on: Scene) -> Expected:
    seat = {"person": on.ids["member"], "role": "label"}
    await on.owned("PUT", f"/projects/{on.ids['pictures']}/seats", json={"items": []})
    await on.owned("PUT", f"/projects/{on.ids['pictures']}/seats", json={"items": [seat]})
    return [("SeatsChanged", {"added": 0, "removed": 3}), ("SeatsChanged", {"joined": [on.ids["member"]]})]


async def priorities(on: Scene) -> Expected:
    project = on.ids["project"]
    await on.ask("PATCH", f"/batches/{on.ids['batch']}", json={"priority": 12})
    await on.ask("POST", f"/projects/{project}/batches", json={"name": "Soon", "priority": 13})
    await on.ask("POST", f"/projects/{project}/tasks", json={"data": {"text": "x"}, "priority": 14})
    lines = b'{"data":{"text":"a"},"priority":15}\n{"data":{"text":"b"}}\n{"data":{"text":"c"},"priority":15}'
    await on.ask("POST", f"/projects/{project}/tasks/bulk", content=lines)
    async with on.world.db.tx(on.org, SYSTEM) as tx:
        rows = await tx.conn.fetch(
            "select task_id, priority from evenhand.task where org_id = $1 order by task_id desc limit 3", on.org
        )
    objects = commitment(f"{row['task_id']} {row['priority']}" for row in rows)
    return [
        ("BatchPrioritized", {"priority": 12}), ("BatchCreated", {"priority": 13}), ("TaskCreated", {"priority": 14}),
        ("TasksImported", {"priorities": {"15": 2, "0": 1}, "objects": objects}),
    ]  # fmt: skip


async def prices(on: Scene) -> Expected:
    await agreements.set_contract(on.world.db, "Acme", Terms("double", 400, "answers within a day"))
    classes = [PriceClass(name, weight, 1000) for name, weight in (("standard", 1), ("double", 2), ("fourfold", 4))]
    await cards.publish_card(on.world.db, NewCard(classes, "double", datetime.now(UTC) + timedelta(hours=25)))
    await on.ask("PATCH", f"/projects/{on.ids['project']}", json={"rate": "12 an hour"})
    return [
        ("ContractSet", {"price_class": "double"}), ("RateCardPublished", {}),
        ("ProjectChanged", {"changed": ["rate"], "rate": commitment(["12 an hour"])}),
    ]  # fmt: skip


async def permissions(on: Scene) -> Expected:
    await on.owned("PATCH", f"/members/{on.ids['member']}", json={"role": "reviewer"})
    made = (await on.owned("POST", "/keys", json={"name": "Robot", "scopes": ["read"]})).json()
    await on.owned("DELETE", f"/keys/{made['id']}")
    return [("MemberRoleChanged", {"role": "reviewer"}), ("KeyCreated", {"scopes": ["read"]}), ("KeyRevoked", {})]


async def keys(on: Scene) -> Expected:
    """A process that starts opens the customer's key, and its owner changes it."""
    home = on.world.services.settings.home
    async with Database(on.urls, KEYS, key_service(home, KEYS), record) as other, other.tx(on.org, SYSTEM) as tx:
        assert tx.seal is not None
    await on.owned("POST", "/encryption/rotate", json={"level": "organisation"})
    return [("KeyUnwrapped", {}), ("KeyRotated", {})]


async def leaving_the_house(on: Scene) -> Expected:
    await on.owned("GET", "/exports", params={"project": on.ids["project"], "format": "jsonl"})
    await on.ask("POST", "/deliveries", json={"project": on.ids["shared"], "name": "Second"})
    return [("Exported", {}), ("Delivered", {})]


async def support(on: Scene) -> Expected:
    given = await on.owned("POST", "/support/grants", json={"staff": "Robin", "minutes": 30, "reason": REASON})
    path = f"/projects/{on.ids['project']}"
    assert (await on.root.get(path)).status_code == 200
    await on.owned("DELETE", f"/support/grants/{given.json()['grants'][0]['id']}")
    await on.ask("POST", f"/questions/{on.ids['question']}/answer", json={"text": "Again: yes"})
    return [
        ("SupportGranted", {"reason": REASON}), ("SupportUsed", {"staff": "Robin", "looked_at": f"/api/v1{path}"}),
        ("SupportEnded", {}), ("QuestionAnswered", {}),
    ]  # fmt: skip


async def break_glass(on: Scene) -> Expected:
    await people.add_person(on.world.db, "sam@operator.example", "Sam", PASSWORD, operator=True)
    second = await on.world.browser("sam@operator.example")
    asked = await on.root.post("/operator/break-glass", {"org": "Acme", "minutes": 30, "reason": REASON})
    ask = asked.json()["asks"][0]["id"]
    assert (await second.post(f"/operator/break-glass/{ask}/confirm")).status_code == 200
    return [("BreakGlassAsked", {"reason": REASON}), ("BreakGlassOpened", {"staff": "Robin", "second": "Sam"})]


_NOTE = {"id": "n", "kind": "text", "field": "note", "text": "fine"}
_FIELD = {"classes": [], "attributes": [], "fields": [{"key": "note", "type": "text"}]}
ACTS: dict[str, Callable[[Scene], Awaitable[Expected]]] = {
    "access to customer data": reading,
    "a media link": media,
    "an assignment decision": deciding,
    "pool membership": membership,
    "a project that is open to the pool": making_a_project,
    "invitation": inviting,
    "hand assignment": by_hand,
    "priority": priorities,
    "price": prices,
    "permission": permissions,
    "key use": keys,
    "export and delivery": leaving_the_house,
    "support answer": support,
    "break-glass": break_glass,
}


async def test_every_act_of_the_list_is_an_event(world: World, urls: DatabaseUrls) -> None:
    estate = await fill(world, "Acme", "ALPHA")
    owner = await world.browser(estate.customer.owner_email, estate.customer.live)
    await people.add_person(world.db, "robin@operator.example", "Robin", PASSWORD, operator=True)
    root = await world.browser("robin@operator.example", estate.customer.live)
    await add_passkey(root)
    scene = Scene(world, urls, estate, owner, root)
    missing: list[str] = []
    for name, act in ACTS.items():
        before = len(await facts_of(world, scene.org))
        expected = await act(scene)
        left = (await facts_of(world, scene.org))[before:]
        for kind, says in expected:
            if not any(kind == found and says.items() <= data.items() for found, data in left):
                missing.append(f"{name}: {kind} {says}; there are {[one for one in left if one[0] == kind] or left}")
    assert missing == [], "\n".join(missing)

    this = the_log(world.services.settings, KEYS)
    await end_epoch(world, this)
    raw = await bundle_of(world, this, scene.org)
    assert faults(check(raw, this)) == []
    told = [event.kind for event in Bundle(io.BytesIO(raw)).events()][1:]
    assert sorted(told) == sorted(kind for kind, _ in await facts_of(world, scene.org)), "each has its place in the log"


async def test_the_software_that_runs_is_in_the_log(world: World, tmp_path: Path) -> None:
    """Hashes of the program and of the pages stand in the record that ends an epoch, which every customer gets alike."""
    this = log_in(tmp_path)
    this.public.update(software())
    await sequencer.announce(world.db, this)
    assert await sequencer.tick(world.db, this)
    await sequencer.announce(world.db, this)
    async with world.db.narrow("sequencer") as door:
        rows = await door.conn.fetch("select record from evenhand.log_epoch")
    assert len(rows) == 1, "told once, as long as it is the same"
    for name in ("version", "program", "pages"):
        assert f'"{name}":"{software()[name]}"'.encode() in rows[0]["record"]

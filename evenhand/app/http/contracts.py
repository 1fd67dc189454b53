"""The public rate card, and what was agreed with a customer."""

from datetime import datetime
from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.contracts import agreements, cards, walls
from evenhand.features.contracts.types import Contracts, NewCard, RateCard, RateCards, Terms
from evenhand.features.contracts.walls import KeptOff, NewWall, Walls
from evenhand.features.people import actions as people
from evenhand.infra.db import Tx


class OrgContract(msgspec.Struct, frozen=True):
    """What holds for one customer, as the operator's list shows it."""

    org: str
    version: int
    price_class: str
    weight: int
    capacity_h: int | None
    from_at: datetime
    until_at: datetime | None


class OrgContracts(msgspec.Struct, frozen=True):
    items: list[OrgContract]


@route("GET", "/rate-card", who="public", reply=RateCards, tx=False)
async def rate_card(call: Call) -> Any:
    """The price classes that are open to all, now and to come"""
    return await cards.rate_cards(call.db)


@route("GET", "/contract", reply=Contracts)
async def my_contract(call: Call, tx: Tx) -> Any:
    """Your contract, and what was agreed before"""
    return await agreements.contracts_of(tx)


@route("POST", "/operator/rate-card", who="operator", body=NewCard, reply=RateCard, tx=False, fresh=True)
async def publish(call: Call) -> Any:
    """Publish a rate card for all; it counts a day later at the earliest"""
    return await cards.publish_card(call.db, call.body)


@route("GET", "/operator/contracts", who="operator", reply=OrgContracts, tx=False)
async def list_contracts(call: Call) -> Any:
    """Which contract every customer has"""
    return OrgContracts([OrgContract(**row) for row in await agreements.in_force(call.db)])


@route("GET", "/operator/contracts/{org}", who="operator", reply=Contracts, tx=False)
async def read_contract(call: Call) -> Any:
    """The contract of a customer"""
    return await agreements.read_contract(call.db, call.path("org"))


@route("PUT", "/operator/contracts/{org}", who="operator", body=Terms, reply=Contracts, tx=False, fresh=True)
async def set_contract(call: Call) -> Any:
    """Agree on a further version of a customer's contract"""
    return await agreements.set_contract(call.db, call.path("org"), call.body, actor=call.actor)


# --- walls


class KeptOffList(msgspec.Struct, frozen=True):
    items: list[KeptOff]


class Interest(msgspec.Struct, forbid_unknown_fields=True):
    """`person`: id or address; `org`: id or name of the customer in whom they have an interest."""

    person: str
    org: str
    until: datetime | None = None


class InterestKept(msgspec.Struct, frozen=True):
    person: str
    until: datetime


class GroupChange(msgspec.Struct, forbid_unknown_fields=True):
    org: str
    group: str
    member: bool = True


@route("GET", "/walls", reply=Walls)
async def list_walls(call: Call, tx: Tx) -> Any:
    """Whom your workers are kept off"""
    return await walls.list_walls(tx)


@route("PUT", "/walls", body=NewWall, reply=NewWall, tx=False, fresh=True)
async def set_wall(call: Call) -> Any:
    """Keep whoever has worked for you off a rival, and the other way round; or change for how long"""
    return await walls.set_wall(call.db, call.org_id, call.actor, call.body)


@route("DELETE", "/walls/{wall}", reply=dict[str, bool], tx=False, fresh=True)
async def end_wall(call: Call) -> Any:
    """Take a wall down"""
    await walls.end_wall(call.db, call.org_id, call.actor, call.path("wall"))
    return {"ended": True}


@route("GET", "/operator/kept-off", who="operator", reply=KeptOffList, tx=False)
async def kept_off(call: Call) -> Any:
    """Who is kept off which customer until when"""
    names = {org.id: org.name for org in await people.list_orgs(call.db)}
    known = {p.id: p.name or p.email for p, _ in await people.people_overview(call.db)}
    return KeptOffList(
        [
            KeptOff(person, known.get(person, "?"), org, names.get(org, "?"), until)
            for org, person, until in await walls.kept_off(call.db)
        ]
    )


@route("POST", "/operator/interests", who="operator", body=Interest, reply=InterestKept, tx=False, fresh=True)
async def declare_interest(call: Call) -> Any:
    """Keep a person off a customer in whom they have an interest"""
    body: Interest = call.body
    person = await people.get_person(call.db, body.person) if "@" in body.person else body.person
    await people.person_view(call.db, person)
    return InterestKept(person, await walls.bar(call.db, body.org, person, until=body.until, actor=call.actor))


@route("POST", "/operator/conflict-groups", who="operator", body=GroupChange, reply=GroupChange, tx=False, fresh=True)
async def change_group(call: Call) -> Any:
    """Put a customer into a group of competitors, or take it out"""
    body: GroupChange = call.body
    await walls.set_group(call.db, body.org, body.group, member=body.member, actor=call.actor)
    return body

"""The public rate card, and what was agreed with a customer."""

from datetime import datetime
from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.contracts import agreements, cards
from evenhand.features.contracts.types import Contracts, NewCard, RateCard, RateCards, Terms
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


@route("POST", "/operator/rate-card", who="operator", body=NewCard, reply=RateCard, tx=False)
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


@route("PUT", "/operator/contracts/{org}", who="operator", body=Terms, reply=Contracts, tx=False)
async def set_contract(call: Call) -> Any:
    """Agree on a further version of a customer's contract"""
    return await agreements.set_contract(call.db, call.path("org"), call.body, actor=call.actor)

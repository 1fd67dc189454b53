"""Rate cards and contracts: published before they count, weights for the scheduler without names, the mark out of its reach."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.features.contracts import agreements, cards, store
from evenhand.features.contracts.affiliates import affiliates, mark_affiliate
from evenhand.features.contracts.rules import BadCard, BadTerms, card_digest, check_card
from evenhand.features.contracts.types import NewCard, PriceClass, Terms
from evenhand.features.people import actions as people
from evenhand.infra.db import SYSTEM
from evenhand.pure.fairness.rates import unit_of
from tests.conftest import World

pytestmark = pytest.mark.anyio
SOON = timedelta(hours=25)
_MINE = "select kind, about_id from evenhand.fact where org_id = $1 and kind = any($2) order by fact_id"


def card(*, factor: int = 1, after: timedelta = SOON) -> NewCard:
    names = (("standard", 1), ("double", 2), ("fourfold", 4), ("threefold", 3))
    return NewCard([PriceClass(n, w * factor, 1000) for n, w in names], "double", datetime.now(UTC) + after)


async def weight(world: World, org: str) -> int:
    async with world.db.narrow("scheduler") as door:
        return await store.WEIGHT_OF.value(door, org=org)


async def test_everybody_has_the_standard_class(world: World) -> None:
    acme = await world.customer("Acme")
    found = (await world.keyed(acme.live_key).get("/api/v1/contract")).json()
    assert (found["now"]["version"], found["now"]["price_class"], found["versions"]) == (0, "standard", [])
    public = (await world.client().get("/api/v1/rate-card")).json()
    assert [c["name"] for c in public["now"]["classes"]] == ["standard", "double", "fourfold"]
    assert (public["now"]["unit"], public["next"]) == (4, [])
    assert await weight(world, acme.live) == await weight(world, acme.test) == 1


async def test_a_contract_sets_the_weight_in_both_spaces(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    await agreements.set_contract(world.db, "Acme", Terms("double", 400, "answers within a day"))
    later = datetime.now(UTC) + timedelta(days=30)
    found = await agreements.set_contract(world.db, acme.live, Terms("fourfold", from_at=later))
    assert (found.now.version, found.now.price_class, found.now.support) == (1, "double", "answers within a day")
    assert [(v.version, v.in_force) for v in found.versions] == [(2, False), (1, True)]
    assert [await weight(world, s) for s in (acme.live, acme.test, birch.live)] == [2, 2, 1]
    async with world.db.narrow("scheduler") as door:
        rows = {r["org_id"]: (r["weight"], r["capacity_h"]) for r in await store.WEIGHTS.all(door)}
    assert rows == {acme.live: (2, 400), acme.test: (2, 400)}
    # as the database has it and as the page shows it, on the day on which the next version begins
    async with world.db.connection("scheduler") as conn:
        assert await conn.fetchval("select evenhand.weight_of($1, $2)", acme.live, later) == 4
    async with world.db.tx(acme.live, SYSTEM) as tx:
        facts = await tx.conn.fetch(_MINE, acme.live, ["ContractSet"])
        assert [f["about_id"] for f in facts] == [acme.live, acme.live]
    async with world.db.tx(birch.live, SYSTEM) as tx:
        assert await tx.conn.fetch(_MINE, birch.live, ["ContractSet"]) == []


async def test_terms_come_from_the_card_and_not_from_the_past(world: World) -> None:
    await world.customer("Acme")
    past = datetime.now(UTC) - timedelta(hours=1)
    for terms in (Terms("platinum"), Terms("double", 0), Terms("double", from_at=past), Terms("double", until_at=past)):
        with pytest.raises(BadTerms):
            await agreements.set_contract(world.db, "Acme", terms)


async def test_a_card_is_an_event_before_it_counts(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    published = await cards.publish_card(world.db, card())
    public = (await world.client().get("/api/v1/rate-card")).json()
    assert (public["now"]["card"], [c["card"] for c in public["next"]]) == (1, [2])
    assert public["next"][0]["sha256"] == published.sha256 and public["next"][0]["unit"] == 12
    for org in (acme, birch):
        async with world.db.tx(org.live, SYSTEM) as tx:
            facts = await tx.conn.fetch(_MINE, org.live, ["RateCardPublished"])
            assert [f["about_id"] for f in facts] == ["rate-card-1", "rate-card-2"]
    assert await cards.tell_everybody(world.db) == 0, "once each"
    async with world.db.connection("scheduler") as conn:
        on = [
            await conn.fetchval("select evenhand.weight_of($1, now() + $2)", acme.live, timedelta(hours=h))
            for h in (24, 26)
        ]
    assert on == [1, 2], "the card's day has come, and its standard class with it"


async def test_a_card_that_nobody_was_told_of_is_not_in_force(world: World) -> None:
    await world.customer("Acme")
    await cards.publish_card(world.db, card())
    async with world.db.connection("gate") as conn:
        await conn.execute("update evenhand.rate_card set told_at = null where card = 2")
        assert await conn.fetchval("select evenhand.card_at(now() + interval '9 days')") == 1


async def test_the_database_keeps_the_notice(world: World) -> None:
    with pytest.raises(BadCard):
        await cards.publish_card(world.db, card(after=timedelta(hours=23)))
    async with world.db.connection("gate") as conn:
        with pytest.raises(asyncpg.CheckViolationError):
            await store.CARD_ADD.run(
                _On(conn), card=9, currency="EUR", standard="standard", from_at=datetime.now(UTC) + timedelta(hours=1)
            )


class _On:
    def __init__(self, conn: object) -> None:
        self.conn = conn


async def test_only_reports_read_the_affiliate_mark(world: World) -> None:
    acme = await world.customer("Acme")
    before = await weight(world, acme.live)
    await mark_affiliate(world.db, "Acme")
    assert await affiliates(world.db) == {acme.live, acme.test}
    assert await weight(world, acme.live) == before
    for role in ("app", "gate", "scheduler", "picker", "sequencer", "loader", "cleaner"):
        async with world.db.connection(role) as conn:  # type: ignore[arg-type]
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.fetch("select * from evenhand.affiliate")
    await mark_affiliate(world.db, "Acme", affiliate=False)
    assert await affiliates(world.db) == frozenset()


async def test_the_operators_door(world: World) -> None:
    acme = await world.customer("Acme")
    await people.add_person(world.db, "root@operator.example", "Root", "correct horse battery", operator=True)
    root = await world.browser("root@operator.example")
    reply = await root.ask("PUT", "/operator/contracts/Acme", json={"price_class": "double", "capacity_h": 40})
    assert reply.status_code == 200, reply.text
    listed = (await root.get("/operator/contracts")).json()["items"]
    assert [(r["org"], r["weight"], r["capacity_h"]) for r in listed] == [(acme.live, 2, 40)]
    wrong = await root.ask("PUT", "/operator/contracts/Acme", json={"price_class": "gold"})
    assert wrong.status_code == 400 and "standard, double, fourfold" in wrong.json()["hint"]
    assert (await root.get("/operator/contracts/Nobody")).status_code == 404


_names = st.lists(st.sampled_from(["standard", "a", "b-2", "c"]), min_size=1, max_size=4, unique=True)


@given(_names, st.lists(st.integers(1, 12), min_size=4, max_size=4), st.integers(2, 50))
def test_weights_times_k_are_the_same_card(names: list[str], weights: list[int], k: int) -> None:
    """A card that passes has a whole pace for each class, and multiplied weights have the same paces."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    lines = [PriceClass(n, w, 1) for n, w in zip(names, weights, strict=False)]
    check_card(NewCard(lines, names[0], now + SOON), now, [])
    unit = unit_of(c.weight for c in lines)
    times_k = unit_of(c.weight * k for c in lines)
    assert [unit // c.weight for c in lines] == [times_k // (c.weight * k) for c in lines]
    digest = card_digest(2, "EUR", names[0], now, lines)
    assert digest != card_digest(2, "EUR", names[0], now + timedelta(seconds=1), lines)
    with pytest.raises(BadCard):
        check_card(NewCard(lines, names[0], now + SOON), now, [PriceClass("gone", 1, 1)])

"""The rate card: published price classes, open to all. A version is an event in every customer's log before it counts."""

from datetime import UTC, datetime
from typing import Any

from evenhand.features.contracts import store
from evenhand.features.contracts.rules import card_digest, check_card, moment, utc
from evenhand.features.contracts.types import NewCard, PriceClass, RateCard, RateCardPublished, RateCards
from evenhand.infra.db import SYSTEM, Database, Narrow
from evenhand.infra.facts import record
from evenhand.infra.seal import KEYLESS
from evenhand.pure.fairness.rates import unit_of


def classes_of(rows: list[Any]) -> list[PriceClass]:
    return [PriceClass(r["class"], r["weight"], r["hour_cents"]) for r in rows]


async def _read(door: Narrow, row: Any) -> RateCard:
    classes = classes_of(await store.CLASSES.all(door, card=row["card"]))
    return RateCard(
        row["card"], row["currency"], row["standard"], row["from_at"], row["published_at"], row["told_at"],
        unit_of(c.weight for c in classes),
        card_digest(row["card"], row["currency"], row["standard"], row["from_at"], classes), classes,
    )  # fmt: skip


async def rate_cards(db: Database) -> RateCards:
    """The card in force, and those to come."""
    async with db.narrow("gate") as door:
        now = await _read(door, await store.CARD_NOW.one(door))
        return RateCards(now, [await _read(door, row) for row in await store.CARDS_NEXT.all(door)])


async def publish_card(db: Database, new: NewCard) -> RateCard:
    """Publishes a card for all. It counts from its day on, and not before every customer's log has the event."""
    async with db.narrow("gate") as door:
        await store.CARD_LOCK.run(door)
        newest = await store.CARD_NEWEST.one(door)
        before = classes_of(await store.CLASSES.all(door, card=newest["card"]))
        check_card(new, datetime.now(UTC), before)
        card: int = newest["card"] + 1
        await store.CARD_ADD.run(
            door,
            card=card,
            currency=new.currency,
            standard=new.standard,
            from_at=utc(new.from_at).replace(microsecond=0),
        )
        for place, found in enumerate(new.classes, 1):
            await store.CLASS_ADD.run(
                door, card=card, name=found.name, place=place, weight=found.weight, hour_cents=found.hour_cents
            )
    await tell_everybody(db)
    async with db.narrow("gate") as door:
        return await _read(door, await store.CARD_GET.one(door, card=card))


async def tell_everybody(db: Database) -> int:
    """Writes the event of the card in force, and of those to come, where it is missing. Returns how many were written.

    A customer whose keys are not to be had gets it when they are; the others do not wait for that."""
    async with db.narrow("gate") as door:
        missing = [(r["org_id"], r["card"]) for r in await store.UNTOLD.all(door)]
        cards = {
            card: await _read(door, await store.CARD_GET.one(door, card=card)) for card in {card for _, card in missing}
        }
    written = 0
    for org, card in missing:
        found = cards[card]
        try:
            async with db.tx(org, SYSTEM) as tx:
                if await store.TOLD_ADD.maybe(tx, org=org, card=card) is not None:
                    await record(tx, RateCardPublished(f"rate-card-{card}", found.sha256, moment(found.from_at)))
                    written += 1
        except KEYLESS:
            continue
    for card in sorted(cards):
        async with db.narrow("gate") as door:
            await store.CARD_TOLD.run(door, card=card)
    return written

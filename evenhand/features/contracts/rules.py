"""What a rate card and a contract must be. Nothing here knows a customer."""

import hashlib
import re
from datetime import UTC, datetime, timedelta

import msgspec

from evenhand.features.contracts.types import NewCard, PriceClass, Terms
from evenhand.pure.fairness.rates import unit_of
from evenhand.pure.trouble import Invalid

NOTICE = timedelta(hours=24)
MOST_CLASSES = 20
MOST_SUPPORT = 4000
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")
_CURRENCY = re.compile(r"[A-Z]{3}\Z")


class BadCard(Invalid):
    hint = "See the card in force: evenhand rate-card show."


class BadTerms(Invalid):
    hint = "The price classes are on the rate card: evenhand rate-card show."


def utc(at: datetime) -> datetime:
    """A time with its zone; one without is taken as UTC. Raises Invalid at the ends of the calendar."""
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as err:
        raise Invalid("That time is not in the calendar.", hint="Give a year from 1 to 9999, in UTC.") from err


def moment(at: datetime | None) -> str:
    """A time as an event has it: UTC, whole seconds; "" for none."""
    return "" if at is None else utc(at).strftime("%Y-%m-%dT%H:%M:%SZ")


def card_digest(card: int, currency: str, standard: str, from_at: datetime, classes: list[PriceClass]) -> str:
    """SHA-256 (hex) of the card's canonical text: JSON with sorted names and no spaces."""
    text = msgspec.json.encode(
        {
            "card": card,
            "classes": [{"hour_cents": c.hour_cents, "name": c.name, "weight": c.weight} for c in classes],
            "currency": currency,
            "from": moment(from_at),
            "standard": standard,
        },
        order="sorted",
    )
    return hashlib.sha256(text).hexdigest()


def check_card(new: NewCard, now: datetime, before: list[PriceClass]) -> None:
    """Raises BadCard, or WeightUnfit for weights without a small common multiple.

    `before`: the classes of the card that this one follows; contracts refer to them, so none may go."""
    names = [c.name for c in new.classes]
    if not 1 <= len(names) <= MOST_CLASSES or len(set(names)) != len(names):
        raise BadCard(f"A rate card has 1 to {MOST_CLASSES} classes with different names.")
    for found in new.classes:
        if not _NAME.match(found.name):
            raise BadCard(f"'{found.name[:60]}' is not a name for a class.", hint="Small letters, digits and hyphens.")
        if not 1 <= found.weight <= 1_000_000 or not 0 <= found.hour_cents < 2**31:
            raise BadCard(f"The weight or the price of '{found.name}' is out of range.")
    unit_of(c.weight for c in new.classes)
    if new.standard not in names:
        raise BadCard(f"The standard class '{new.standard[:60]}' is not on the card.")
    if gone := sorted({c.name for c in before} - set(names)):
        raise BadCard(
            f"The class '{gone[0]}' is missing, and contracts may refer to it.",
            hint="Keep every class of the card before; its weight and price may change.",
        )
    if not _CURRENCY.match(new.currency):
        raise BadCard("The currency is three capital letters, such as EUR.")
    if utc(new.from_at) < now + NOTICE:
        raise BadCard(
            "A card has to be known a day before it counts.",
            hint=f"Let it begin {moment(now + NOTICE + timedelta(minutes=5))} or later.",
        )


def check_terms(terms: Terms, now: datetime, classes: list[PriceClass]) -> tuple[datetime, datetime | None]:
    """(from, until) of a contract that may be made now. Raises BadTerms."""
    if terms.price_class not in {c.name for c in classes}:
        known = ", ".join(c.name for c in classes)
        raise BadTerms(f"There is no price class '{terms.price_class[:60]}' on the rate card.", hint=f"It has {known}.")
    if terms.capacity_h is not None and not 1 <= terms.capacity_h <= 1_000_000:
        raise BadTerms("The capacity is 1 to 1,000,000 worker-hours a week, or none.")
    if len(terms.support) > MOST_SUPPORT:
        raise BadTerms(f"The support terms have at most {MOST_SUPPORT:,} characters.")
    begin = now if terms.from_at is None else utc(terms.from_at)
    end = None if terms.until_at is None else utc(terms.until_at)
    # a contract that began before its event would rewrite decisions that have been made
    if begin < now - timedelta(minutes=1):
        raise BadTerms("A contract can't begin in the past.", hint="Leave the beginning out for now.")
    if end is not None and end <= begin:
        raise BadTerms("The contract would end before it begins.")
    return max(begin, now), end

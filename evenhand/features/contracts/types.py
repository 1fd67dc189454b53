"""What rate cards and contracts look like to callers."""

from datetime import datetime

import msgspec


class PriceClass(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the rate card. `weight`: its share of the workers' time beside the other classes, a whole number;
    `hour_cents`: what an hour of a worker costs, in hundredths of the card's currency."""

    name: str
    weight: int
    hour_cents: int


class RateCard(msgspec.Struct, frozen=True):
    """A published rate card. Every class is open to every customer. `unit` is the least common multiple of the weights;
    `sha256` is that of the card's canonical text, as the event `RateCardPublished` has it. `told_at`: since when every
    customer's log has that event; without it the card is not in force."""

    card: int
    currency: str
    standard: str
    from_at: datetime
    published_at: datetime
    told_at: datetime | None
    unit: int
    sha256: str
    classes: list[PriceClass]


class RateCards(msgspec.Struct, frozen=True):
    """The card in force, and those that are published and do not count yet."""

    now: RateCard
    next: list[RateCard]


class NewCard(msgspec.Struct, forbid_unknown_fields=True):
    """`standard` names the class of whoever has not chosen another."""

    classes: list[PriceClass]
    standard: str
    from_at: datetime
    currency: str = "EUR"


class Terms(msgspec.Struct, forbid_unknown_fields=True):
    """What is agreed with a customer. `capacity_h`: worker-hours a week, none for "as there are". `from_at` is now where
    it is left out."""

    price_class: str
    capacity_h: int | None = None
    support: str = ""
    from_at: datetime | None = None
    until_at: datetime | None = None


class Contract(msgspec.Struct, frozen=True):
    """A customer's contract. `version` 0 is the one that everybody has without agreeing on more: the card's standard
    class. `weight` is what the scheduler reads."""

    version: int
    price_class: str
    weight: int
    hour_cents: int
    currency: str
    card: int
    capacity_h: int | None
    support: str
    from_at: datetime
    until_at: datetime | None
    in_force: bool = True


class Contracts(msgspec.Struct, frozen=True):
    """What holds now, and every version that was agreed, newest first."""

    now: Contract
    versions: list[Contract]


# --- facts


class RateCardPublished(msgspec.Struct, frozen=True):
    about: str
    sha256: str
    from_at: str


class ContractSet(msgspec.Struct, frozen=True):
    about: str
    version: str
    price_class: str
    capacity_h: str
    support: str
    from_at: str
    until_at: str

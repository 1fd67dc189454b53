"""Commands on the rate card and on contracts: straight on this machine's database."""

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from evenhand.app.cli import show
from evenhand.app.cli.people import with_services
from evenhand.app.services import Services
from evenhand.features.contracts import agreements, cards
from evenhand.features.contracts.affiliates import mark_affiliate
from evenhand.features.contracts.types import Contract, NewCard, RateCard, Terms
from evenhand.features.people import actions as people
from evenhand.features.projects.actions import since
from evenhand.pure.trouble import Invalid


def _price(cents: int, currency: str) -> str:
    return f"{cents / 100:.2f} {currency}"


def _print_card(card: RateCard, words: str) -> None:
    show.line(f"Rate card {card.card}, {words}; the standard class is {card.standard}.")
    show.table(
        ("class", "weight", "an hour of work"),
        [(c.name, c.weight, _price(c.hour_cents, card.currency)) for c in card.classes],
        empty="",
    )


def show_card(given: argparse.Namespace) -> int:
    found = with_services(lambda s: cards.rate_cards(s.db))
    if given.json:
        show.as_json(found)
        return 0
    _print_card(found.now, "in force")
    for card in found.next:
        show.line()
        _print_card(card, f"from {card.from_at:%Y-%m-%d %H:%M} UTC")
    return 0


def publish_card(given: argparse.Namespace) -> int:
    try:
        new = msgspec.json.decode(Path(given.file).read_bytes(), type=NewCard)
    except OSError as err:
        raise Invalid(f"{given.file} can't be read.", hint="Give a JSON file.") from err
    except msgspec.MsgspecError as err:
        raise Invalid(
            f"{given.file} is not a rate card: {err}",
            hint='{"from_at": "2027-01-01T00:00:00Z", "standard": "standard", "classes": '
            '[{"name": "standard", "weight": 1, "hour_cents": 1800}]}',
        ) from err
    card = with_services(lambda s: cards.publish_card(s.db, new))
    if given.json:
        show.as_json(card)
    else:
        _print_card(card, f"published; it counts from {card.from_at:%Y-%m-%d %H:%M} UTC on")
    return 0


def _print_contract(found: Contract, name: str) -> None:
    rows: list[tuple[str, Any]] = [
        ("organisation", name),
        ("version", found.version or "0 (the one that everybody has)"),
        ("price class", found.price_class),
        ("weight", found.weight),
        ("an hour of work", _price(found.hour_cents, found.currency)),
        ("capacity", "as there is" if found.capacity_h is None else f"{found.capacity_h} worker-hours a week"),
        ("from", found.from_at),
        ("until", found.until_at or "further notice"),
        ("support", found.support or "as for everybody"),
    ]
    show.pairs(rows)


def show_contract(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        return await people.find_org(s.db, given.org), await agreements.read_contract(s.db, given.org)

    org, found = with_services(work)
    if given.json:
        show.as_json(found)
    else:
        _print_contract(found.now, org.name)
    return 0


def list_contracts(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        return {org.id: org.name for org in await people.list_orgs(s.db)}, await agreements.in_force(s.db)

    names, rows = with_services(work)
    if given.json:
        show.as_json([{**row, "name": names[row["org"]]} for row in rows])
    else:
        show.table(
            ("organisation", "class", "weight", "hours a week", "from", "until"),
            [
                (names[r["org"]], r["price_class"], r["weight"], r["capacity_h"] or "", r["from_at"], r["until_at"])
                for r in rows
            ],
            empty="No organisation yet. Make one: evenhand org create NAME",
        )
    return 0


def set_contract(given: argparse.Namespace) -> int:
    def moment(text: str | None, name: str) -> datetime | None:
        at = since(text, name)
        return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at

    support = given.support or ""
    terms = Terms(
        given.price_class, given.capacity, support, moment(given.begin, "--from"), moment(given.until, "--until")
    )
    found = with_services(lambda s: agreements.set_contract(s.db, given.org, terms))
    if given.json:
        show.as_json(found)
    else:
        _print_contract(found.versions[0], given.org)
    return 0


def mark(given: argparse.Namespace) -> int:
    with_services(lambda s: mark_affiliate(s.db, given.org, affiliate=not given.end))
    if given.json:
        show.as_json({"organisation": given.org, "affiliate": not given.end})
    else:
        words = "no longer marked" if given.end else "marked"
        show.line(f"{given.org} is {words} as an affiliate. Reports say so; nothing that hands out work can read it.")
    return 0

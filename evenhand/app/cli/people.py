"""Commands on organisations, people and keys: straight on this machine's database, whether a server runs or not."""

import argparse
import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from evenhand.app.cli import show
from evenhand.app.listening import listen
from evenhand.app.mail import send_link
from evenhand.app.opening import database, services
from evenhand.app.services import Services
from evenhand.app.settings import settings_from_environment
from evenhand.features.access import sessions
from evenhand.features.contracts.walls import no_wall
from evenhand.features.people import actions as people
from evenhand.features.people import links
from evenhand.features.people.rules import WORKER_ROLES
from evenhand.features.people.types import Mode
from evenhand.features.projects.actions import since
from evenhand.infra.db import SYSTEM
from evenhand.pure.trouble import Invalid, Missing

MODES: tuple[Mode, Mode] = ("live", "test")


def with_services(work: Callable[[Services], Awaitable[Any]]) -> Any:
    """Runs `work` on this machine's installation."""
    settings = settings_from_environment()
    listen()  # facts recorded here have the same listeners as those of the server

    async def run(urls: Any, keys: Any) -> Any:
        async with services(settings, urls, keys, connections=2) as opened:
            return await work(opened)

    with database(settings) as (urls, keys):
        return asyncio.run(run(urls, keys))


def create_org(given: argparse.Namespace) -> int:
    org = with_services(lambda s: people.create_org(s.db, given.name))
    if given.json:
        show.as_json({"id": org.id, "name": org.name})
    else:
        show.line(f"Made the organisation {org.name} ({org.id}).")
        show.line(f"Next: evenhand person invite EMAIL --role owner --org {org.id}")
    return 0


def list_orgs(given: argparse.Namespace) -> int:
    orgs = with_services(lambda s: people.list_orgs(s.db))
    if given.json:
        show.as_json([{"id": org.id, "name": org.name} for org in orgs])
    else:
        show.table(
            ("id", "name"),
            [(org.id, org.name) for org in orgs],
            empty="No organisation yet. Make one: evenhand org create NAME",
        )
    return 0


def invite(given: argparse.Namespace) -> int:
    if given.role == "operator" and given.org:
        raise Invalid("An operator belongs to no organisation.", hint="Leave --org out, or take another role.")
    if given.role not in ("operator", *WORKER_ROLES) and not given.org:
        raise Invalid(f"Which organisation will this {given.role} belong to?", hint="Add --org NAME_OR_ID.")

    async def work(s: Services) -> tuple[Any, bool]:
        refs: list[str] = given.org
        if not refs and given.role in WORKER_ROLES:
            refs = [org.id for org in await people.list_orgs(s.db)]
        spaces = [(await people.find_org(s.db, ref, mode)).id for ref in refs for mode in MODES]
        known = await people.find_person(s.db, given.email)
        if known is not None and given.role in WORKER_ROLES:
            await no_wall(s.db, spaces, known)
        _, link = await links.invite_person(
            s.db, given.email, s.settings.public_url, role=given.role, orgs=spaces, actor=SYSTEM, shared=True
        )
        return link, await send_link(s.settings, given.email, link.link)

    _print_link(given, *with_services(work))
    return 0


def reset(given: argparse.Namespace) -> int:
    async def work(s: Services) -> tuple[Any, bool]:
        link = await links.reset_link(s.db, given.email, s.settings.public_url, factors=given.factors)
        return link, await send_link(s.settings, given.email, link.link)

    _print_link(given, *with_services(work))
    return 0


def list_sessions(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        return await sessions.list_sessions(s.db, await people.get_person(s.db, given.email))

    found = with_services(work)
    if given.json:
        show.as_json(found)
    else:
        show.table(
            ("browser", "address", "signed in with", "since", "last used", "ends"),
            [(x.browser or "a program", x.address, x.method, x.started_at, x.seen_at, x.expires_at) for x in found],
            empty=f"{given.email} is signed in nowhere.",
        )
    return 0


def sign_out(given: argparse.Namespace) -> int:
    async def work(s: Services) -> int:
        return await sessions.end_others(s.db, await people.get_person(s.db, given.email), "", SYSTEM)

    ended = with_services(work)
    if given.json:
        show.as_json({"email": given.email, "ended": ended})
    else:
        show.line(f"{given.email} is signed out: {ended} session{'' if ended == 1 else 's'} ended.")
    return 0


def _print_link(given: argparse.Namespace, link: Any, mailed: bool) -> None:
    if given.json:
        show.as_json({"email": given.email, "link": link.link, "expires_at": link.expires_at, "mailed": mailed})
        return
    show.line(
        f"{'Mailed' if mailed else 'Send'} this link to {given.email}; it works once, until {link.expires_at:%d %B %Y}:"
    )
    show.line()
    show.line(f"  {link.link}")


def list_people(given: argparse.Namespace) -> int:
    everybody = with_services(lambda s: people.people_overview(s.db))
    rows = [
        {"id": p.id, "name": p.name, "email": p.email, "state": state, "operator": p.operator} for p, state in everybody
    ]
    if given.json:
        show.as_json(rows)
    else:
        show.table(
            ("name", "email", "state", ""),
            [(r["name"], r["email"], r["state"], "operator" if r["operator"] else "") for r in rows],
            empty="Nobody yet. Invite the first: evenhand person invite EMAIL --role operator",
        )
    return 0


def moment_in(text: str | None) -> datetime | None:
    """A time, or a number of days from now ("90d")."""
    if text is None:
        return None
    if days := re.fullmatch(r"(\d{1,4})d", text):
        return datetime.now(UTC) + timedelta(days=int(days[1]))
    at = since(text, "--expires")
    if at is not None and at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    if at is not None and at <= datetime.now(UTC):
        raise Invalid("--expires lies in the past.", hint="Give a day to come, or 90d for ninety days from now.")
    return at


def create_key(given: argparse.Namespace) -> int:
    scopes = [word.strip() for word in given.scopes.split(",") if word.strip()] if given.scopes else None
    expires_at = moment_in(given.expires)

    async def work(s: Services) -> Any:
        org = await people.find_org(s.db, given.org)
        return await people.create_key(s.db, org.id, given.mode, name=given.name, scopes=scopes, expires_at=expires_at)

    key = with_services(work)
    if given.json:
        show.as_json({"id": key.id, "key": key.key, "mode": key.mode})
    else:
        show.line("This key is shown once; keep it like a password:")
        show.line()
        show.line(f"  {key.key}")
    return 0


async def _keys(s: Services, ref: str) -> list[tuple[str, Any]]:
    """(space, key) of both modes."""
    out: list[tuple[str, Any]] = []
    for mode in MODES:
        org = await people.find_org(s.db, ref, mode)
        async with s.db.tx(org.id, SYSTEM) as tx:
            out += [(org.id, key) for key in await people.list_keys(tx, mode)]
    return out


def list_keys(given: argparse.Namespace) -> int:
    found = [key for _, key in with_services(lambda s: _keys(s, given.org))]
    if given.json:
        show.as_json(found)
    else:
        show.table(
            ("id", "key", "mode", "name", "scopes", "made", "expires"),
            [
                (k.id, f"{k.prefix}...", k.mode, k.name, ",".join(k.scopes), k.created_at, k.expires_at or "never")
                for k in found
            ],
            empty="No key yet. Make one: evenhand key create --org NAME --mode live",
        )
    return 0


def revoke_key(given: argparse.Namespace) -> int:
    async def work(s: Services) -> Any:
        wanted: str = given.key_id
        hits = [
            (space, key)
            for space, key in await _keys(s, given.org)
            if key.id == wanted or (len(wanted) >= len(key.prefix) and wanted.startswith(key.prefix))
        ]
        if len(hits) != 1:
            raise Missing("There is no such key.", hint=f"See: evenhand key list --org {given.org}")
        space, key = hits[0]
        async with s.db.tx(space, SYSTEM) as tx:
            await people.revoke_key(tx, key.id)
        return key

    key = with_services(work)
    if given.json:
        show.as_json({"id": key.id, "revoked": True})
    else:
        show.line(f"The key {key.prefix}... no longer works.")
    return 0

"""v1: teammates, over the organisation's members."""

from typing import Any, cast

from evenhand.app.mail import send_link
from evenhand.app.scale.asking import Ask, entry
from evenhand.features.people import actions as people
from evenhand.features.people import links, members, profiles
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.types import Member, RoleName
from evenhand.infra.db import Tx
from evenhand.pure.scale import requests
from evenhand.pure.scale.checks import Obj
from evenhand.pure.scale.times import format_time
from evenhand.pure.trouble import Missing

TO_OURS = {"labeler": "annotator", "member": "viewer", "manager": "manager", "admin": "owner"}
TO_THEIRS = {"annotator": "labeler", "reviewer": "labeler", "viewer": "member", "manager": "manager", "owner": "admin"}


def teammate(member: Member, company: str) -> Obj:
    first_name, _, last_name = member.name.partition(" ")
    out: Obj = {
        "email": member.email,
        "role": TO_THEIRS[member.role],
        "status": member.state,
        "company": company,
        "firstName": first_name,
        "lastName": last_name,
        "isStudioLabeler": TO_THEIRS[member.role] == "labeler",
    }
    if member.expires_at is not None:
        out["expiry"] = format_time(member.expires_at)
    return out


async def company_of(ask: Ask) -> str:
    return (await people.find_org(ask.db, ask.org_id)).name


async def teammates(ask: Ask, tx: Tx, company: str) -> list[Obj]:
    """Everybody; where nobody has joined yet, the key itself stands for its organisation: the list is never empty."""
    found = [teammate(m, company) for m in await members.list_members(tx) if m.source == "own"]
    return found or [
        {"email": f"api@{ask.org_id}.invalid", "role": "admin", "company": company, "isStudioLabeler": False}
    ]


@entry("v1", "GET", "teams", tx=False)
async def list_teams(ask: Ask) -> Any:
    company = await company_of(ask)
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        return await teammates(ask, tx, company)


@entry("v1", "POST", "teams/invite", tx=False)
async def invite(ask: Ask) -> Any:
    given = requests.parse_invite(ask.body())
    settings = ask.services.settings
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        require(tx, Verb.MANAGE)
        active = {m.email for m in await members.list_members(tx) if m.state == "active"}
    for email in given.emails:
        if profiles.tidy_email(email) in active:
            continue  # who is here already keeps the role: set_role is for changing it
        role = cast(RoleName, TO_OURS[given.team_role])
        _, link = await links.invite_person(
            ask.db, email, settings.public_url, role=role, orgs=[ask.org_id], actor=ask.actor
        )
        await send_link(settings, email, link.link)
    return await list_teams(ask)


@entry("v1", "POST", "teams/set_role", tx=False)
async def set_role(ask: Ask) -> Any:
    given = requests.parse_invite(ask.body())
    company = await company_of(ask)
    async with ask.db.tx(ask.org_id, ask.actor) as tx:
        by_email = await members_by_email(tx)
        for email in given.emails:
            await members.change_role(tx, member_of(by_email, email).person, cast(RoleName, TO_OURS[given.team_role]))
        return await teammates(ask, tx, company)


async def members_by_email(tx: Tx) -> dict[str, Member]:
    return {m.email.lower(): m for m in await members.list_members(tx) if m.source == "own"}


def member_of(by_email: dict[str, Member], email: str) -> Member:
    found = by_email.get(email.strip().lower())
    if found is None:
        raise Missing(f"There is no teammate {email[:100]}.")
    return found

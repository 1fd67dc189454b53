"""Ways in: single-use links, what they make of whoever opens them, and whom an organisation's provider vouches for."""

import secrets
from dataclasses import dataclass
from typing import Any, Literal

from evenhand.features.people import store
from evenhand.features.people.passwords import check_strength, hash_password
from evenhand.features.people.profiles import (
    NOBODY,
    Profile,
    ensure_person,
    org_body,
    person_by_email,
    profile_of,
    tidy_email,
    tidy_name,
)
from evenhand.features.people.rules import ROLES, source_of, wall_ahead
from evenhand.features.people.types import LinkView, MemberInvited, MemberJoined, NewLink, RoleName
from evenhand.infra.db import SYSTEM, Actor, Database, Narrow
from evenhand.infra.facts import record
from evenhand.infra.keys import hashed
from evenhand.infra.seal import At
from evenhand.pure.trouble import Conflict, Invalid, Missing

LINK_S = 7 * 24 * 3600


class LinkUsed(Missing):
    hint = "Ask for a new link; each works once and for a week."


class LinkBusy(Conflict):
    hint = "Open the link again: it now asks you to sign in."


class AlreadyMember(Conflict):
    hint = "Change their role instead."


async def _new_link(
    door: Narrow,
    purpose: str,
    person: str | None,
    public_url: str,
    *,
    orgs: list[str] | None = None,
    operator: bool = False,
    factors: bool = False,
) -> NewLink:
    token = secrets.token_urlsafe(32)
    expires = await store.LINK_ADD.value(
        door,
        hash=hashed(token),
        purpose=purpose,
        person=person,
        orgs=orgs or [],
        operator=operator,
        factors=factors,
        life_s=LINK_S,
    )
    return NewLink(f"{public_url}/link/{token}", expires)


async def setup_link(db: Database, public_url: str) -> NewLink | None:
    """A link for the first operator, or None when there is one already."""
    async with db.narrow("gate") as door:
        if await store.OPERATOR_EXISTS.value(door):
            return None
        return await _new_link(door, "setup", None, public_url, operator=True)


async def invite_person(
    db: Database,
    email: str,
    public_url: str,
    *,
    role: Literal["operator"] | RoleName,
    orgs: list[str],
    actor: Actor = SYSTEM,
    shared: bool = False,
) -> tuple[str, NewLink]:
    """Invites somebody by a single-use link; gives (person id, link). `orgs` are live or test spaces to join. `shared`:
    the operator lends a worker, whom these organisations know by a pseudonym.

    Who invites sees the link, so it is worth no more than the invitation: it joins these spaces and no others, and asks
    for the password of somebody who has one. Nothing that other spaces know of the person is shown to this one."""
    email = tidy_email(email)
    if role != "operator" and role not in ROLES:
        raise Invalid(f"Unknown role '{role}'.", hint=f"Roles are {', '.join(ROLES)} and operator.")
    source = source_of(role, shared=shared)
    profile = NOBODY if source == "pool" else Profile(email.split("@")[0], email)
    async with db.narrow("gate") as door:
        person, _ = await ensure_person(door, email)
        joins = [
            org
            for org in orgs
            if await store.MEMBER_PUT.run(
                door,
                org=org,
                person=person,
                role=role,
                source=source,
                state="invited",
                body=(await db.seal(org)).shut(profile, At("member", person)),
            )
        ]
        if orgs and not joins:
            raise AlreadyMember(f"{email} is a member already.")
        link = await _new_link(door, "invite", person, public_url, orgs=joins, operator=role == "operator")
    for org in joins:
        async with db.tx(org, actor) as tx:
            await record(tx, MemberInvited(person, role))
    return person, link


async def reset_link(db: Database, email: str, public_url: str, *, factors: bool = False) -> NewLink:
    """A single-use link to choose a new password. `factors`: for somebody who lost their passkeys and their authenticator
    app, which the link takes away as well; whoever makes one must be sure who asks."""
    async with db.narrow("gate") as door:
        found = await person_by_email(door, tidy_email(email))
        if found is None:
            raise Missing("Nobody has this address.")
        return await _new_link(door, "reset", found[0], public_url, factors=factors)


async def look_at_link(db: Database, token: str) -> LinkView:
    async with db.narrow("gate") as door:
        row = await store.LINK_GET.maybe(door, hash=hashed(token))
        if row is None:
            raise LinkUsed("This link has been used or is too old.")
        if row["person_id"] is None:
            return LinkView(row["purpose"])
        email = profile_of(door.seal, row["person_id"], row["person_body"]).email
        org = await store.ORG_GET.maybe(door, org=row["orgs"][0]) if row["orgs"] else None
        name = org_body(door.seal, org).name if org is not None else ""
        return LinkView(row["purpose"], email, name, row["purpose"] == "invite" and row["person_state"] == "active")


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whom a usable link is for: nobody yet, at the first set-up. `known`: somebody who joins with the account they have."""

    purpose: str
    person: str | None
    email: str
    known: bool
    name: str = ""
    org: str = ""


async def link_holder(db: Database, token: str) -> LinkHolder:
    """Raises LinkUsed."""
    async with db.narrow("gate") as door:
        row = await store.LINK_GET.maybe(door, hash=hashed(token))
        if row is None:
            raise LinkUsed("This link has been used or is too old.")
        org = await store.ORG_GET.maybe(door, org=row["orgs"][0]) if row["orgs"] else None
        who = profile_of(door.seal, row["person_id"], row["person_body"]) if row["person_id"] is not None else NOBODY
        return LinkHolder(
            row["purpose"], row["person_id"], who.email, row["purpose"] == "invite" and row["person_state"] == "active",
            who.name, org_body(door.seal, org).name if org is not None else "",
        )  # fmt: skip


async def use_link(db: Database, token: str, *, name: str, email: str | None, password: str) -> str:
    """Makes an account with its name and, where one is given, a password; ends its sessions. Returns the person's id.

    It signs nobody in: that takes a second factor, or a passkey."""
    if password:
        check_strength(password, name, email or "")
    password_hash = await hash_password(password) if password else None
    async with db.narrow("gate") as door:
        row = await store.LINK_USE.maybe(door, hash=hashed(token))
        if row is None:
            raise LinkUsed("This link has been used or is too old.")
        if row["purpose"] == "setup":
            await store.SETUP_LOCK.run(door)
            if await store.OPERATOR_EXISTS.value(door):
                raise LinkUsed("There is an operator already.")
            person, profile = await ensure_person(door, tidy_email(email or ""))
        else:
            person = row["person_id"]
            found = await store.PERSON_LOCK.one(door, person=person)
            if row["purpose"] == "invite" and found["state"] == "active":
                raise LinkBusy("Another invitation of yours was accepted a moment ago.")
            profile = profile_of(door.seal, person, found["body"])
            await store.SESSION_END_ALL.run(door, person=person)
        if row["factors"]:
            for drop in (store.PASSKEYS_DROP, store.TOTP_DROP, store.RECOVERY_DROP):
                await drop.run(door, person=person)
        profile = Profile(tidy_name(name, "a person") if name or not profile.name else profile.name, profile.email)
        await store.PERSON_ACTIVATE.run(
            door, person=person, hash=password_hash, body=door.seal.shut(profile, At("person", person))
        )
        joined = await _activate(db, door, row, person, profile)
    await _tell_joined(db, person, joined)
    return person


async def _activate(db: Database, door: Narrow, link: Any, person: str, profile: Profile) -> list[tuple[str, str]]:
    """What a link gives: (space, role) of each membership that began. Raises BehindAWall; the link stays."""
    if link["operator"]:
        await store.PERSON_OPERATOR.run(door, person=person)
    joined: list[tuple[str, str]] = []
    for org in link["orgs"]:
        body = (await db.seal(org)).shut(profile, At("member", person))
        role = await _begin(door, org, person, body)
        if role is not None:
            joined.append((org, role))
    return joined


async def _begin(door: Narrow, org: str, person: str, body: bytes) -> str | None:
    """The role of a membership that begins now, or None where nobody was invited. Raises BehindAWall: who invites is not told,
    since by that anybody could find out who works for a rival."""
    row = await store.MEMBER_ACTIVATE.maybe(door, org=org, person=person, body=body)
    if row is not None and row["kept_until"] is not None:
        raise wall_ahead(row["kept_until"])
    return row["role"] if row is not None else None


async def join(db: Database, token: str, person: str) -> None:
    """Somebody who is signed in accepts an invitation of theirs: it is no key to an account."""
    async with db.narrow("gate") as door:
        row = await store.LINK_USE.maybe(door, hash=hashed(token))
        if row is None or row["person_id"] != person or row["purpose"] != "invite":
            raise LinkUsed("This link has been used or is too old.")
        found = await store.PERSON_GET.one(door, person=person)
        profile = profile_of(door.seal, person, found["body"])
        joined = await _activate(db, door, row, person, profile)
    await _tell_joined(db, person, joined)


async def admit(
    db: Database, org_id: str, email: str, name: str, role: RoleName | None
) -> tuple[str, list[tuple[str, str]]] | None:
    """The person of an address for whom the organisation vouches, a member of its spaces from now on, and where that is new:
    (space, role). A newcomer gets `role`; without one only who was invited comes in. None: not let in.

    It gives nobody anything to sign in with."""
    async with db.narrow("gate") as door:
        row = await store.ORG_GET.one(door, org=org_id)
        spaces = [row["org_id"], row["sibling_id"]]
        found = await person_by_email(door, email)
        states = {s: await store.MEMBER_STATE.value(door, org=s, person=found[0] if found else "") for s in spaces}
        here = states[org_id]
        if here == "removed" or (role is None and here is None) or (found is not None and found[1] == "left"):
            return None
        person, profile = await ensure_person(door, email)
        if not profile.name and name:
            profile = Profile(tidy_name(name, "a person"), email)
        await store.PERSON_BEGIN.run(door, person=person, body=door.seal.shut(profile, At("person", person)))
        joined: list[tuple[str, str]] = []
        for space in spaces:
            body = (await db.seal(space)).shut(profile, At("member", person))
            if states[space] is None and role is not None:
                await store.MEMBER_PUT.run(
                    door, org=space, person=person, role=role, source="own", state="invited", body=body
                )
            begun = await _begin(door, space, person, body)
            if begun is not None:
                joined.append((space, begun))
    return person, joined


async def _tell_joined(db: Database, person: str, joined: list[tuple[str, str]]) -> None:
    for org, role in joined:
        async with db.tx(org, Actor("person", person, role)) as tx:
            await record(tx, MemberJoined(person, role))

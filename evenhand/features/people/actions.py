"""What is done with people and organisations. Here the gate's transactions end before the wall's begin."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from evenhand.features.people import store
from evenhand.features.people.aliases import alias_of, person_behind, pseudonym
from evenhand.features.people.passwords import check_strength, hash_password
from evenhand.features.people.rules import ROLES, WORKER_ROLES, Verb, require, source_of
from evenhand.features.people.types import (
    Key,
    KeyCreated,
    KeyRevoked,
    LinkView,
    Member,
    MemberInvited,
    MemberJoined,
    MemberRemoved,
    MemberRoleChanged,
    Mode,
    NewKey,
    NewLink,
    Org,
    Person,
    RoleName,
)
from evenhand.infra.db import SYSTEM, Actor, Database, Narrow, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.keyrings import Stored, new_keys
from evenhand.infra.keys import hashed
from evenhand.infra.seal import At, Seal
from evenhand.pure.trouble import Conflict, Denied, Invalid, Missing

LINK_S = 7 * 24 * 3600
_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f]{1,190}\Z")
KNOWN_SCOPES = ("read", "write", "manage")


class NotSignedIn(Denied):
    code = "signin"
    hint = "Sign in, or send an API key as `Authorization: Bearer`."


class KeyFromElsewhere(Denied):
    hint = "Use it in one of the organisation's networks, or ask an owner to change their list."


class LinkUsed(Missing):
    hint = "Ask for a new link; each works once and for a week."


class LinkBusy(Conflict):
    hint = "Open the link again: it now asks you to sign in."


class AlreadyMember(Conflict):
    hint = "Change their role instead."


class Shared(Conflict):
    hint = "Invite somebody of your own for this role."


class NameTaken(Conflict):
    hint = "Choose another name."


class LastOwner(Conflict):
    hint = "Make somebody else an owner first."


class _Profile(msgspec.Struct):
    name: str
    email: str


#: what an organisation keeps of somebody in the operator's pool: a name that is not there can't come out
_NOBODY = _Profile("", "")


class _OrgBody(msgspec.Struct):
    name: str


def tidy_email(email: str) -> str:
    """The form in which an address is compared."""
    email = email.strip().lower()
    if not _EMAIL.match(email):
        raise Invalid(f"'{email[:80]}' is not an e-mail address.")
    return email


def tidy_name(name: str, what: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= 200 or any(ord(c) < 32 for c in name):
        raise Invalid(f"The name of {what} must have 1 to 200 printable characters.")
    return name


# --- organisations and keys


async def create_org(db: Database, name: str, *, demo: bool = False) -> Org:
    """Makes an organisation: a live space and a test space, each its own wall with its own keys, under one customer key."""
    name = tidy_name(name, "an organisation")
    live, test = new_id(), new_id()
    async with db.narrow("gate") as door:
        mac = door.seal.mac("org", name)
        if await store.ORG_FIND.all(door, ref="", name_mac=mac):
            raise NameTaken(f"There is an organisation called '{name}' already.")
        spaces: list[tuple[str, str, str]] = [(live, test, "live"), (test, live, "test")]
        customer_key = f"org-{live}"
        await db.key_service.create(customer_key)  # one that belongs to nobody, should the rest fail, does no harm
        for org, sibling, mode in spaces:
            await store.ORG_ADD.run(
                door,
                org=org,
                sibling=sibling,
                mode=mode,
                name_mac=mac,
                demo=demo,
                body=door.seal.shut(_OrgBody(name), At("org", org)),
            )
            await _add_keys(door, org, await new_keys(org, db.key_service, customer_key))
        await store.RIVALS_ANEW.run(door)
    return Org(live, name, "live")


def _org_body(seal: Seal, row: Any) -> _OrgBody:
    return seal.open_as(row["body"], _OrgBody, At("org", row["org_id"]))


def _profile(seal: Seal, person: str, body: bytes) -> _Profile:
    return seal.open_as(body, _Profile, At("person", person))


async def _add_keys(door: Narrow, org: str, made: Stored) -> None:
    for key in made.org_keys:
        await store.ORG_KEY_ADD.run(door, org=org, version=key.version, key_id=made.key_id, wrapped=key.data)
    for key in made.data_keys[""]:
        await store.DATA_KEY_ADD.run(door, org=org, version=key.version, under=key.under, wrapped=key.data)


async def find_org(db: Database, ref: str, mode: Mode = "live") -> Org:
    """The space that an id or a name means."""
    async with db.narrow("gate") as door:
        rows = await store.ORG_FIND.all(door, ref=ref, name_mac=door.seal.mac("org", ref.strip()))
        if not rows:
            raise Missing(f"There is no organisation '{ref[:80]}'.", hint="`evenhand org list` shows them all.")
        row = rows[0]
        org = row["org_id"] if row["mode"] == mode else row["sibling_id"]
        return Org(org, _org_body(door.seal, row).name, mode)


async def space_of(db: Database, org_id: str) -> Org:
    """A space by its own id, whichever its mode."""
    async with db.narrow("gate") as door:
        row = await store.ORG_GET.maybe(door, org=org_id)
        if row is None:
            raise Missing("There is no such organisation.")
        return Org(org_id, _org_body(door.seal, row).name, row["mode"])


async def close_space(db: Database, org_id: str) -> None:
    """From now on no key and no session leads into this space."""
    async with db.narrow("gate") as door:
        await store.ORG_CLOSE.run(door, org=org_id, name_mac=secrets.token_bytes(16))


async def list_orgs(db: Database) -> list[Org]:
    """Live spaces of all organisations, for the operator: names only."""
    async with db.narrow("gate") as door:
        rows = await store.ORG_LIST.all(door)
        return [Org(r["org_id"], _org_body(door.seal, r).name) for r in rows if r["mode"] == "live"]


async def create_key(
    db: Database,
    org_id: str,
    mode: Mode,
    *,
    actor: Actor = SYSTEM,
    name: str = "",
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
) -> NewKey:
    """Makes a key for the live or the test space of an organisation. The key is shown once and kept as its SHA-256."""
    scopes = scopes or list(KNOWN_SCOPES)
    unknown = sorted(set(scopes) - set(KNOWN_SCOPES))
    if unknown:
        raise Invalid(f"Unknown scope '{unknown[0][:40]}'.", hint=f"Scopes are {', '.join(KNOWN_SCOPES)}.")
    async with db.narrow("gate") as door:
        row = await store.ORG_GET.maybe(door, org=org_id)
        if row is None:
            raise Missing("There is no such organisation.")
        space = row["org_id"] if row["mode"] == mode else row["sibling_id"]
    key = f"{mode}_{secrets.token_urlsafe(32)}"
    key_id, prefix = new_id(), key[: len(mode) + 9]
    async with db.tx(space, actor) as tx:
        await store.KEY_ADD.run(
            tx,
            org=space,
            key=key_id,
            hash=hashed(key),
            prefix=prefix,
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            body=tx.seal.shut({"name": name[:200]}, At("api_key", key_id)),
        )
        await record(tx, KeyCreated(key_id, prefix))
    return NewKey(key_id, key, mode, prefix)


async def list_keys(tx: Tx, mode: Mode) -> list[Key]:
    require(tx, Verb.MANAGE)
    rows = await store.KEY_LIST.all(tx, org=tx.org_id)
    return [
        Key(
            r["key_id"],
            r["prefix"],
            mode,
            tx.seal.open(r["body"], At("api_key", r["key_id"])).get("name", ""),
            list(r["scopes"]),
            r["created_at"],
            r["expires_at"],
        )
        for r in rows
    ]


async def revoke_key(tx: Tx, key_id: str) -> None:
    require(tx, Verb.MANAGE)
    if await store.KEY_REVOKE.maybe(tx, org=tx.org_id, key=key_id) is None:
        raise Missing("There is no such key.")
    await record(tx, KeyRevoked(key_id))


async def who_holds_key(db: Database, key: str, address: str) -> tuple[str, Actor, Mode] | None:
    """(space, actor, mode) of a key, or None. The look-up goes by the key's hash, so timing tells nothing about keys.
    Raises KeyFromElsewhere where the organisation has said from which networks its keys are used."""
    if not 10 <= len(key) <= 200 or not key.isascii():
        return None
    async with db.narrow("gate") as door:
        row = await store.KEY_BY_HASH.maybe(door, hash=hashed(key), address=address or None)
    if row is None or not secrets.compare_digest(bytes(row["key_hash"]), hashed(key)):
        return None
    if row["outside"]:
        raise KeyFromElsewhere("This key is not used from your address.")
    return row["org_id"], Actor("key", row["key_id"], "key", frozenset(row["scopes"])), row["mode"]


# --- people, links, sessions


async def _person_by_email(door: Narrow, email: str) -> tuple[str, str, _Profile] | None:
    row = await store.PERSON_BY_EMAIL.maybe(door, email_mac=door.seal.mac("email", email))
    if row is None:
        return None
    return row["person_id"], row["state"], _profile(door.seal, row["person_id"], row["body"])


async def find_person(db: Database, email: str) -> str | None:
    """The id of whoever has this address, for the operator."""
    async with db.narrow("gate") as door:
        found = await _person_by_email(door, tidy_email(email))
    return None if found is None else found[0]


async def get_person(db: Database, email: str) -> str:
    """The same, or Missing."""
    found = await find_person(db, email)
    if found is None:
        raise Missing("Nobody has this address.", hint="`evenhand person list` shows everybody.")
    return found


async def _ensure_person(door: Narrow, email: str, *, demo: bool = False) -> tuple[str, _Profile]:
    found = await _person_by_email(door, email)
    if found is not None:
        return found[0], found[2]
    person, profile = new_id(), _Profile("", email)
    await store.PERSON_ADD.run(
        door,
        person=person,
        email_mac=door.seal.mac("email", email),
        hash=None,
        operator=False,
        demo=demo,
        state="invited",
        body=door.seal.shut(profile, At("person", person)),
    )
    return person, profile


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
    profile = _NOBODY if source == "pool" else _Profile(email.split("@")[0], email)
    async with db.narrow("gate") as door:
        person, _ = await _ensure_person(door, email)
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
        found = await _person_by_email(door, tidy_email(email))
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
        email = _profile(door.seal, row["person_id"], row["person_body"]).email
        org = await store.ORG_GET.maybe(door, org=row["orgs"][0]) if row["orgs"] else None
        name = _org_body(door.seal, org).name if org is not None else ""
        return LinkView(row["purpose"], email, name, row["purpose"] == "invite" and row["person_state"] == "active")


@dataclass(frozen=True, slots=True)
class LinkHolder:
    """Whom a usable link is for: nobody yet, at the first set-up. `known`: somebody who joins with the account they have."""

    purpose: str
    person: str | None
    email: str
    known: bool


async def link_holder(db: Database, token: str) -> LinkHolder:
    """Raises LinkUsed."""
    async with db.narrow("gate") as door:
        row = await store.LINK_GET.maybe(door, hash=hashed(token))
    if row is None:
        raise LinkUsed("This link has been used or is too old.")
    email = _profile(db.platform, row["person_id"], row["person_body"]).email if row["person_id"] is not None else ""
    return LinkHolder(
        row["purpose"], row["person_id"], email, row["purpose"] == "invite" and row["person_state"] == "active"
    )


async def use_link(db: Database, token: str, *, name: str, email: str | None, password: str) -> str:
    """Makes an account with its name and, where one is given, a password; ends its sessions. Returns the person's id.

    It signs nobody in: that takes a second factor, or a passkey."""
    if password:
        check_strength(password)
    password_hash = await hash_password(password) if password else None
    async with db.narrow("gate") as door:
        row = await store.LINK_USE.maybe(door, hash=hashed(token))
        if row is None:
            raise LinkUsed("This link has been used or is too old.")
        if row["purpose"] == "setup":
            await store.SETUP_LOCK.run(door)
            if await store.OPERATOR_EXISTS.value(door):
                raise LinkUsed("There is an operator already.")
            person, profile = await _ensure_person(door, tidy_email(email or ""))
        else:
            person = row["person_id"]
            found = await store.PERSON_LOCK.one(door, person=person)
            if row["purpose"] == "invite" and found["state"] == "active":
                raise LinkBusy("Another invitation of yours was accepted a moment ago.")
            profile = _profile(door.seal, person, found["body"])
            await store.SESSION_END_ALL.run(door, person=person)
        if row["factors"]:
            for drop in (store.PASSKEYS_DROP, store.TOTP_DROP, store.RECOVERY_DROP):
                await drop.run(door, person=person)
        profile = _Profile(tidy_name(name, "a person") if name or not profile.name else profile.name, profile.email)
        await store.PERSON_ACTIVATE.run(
            door, person=person, hash=password_hash, body=door.seal.shut(profile, At("person", person))
        )
        joined = await _activate(db, door, row, person, profile)
    await _tell_joined(db, person, joined)
    return person


async def _activate(db: Database, door: Narrow, link: Any, person: str, profile: _Profile) -> list[tuple[str, str]]:
    """What a link gives: (space, role) of each membership that began."""
    if link["operator"]:
        await store.PERSON_OPERATOR.run(door, person=person)
    joined: list[tuple[str, str]] = []
    for org in link["orgs"]:
        body = (await db.seal(org)).shut(profile, At("member", person))
        role = await store.MEMBER_ACTIVATE.value(door, org=org, person=person, body=body)
        if role is not None:
            joined.append((org, role))
    return joined


async def join(db: Database, token: str, person: str) -> None:
    """Somebody who is signed in accepts an invitation of theirs: it is no key to an account."""
    async with db.narrow("gate") as door:
        row = await store.LINK_USE.maybe(door, hash=hashed(token))
        if row is None or row["person_id"] != person or row["purpose"] != "invite":
            raise LinkUsed("This link has been used or is too old.")
        found = await store.PERSON_GET.one(door, person=person)
        profile = _profile(door.seal, person, found["body"])
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
        found = await _person_by_email(door, email)
        states = {s: await store.MEMBER_STATE.value(door, org=s, person=found[0] if found else "") for s in spaces}
        here = states[org_id]
        if here == "removed" or (role is None and here is None) or (found is not None and found[1] == "left"):
            return None
        person, profile = await _ensure_person(door, email)
        if not profile.name and name:
            profile = _Profile(tidy_name(name, "a person"), email)
        await store.PERSON_BEGIN.run(door, person=person, body=door.seal.shut(profile, At("person", person)))
        joined: list[tuple[str, str]] = []
        for space in spaces:
            body = (await db.seal(space)).shut(profile, At("member", person))
            if states[space] is None and role is not None:
                await store.MEMBER_PUT.run(
                    door, org=space, person=person, role=role, source="own", state="invited", body=body
                )
            begun = await store.MEMBER_ACTIVATE.value(door, org=space, person=person, body=body)
            if begun is not None:
                joined.append((space, begun))
    return person, joined


async def _tell_joined(db: Database, person: str, joined: list[tuple[str, str]]) -> None:
    for org, role in joined:
        async with db.tx(org, Actor("person", person, role)) as tx:
            await record(tx, MemberJoined(person, role))


async def add_person(db: Database, email: str, name: str, password: str, *, operator: bool = False) -> str:
    """A demo person: active, and on a loopback home signed in by a password alone. For demos and tests. Returns the id."""
    check_strength(password)
    password_hash = await hash_password(password)
    async with db.narrow("gate") as door:
        person, profile = await _ensure_person(door, tidy_email(email), demo=True)
        if operator:
            await store.PERSON_OPERATOR.run(door, person=person)
        profile = _Profile(tidy_name(name, "a person"), profile.email)
        await store.PERSON_ACTIVATE.run(
            door, person=person, hash=password_hash, body=door.seal.shut(profile, At("person", person))
        )
    return person


async def add_member(db: Database, org_id: str, person: str, role: RoleName, *, shared: bool = False) -> None:
    """Makes an active person a member at once; `shared` as in an invitation."""
    source = source_of(role, shared=shared)
    async with db.narrow("gate") as door:
        row = await store.PERSON_GET.one(door, person=person)
        profile = _NOBODY if source == "pool" else _profile(door.seal, person, row["body"])
        body = (await db.seal(org_id)).shut(profile, At("member", person))
        await store.MEMBER_PUT.run(door, org=org_id, person=person, role=role, source=source, state="active", body=body)
        await store.MEMBER_ACTIVATE.run(door, org=org_id, person=person, body=body)
    async with db.tx(org_id, SYSTEM) as tx:
        await record(tx, MemberJoined(person, role))


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was shown and not yet looked up: the database does so in the first call that needs the person."""

    hash: bytes


def session_shown(token: str) -> Session:
    """The session of a token. Raises NotSignedIn for what can't be one."""
    if not 20 <= len(token) <= 100:
        raise NotSignedIn("You are not signed in.")
    return Session(hashed(token))


async def who_is_still_signed_in(db: Database, start: bytes, org_id: str) -> str | None:
    """The person of the session whose hash begins with these 16 bytes, where it reaches this space; else None."""
    async with db.connection("gate") as conn:
        door = Narrow(conn, db.platform)
        low, high = start.ljust(32, b"\0"), start.ljust(32, b"\xff")
        return await store.SESSION_STARTING.value(door, low=low, high=high, org=org_id)


async def key_lives(db: Database, org_id: str, key_id: str) -> bool:
    """Whether an API key may still be used."""
    async with db.connection("gate") as conn:
        return await store.KEY_LIVES.value(Narrow(conn, db.platform), org=org_id, key=key_id)


async def person_view(db: Database, person: str) -> tuple[Person, list[Org]]:
    """The person and the spaces where they have a role."""
    async with db.narrow("gate") as door:
        row = await store.PERSON_GET.maybe(door, person=person) if is_id(person) else None
        if row is None:
            raise Missing("There is no such person.")
        profile = _profile(door.seal, person, row["body"])
        rows = await store.MEMBER_ORGS.all(door, person=person)
        orgs = [
            Org(r["org_id"], _org_body(door.seal, r).name, r["mode"], r["role"]) for r in rows if r["state"] == "active"
        ]
    return Person(person, profile.name, profile.email, row["operator"]), orgs


async def role_in(db: Database, org_id: str, person: str) -> str | None:
    """The person's role in a space, or None for a stranger."""
    if not is_id(org_id):
        return None
    async with db.connection("gate") as conn:
        return await store.MEMBER_ROLE.value(Narrow(conn, db.platform), org=org_id, person=person)


# --- members of one organisation


async def list_members(tx: Tx) -> list[Member]:
    require(tx, Verb.READ)
    rows = await store.MEMBER_LIST.all(tx, org=tx.org_id)
    out: list[Member] = []
    for r in rows:
        profile = _member(tx, r)
        expires_at = r["created_at"] + timedelta(seconds=LINK_S) if r["state"] == "invited" else None
        name = _name_here(tx, r)
        out.append(
            Member(alias_of(tx, r["person_id"]), name, profile.email, r["role"], r["state"], r["source"], expires_at)
        )
    return out


async def member_names(tx: Tx) -> dict[str, str]:
    """person -> the name under which this customer knows them."""
    return {r["person_id"]: _name_here(tx, r) for r in await store.MEMBER_LIST.all(tx, org=tx.org_id)}


def _member(tx: Tx, row: Any) -> _Profile:
    return tx.seal.open_as(row["body"], _Profile, At("member", row["person_id"]))


def _name_here(tx: Tx, row: Any) -> str:
    """Whom the customer invited by name, workers of the operator's pool by a pseudonym of this wall."""
    return _member(tx, row).name if row["source"] == "own" else pseudonym(tx, row["person_id"])


async def _member_behind(tx: Tx, alias: str) -> Any:
    person = await person_behind(tx, alias)
    row = await store.MEMBER_GET.maybe(tx, org=tx.org_id, person=person or "")
    if row is None or row["state"] == "removed":
        raise Missing("There is no such member.")
    return row


async def change_role(tx: Tx, alias: str, role: RoleName) -> None:
    require(tx, Verb.MANAGE)
    if role not in ROLES:
        raise Invalid(f"Unknown role '{role}'.", hint=f"Roles are {', '.join(ROLES)}.")
    row = await _member_behind(tx, alias)
    person = row["person_id"]
    if row["source"] == "pool" and role not in WORKER_ROLES:
        raise Shared("This worker is shared by the operator, and can only be an annotator or a reviewer.")
    if row["role"] == "owner" and role != "owner":
        await _not_last_owner(tx)
    await store.MEMBER_SET.run(tx, org=tx.org_id, person=person, role=role, state=row["state"])
    await record(tx, MemberRoleChanged(person, role))


async def remove_member(tx: Tx, alias: str) -> None:
    require(tx, Verb.MANAGE)
    row = await _member_behind(tx, alias)
    person = row["person_id"]
    if row["role"] == "owner":
        await _not_last_owner(tx)
    await store.MEMBER_SET.run(tx, org=tx.org_id, person=person, role=row["role"], state="removed")
    await record(tx, MemberRemoved(person))


async def _not_last_owner(tx: Tx) -> None:
    if len(await store.OWNERS.all(tx, org=tx.org_id)) < 2:
        raise LastOwner("An organisation needs an owner.")


async def people_overview(db: Database) -> list[tuple[Person, str]]:
    """Everybody, with their state: for the operator."""
    async with db.narrow("gate") as door:
        rows = await store.PERSON_LIST.all(door)
        out: list[tuple[Person, str]] = []
        for r in rows:
            profile = _profile(door.seal, r["person_id"], r["body"])
            out.append((Person(r["person_id"], profile.name, profile.email, r["operator"]), r["state"]))
        return out


async def member_counts(db: Database) -> dict[str, int]:
    async with db.narrow("gate") as door:
        return {r["org_id"]: r["members"] for r in await store.MEMBER_COUNTS.all(door)}

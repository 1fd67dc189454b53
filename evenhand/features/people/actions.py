"""What is done with people, organisations and API keys. Here the gate's transactions end before the wall's begin."""

import secrets
from dataclasses import dataclass
from datetime import datetime

from evenhand.features.people import store
from evenhand.features.people.passwords import check_strength, hash_password
from evenhand.features.people.profiles import (
    NOBODY,
    OrgBody,
    Profile,
    ensure_person,
    org_body,
    person_by_email,
    profile_of,
    tidy_email,
    tidy_name,
)
from evenhand.features.people.rules import Verb, require, source_of, wall_ahead
from evenhand.features.people.types import (
    Key,
    KeyCreated,
    KeyRevoked,
    MemberJoined,
    Mode,
    NewKey,
    Org,
    Person,
    RoleName,
)
from evenhand.infra.db import SYSTEM, Actor, Database, Narrow, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.keyrings import Stored, new_keys
from evenhand.infra.keys import hashed
from evenhand.infra.seal import At
from evenhand.pure.trouble import Concern, Conflict, Denied, Invalid, Missing

KNOWN_SCOPES = ("read", "write", "manage")


class NotSignedIn(Denied):
    code = "signin"
    hint = "Sign in, or send an API key as `Authorization: Bearer`."


class KeyFromElsewhere(Denied):
    hint = "Use it in one of the organisation's networks, or ask an owner to change their list."


class NameTaken(Conflict):
    hint = "Choose another name."


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
                body=door.seal.shut(OrgBody(name), At("org", org)),
            )
            await _add_keys(door, org, await new_keys(org, db.key_service, customer_key))
        await store.RIVALS_ANEW.run(door)
    return Org(live, name, "live")


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
        return Org(org, org_body(door.seal, row).name, mode)


async def space_of(db: Database, org_id: str) -> Org:
    """A space by its own id, whichever its mode."""
    async with db.narrow("gate") as door:
        row = await store.ORG_GET.maybe(door, org=org_id)
        if row is None:
            raise Missing("There is no such organisation.")
        return Org(org_id, org_body(door.seal, row).name, row["mode"])


async def close_space(db: Database, org_id: str) -> None:
    """From now on no key and no session leads into this space."""
    async with db.narrow("gate") as door:
        await store.ORG_CLOSE.run(door, org=org_id, name_mac=secrets.token_bytes(16))
        await store.CONSOLES_END.run(door, org=org_id)


async def list_orgs(db: Database) -> list[Org]:
    """Live spaces of all organisations, for the operator: names only."""
    async with db.narrow("gate") as door:
        rows = await store.ORG_LIST.all(door)
        return [Org(r["org_id"], org_body(door.seal, r).name) for r in rows if r["mode"] == "live"]


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
        await record(tx, KeyCreated(key_id, prefix, sorted(set(scopes))))
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
        concern = Concern(row["org_id"], "key", row["key_id"], "network")
        raise KeyFromElsewhere("This key is not used from your address.").concerning(concern)
    return row["org_id"], Actor("key", row["key_id"], "key", frozenset(row["scopes"])), row["mode"]


# --- people, links, sessions


async def find_person(db: Database, email: str) -> str | None:
    """The id of whoever has this address, for the operator."""
    async with db.narrow("gate") as door:
        found = await person_by_email(door, tidy_email(email))
    return None if found is None else found[0]


async def get_person(db: Database, email: str) -> str:
    """The same, or Missing."""
    found = await find_person(db, email)
    if found is None:
        raise Missing("Nobody has this address.", hint="`evenhand person list` shows everybody.")
    return found


async def add_person(db: Database, email: str, name: str, password: str, *, operator: bool = False) -> str:
    """A demo person: active, and on a loopback home signed in by a password alone. For demos and tests. Returns the id."""
    check_strength(password, name, email)
    password_hash = await hash_password(password)
    async with db.narrow("gate") as door:
        person, profile = await ensure_person(door, tidy_email(email), demo=True)
        if operator:
            await store.PERSON_OPERATOR.run(door, person=person)
        profile = Profile(tidy_name(name, "a person"), profile.email)
        await store.PERSON_ACTIVATE.run(
            door, person=person, hash=password_hash, body=door.seal.shut(profile, At("person", person))
        )
    return person


async def add_member(db: Database, org_id: str, person: str, role: RoleName, *, shared: bool = False) -> None:
    """Makes an active person a member at once; `shared` as in an invitation."""
    source = source_of(role, shared=shared)
    async with db.narrow("gate") as door:
        row = await store.PERSON_GET.one(door, person=person)
        profile = NOBODY if source == "pool" else profile_of(door.seal, person, row["body"])
        body = (await db.seal(org_id)).shut(profile, At("member", person))
        await store.MEMBER_PUT.run(
            door, org=org_id, person=person, role=role, source=source, state="invited", body=body
        )
        begun = await store.MEMBER_ACTIVATE.maybe(door, org=org_id, person=person, body=body)
        if begun is not None and begun["kept_until"] is not None:
            raise wall_ahead(begun["kept_until"], "this person")
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
        profile = profile_of(door.seal, person, row["body"])
        rows = await store.MEMBER_ORGS.all(door, person=person)
        orgs = [
            Org(r["org_id"], org_body(door.seal, r).name, r["mode"], r["role"]) for r in rows if r["state"] == "active"
        ]
    return Person(person, profile.name, profile.email, row["operator"], row["director"]), orgs


async def role_in(db: Database, org_id: str, person: str) -> str | None:
    """The person's role in a space, or None for a stranger and where a wall shuts the role."""
    if not is_id(org_id):
        return None
    async with db.connection("gate") as conn:
        return await store.MEMBER_ROLE.value(Narrow(conn, db.platform), org=org_id, person=person)


# --- members of one organisation


async def people_overview(db: Database) -> list[tuple[Person, str]]:
    """Everybody, with their state: for the operator."""
    async with db.narrow("gate") as door:
        rows = await store.PERSON_LIST.all(door)
        out: list[tuple[Person, str]] = []
        for r in rows:
            profile = profile_of(door.seal, r["person_id"], r["body"])
            out.append((Person(r["person_id"], profile.name, profile.email, r["operator"], r["director"]), r["state"]))
        return out


async def member_counts(db: Database) -> dict[str, int]:
    async with db.narrow("gate") as door:
        return {r["org_id"]: r["members"] for r in await store.MEMBER_COUNTS.all(door)}

"""The members of one organisation, as it sees them."""

from datetime import timedelta
from typing import Any

from evenhand.features.people import store
from evenhand.features.people.aliases import alias_of, person_behind, pseudonym
from evenhand.features.people.links import LINK_S
from evenhand.features.people.profiles import Profile
from evenhand.features.people.rules import ROLES, WORKER_ROLES, Verb, require, wall_ahead
from evenhand.features.people.types import Member, MemberRemoved, MemberRoleChanged, RoleName
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import At
from evenhand.pure.trouble import Conflict, Invalid, Missing


class Shared(Conflict):
    hint = "Invite somebody of your own for this role."


class LastOwner(Conflict):
    hint = "Make somebody else an owner first."


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


async def name_here(tx: Tx, person: str) -> str:
    """The name under which this customer knows one person; "" for who is no member."""
    row = await store.MEMBER_GET.maybe(tx, org=tx.org_id, person=person)
    return "" if row is None else _name_here(tx, row)


def _member(tx: Tx, row: Any) -> Profile:
    return tx.seal.open_as(row["body"], Profile, At("member", row["person_id"]))


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
    kept = await store.MEMBER_SET.value(tx, person=person, role=role, state=row["state"])
    if kept is not None:
        raise wall_ahead(kept, "this person")
    await record(tx, MemberRoleChanged(person, role))


async def remove_member(tx: Tx, alias: str) -> None:
    require(tx, Verb.MANAGE)
    row = await _member_behind(tx, alias)
    person = row["person_id"]
    if row["role"] == "owner":
        await _not_last_owner(tx)
    await store.MEMBER_SET.value(tx, person=person, role=row["role"], state="removed")
    await record(tx, MemberRemoved(person))


async def _not_last_owner(tx: Tx) -> None:
    if len(await store.OWNERS.all(tx, org=tx.org_id)) < 2:
        raise LastOwner("An organisation needs an owner.")

"""What a customer does with its keys: look, check, choose a key service, rotate.

Whatever changes wrapped keys holds the rows of the organisation's keys, so that two changes go one after the other.
"""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from evenhand.features.keys import store
from evenhand.features.keys.types import (
    Checked,
    KeyRetired,
    KeyRotated,
    KeyServiceChecked,
    KeyServiceChosen,
    KeysView,
    KeyUse,
    KeyVersion,
    NewChoice,
    ProjectKeys,
    Rotation,
    Service,
)
from evenhand.features.people.rules import Verb, require
from evenhand.infra.crypto.datakey import WrappedKey
from evenhand.infra.crypto.xaes import KEY_BYTES
from evenhand.infra.db import SYSTEM, Actor, Database, Tx
from evenhand.infra.envelope import Keyring, Unwrap
from evenhand.infra.facts import record
from evenhand.infra.hearing import KEYS_CHANGED
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import Job, Retry, enqueue
from evenhand.infra.keyrings import DATA_KEY_PUT, Stored, unwrapped
from evenhand.infra.kms.choice import Choice, open_service
from evenhand.infra.kms.port import KeyNotUsable, KeyService
from evenhand.infra.seal import At
from evenhand.pure.trouble import Missing, Trouble

USES = 20
RETIRE_JOB = "keys.retire"
_MARGIN_S = 30.0


async def show_keys(db: Database, tx: Tx) -> KeysView:
    """The keys of a space, what the service says of the customer's key, and who opened it last."""
    require(tx, Verb.MANAGE)
    stored = await _stored(db, tx.org_id)
    chosen = await store.CHOICE.maybe(tx, org=tx.org_id)
    choice = _choice(db, tx.org_id, chosen["body"]) if chosen is not None else Choice(kind="local")
    projects: dict[str, list[KeyVersion]] = {}
    for row in await store.DATA_KEYS.all(tx, org=tx.org_id):
        projects.setdefault(row["project_id"], []).append(KeyVersion(row["version"], row["under"], row["created_at"]))
    uses: list[KeyUse] = []
    for row in await store.USES.all(tx, org=tx.org_id, limit=USES):
        said = tx.seal.open(row["body"], At("fact", row["fact_id"]))
        fields = {name: said[name] for name in KeyUse.__struct_fields__ if name != "at"}
        uses.append(KeyUse(row["at"], **fields))
    return KeysView(
        await _described(choice, stored, chosen["changed_at"] if chosen is not None else None),
        [KeyVersion(r["version"], 0, r["created_at"]) for r in await store.ORG_KEYS.all(tx, org=tx.org_id)],
        [ProjectKeys(project, versions) for project, versions in projects.items()],
        uses,
        db.keyrings.life_s,
    )


async def check_keys(db: Database, org_id: str, actor: Actor) -> Checked:
    """Wraps and opens random bytes by the service that is in use. Raises what the service says."""
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.MANAGE)
    stored = await _stored(db, org_id)
    checked = await _try(stored.service, stored.key_id, org_id, stored.where)
    async with db.tx(org_id, actor) as tx:
        await record(tx, KeyServiceChecked(org_id, stored.where, stored.key_id))
    return checked


async def choose_service(db: Database, org_id: str, actor: Actor, new: NewChoice) -> KeysView:
    """From now on the organisation's keys are wrapped by another service. It is tried first; nothing is lost if it fails."""
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.MANAGE)
    given = msgspec.structs.asdict(new)
    if new.kind == "local":
        given["key_id"] = f"org-{org_id}-{new_id()}"
        await db.key_service.create(given["key_id"])
    elif not new.key_id:
        raise KeyNotUsable(
            "`key_id` is missing: the name of the key at its service.", hint="Such as its ARN, or its name."
        )
    choice = Choice(**given)
    service = open_service(choice, db.key_service)
    await _try(service, choice.key_id, org_id, choice.where)
    async with db.tx(org_id, actor) as tx:
        await store.LOCK.all(tx, org=org_id)
        stored = await _stored(db, org_id)
        keys = await _ring(tx, db, stored).open_org_keys()
        ring = Keyring(org_id, service, choice.key_id, [], on_unwrap=_silent)
        for version, key in keys.items():
            wrapped = await ring.wrap_org_key(version, key)
            await store.ORG_KEY_SET.run(tx, org=org_id, version=version, key_id=choice.key_id, wrapped=wrapped.data)
        body = db.platform.shut(choice, At("key_service", org_id))
        await store.CHOOSE.run(tx, org=org_id, kind=choice.kind, body=body)
        await record(tx, KeyServiceChosen(org_id, choice.where, choice.key_id, stored.where, len(keys)))
        await KEYS_CHANGED.run(tx, org=org_id)
    db.keyrings.forget(org_id)
    async with db.tx(org_id, actor) as tx:
        return await show_keys(db, tx)


async def rotate(db: Database, org_id: str, actor: Actor, what: Rotation) -> KeysView:
    """A new version of a key. What was sealed before stays readable; what is sealed from now on is under the new one."""
    async with db.tx(org_id, actor) as tx:
        require(tx, Verb.MANAGE)
        await store.LOCK.all(tx, org=org_id)
        stored = await _stored(db, org_id)
        ring = _ring(tx, db, stored)
        if what.level == "customer":
            await _rotate_customer(tx, ring)
        elif what.level == "organisation":
            await _rotate_organisation(tx, ring, stored)
            due = datetime.now(UTC) + timedelta(seconds=2 * db.keyrings.life_s + _MARGIN_S)
            await enqueue(tx, RETIRE_JOB, {}, run_at=due)
        else:
            await _rotate_project(tx, ring, stored, what.project)
        await KEYS_CHANGED.run(tx, org=org_id)
    db.keyrings.forget(org_id)
    async with db.tx(org_id, actor) as tx:
        return await show_keys(db, tx)


async def _rotate_customer(tx: Tx, ring: Keyring) -> None:
    wrapped = await ring.rotate_customer_key()
    for key in wrapped:
        await store.ORG_KEY_SET.run(tx, org=tx.org_id, version=key.version, key_id=ring.key_id, wrapped=key.data)
    await record(tx, KeyRotated(tx.org_id, "customer", 0, len(wrapped), 0))


async def retire(db: Database, org_id: str) -> bool:
    """Gives up the versions of the organisation key before the newest, once no process can wrap by them any more. True:
    there are some left, which is for later."""
    async with db.tx(org_id, SYSTEM) as tx:
        await store.LOCK.all(tx, org=org_id)
        stored = await db.wrapped_keys(org_id)
        if stored is None or len(stored.org_keys) < 2:
            return False
        newest = max(key.version for key in stored.org_keys)
        late = {p: keys for p, keys in stored.data_keys.items() if any(key.under != newest for key in keys)}
        count = await _rewrap(tx, _ring(tx, db, stored), late)  # by a process that knew no newer one
        given_up = await store.ORG_KEYS_UNUSED.run(tx, org=org_id, older_s=2 * db.keyrings.life_s)
        if count or given_up:
            await record(tx, KeyRetired(org_id, newest, count, given_up))
            await KEYS_CHANGED.run(tx, org=org_id)
    db.keyrings.forget(org_id)
    return given_up < len(stored.org_keys) - 1


async def retire_job(job: Job) -> None:
    """The job that a rotation leaves behind."""
    if await retire(job.db, job.org_id):
        raise Retry(job.db.keyrings.life_s)


async def _rotate_organisation(tx: Tx, ring: Keyring, stored: Stored) -> None:
    """Everything under the old version is wrapped by the new one. The old one is given up later, by the job."""
    key = await ring.new_org_key()
    await store.ORG_KEY_ADD.run(tx, org=tx.org_id, version=key.version, key_id=ring.key_id, wrapped=key.data)
    count = await _rewrap(tx, ring, stored.data_keys)
    await record(tx, KeyRotated(tx.org_id, "organisation", key.version, count, 0))


async def _rewrap(tx: Tx, ring: Keyring, data_keys: Mapping[str, Sequence[WrappedKey]]) -> int:
    """Wraps keys by the newest organisation key. Returns how many."""
    count = 0
    for project, keys in data_keys.items():
        for again in await ring.rewrap_project(project, keys):
            await store.DATA_KEY_SET.run(
                tx, org=tx.org_id, project=project, version=again.version, under=again.under, wrapped=again.data
            )
            count += 1
    return count


async def _rotate_project(tx: Tx, ring: Keyring, stored: Stored, project: str) -> None:
    keys: Sequence[WrappedKey] = stored.data_keys.get(project, ())
    if not keys:
        raise Missing("There is no such project, or it has no key any more.", hint="Look at the list of projects.")
    key = await ring.new_project_key(project, max(each.version for each in keys) + 1)
    await DATA_KEY_PUT.run(tx, org=tx.org_id, project=project, version=key.version, under=key.under, wrapped=key.data)
    await record(tx, KeyRotated(project or tx.org_id, "project", key.version, 0, 0))


def _ring(tx: Tx, db: Database, stored: Stored) -> Keyring:
    """A keyring for one change. Each key that it opens is an event of the same transaction, before it is used."""

    async def told(used: Unwrap) -> None:
        if used.level == "organisation" and used.outcome == "opened":
            await record(tx, unwrapped(stored, [used], "wrapping anew", db.process))

    return Keyring(tx.org_id, stored.service, stored.key_id, stored.org_keys, on_unwrap=told)


async def _stored(db: Database, org_id: str) -> Stored:
    stored = await db.wrapped_keys(org_id)
    if stored is None:
        raise Missing("This organisation has no keys any more.", hint="They were destroyed; its data can't be read.")
    return stored


def _choice(db: Database, org_id: str, body: bytes) -> Choice:
    return db.platform.open_as(body, Choice, At("key_service", org_id))


async def _silent(used: Unwrap) -> None:
    """A ring that wraps only opens nothing."""


async def _try(service: KeyService, key_id: str, org_id: str, where: str) -> Checked:
    plain, begun = os.urandom(KEY_BYTES), time.perf_counter()
    context = {"organisation": org_id, "key": "check", "at": datetime.now(UTC).isoformat()}
    wrapped = await service.wrap(key_id, plain, context)
    between = time.perf_counter()
    if await service.unwrap(key_id, wrapped, context) != plain:
        raise KeyNotUsable(
            f"The key '{key_id}' at {where} gives back something else than it was given.", hint="Choose another key."
        )
    ended = time.perf_counter()
    return Checked(where, key_id, round((between - begun) * 1000, 1), round((ended - between) * 1000, 1))


async def _described(choice: Choice, stored: Stored, changed_at: datetime | None) -> Service:
    trouble = ""
    try:
        info = await stored.service.describe(stored.key_id)
        state, versions = info.state, list(info.versions)
    except Trouble as err:
        state, versions, trouble = "unavailable", [], err.message
    return Service(choice.kind, stored.where, stored.key_id, state, versions, trouble, changed_at)

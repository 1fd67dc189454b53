"""Viewings: who may see which files, from when until when, and how much was read of them.

A viewing is what all links of one page, or all of one lease, have in common. It is an event when it begins, with a commitment
to the list of its files, and one when it has ended, with what was read. No link opens anything before the first is written.
"""

import hmac
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import msgspec

from evenhand.features.assets import links
from evenhand.infra.db import SYSTEM, Actor, Database, Narrow, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.seal import KEYLESS, At
from evenhand.infra.sql import Sql

_SALT_BYTES = 16
_AT_ONCE = 500

VIEWING_ADD = Sql(
    "viewing_add",
    """insert into evenhand.viewing (org_id, viewing_id, kind, assignment_id, actor_kind, actor_id, grant_id, until, body)
       values (%(org)s, %(viewing)s, %(kind)s, %(assignment)s, %(actor_kind)s::text, %(actor)s, %(grant)s, %(until)s,
               %(body)s)
       on conflict do nothing returning viewing_id""",
)
#: with what a picture needs to carry its viewer's name (marking.py). What was shown under a customer's grant ends with it.
_VIEWING = """select v.viewing_id, v.actor_kind::text as actor_kind, v.actor_id, v.grant_id, v.opened_at,
              (select s.body from evenhand.setting s where s.org_id = v.org_id and s.name = 'watermark') as watermark
         from evenhand.viewing v where v.org_id = %(org)s and v.closed_at is null"""
VIEWING_LIVE = Sql(
    "viewing_live",
    _VIEWING
    + """ and v.viewing_id = %(viewing)s and v.until > now()
          and (v.grant_id is null or exists (
              select from evenhand.access_grant g
               where g.org_id = v.org_id and g.grant_id = v.grant_id and g.ended_at is null and g.until_at > now()))""",
)
VIEWING_OF_LEASE = Sql("viewing_of_lease", _VIEWING + " and v.assignment_id = %(assignment)s")
VIEWING_READ = Sql(
    "viewing_read",
    """update evenhand.viewing
          set ranges = ranges + %(ranges)s, bytes = bytes + %(bytes)s, until = greatest(until, %(until)s)
        where org_id = %(org)s and viewing_id = %(viewing)s and closed_at is null""",
)
#: Not at once: what a process has counted in the last seconds is still on its way.
VIEWINGS_CLOSE = Sql(
    "viewings_close",
    """update evenhand.viewing set closed_at = clock_timestamp()
        where org_id = %(org)s and viewing_id in (
              select v.viewing_id from evenhand.viewing v
                left join evenhand.assignment a on a.org_id = v.org_id and a.assignment_id = v.assignment_id
                left join evenhand.access_grant g on g.org_id = v.org_id and g.grant_id = v.grant_id
               where v.org_id = %(org)s and v.closed_at is null
                 and least(v.until, a.closed_at, g.ended_at, g.until_at) < now() - make_interval(secs => %(late_s)s)
               order by v.until limit %(most)s for update of v skip locked)
       returning viewing_id, ranges, bytes""",
)
VIEWINGS_CLOSE_OF = Sql(
    "viewings_close_of",
    """update evenhand.viewing set closed_at = clock_timestamp()
        where org_id = %(org)s and closed_at is null and actor_kind::text = 'person' and actor_id = %(person)s
       returning viewing_id, ranges, bytes""",
)
#: which files somebody could see, for as long as that is kept
VIEWINGS_OF = Sql(
    "viewings_of",
    """select viewing_id, body from evenhand.viewing
        where org_id = %(org)s and actor_kind::text = 'person' and actor_id = %(person)s""",
)
VIEWING_ORGS = Sql(
    "viewing_orgs", "select distinct org_id from evenhand.viewing where closed_at is null", role="scheduler"
)
CLOSE_AFTER_S = 15.0


class Listed(msgspec.Struct):
    """What is sealed of a viewing: its files, and the salt of the commitment to them."""

    files: list[str]
    salt: str


class MediaIssued(msgspec.Struct, frozen=True):
    """Somebody may see files: the links of a page, or those of a lease (`assignment`). `files` commits to their list."""

    about: str
    grant: Literal["lease", "session", "key"]
    count: int
    files: str
    assignment: str = ""


class MediaClosed(msgspec.Struct, frozen=True):
    """And no more. `ranges`: how often something was read, `bytes`: how much."""

    about: str
    ranges: int
    bytes: int


class Commitment:
    """To a list of files by their ids, in order: SHA-256 of a first line, the salt, and a line for each."""

    __slots__ = ("_hash", "count", "salt")

    def __init__(self, salt: bytes) -> None:
        self.salt = salt
        self.count = 0
        self._hash = sha256(b"evenhand-files-v1\n" + salt)

    def add(self, asset: str) -> None:
        self._hash.update(f"{asset}\n".encode())
        self.count += 1

    def hexdigest(self) -> str:
        return self._hash.hexdigest()


def commitment(files: Iterable[str]) -> Commitment:
    made = Commitment(os.urandom(_SALT_BYTES))
    for asset in files:
        made.add(asset)
    return made


async def begin(
    tx: Tx, viewing: str, grant: links.Grant, made: Commitment, files: Iterable[str], until: datetime
) -> bool:
    """Writes that the actor of `tx` may see `files`. False where that is written already."""
    assignment = grant.id if grant.kind == "lease" else None
    added = await VIEWING_ADD.value(
        tx, org=tx.org_id, viewing=viewing, kind=grant.kind, assignment=assignment, actor_kind=tx.actor.kind,
        actor=tx.actor.id, grant=tx.actor.grant or None, until=until,
        body=tx.seal.shut(Listed(list(files), made.salt.hex()), At("viewing", viewing)),
    )  # fmt: skip
    if added is None:
        return False
    await record(tx, MediaIssued(viewing, grant.kind, made.count, made.hexdigest(), assignment or ""))
    return True


async def issue(tx: Tx, db: Database, files: Iterable[str]) -> links.Link:
    """Links of a reply to `files`, written down. The same list to the same session or key again, a moment later, has the same
    links and is no second event."""
    listed = list(dict.fromkeys(files))
    window = int(time.time()) // links.ROUND_S
    someone = links.of_page("", tx.actor)
    if someone is None or not listed:
        return links.link_of(db, tx.org_id, None)
    words = f"{tx.org_id} {someone.kind} {someone.who.hex()} {tx.actor.grant} {window} {' '.join(listed)}"
    grant = replace(someone, id=hmac.digest(db.keys.key("viewing"), words.encode(), "sha256")[:12].hex())
    await begin(tx, grant.id, grant, commitment(listed), listed, _until())
    return links.link_of(db, tx.org_id, grant)


class Page:
    """The links of a reply that knows its files only when it is made, or one after another, and however many (an export): then
    it does not `keep` their list, since it is one itself. They open when `settle` has committed."""

    def __init__(self, db: Database, org_id: str, actor: Actor, *, keep: bool = True) -> None:
        self._viewing = new_id()
        self._grant = links.of_page(self._viewing, actor)
        self._link = links.link_of(db, org_id, self._grant)
        self._made = commitment(())
        self._keep = keep
        self._files: dict[str, None] = {}

    def link(self, asset: str, variant: str = "full") -> str:
        if not self._keep:
            self._made.add(asset)
        elif asset not in self._files:
            self._files[asset] = None
            self._made.add(asset)
        return self._link(asset, variant)

    async def settle(self, tx: Tx) -> None:
        """Writes down what was linked, if anything was."""
        if self._made.count and self._grant is not None:
            await begin(tx, self._viewing, self._grant, self._made, self._files, _until())


def page_of(tx: Tx, db: Database) -> Page:
    """The page of this transaction's reply; it is written down right before the commit."""
    page = tx.before_commit.get("media")
    if not isinstance(page, Page):
        page = tx.before_commit["media"] = Page(db, tx.org_id, tx.actor)
    return page


def _until() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=links.LIFE_S)


async def close_ended(db: Database, *, late_s: float = CLOSE_AFTER_S) -> int:
    """Closes what has ended: its links are too old, or its lease is over. Returns how many."""
    async with db.connection("scheduler") as conn:
        orgs = [row["org_id"] for row in await VIEWING_ORGS.all(Narrow(conn, db.platform))]
    count = 0
    for org in orgs:
        with suppress(*KEYLESS):  # written when the customer's key is back
            async with db.tx(org, SYSTEM) as tx:
                count += await _closed(tx, await VIEWINGS_CLOSE.all(tx, org=org, late_s=late_s, most=_AT_ONCE))
    return count


async def close_of(tx: Tx, person: str) -> int:
    """Closes at once what somebody who leaves could see. What they read in the last seconds is not counted any more."""
    return await _closed(tx, await VIEWINGS_CLOSE_OF.all(tx, org=tx.org_id, person=person))


async def _closed(tx: Tx, rows: list[Any]) -> int:
    for row in rows:
        await record(tx, MediaClosed(row["viewing_id"], row["ranges"], row["bytes"]))
    return len(rows)


async def files_seen(tx: Tx, person: str, issued: dict[str, int]) -> int:
    """How many files somebody could see by these viewings (id to count). A file in several of them counts once, but for
    those whose lists are not kept: exports, and what is older than a quarter of a year."""
    seen: set[str] = set()
    listless = dict(issued)
    for row in await VIEWINGS_OF.all(tx, org=tx.org_id, person=person):
        listed = tx.seal.open_as(row["body"], Listed, At("viewing", row["viewing_id"])).files
        if listed and listless.pop(row["viewing_id"], None) is not None:
            seen.update(listed)
    return len(seen) + sum(listless.values())

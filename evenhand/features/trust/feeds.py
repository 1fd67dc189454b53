"""A security team's feed: every event of the organisation goes to a webhook or a syslog receiver, in the order of its counter, at
least once. What was told is an event's own text and place; that it was told is none, or the feed would feed itself."""

import asyncio
import logging
import secrets
import ssl
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.features.trust import store
from evenhand.infra.access import commitment
from evenhand.infra.db import SYSTEM, Database, Tx
from evenhand.infra.facts import event_of, record
from evenhand.infra.fetch import check_url, private_allowed, request
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.seal import KEYLESS, At
from evenhand.infra.syslog import PORTS, address_of, send
from evenhand.pure.syslog import message
from evenhand.pure.trouble import Conflict, Invalid, Missing, Trouble, Upstream
from evenhand.pure.webhooks import signature

log = logging.getLogger("evenhand.log")
EVERY_S = 2.0
AT_ONCE = 100  #: events in a request
_CLAIM_S = 120.0  # longer than a try may take
_MOST_FEEDS = 10
_MOST_REPLY = 64 * 1024
_MOST_WAIT_S = 600.0
_TRIES_AT_ONCE = 8


class FeedBody(msgspec.Struct):
    url: str
    secret: str
    error: str = ""


class Feed(msgspec.Struct, frozen=True):
    """`secret` signs what a webhook gets; `behind`: events that the receiver does not have yet; `error`: of the last try."""

    id: str
    url: str
    on: bool
    secret: str
    behind: int
    sent_at: datetime | None
    tries: int
    error: str


class FeedAdded(msgspec.Struct, frozen=True):
    """The organisation's events go somewhere from now on. `where`: the commitment to the address."""

    about: str
    where: str


class FeedChanged(msgspec.Struct, frozen=True):
    about: str
    state: str  # on, off, removed


class NoSuchFeed(Missing):
    hint = "List the feeds again."


def check_feed(url: str) -> None:
    """Raises Invalid for what is no webhook and no syslog receiver, or would go in the clear."""
    if url.split(":", 1)[0] in PORTS:
        _, host, _ = address_of(url)
        check_url(f"https://{f'[{host}]' if ':' in host else host}/")
        return
    check_url(url)
    if not url.startswith("https://") and not private_allowed():
        raise Invalid("A webhook for events must be https.")


async def list_feeds(tx: Tx) -> list[Feed]:
    require(tx, Verb.MANAGE)
    count: int = await store.MY_COUNT.value(tx, org=tx.org_id) or 0
    return [_feed(tx, row, count) for row in await store.FEEDS.all(tx, org=tx.org_id)]


def _feed(tx: Tx, row: Any, count: int) -> Feed:
    body = tx.seal.open_as(row["body"], FeedBody, At("feed", row["feed_id"]))
    return Feed(
        row["feed_id"], body.url, row["next_at"] is not None, body.secret, max(0, count - row["sent"]), row["sent_at"],
        row["tries"], body.error,
    )  # fmt: skip


async def add_feed(tx: Tx, url: str, *, everything: bool = False) -> list[Feed]:
    """From the next event on; with `everything`, from the first."""
    require(tx, Verb.MANAGE)
    check_feed(url)
    held = await store.FEEDS.all(tx, org=tx.org_id)
    if any(tx.seal.open_as(row["body"], FeedBody, At("feed", row["feed_id"])).url == url for row in held):
        raise Conflict("There is a feed to this address already.")
    if len(held) >= _MOST_FEEDS:
        raise Conflict(f"An organisation has {_MOST_FEEDS} feeds at most.", hint="Remove one that is not needed.")
    feed, body = new_id(), FeedBody(url, f"whsec_{secrets.token_urlsafe(32)}")
    sent: int = 0 if everything else await store.MY_COUNT.value(tx, org=tx.org_id) or 0
    await store.FEED_ADD.run(tx, org=tx.org_id, feed=feed, sent=sent, body=tx.seal.shut(body, At("feed", feed)))
    await record(tx, FeedAdded(feed, commitment([url])))
    return await list_feeds(tx)


async def switch_feed(tx: Tx, feed: str, on: bool) -> list[Feed]:
    """A feed that is on again goes on where it was."""
    require(tx, Verb.MANAGE)
    await _row(tx, feed)
    await store.FEED_SWITCH.run(tx, org=tx.org_id, feed=feed, wanted=on)
    await record(tx, FeedChanged(feed, "on" if on else "off"))
    return await list_feeds(tx)


async def remove_feed(tx: Tx, feed: str) -> list[Feed]:
    require(tx, Verb.MANAGE)
    await _row(tx, feed)
    await store.FEED_DROP.run(tx, org=tx.org_id, feed=feed)
    await record(tx, FeedChanged(feed, "removed"))
    return await list_feeds(tx)


async def _row(tx: Tx, feed: str) -> Any:
    row = await store.FEED_GET.maybe(tx, org=tx.org_id, feed=feed) if is_id(feed) else None
    if row is None:
        raise NoSuchFeed("There is no such feed.")
    return row


# --- telling


async def deliver(db: Database, org_id: str, feed: str, host: str, trust: ssl.SSLContext | None = None) -> int:
    """One request with what the receiver does not have yet. Returns how many events it took; 0 also where it failed.

    host: what we are called; trust: whose certificates are believed, where not the usual authorities'."""
    async with db.tx(org_id, SYSTEM) as tx:
        row = await _row(tx, feed)
        rows = await store.EVENTS_AFTER.all(tx, org=org_id, sent=row["sent"], most=AT_ONCE)
        if not rows or await store.FEED_CLAIM.maybe(tx, org=org_id, feed=feed, claim_s=_CLAIM_S) is None:
            return 0
        body = tx.seal.open_as(row["body"], FeedBody, At("feed", row["feed_id"]))
        events = [_event(tx, one) for one in rows]
    error = ""
    try:
        await _tell(body, org_id, feed, events, host, trust)
    except Trouble as err:
        error = err.message[:300]
    tries = row["tries"] + 1 if error else 0
    wait_s = min(_MOST_WAIT_S, 5.0 * 2**tries) if error else 0.0
    async with db.tx(org_id, SYSTEM) as tx:
        await store.FEED_SENT.run(
            tx, org=org_id, feed=feed, sent=row["sent"] if error else events[-1]["counter"], tries=tries,
            sent_at=None if error else datetime.now(UTC), next_at=datetime.now(UTC) + timedelta(seconds=wait_s),
            body=tx.seal.shut(FeedBody(body.url, body.secret, error), At("feed", feed)),
        )  # fmt: skip
    return 0 if error else len(events)


def _event(tx: Tx, row: Any) -> dict[str, Any]:
    """An event as the log has it: its own text, and its place."""
    whole = msgspec.json.decode(event_of(tx.seal, row["fact_id"], row["kind"], row["at"], row["about_id"], row["body"]))
    return {
        "counter": row["counter"], "index": row["index"], "at": row["at"].isoformat(), "kind": whole["kind"],
        "data": whole["data"], "org": tx.org_id,
    }  # fmt: skip


async def _tell(
    body: FeedBody, org_id: str, feed: str, events: list[dict[str, Any]], host: str, trust: ssl.SSLContext | None
) -> None:
    """Raises Upstream and Invalid."""
    if body.url.split(":", 1)[0] in PORTS:
        told = [message(host, one["kind"], datetime.fromisoformat(one["at"]), one) for one in events]
        await send(body.url, told, trust=trust)
        return
    content = msgspec.json.encode({"org": org_id, "feed": feed, "events": events})
    got = await request(
        "POST", body.url, content=content, most_bytes=_MOST_REPLY, follow=False, trust=trust,
        headers={
            "content-type": "application/json",
            "evenhand-signature": signature(body.secret, content, int(time.time())),
            "evenhand-feed-id": feed,
        },
    )  # fmt: skip
    if not 200 <= got.status < 300:
        raise Upstream(f"The receiver answered {got.status}.")


async def tell_due(db: Database, host: str) -> int:
    """Whatever is due, of all organisations. Returns how many events were taken."""
    async with db.narrow("scheduler") as door:
        due = await store.FEEDS_DUE.all(door)
    few = asyncio.Semaphore(_TRIES_AT_ONCE)

    async def one(org_id: str, feed: str) -> int:
        total = 0
        with suppress(*KEYLESS, Missing):
            async with few:
                while took := await deliver(db, org_id, feed, host):
                    total += took
        return total

    return sum(await asyncio.gather(*(one(row["org_id"], row["feed_id"]) for row in due)))


async def run(db: Database, host: str, stop: asyncio.Event) -> None:
    """Tells until told to stop."""
    while not stop.is_set():
        try:
            await tell_due(db, host)
        except Exception as err:
            # the database fails in its driver's ways; what was not told is due again
            log.warning("the feeds can't be told (%s); trying again", type(err).__name__)
        try:
            await asyncio.wait_for(stop.wait(), EVERY_S)
        except TimeoutError:
            continue

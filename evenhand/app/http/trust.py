"""What a customer can take and check alone: the evidence from the transparency log; how the log is; and its own feeds of events."""

from typing import Any

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call
from evenhand.app.http.evidence import evidence_reply, newest
from evenhand.app.http.routes import route
from evenhand.app.transparency import log_files
from evenhand.features.people.rules import Verb, require
from evenhand.features.trust import feeds
from evenhand.features.trust.feeds import Feed
from evenhand.features.trust.status import TrustStatus, trust_status
from evenhand.infra.db import Tx
from evenhand.pure.trouble import Invalid

_MOST_SAVED = 20


class BundleQuery(msgspec.Struct):
    saved: list[int] = []


@route("GET", "/trust/bundle", query=BundleQuery, tx=False, media="application/zip")
async def bundle(call: Call) -> Response:
    """Your evidence: everything that the log holds of your organisation, to be checked offline"""
    saved: list[int] = call.query.saved
    if len(saved) > _MOST_SAVED or any(not 0 <= size < 2**63 for size in saved):
        raise Invalid(f"`saved` must be the size of a checkpoint, at most {_MOST_SAVED} times.")
    async with call.db.tx(call.org_id, call.actor) as tx:
        require(tx, Verb.READ)
    with await newest(call) as evidence:
        async with call.db.tx(call.org_id, call.actor, read_only=True) as tx:
            await evidence.gather(tx)
        return await evidence_reply(call, evidence, sorted(set(saved)))


@route("GET", "/trust/status", reply=TrustStatus)
async def status(call: Call, tx: Tx) -> Any:
    """How the log is: how far, how late, who cosigned it, and how many of your events it holds"""
    return await trust_status(tx, call.db, log_files(call.services.settings))


class Feeds(msgspec.Struct, frozen=True):
    items: list[Feed]
    next: str | None = None


class FeedIn(msgspec.Struct, forbid_unknown_fields=True):
    """`url`: https://, syslog+tls://, syslog+tcp:// or syslog+udp://; `everything`: from the first event on."""

    url: str
    everything: bool = False


class FeedPatch(msgspec.Struct, forbid_unknown_fields=True):
    on: bool


@route("GET", "/trust/feeds", reply=Feeds)
async def list_feeds(call: Call, tx: Tx) -> Any:
    """Where your events are sent to, and how far each receiver is"""
    return Feeds(await feeds.list_feeds(tx))


@route("POST", "/trust/feeds", body=FeedIn, reply=Feeds, fresh=True)
async def add_feed(call: Call, tx: Tx) -> Any:
    """Send every event to a webhook or a syslog receiver"""
    return Feeds(await feeds.add_feed(tx, call.body.url, everything=call.body.everything))


@route("PATCH", "/trust/feeds/{feed}", body=FeedPatch, reply=Feeds)
async def switch_feed(call: Call, tx: Tx) -> Any:
    """Switch a feed off, or on again from where it was"""
    return Feeds(await feeds.switch_feed(tx, call.path("feed"), call.body.on))


@route("DELETE", "/trust/feeds/{feed}", reply=Feeds)
async def remove_feed(call: Call, tx: Tx) -> Any:
    """Remove a feed"""
    return Feeds(await feeds.remove_feed(tx, call.path("feed")))

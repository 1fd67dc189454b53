"""Out again: exports, deliveries and the callback log."""

from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.projects import bounded, cursor_after
from evenhand.app.http.routes import route
from evenhand.features.deliveries import callbacks
from evenhand.features.deliveries.types import Callback, CallbackSecrets
from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import Tx


class CallbackPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    task: str | None = None


class Callbacks(msgspec.Struct, frozen=True):
    items: list[Callback]
    next: str | None


@route("GET", "/callbacks", query=CallbackPage, reply=Callbacks)
async def list_callbacks(call: Call, tx: Tx) -> Any:
    """The callback log, newest first"""
    limit = bounded(call.query.limit)
    items = await callbacks.list_callbacks(tx, task=call.query.task, after=call.query.cursor, limit=limit)
    return Callbacks(items, cursor_after(items, limit))


@route("POST", "/callbacks/{callback}/replay", reply=Callback)
async def replay(call: Call, tx: Tx) -> Any:
    """Send a callback once more"""
    return await callbacks.replay(tx, call.path("callback"))


@route("GET", "/settings/callbacks", reply=CallbackSecrets)
async def secrets(call: Call, tx: Tx) -> Any:
    """The secrets by which a receiver knows us"""
    require(tx, Verb.MANAGE)
    return await callbacks.callback_secrets(tx)

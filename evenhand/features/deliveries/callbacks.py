"""Telling the customer: one row for each thing to tell, a log of every try, replay by hand."""

import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from evenhand.features.deliveries import store
from evenhand.features.deliveries.rules import wait_after
from evenhand.features.deliveries.types import (
    Callback,
    CallbackBody,
    CallbackEnded,
    CallbackSecrets,
    CallbackSent,
    CallbackTry,
)
from evenhand.features.people.rules import Verb, require
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import body_of, put_body, task_row
from evenhand.infra.db import SYSTEM, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.fetch import request
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.jobs import Job, Retry, enqueue
from evenhand.infra.seal import At
from evenhand.pure.trouble import Missing, Trouble
from evenhand.pure.webhooks import signature

_SECRETS = "callback_secrets"
_SECRETS_AT = At("setting", _SECRETS)
MOST_REPLY = 1_000_000
#: sends mail to an address: given by the worker, since mail belongs to the installation and not to a customer
Mailer = Callable[[str, str, str], Awaitable[None]]


async def callback_secrets(tx: Tx) -> CallbackSecrets:
    """This space's secrets, made when first asked for."""
    fresh = CallbackSecrets(f"cb_{secrets.token_urlsafe(24)}", f"whsec_{secrets.token_urlsafe(32)}")
    await store.SETTING_PUT.run(tx, org=tx.org_id, name=_SECRETS, body=tx.seal.shut(fresh, _SECRETS_AT))
    kept = await store.SETTING_GET.value(tx, org=tx.org_id, name=_SECRETS)
    return tx.seal.open_as(kept, CallbackSecrets, _SECRETS_AT)


def _body(tx: Tx, row: Any) -> CallbackBody:
    return tx.seal.open_as(row["body"], CallbackBody, At("callback", row["callback_id"]))


def _try_at(callback: str, number: int) -> At:
    return At("callback_try", callback, version=number)


async def add_callback(
    tx: Tx, url: str, payload: dict[str, Any], *, task: str | None = None, batch: str | None = None
) -> str:
    """Something to tell; a job sends it."""
    callback = new_id()
    body = tx.seal.shut(CallbackBody(url, payload), At("callback", callback))
    await store.CALLBACK_ADD.run(tx, org=tx.org_id, callback=callback, task=task, batch=batch, body=body)
    await enqueue(tx, "deliveries.send", {"callback": callback}, most=50)
    return callback


class _Send(msgspec.Struct):
    callback: str


async def send_job(job: Job, mailer: Mailer) -> None:
    """One try; asks to be run again while tries are left."""
    params = msgspec.convert(job.params, _Send)
    wait = await send_once(job.db, job.org_id, params.callback, mailer)
    if wait is not None:
        raise Retry(wait)


async def send_once(db: Database, org_id: str, callback: str, mailer: Mailer) -> float | None:
    """Tries once and logs the try. Returns the seconds to wait before the next, or None when it is over."""
    async with db.tx(org_id, SYSTEM) as tx:
        row = await store.CALLBACK_GET.maybe(tx, org=org_id, callback=callback)
        if row is None or row["state"] != "waiting":
            return None
        body = _body(tx, row)
        keys = await callback_secrets(tx)
        tried: int = await store.TRIES.value(tx, org=org_id, callback=callback)
        await record(tx, CallbackSent(callback, row["task_id"] or "", tried + 1))
    status, error = await _post(body, keys, callback, mailer)
    async with db.tx(org_id, SYSTEM) as tx:
        row = await store.CALLBACK_LOCK.one(tx, org=org_id, callback=callback)
        tries: int = await store.TRY_NEXT.value(tx, org=org_id, callback=callback)
        said = tx.seal.shut({"error": error}, _try_at(callback, tries))
        await store.TRY_ADD.run(tx, org=org_id, callback=callback, **{"try": tries}, status=status, body=said)
        if row["state"] != "waiting":
            return None
        ok = status is not None and 200 <= status < 300
        wait = None if ok else wait_after(tries)
        state = "done" if ok else "failed" if wait is None else "waiting"
        next_at = None if wait is None else datetime.now(UTC) + timedelta(seconds=wait)
        await store.CALLBACK_SET.run(tx, org=org_id, callback=callback, state=state, next_at=next_at)
        if state != "waiting":
            await record(tx, CallbackEnded(callback, ok, tries))
            if row["task_id"] is not None:
                await _mark(tx, row["task_id"], ok)
        return wait


async def _mark(tx: Tx, task: str, ok: bool) -> None:
    await tasks_store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)
    body = body_of(tx, row)
    body.callback_ok = ok
    await put_body(tx, row, body)


async def _post(body: CallbackBody, keys: CallbackSecrets, callback: str, mailer: Mailer) -> tuple[int | None, str]:
    content = msgspec.json.encode(body.payload)
    try:
        if "://" not in body.url:
            await mailer(body.url, "A task of yours has changed", content.decode())
            return 250, ""
        got = await request(
            "POST",
            body.url,
            content=content,
            headers={
                "content-type": "application/json",
                "scale-callback-auth": keys.auth_key,
                "evenhand-signature": signature(keys.signing_secret, content, int(time.time())),
                "evenhand-callback-id": callback,  # the same for every try: a receiver can tell a repeat
            },
            most_bytes=MOST_REPLY,
            follow=False,
        )
    except Trouble as err:
        return None, err.message[:500]
    return got.status, "" if 200 <= got.status < 300 else f"The receiver answered {got.status}."


async def replay(tx: Tx, callback: str) -> Callback:
    """Sends once more by hand: a new row with the same content, so the log of the old one stays."""
    require(tx, Verb.WRITE)
    row = await store.CALLBACK_GET.maybe(tx, org=tx.org_id, callback=callback) if is_id(callback) else None
    if row is None:
        raise Missing("There is no such callback.")
    body = _body(tx, row)
    fresh = await add_callback(tx, body.url, body.payload, task=row["task_id"], batch=row["batch_id"])
    return (await _views(tx, [await store.CALLBACK_GET.one(tx, org=tx.org_id, callback=fresh)]))[0]


async def list_callbacks(tx: Tx, *, task: str | None, after: str | None, limit: int) -> list[Callback]:
    require(tx, Verb.READ)
    rows = await store.CALLBACK_LIST.all(tx, org=tx.org_id, task=task, after=after, limit=limit)
    return await _views(tx, rows)


async def _views(tx: Tx, rows: list[Any]) -> list[Callback]:
    tries: dict[str, list[CallbackTry]] = {}
    for t in await store.TRIES_OF.all(tx, org=tx.org_id, callbacks=[r["callback_id"] for r in rows]):
        error = tx.seal.open(t["body"], _try_at(t["callback_id"], t["try_no"])).get("error", "")
        tries.setdefault(t["callback_id"], []).append(CallbackTry(t["created_at"], t["status"], error))
    return [
        Callback(
            r["callback_id"],
            r["task_id"],
            r["batch_id"],
            _body(tx, r).url,
            r["state"],
            tries.get(r["callback_id"], []),
            r["next_at"],
        )
        for r in rows
    ]

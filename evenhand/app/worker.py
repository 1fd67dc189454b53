"""The worker: jobs, and what must happen every few seconds."""

import asyncio
import logging
import time
from contextlib import suppress
from functools import partial

import msgspec

from evenhand.app.cleaning import keep_clean
from evenhand.app.listening import listen
from evenhand.app.mail import send_mail
from evenhand.app.scale.render import callback_payload
from evenhand.app.services import Services
from evenhand.app.telling import tell_owners
from evenhand.app.transparency import log_signer, the_log
from evenhand.features.access.expiry import keys_ending
from evenhand.features.annotations.actions import settle_job
from evenhand.features.annotations.gold import courses_job, score_job
from evenhand.features.assets.viewings import close_ended
from evenhand.features.contracts.cards import tell_everybody
from evenhand.features.contracts.walls import walls_anew
from evenhand.features.deliveries import callbacks
from evenhand.features.keys.actions import RETIRE_JOB, retire_job
from evenhand.features.leaving.parting import destroy_left_keys
from evenhand.features.leaving.retention import run_retention
from evenhand.features.leaving.running import erase_job
from evenhand.features.projects import actions as projects
from evenhand.features.projects import batches, seats
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import body_of, task_row
from evenhand.features.tasks.holding import expire_due, take_back
from evenhand.features.tasks.jobs import fetch_attachments
from evenhand.features.trust import feeds, neutrality, sequencer, turns, witnesses
from evenhand.infra.db import SYSTEM, Narrow, Tx
from evenhand.infra.jobs import Handler, Job, Worker
from evenhand.infra.seal import KEYLESS
from evenhand.pure.scale.times import format_time
from evenhand.pure.trouble import Upstream

__all__ = ["handlers", "listen", "run", "sweep", "tell_task"]
log = logging.getLogger("evenhand.worker")
SWEEP_S = 2.0
SEATS_S = 60.0
KEYS_S = 3600.0
RETENTION_S = 3600.0


class _About(msgspec.Struct):
    about: str
    role: str = ""


class _TaskJob(msgspec.Struct):
    task: str


async def _seat(job: Job) -> None:
    fact = msgspec.convert(job.params, _About)
    await job.step("seat", lambda tx: seats.seat_newcomer(tx, fact.about, fact.role))


async def _unseat(job: Job) -> None:
    fact = msgspec.convert(job.params, _About)

    async def act(tx: Tx) -> None:
        await seats.unseat(tx, fact.about)
        await take_back(tx, fact.about)

    await job.step("unseat", act)


async def _reseat(job: Job) -> None:
    fact = msgspec.convert(job.params, _About)

    async def act(tx: Tx) -> None:
        await seats.unseat(tx, fact.about)
        await seats.seat_newcomer(tx, fact.about, fact.role)

    await job.step("reseat", act)


async def _callback(job: Job) -> None:
    params = msgspec.convert(job.params, _TaskJob)
    await job.step("tell", lambda tx: tell_task(tx, params.task))


async def _failed(job: Job) -> None:
    fact = msgspec.convert(job.params, _About)
    await job.step("tell", lambda tx: tell_task(tx, fact.about))


async def tell_task(tx: Tx, task: str) -> str:
    """Queues a callback for a task whose state has changed, if somebody wants to know."""
    row = await task_row(tx, task)
    if row["purpose"] != "work":
        return "no live work"
    url = body_of(tx, row).callback_url
    if not url:
        url = projects.body_of(tx, await projects.row_of(tx, row["project_id"])).callback_url
    if not url:
        return "nobody asked"
    return await callbacks.add_callback(tx, url, await callback_payload(tx, row), task=task)


def handlers(services: Services) -> dict[str, Handler]:
    """The written list of jobs."""

    async def fetch(job: Job) -> None:
        await fetch_attachments(job, services.objects)

    async def tell(job: Job) -> None:
        await tell_owners(job, services.settings)

    async def send(job: Job) -> None:
        await callbacks.send_job(job, partial(send_mail, services.settings))

    async def erase(job: Job) -> None:
        await erase_job(job, services.objects, log_signer(services.settings))
        await destroy_left_keys(services.db)

    return {
        "leaving.erase": erase,
        RETIRE_JOB: retire_job,
        "tasks.fetch": fetch,
        "annotations.settle": settle_job,
        "annotations.score": score_job,
        "annotations.courses": courses_job,
        "grants.tell": tell,
        "deliveries.callback": _callback,
        "deliveries.failed": _failed,
        "deliveries.send": send,
        "projects.seat": _seat,
        "projects.reseat": _reseat,
        "projects.unseat": _unseat,
    }


async def sweep(services: Services) -> None:
    """Leases that ran out go back; viewings that ended are closed; batches whose work is done are completed and told."""
    await expire_due(services.db)
    await close_ended(services.db)
    async with services.db.connection("scheduler") as conn:
        orgs = await tasks_store.RUNNING_BATCHES.all(Narrow(conn, services.db.platform))
    for row in orgs:
        with suppress(*KEYLESS):  # told when the customer's key is back
            await services.db.within(row["org_id"], SYSTEM, _tell_batches)


async def _tell_batches(tx: Tx) -> None:
    for done in await batches.settle_batches(tx):
        body = batches.batch_body(tx, done)
        if body.callback_url:
            # a batch that ran again is told again: `completed_at` says which completion this is
            payload = {
                "batch": body.name,
                "status": "completed",
                "batch_id": done["batch_id"],
                "completed_at": format_time(done["completed_at"]),
            }
            await callbacks.add_callback(tx, body.callback_url, payload, batch=done["batch_id"])


async def seat_everybody(services: Services) -> int:
    """Gives the seats that news of a new member or project did not give: nobody who may take an open project's tasks is without
    one. Returns how many."""
    async with services.db.connection("scheduler") as conn:
        orgs = await projects.store.SEAT_ORGS.all(Narrow(conn, services.db.platform))
    count = 0
    for row in orgs:
        with suppress(*KEYLESS):
            count += await services.db.within(row["org_id"], SYSTEM, seats.give_seats)
    return count


async def warn_of_keys(services: Services) -> int:
    """Tells the owners of keys that end soon: by an event, and by mail where that is set up. Returns how many keys."""
    found = await keys_ending(services.db)
    for one in found:
        text = (
            f"The API key {one.prefix}... ({one.name or 'without a name'}) ends on {one.ends}.\n"
            f"Make another one in time: {services.settings.public_url}/console/{one.org_id}/keys\n"
        )
        for owner in one.owners if services.settings.smtp_url else ():
            try:
                await send_mail(services.settings, owner, "An API key of yours ends soon", text)
            except Upstream as err:
                log.warning("an owner could not be told that a key ends: %s", type(err).__name__)
    return len(found)


async def _sweeps(services: Services, stop: asyncio.Event) -> None:
    seats_at = retention_at = keys_at = 0.0
    while not stop.is_set():
        try:
            await sweep(services)
            if time.monotonic() >= seats_at:
                await seat_everybody(services)
                await tell_everybody(services.db)
                await walls_anew(services.db)
                seats_at = time.monotonic() + SEATS_S
            if time.monotonic() >= keys_at:
                await warn_of_keys(services)
                keys_at = time.monotonic() + KEYS_S
            if time.monotonic() >= retention_at:
                await run_retention(services.db)
                await destroy_left_keys(services.db)
                retention_at = time.monotonic() + RETENTION_S
        except Exception as err:
            # of any customer's rows, keys or networks: what is due for the others must not end with it
            log.warning("the sweep failed (%s); trying again", type(err).__name__)
        try:
            await asyncio.wait_for(stop.wait(), SWEEP_S)
        except TimeoutError:
            continue


async def run(services: Services, stop: asyncio.Event) -> None:
    """Works until told to stop."""
    worker = Worker(services.db, handlers(services))
    everyones = the_log(services.settings, services.db.keys)
    async with services.db.hearing():
        await asyncio.gather(
            worker.run(stop),
            _sweeps(services, stop),
            keep_clean(services.db, services.objects, stop),
            sequencer.run(services.db, everyones, stop),
            witnesses.run(services.db, everyones, stop),
            turns.run(services.db, stop),
            neutrality.run(services.db, stop),
            feeds.run(services.db, services.settings.public_host, stop),
        )

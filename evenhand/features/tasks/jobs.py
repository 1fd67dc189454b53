"""Jobs of tasks: bringing attachments."""

import msgspec

from evenhand.features.assets import actions as assets
from evenhand.features.assets.actions import Arrived
from evenhand.features.projects.batches import share_gates
from evenhand.features.tasks import store
from evenhand.features.tasks.actions import body_of, put_body, task_row
from evenhand.features.tasks.types import TaskFailed, TaskReady
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.jobs import Job
from evenhand.infra.objects import Objects
from evenhand.pure.trouble import Upstream


class _Wanted(msgspec.Struct):
    asset: str
    url: str
    use: str
    name: str = ""


class _Params(msgspec.Struct):
    task: str
    fetches: list[_Wanted]


async def fetch_attachments(job: Job, objects: Objects) -> None:
    """Brings every attachment of a task, then opens it; one that can't be had puts the task in error."""
    params = msgspec.convert(job.params, _Params)
    arrived: list[tuple[_Wanted, Arrived]] = []
    for want in params.fetches:
        try:
            got = await assets.fetch_file(
                job.db, objects, job.org_id, want.asset, picture=want.use == "image", want_text=want.use == "text"
            )
        except Upstream as err:
            if job.attempt < job.most:
                raise
            got = await assets.give_up(job.db, job.org_id, want.asset, str(err))
        arrived.append((want, got))
    await job.step("open", lambda tx: _open(tx, params.task, arrived))


async def _open(tx: Tx, task: str, arrived: list[tuple[_Wanted, Arrived]]) -> str:
    row = await task_row(tx, task)
    await share_gates(tx, row["project_id"], row["batch_id"])
    await store.HOLD_TASK.run(tx, org=tx.org_id, task=task)
    row = await task_row(tx, task)  # anew: it may have been cancelled while we fetched, or waited
    if row["state"] != "todo":
        return "finished before"
    body = body_of(tx, row)
    bad = [(want, got) for want, got in arrived if not got.ok]
    if bad:
        body.error = bad[0][1].error
        body.response = {
            "error": f"An attachment could not be processed: {bad[0][1].error}",
            "attachments": [{"statusCode": got.status, "url": want.url} for want, got in bad],
        }
        clear = body.clear_unique_on_error
        if clear:
            body.unique_id = ""
        await put_body(tx, row, body, clear_unique=clear)
        await store.QUEUE_DROP.run(tx, org=tx.org_id, task=task)
        await store.GOLD_STATE.run(tx, org=tx.org_id, task=task, state="closed")
        await store.TASK_STATE.run(tx, org=tx.org_id, task=task, state="error", review=None, result=None, labels=None)
        await record(tx, TaskFailed(task))
        return "error"
    for want, got in arrived:
        name = want.name or want.url.rsplit("/", 1)[-1].split("?", 1)[0][:200]
        if want.use == "image":
            body.data.image = {
                "asset": want.asset, "width": got.width, "height": got.height, "type": got.type, "name": name,
            }  # fmt: skip
        elif want.use == "text":
            body.data.text = got.text
        else:
            body.data.references = [*body.data.references, {"asset": want.asset, "name": name}]
    await put_body(tx, row, body)
    if row["purpose"] == "work":
        await store.READY.run(tx, org=tx.org_id, task=task)
    else:
        await store.GOLD_STATE.run(tx, org=tx.org_id, task=task, state="open")
    await record(tx, TaskReady(task))
    return "ready"

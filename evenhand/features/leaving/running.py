"""The job that deletes, batch by batch: tasks, the files that nothing else shows, what is left, wrapped keys; then there is a
certificate.

A batch is one transaction with what it adds to the counts and to the commitment, so a worker that dies in the middle leaves
a deletion that the next one goes on with. The database's functions look at the legal hold themselves.
"""

import re
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import msgspec

from evenhand.features.assets.actions import drop_object
from evenhand.features.leaving import store
from evenhand.features.leaving.taking import drop_archive
from evenhand.features.leaving.types import DataDeleted
from evenhand.features.tasks.actions import body_of
from evenhand.infra.crypto.datakey import KeyDestroyed
from evenhand.infra.db import SYSTEM, Tx
from evenhand.infra.facts import micros, record
from evenhand.infra.hearing import KEYS_CHANGED
from evenhand.infra.jobs import Job
from evenhand.infra.objects import Objects
from evenhand.infra.seal import At
from evenhand.pure.log.deletions import Commitment, Deletion, certificate_digest, deletion_text
from evenhand.pure.log.signing import Signer, sign_note

AT_ONCE = 200  # tasks a transaction
FILES_AT_ONCE = 20
SCAN = 500
_ID = re.compile(rb"(?<![0-9a-f])[0-9a-f]{24}(?![0-9a-f])")
_Act = Callable[["_Going"], Awaitable[bool]]


async def erase_job(job: Job, objects: Objects, signer: Signer) -> None:
    """The job. signer: of the log."""
    await _Run(job, objects, signer, str(job.params["erasure"])).go()


class _Fetch(msgspec.Struct):
    """What is looked at of a job that fetches."""

    task: str
    fetches: list[dict[str, str]]


class _Going:
    """A deletion in its transaction: its row, locked, and what this batch adds to it."""

    def __init__(self, tx: Tx, row: Any) -> None:
        self.tx, self.row = tx, row
        self.id: str = row["erasure_id"]
        self.project: str = row["project_id"]
        self.counts: dict[str, int] = msgspec.json.decode(row["counts"])
        self.keys: list[dict[str, Any]] = msgspec.json.decode(row["keys"])
        self.files: int = row["files"]
        self.bytes: int = row["bytes"]
        self.gone = Commitment(row["salt"], row["leaves"], row["edge"])

    def count(self, gone: str) -> None:
        for table, rows in msgspec.json.decode(gone, type=dict[str, int]).items():
            if rows:
                self.counts[table] = self.counts.get(table, 0) + rows

    async def save(self) -> None:
        await store.ERASURE_SET.run(
            self.tx, org=self.tx.org_id, erasure=self.id, counts=msgspec.json.encode(self.counts).decode(),
            files=self.files, bytes=self.bytes, keys=msgspec.json.encode(self.keys).decode(), leaves=self.gone.leaves,
            edge=self.gone.edge,
        )  # fmt: skip


class _Run:
    def __init__(self, job: Job, objects: Objects, signer: Signer, erasure: str) -> None:
        self._job, self._objects, self._signer, self._id = job, objects, signer, erasure
        self._org = job.org_id

    async def go(self) -> None:
        await drop_archive(self._job.db, self._objects, self._org)
        while True:
            while await self._batch("tasks", self._tasks):
                pass
            await self._batch("jobs", self._jobs)
            if await self._shared():
                while await self._batch("files", self._files):
                    pass
            if not await self._batch("rest", self._rest):  # else tasks came while the files went
                # one that was put together when this began, and kept a moment later
                await drop_archive(self._job.db, self._objects, self._org)
                return

    async def _batch(self, name: str, act: _Act) -> bool:
        """One batch, at most once. False: there is nothing more of its kind, or a hold or an end came between."""
        async with self._job.db.tx(self._org, SYSTEM) as tx:
            row = await store.ERASURE_GET.one(tx, org=self._org, erasure=self._id)
        if row["state"] != "running":
            return False

        async def step(tx: Tx) -> bool:
            locked = await store.ERASURE_LOCK.one(tx, org=self._org, erasure=self._id)
            if locked["state"] != "running":
                return False
            going = _Going(tx, locked)
            more = await act(going)
            await going.save()
            return more

        return bool(await self._job.step(f"{name} {row['batch']}", step))

    # --- tasks

    async def _tasks(self, going: _Going) -> bool:
        tx = going.tx
        due = store.OLD_TASKS if going.row["reason"] == "retention" else store.DUE_TASKS
        rows = await due.all(tx, org=self._org, project=going.project, limit=AT_ONCE)
        if not rows:
            return False
        tasks = [row["task_id"] for row in rows]
        answers: dict[str, list[str]] = {}
        for row in await store.ANSWER_IDS.all(tx, org=self._org, tasks=tasks):
            answers.setdefault(row["task_id"], []).append(row["answer_id"])
        await store.FILES_ADD.run(tx, org=self._org, erasure=self._id, assets=_ids(tx, rows))
        going.count(await store.ERASE_TASKS.value(tx, ctx=tx.context(), erasure=self._id, tasks=tasks))
        for task in tasks:
            going.gone.add("task", [task])
            going.gone.add("answer", answers.get(task, []))
        return True

    async def _jobs(self, going: _Going) -> bool:
        """Jobs are sealed under the organisation's own key, which stays: what they hold of tasks that are gone goes here,
        and the files that they were to bring."""
        tx, after = going.tx, ""
        if going.row["reason"] == "organisation":
            return False  # its keys all go
        while rows := await store.FETCH_JOBS.all(tx, org=self._org, after=after, limit=SCAN):
            after = rows[-1]["job_id"]
            held = {row["job_id"]: tx.seal.open_as(row["body"], _Fetch, At("job", row["job_id"])) for row in rows}
            tasks = sorted({job.task for job in held.values()})
            there = {row["task_id"] for row in await store.TASKS_THERE.all(tx, org=self._org, tasks=tasks)}
            gone = {name: job for name, job in held.items() if job.task not in there}
            assets = [fetch["asset"] for job in gone.values() for fetch in job.fetches]
            await store.FILES_ADD.run(tx, org=self._org, erasure=self._id, assets=assets)
            await store.JOBS_EMPTY.run(tx, org=self._org, jobs=list(gone))
        return False

    # --- files

    async def _shared(self) -> bool:
        """Takes files off the list that other tasks show as well. Returns whether any are left."""
        async with self._job.db.tx(self._org, SYSTEM) as tx:
            row = await store.ERASURE_GET.one(tx, org=self._org, erasure=self._id)
            if row["reason"] == "organisation":
                await store.FILES_ALL.run(tx, org=self._org, erasure=self._id)
        after = ""
        while True:
            async with self._job.db.tx(self._org, SYSTEM) as tx:
                if not await store.FILES_ANY.value(tx, org=self._org, erasure=self._id):
                    return False
                rows = await store.TASK_BODIES.all(tx, org=self._org, after=after, limit=SCAN)
                if not rows:
                    return True
                after = rows[-1]["task_id"]
                await store.FILES_KEEP.run(tx, org=self._org, erasure=self._id, assets=_ids(tx, rows))

    async def _files(self, going: _Going) -> bool:
        tx = going.tx
        rows = await store.FILES_NEXT.all(tx, org=self._org, erasure=self._id, limit=FILES_AT_ONCE)
        if not rows:
            return False
        # The files go inside the transaction, and before their rows: a hold waits for the row of this deletion, and what is
        # rolled back is deleted again by the next worker. Without the row nobody would know the file's name.
        for row in rows:
            if row["object"] is not None:
                await drop_object(self._objects, self._org, row["object"])
        assets = [row["asset_id"] for row in rows]
        going.count(await store.ERASE_FILES.value(tx, ctx=tx.context(), erasure=self._id, assets=assets))
        going.gone.add("file", assets)
        going.files += len(rows)
        going.bytes += sum(row["size"] for row in rows)
        return True

    # --- the end

    async def _rest(self, going: _Going) -> bool:
        """What is left, with the wrapped keys; and the certificate with its event. True: tasks came, and go first."""
        tx, reason = going.tx, going.row["reason"]
        if reason == "project":
            await store.REPLIES_EMPTY.run(tx, org=self._org)
        if reason != "retention":
            keys = await _keys(tx, going.project)
            erase = store.ERASE_PROJECT if reason == "project" else store.ERASE_SPACE
            gone = await erase.value(tx, ctx=tx.context(), erasure=self._id)
            if gone is None:
                return True
            going.count(gone)
            going.keys = keys
            await KEYS_CHANGED.run(tx, org=self._org)
        at = datetime.now(UTC)
        text = deletion_text(
            Deletion(
                going.id, reason, self._org, going.project, micros(going.row["created_at"]), micros(at), going.counts,
                going.files, going.bytes, going.gone, going.keys,
            )
        )  # fmt: skip
        commitment = going.gone.as_dict()
        await record(
            tx,
            DataDeleted(
                going.id, reason, going.project, certificate_digest(text), commitment["root"], commitment["leaves"]
            ),
        )
        await going.save()
        note = sign_note(text, [self._signer]).decode()
        await store.ERASURE_DONE.run(tx, org=self._org, erasure=going.id, at=at, note=note)
        return False


def _ids(tx: Tx, rows: Iterable[Any]) -> list[str]:
    """Everything in these tasks that has the form of an id: the files that they show are among them."""
    found: set[bytes] = set()
    for row in rows:
        with suppress(KeyDestroyed):  # what nobody can read shows no file
            found.update(_ID.findall(msgspec.json.encode(body_of(tx, row))))
    return [id_.decode() for id_ in found]


async def _keys(tx: Tx, project: str) -> list[dict[str, Any]]:
    """The wrapped keys that are there: scope ("organisation" for its own) and versions."""
    versions: dict[str, list[int]] = {}
    for row in await store.KEYS_HELD.all(tx, org=tx.org_id, project=project):
        versions.setdefault(row["project_id"], []).append(row["version"])
    out: list[dict[str, Any]] = [
        {"scope": "project" if scope else "own", "project": scope, "versions": found}
        for scope, found in sorted(versions.items())
    ]
    if project == "":
        rows = await store.ORG_KEYS_HELD.all(tx, org=tx.org_id)
        above = sorted({row["key_id"] for row in rows})
        found = [row["version"] for row in rows]
        out.append({"scope": "organisation", "project": "", "versions": found, "customer_keys": above})
    return out

"""Out again: results as files, streamed in chunks of one snapshot so that memory stays flat, and deliveries."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urljoin

import msgspec

from evenhand.features.annotations.actions import answer_of
from evenhand.features.assets.viewings import Page
from evenhand.features.deliveries import store
from evenhand.features.deliveries.types import Delivered, Delivery, DeliveryBody, Exported
from evenhand.features.people.aliases import pseudonym
from evenhand.features.people.members import member_names
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.projects.batches import batch_body
from evenhand.features.reviews.actions import said
from evenhand.features.reviews.store import REVIEWS_OF_MANY
from evenhand.features.tasks.actions import shown_data
from evenhand.features.tasks.types import TaskBody
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.seal import At, at
from evenhand.infra.spool import Spool
from evenhand.pure.formats.listing import BY_NAME, Format
from evenhand.pure.formats.task import ExportTask
from evenhand.pure.trouble import Invalid, Missing

CHUNK = 500
_IN_MEMORY = 4_000_000


def format_named(name: str) -> Format:
    found = BY_NAME.get(name)
    if found is None:
        raise Invalid(f"There is no format '{name[:40]}'.", hint=f"Formats: {', '.join(BY_NAME)}.")
    return found


def _time(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


class Export:
    """One export: `open` checks and records it, `stream` gives its bytes, and `report` what could not be carried."""

    def __init__(
        self, db: Database, org_id: str, actor: Any, project: str, format_name: str, *, media_url: str = "",
        state: str | None = None, batch: str | None = None, delivery: str | None = None,
    ) -> None:  # fmt: skip
        self._db, self._org, self._actor = db, org_id, actor
        self._project, self._state, self._batch, self._delivery = project, state, batch, delivery
        self._media_url = media_url
        self.format = format_named(format_name)
        self._name = ""
        self._ontology: dict[str, Any] = {}
        self._spools: list[IO[bytes]] = []
        self._page = Page(db, org_id, actor, keep=False)

    def _spool(self) -> IO[bytes]:
        made: Any = Spool(_IN_MEMORY)  # `stream` closes it
        self._spools.append(made)
        return made

    async def open(self, tx: Tx) -> None:
        """Checks that the caller may, and records that results leave the house."""
        require(tx, Verb.READ)
        row = await projects.row_of(tx, self._project)
        self._name = projects.body_of(tx, row).name
        self._ontology = projects.version_of(tx, row).ontology
        for given in (self._batch, self._delivery):
            if given is not None and not is_id(given):
                raise Missing("There is no such batch or delivery.")
        await record(tx, Exported(self._project, self.format.name))
        self.writer = self.format.writer(self._ontology, self._spool)

    @property
    def report(self) -> dict[str, Any]:
        return self.writer.report.as_dict()

    async def stream(self) -> AsyncIterator[bytes]:
        """The file, in pieces. One repeatable-read snapshot: what is submitted meanwhile is not half in it."""
        try:
            yield self.writer.start()
            async with self._db.tx(self._org, self._actor, read_only=True) as tx:
                names = await member_names(tx)
                batches = {
                    r["batch_id"]: batch_body(tx, r).name
                    for r in await store.BATCH_NAMES.all(tx, org=self._org, project=self._project)
                }
                after = ""
                while rows := await self._chunk(tx, after):
                    after = rows[-1]["task_id"]
                    for piece in await self._tasks(tx, rows, names, batches):
                        yield piece
                    await tx.renew()
            for piece in self.writer.finish():
                yield piece
            async with self._db.tx(self._org, self._actor) as tx:  # until this is written no link of the file opens
                await self._page.settle(tx)
        finally:
            for spool in self._spools:
                spool.close()

    async def _chunk(self, tx: Tx, after: str) -> list[Any]:
        return await store.EXPORT.all(
            tx, org=self._org, project=self._project, after=after, state=self._state, batch=self._batch,
            delivery=self._delivery, limit=CHUNK,
        )  # fmt: skip

    async def _tasks(self, tx: Tx, rows: list[Any], names: dict[str, str], batches: dict[str, str]) -> list[bytes]:
        answers: dict[str, list[Any]] = {}
        for a in await store.EXPORT_ANSWERS.all(tx, org=self._org, tasks=[r["task_id"] for r in rows]):
            answers.setdefault(a["task_id"], []).append(a)
        reviews: dict[str, list[Any]] = {}
        for r in await REVIEWS_OF_MANY.all(tx, org=self._org, tasks=[r["task_id"] for r in rows]):
            reviews.setdefault(r["task_id"], []).append(r)
        out: list[bytes] = []
        held: list[bytes] = []
        for row in rows:
            id_ = row["task_id"]
            task = self._task(tx, row, answers.get(id_, []), names, batches)
            task.reviews = [self._review(tx, r, names) for r in reviews.get(id_, [])]
            held.append(self.writer.task(task))
            if len(held) >= 100:
                out.append(b"".join(held))
                held = []
        out.append(b"".join(held))
        return [piece for piece in out if piece]

    @staticmethod
    def _review(tx: Tx, r: Any, names: dict[str, str]) -> dict[str, Any]:
        words = said(tx, r)
        by = words.get("by") or "Evenhand"
        if r["person_id"] is not None:
            by = names.get(r["person_id"]) or pseudonym(tx, r["person_id"])
        more = {"errors": words["errors"]} if words.get("errors") else {}
        return more | {
            "id": r["review_id"],
            "by": by,
            "decision": r["decision"],
            "source": r["source"],
            "at": _time(r["created_at"]),
            "seconds": round(r["seconds"], 3),
            "comment": words.get("comment", ""),
        }

    def _task(self, tx: Tx, row: Any, answers: list[Any], names: dict[str, str], batches: dict[str, str]) -> ExportTask:
        body = tx.seal.open_as(row["body"], TaskBody, at("task", row))
        result: list[dict[str, Any]] | None = None
        views: list[dict[str, Any]] = []
        for a in answers:
            answer = answer_of(tx, a)
            annotations: list[dict[str, Any]] = answer.get("annotations", [])
            if a["answer_id"] == row["result_id"]:
                result = annotations
            if a["origin"] == "pilot":
                continue
            views.append(
                {
                    "id": a["answer_id"],
                    "by": answer.get("by") or names.get(a["person_id"]) or pseudonym(tx, a["person_id"]),
                    "origin": a["origin"],
                    "state": a["state"],
                    "late": a["late"],
                    "seconds": round(a["seconds"], 3),
                    "submitted_at": _time(a["created_at"]),
                    "annotations": annotations,
                }
            )
        return ExportTask(
            id=row["task_id"],
            name=body.name or None,
            project=self._name,
            batch=batches.get(row["batch_id"]),
            state=row["state"] if row["state"] != "todo" else "open",
            created_at=_time(row["created_at"]),
            completed_at=_time(row["completed_at"]),
            metadata=body.metadata,
            tags=body.tags or [],
            unique_id=body.unique_id or None,
            priority=row["priority"],
            error=body.error or None,
            data=self._data(body),
            result=result,
            answers=views,
            ontology=body.ontology or {},
        )

    def _data(self, body: TaskBody) -> dict[str, Any]:
        """The task's data; media by its asset id, which lasts, and by a link, which does not."""
        if body.data.image is None:
            return msgspec.to_builtins(body.data)
        data = shown_data(body.data, lambda asset, variant: self._page.link(asset) if variant == "full" else "")
        image = {**data["image"], "asset": body.data.image.get("asset")}
        image.pop("thumb_url", None)
        if image.get("url"):
            image["url"] = urljoin(f"{self._media_url}/", image["url"])
        data["image"] = image
        for shown, kept in zip(data.get("references", []), body.data.references, strict=False):
            shown |= {"asset": kept.get("asset"), "url": urljoin(f"{self._media_url}/", shown["url"])}
        return data


# --- deliveries


async def create_delivery(tx: Tx, project: str, name: str, format_name: str) -> Delivery:
    """Everything that is done and was not delivered before, under a name, for good."""
    require(tx, Verb.WRITE)
    await projects.row_of(tx, project)
    found = format_named(format_name)
    delivery = new_id()
    title = name.strip()[:200] or datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    body = tx.seal.shut(DeliveryBody(title, found.name), At("delivery", delivery, project))
    await store.DELIVERY_ADD.run(tx, org=tx.org_id, delivery=delivery, project=project, body=body)
    count = await store.DELIVERY_FILL.value(tx, org=tx.org_id, delivery=delivery, project=project)
    if not count:
        raise Invalid("Nothing new is done, so there is nothing to deliver.", hint="Deliver again when more is done.")
    await record(tx, Delivered(delivery, project, count))
    return (await list_deliveries(tx, project=project, after=None, limit=1))[0]


def body_of(tx: Tx, row: Any) -> DeliveryBody:
    return tx.seal.open_as(row["body"], DeliveryBody, at("delivery", row))


async def list_deliveries(tx: Tx, *, project: str | None, after: str | None, limit: int) -> list[Delivery]:
    require(tx, Verb.READ)
    rows = await store.DELIVERY_LIST.all(tx, org=tx.org_id, project=project, after=after, limit=limit)
    out: list[Delivery] = []
    for r in rows:
        body = body_of(tx, r)
        url = f"/api/v1/exports?project={r['project_id']}&format={body.format}&delivery={r['delivery_id']}&org={tx.org_id}"
        out.append(
            Delivery(r["delivery_id"], r["project_id"], body.name, body.format, r["task_count"], r["created_at"], url)
        )
    return out

"""Why there is no work for somebody just now, in words, and when to ask again."""

from datetime import datetime
from typing import Any

from evenhand.features.contracts.walls import kept_anywhere
from evenhand.features.tasks import store
from evenhand.features.tasks.types import Empty
from evenhand.infra.db import Actor, Database

NOT_PASSED = ("open", "failed")  # the states of a course before which no live work is given
FAILED = "You did not pass the training of this project. The team that runs it decides whether you may try once more."
UNFINISHED = "Finish the training tasks that you hold; the live work comes after them."
KEPT_OFF = (
    "The work that you have a seat for is kept from you{}: who works for one customer stays off certain others for a while. "
    "It says nothing about your work."
)


async def why_empty(db: Database, person: str, role: str, rows: list[Any]) -> Empty:
    """Why nothing can be handed out. rows: the person's queue heads."""
    if not rows and (kept := await kept_anywhere(db, person)) is not None:
        when = "" if kept.year > 9000 else f" until {kept:%d %B %Y, %H:%M} UTC"
        return Empty("kept_off", KEPT_OFF.format(when), 300)
    if not rows:
        return Empty("no_seat", "You have no seat in an active project yet. The team that runs it adds people.", 10)
    seen = {"open": False, "busy": False, "held": False}
    soonest: datetime | None = None
    failed: bool | None = None  # None: no training course is in the way
    for row in rows:
        async with db.tx(row["org_id"], Actor("person", person)) as tx:
            left = await store.PROJECT_OPEN_LEFT.one(tx, org=row["org_id"], project=row["project_id"], person=person)
        if role == "label" and left["open"] and left["course"] in NOT_PASSED:
            failed = bool(failed) or left["course"] == "failed"
            continue
        for name in seen:
            seen[name] = seen[name] or left[name]
        if left["next_free"] is not None:
            soonest = left["next_free"] if soonest is None else min(soonest, left["next_free"])
    if failed is not None and not seen["open"]:
        return Empty("course", FAILED if failed else UNFINISHED, 60 if failed else 15)
    if role == "label" and seen["open"]:
        return Empty("done_by_you", "You have done your part of every open task; the rest waits for other people.", 30)
    if seen["busy"] and role == "label":
        when = "" if soonest is None else f", the first at {soonest:%H:%M} UTC unless somebody is still at work on it"
        return Empty(
            "all_taken", f"Every task is with somebody just now. One may come back when a lease ends{when}.", 15
        )
    if seen["held"]:
        return Empty("paused", "Tasks are waiting, but their batch or pilot has not been opened.", 30)
    if role == "review":
        return Empty("nothing_open", "Nothing waits for review.", 10)
    return Empty("nothing_open", "All tasks are done. New ones appear here as soon as they arrive.", 10)

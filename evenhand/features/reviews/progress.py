"""How far, how good, how much, when done, who looked; the audit trail; and the pilot."""

from datetime import UTC, datetime, timedelta
from typing import Any

from evenhand.features.annotations import actions as annotations
from evenhand.features.annotations import store as answers
from evenhand.features.people.aliases import about_of, pseudonym
from evenhand.features.people.members import member_names
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.features.reviews import past, store
from evenhand.features.reviews.actions import check_task_answer
from evenhand.features.reviews.types import Looked, Pilot, PilotPair, Point, Progress, Quality, Seconds
from evenhand.features.tasks import store as tasks_store
from evenhand.features.tasks.actions import task_row
from evenhand.features.tasks.leases import my_assignment
from evenhand.infra.db import Tx
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At
from evenhand.pure.answers import agreement
from evenhand.pure.numbers import wilson
from evenhand.pure.trouble import Conflict, Invalid, Missing

_BINS_S = (60, 300, 900, 3600, 6 * 3600, 86_400, 7 * 86_400)
_POINTS = 200
_SAID_BESIDE = ("actor", "actor_kind", "about")


async def progress(tx: Tx, project: str) -> Progress:
    require(tx, Verb.READ)
    await projects.row_of(tx, project)
    so = await past.sofar(tx, project)
    counts = await _counts(tx, project, sum(so.minutes.values()))
    span = await store.SPAN.one(tx, org=tx.org_id, project=project)
    now = datetime.now(UTC)
    per_hour = 0.0
    if span["recent"] is not None:
        recent = sum(n for at, n in so.minutes.items() if at >= span["recent"].replace(second=0, microsecond=0))
        per_hour = recent / max((now - span["recent"]).total_seconds() / 3600, 1 / 12)
    left = counts.fetching + counts.held + counts.open + counts.full + counts.review
    done_at = now + timedelta(hours=left / per_hour) if per_hour > 0 and left and left / per_hour < 87_600 else None
    low, high = wilson(so.accepted, so.reviewed)
    seconds = await store.SECONDS.one(tx, org=tx.org_id, project=project)
    names = await member_names(tx)
    looked = [
        Looked(who(tx, names, r["actor_kind"], r["actor_id"]), r["at"], r["kind"])
        for r in await store.LOOKED.all(tx, org=tx.org_id, project=project)
    ]
    return Progress(
        counts,
        series(so.minutes, span["first"], span["last"]) if span["first"] is not None else [],
        round(per_hour, 2),
        done_at,
        Quality(so.accepted, so.reviewed, low, high),
        Seconds(seconds["median"], seconds["p90"], so.label_s),
        looked,
    )


async def _counts(tx: Tx, project: str, done: int) -> projects.Counts:
    states = {"done": done}
    for row in await store.UNFINISHED.all(tx, org=tx.org_id, project=project):
        state = "review" if row["state"] == "reviewing" else row["state"]
        states[state] = states.get(state, 0) + row["n"]
    return projects.Counts(**states, total=sum(states.values()))


def series(minutes: dict[datetime, int], first: datetime, last: datetime) -> list[Point]:
    """How many tasks were done by when, in about two hundred points at most; from `first` to `last`."""
    width = (last - first).total_seconds()
    bin_s = next((b for b in _BINS_S if width / b <= _POINTS), _BINS_S[-1])
    bins: dict[float, int] = {}
    for at, n in minutes.items():
        end = (at.timestamp() // bin_s + 1) * bin_s
        bins[end] = bins.get(end, 0) + n
    points, total = [Point(first, 0)], 0
    for end in sorted(bins):
        total += bins[end]
        points.append(Point(min(datetime.fromtimestamp(end, UTC), last), total))
    return points


def who(tx: Tx, names: dict[str, str], kind: str, actor: str) -> str:
    """A name for an actor that this customer may see."""
    if kind == "person":
        return names.get(actor) or pseudonym(tx, actor)
    return "API key" if kind == "key" else "Evenhand"


async def history(tx: Tx, task: str) -> list[dict[str, Any]]:
    """The audit trail of a task, newest first."""
    require(tx, Verb.READ)
    await task_row(tx, task)
    names = await member_names(tx)
    rows = await store.HISTORY.all(tx, org=tx.org_id, about=task)
    return [
        {
            "at": r["at"],
            "who": who(tx, names, r["actor_kind"], r["actor_id"]),
            "what": r["kind"],
            "detail": _said(tx, r),
        }
        for r in rows
    ]


#: what a reader may ask for: patterns of kinds
GROUPS: dict[str, list[str]] = {
    "access": ["AccessRefused", "ContentShown", "TaskViewed", "TaskLeased", "Media%", "Exported", "WorkRecalled"],
    "people": ["Member%", "Seat%", "Group%", "Staff%", "Grant%", "Break%", "Support%", "Wall%", "Leaver%", "Session%", "Sign%"],
    "keys": ["%Key%", "Unwrap%"],
    "exports": ["Export%", "Deliver%", "Callback%", "Feed%", "Archive%"],
    "deletions": ["data.deleted", "%Deleted", "%Hold%", "Retention%", "Erasure%"],
}  # fmt: skip


def _said(tx: Tx, row: Any) -> dict[str, Any]:
    """What a fact says, but for what stands beside it."""
    said: dict[str, Any] = tx.seal.open(row["body"], At("fact", row["fact_id"]))
    return {name: value for name, value in said.items() if name not in _SAID_BESIDE}


async def audit(
    tx: Tx, *, after: str | None, limit: int, files: bool = True, group: str = "all"
) -> list[dict[str, Any]]:
    """The organisation's facts, newest first, each with its counter in the log once it has one. Without `files`, not each time
    that a file was shown; `group`: of GROUPS, or all."""
    require(tx, Verb.READ)
    if group not in GROUPS and group != "all":
        raise Invalid(f"`group` must be all or one of {', '.join(GROUPS)}.")
    names = await member_names(tx)
    kinds = GROUPS.get(group)
    if group in ("all", "access"):
        rows = await store.AUDIT.all(tx, org=tx.org_id, after=after, kinds=kinds, files=files, limit=limit)
    else:
        rows = await store.AUDIT_RARE.all(tx, org=tx.org_id, after=after, kinds=kinds, limit=limit)
    return [
        {
            "id": r["fact_id"],
            "at": r["at"],
            "who": who(tx, names, r["actor_kind"], r["actor_id"]),
            "what": r["kind"],
            "about": about_of(tx, r["kind"], r["about_id"]),
            "counter": r["counter"],
            "detail": {k: v for k, v in _said(tx, r).items() if k not in ("objects", "listed")},
        }
        for r in rows
    ]


# --- the pilot: the customer labels ten himself, compares, and goes


async def pilot(tx: Tx, project: str) -> Pilot:
    require(tx, Verb.READ)
    row = await projects.row_of(tx, project)
    tasks = await store.PILOT_TASKS.all(
        tx, org=tx.org_id, project=project, person=tx.actor.id, size=projects.PILOT_SIZE
    )
    pairs: list[PilotPair] = []
    for task in tasks:
        value = None
        if task["yours"] and task["theirs"]:
            value = agreement(await _answer(tx, task["yours"]), await _answer(tx, task["theirs"]))
        pairs.append(PilotPair(task["task_id"], value))
    values = [pair.agreement for pair in pairs if pair.agreement is not None]
    return Pilot(
        row["stage"],
        len(tasks),
        sum(1 for t in tasks if t["yours"]),
        sum(1 for t in tasks if t["theirs"]),
        pairs,
        sum(values) / len(values) if values else None,
    )


async def _answer(tx: Tx, answer_id: str) -> dict[str, Any]:
    row = await answers.ANSWER_GET.one(tx, org=tx.org_id, answer=answer_id)
    return annotations.answer_of(tx, row)


async def pilot_next(tx: Tx, project: str) -> Any:
    """A lease on the next pilot task that the customer has not labelled himself. It takes no place in the queue."""
    require(tx, Verb.WORK)
    row = await projects.row_of(tx, project)
    tasks = await store.PILOT_TASKS.all(
        tx, org=tx.org_id, project=project, person=tx.actor.id, size=projects.PILOT_SIZE
    )
    for task in tasks:
        if task["mine"] or task["state"] not in ("todo", "done"):
            continue
        held = await store.PILOT_LIVE.value(
            tx, org=tx.org_id, person=tx.actor.id, project=project, task=task["task_id"]
        )
        if held is None:
            held = new_id()
            await tasks_store.ASSIGNMENT_ADD.run(
                tx, org=tx.org_id, assignment=held, task=task["task_id"], project=project, person=tx.actor.id,
                role="pilot", lease_s=max(row["lease_s"], 3600), version=row["version"],
                body=tx.seal.shut({}, At("assignment", held, project)),
            )  # fmt: skip
        return await my_assignment(tx, held)
    raise Missing("You have labelled every task of the pilot.", hint="Compare your answers with theirs, then go.")


async def pilot_submit(tx: Tx, assignment: str, key: str, answer: dict[str, Any], seconds: float) -> None:
    """The customer's own answer: kept for comparison, never part of the result."""
    lease = await my_assignment(tx, assignment, lock=True)
    key_mac = tx.seal.mac("submit", key)
    if lease["state"] == "submitted":
        if lease["key_mac"] != key_mac:
            raise Conflict("You have labelled this one already.")
        return
    row = await task_row(tx, lease["task_id"])
    await check_task_answer(tx, row, answer)
    await annotations.add_answer(
        tx, row, answer, origin="pilot", person=tx.actor.id, assignment=assignment, seconds=seconds
    )
    await store.REVIEW_SUBMITTED.value(
        tx, org=tx.org_id, assignment=assignment, key=key_mac, late=False, extra=False, seconds=seconds
    )

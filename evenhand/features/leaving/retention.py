"""Retention: what has served its time goes, by a rule of its project, every hour."""

import logging
from contextlib import suppress

from evenhand.features.leaving import store
from evenhand.features.leaving.erasing import BeingDeleted, begin, list_erasures
from evenhand.features.leaving.holds import OnHold, list_holds
from evenhand.features.leaving.types import DataView, Retention, RetentionSet
from evenhand.features.people.rules import Verb, require
from evenhand.features.projects import actions as projects
from evenhand.infra.db import SYSTEM, Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import KEYLESS
from evenhand.pure.trouble import Invalid

log = logging.getLogger("evenhand.leaving")
MOST_DAYS = 36_500


async def retention_of(tx: Tx, project: str) -> Retention:
    row = await store.RETENTION_GET.maybe(tx, org=tx.org_id, project=project)
    return Retention() if row is None else Retention(row["done_days"], row["ended_days"])


async def set_retention(tx: Tx, project: str, rule: Retention) -> Retention:
    """The rule from the next run on; without any days there is none."""
    require(tx, Verb.MANAGE)
    await projects.row_of(tx, project)
    for name in ("done_days", "ended_days"):
        days: int | None = getattr(rule, name)
        if days is not None and not 1 <= days <= MOST_DAYS:
            raise Invalid(f"`{name}` must be 1 to {MOST_DAYS:,} days, or null for no end.")
    if rule == Retention():
        await store.RETENTION_DROP.run(tx, org=tx.org_id, project=project)
    else:
        await store.RETENTION_PUT.run(tx, org=tx.org_id, project=project, done=rule.done_days, ended=rule.ended_days)
    await record(tx, RetentionSet(project, rule.done_days, rule.ended_days))
    return rule


async def data_view(tx: Tx, project: str) -> DataView:
    """What a project ("": the organisation) keeps, holds and has deleted."""
    require(tx, Verb.READ)
    rule = Retention()
    if project:
        await projects.row_of(tx, project)
        rule = await retention_of(tx, project)
    return DataView(project, await list_holds(tx, project), rule, await list_erasures(tx, project))


async def run_retention(db: Database) -> int:
    """Begins a deletion wherever a rule finds something that has served its time. Returns how many began."""
    async with db.narrow("scheduler") as door:
        rules = await store.RETENTION_RULES.all(door)
    begun = 0
    for rule in rules:
        with suppress(*KEYLESS, OnHold, BeingDeleted):  # told to whoever looks; the next run comes in an hour
            async with db.tx(rule["org_id"], SYSTEM) as tx:
                if await store.OLD_TASKS.all(tx, org=tx.org_id, project=rule["project_id"], limit=1):
                    await begin(tx, rule["project_id"], "retention")
                    begun += 1
    return begun

"""Facts: what happened, recorded in the transaction in which it happened. News goes up as facts; calls go down.

A feature further up listens by naming the kind of fact and a job. Who listens to what is one table, given at start-up.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from evenhand.infra.db import Tx
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import enqueue
from evenhand.infra.sql import Sql


class Fact(Protocol):
    """A frozen struct named in the past tense. `about` is the id of the noun that it is about."""

    @property
    def about(self) -> str: ...


@dataclass(slots=True)
class Listeners:
    """fact kind -> kinds of job to enqueue in the same transaction."""

    jobs: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def listen(self, fact: str, job: str) -> None:
        self.jobs.setdefault(fact, []).append(job)


LISTENERS = Listeners()

_ADD = Sql(
    "fact_add",
    """insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, body)
       values (%(org)s, %(fact)s, %(kind)s, %(actor_kind)s::text, %(actor)s, %(about)s, %(body)s)""",
)


async def record(tx: Tx, fact: Any) -> str:
    """Writes the fact and enqueues the jobs that listen to it. Returns the fact's id."""
    kind = type(fact).__name__
    body: dict[str, Any] = msgspec.to_builtins(fact)
    about = str(body.pop("about"))
    fact_id = new_id()
    await _ADD.run(
        tx,
        org=tx.org_id,
        fact=fact_id,
        kind=kind,
        actor_kind=tx.actor.kind,
        actor=tx.actor.id,
        about=about,
        body=tx.seal.shut(body),
    )
    for job in LISTENERS.jobs.get(kind, ()):
        await enqueue(tx, job, {"about": about, **body})
    return fact_id

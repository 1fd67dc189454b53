"""Facts: what happened, recorded in the transaction in which it happened. News goes up as facts; calls go down.

A feature further up listens by naming the kind of fact and a job. Who listens to what is one table, given at start-up.

Each fact is an event of the transparency log as well: the row has a salt and the commitment to the event, whose canonical text
is made here (docs/decisions/0015-log.md). People have another id in the events of each organisation.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import msgspec

from evenhand.infra.db import Tx
from evenhand.infra.ids import new_id
from evenhand.infra.jobs import enqueue
from evenhand.infra.seal import At, Seal
from evenhand.infra.sql import Sql
from evenhand.pure.log.events import event_body
from evenhand.pure.log.leaves import event_digest

SALT_BYTES = 32
#: kinds whose `about` is a person
OF_PEOPLE = (
    "MemberJoined", "MemberInvited", "MemberRoleChanged", "MemberRemoved",
    "AppAdded", "AppRemoved", "RecoveryCodesMade", "PasskeyAdded", "PasskeyRemoved", "PasswordChanged",
    "SessionEntered", "SessionEnded", "SignInRefused", "SignedUpByProvider", "PersonBarred", "PersonLeft",
)  # fmt: skip
_LISTS_OF_PEOPLE = frozenset({"joined", "left"})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
    """insert into evenhand.fact (org_id, fact_id, kind, actor_kind, actor_id, about_id, at, salt, digest, body)
       values (%(org)s, %(fact)s, %(kind)s, %(actor_kind)s::text, %(actor)s, %(about)s, %(at)s, %(salt)s,
               %(digest)s::bytea, %(body)s)""",
)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def now_us() -> int:
    """Microseconds since 1970, by this machine's clock."""
    return time.time_ns() // 1000


def person_alias(seal: Seal, person: str) -> str:
    """The id that a person has in the events of this organisation: two customers cannot tell by it that it is one person."""
    return seal.mac("person", person)[:12].hex()


def by_person(seal: Seal, person: str, **data: str) -> dict[str, Any]:
    """The data of an event of a person's own doing."""
    return {"actor": person_alias(seal, person), "actor_kind": "person", **data}


def event_text(kind: str, data: Mapping[str, Any]) -> str:
    """The canonical text of an event for SQL's format(): what it is about, and its time, are filled in there."""
    whole = event_body(kind, 0, {"about": "%s", **data}).decode()
    before, _, after = whole.replace("%", "%%").replace('"%%s"', '"%s"', 1).rpartition('"time":0')
    return f'{before}"time":%s{after}'


def event_of(seal: Seal, fact: str, kind: str, at: datetime, about: str, sealed: bytes) -> bytes:
    """The canonical body of a fact's event, from its row."""
    return event_body(kind, micros(at), {"about": about, **seal.open(sealed, At("fact", fact))})


def kind_of(fact: Any) -> str:
    """Its name; a fact whose kind the verifier knows says it itself."""
    said = getattr(type(fact), "kind", None)
    return said if isinstance(said, str) else type(fact).__name__  # `kind` may be a field as well


def _whole(value: Any) -> Any:
    """Canonical JSON has no fractions: they are written as text."""
    return str(value) if isinstance(value, float) else value


async def record(tx: Tx, fact: Any) -> str:
    """Writes the fact and enqueues the jobs that listen to it. Returns the fact's id."""
    kind = kind_of(fact)
    body: dict[str, Any] = msgspec.to_builtins(fact)
    about = str(body.pop("about"))
    fact_id = new_id()
    actor = person_alias(tx.seal, tx.actor.id) if tx.actor.kind == "person" else tx.actor.id
    data = {name: _whole(value) for name, value in body.items()}
    data |= {"actor": actor, "actor_kind": tx.actor.kind}
    if "person" in data:
        data["person"] = person_alias(tx.seal, data["person"])
    for name in _LISTS_OF_PEOPLE & data.keys():
        data[name] = [person_alias(tx.seal, person) for person in data[name]]
    if kind in OF_PEOPLE:
        data["about"] = person_alias(tx.seal, about)
    at, salt = datetime.now(UTC), os.urandom(SALT_BYTES)
    await _ADD.run(
        tx,
        org=tx.org_id,
        fact=fact_id,
        kind=kind,
        actor_kind=tx.actor.kind,
        actor=tx.actor.id,
        about=about,
        at=at,
        salt=salt,
        digest=event_digest(salt, event_body(kind, micros(at), {"about": about, **data})),
        body=tx.seal.shut(data, At("fact", fact_id)),
    )
    for job in LISTENERS.jobs.get(kind, ()):
        await enqueue(tx, job, {"about": about, **body})
    return fact_id

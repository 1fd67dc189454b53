"""Who may do what: one table."""

from datetime import datetime
from enum import Enum

from evenhand.features.people.types import Source
from evenhand.infra.db import Actor, Tx
from evenhand.pure.trouble import Denied

CUSTOMER_ROLES = ("owner", "manager", "viewer")
WORKER_ROLES = ("annotator", "reviewer")
ROLES = CUSTOMER_ROLES + WORKER_ROLES


def source_of(role: str, *, shared: bool) -> Source:
    """Only workers are shared; whoever is an owner, manager or viewer belongs to the customer."""
    return "pool" if shared and role in WORKER_ROLES else "own"


class Verb(Enum):
    READ = "read"  # see projects, tasks, results
    WRITE = "write"  # create and change projects, batches, tasks
    JUDGE = "judge"  # accept, fix, reject, requeue
    MANAGE = "manage"  # people, keys, settings
    WORK = "work"  # take tasks


ALLOWED: dict[str, frozenset[Verb]] = {
    "owner": frozenset({Verb.READ, Verb.WRITE, Verb.JUDGE, Verb.MANAGE, Verb.WORK}),
    "manager": frozenset({Verb.READ, Verb.WRITE, Verb.JUDGE, Verb.WORK}),
    "viewer": frozenset({Verb.READ}),
    "annotator": frozenset({Verb.WORK}),
    "reviewer": frozenset({Verb.WORK}),
    "support": frozenset({Verb.READ}),  # of the operator's people, under a grant
    "key": frozenset({Verb.READ, Verb.WRITE, Verb.JUDGE, Verb.MANAGE}),
    "system": frozenset(Verb),
}
_SCOPE = {Verb.READ: "read", Verb.WRITE: "write", Verb.JUDGE: "write", Verb.MANAGE: "manage", Verb.WORK: "work"}


class NotAllowed(Denied):
    hint = "Ask an owner of the organisation for another role or key."


class BehindAWall(Denied):
    hint = "It ends by itself. Whoever has a role at one of two rivals can't come to the other before its days have passed."


def wall_ahead(kept: datetime, who: str = "you") -> BehindAWall:
    """A role in a console that a wall keeps from somebody; not whose wall, nor for what. `kept`: beyond any date, where nobody
    knows when it ends."""
    when = "for now" if kept.year > 9000 else f"until {kept:%d %B %Y, %H:%M} UTC"
    return BehindAWall(f"A wall between organisations keeps this from {who} {when}.")


def may(actor: Actor, verb: Verb) -> bool:
    """Whether the actor's role allows it, and its key's scopes too."""
    if verb not in ALLOWED.get(actor.role, frozenset()):
        return False
    return actor.kind != "key" or _SCOPE[verb] in actor.scopes


def require(tx: Tx, verb: Verb) -> None:
    """Raises NotAllowed unless the asker may."""
    if not may(tx.actor, verb):
        raise NotAllowed(
            f"This needs the right to {verb.value}, which a {tx.actor.role or 'stranger'} does not have here."
        )

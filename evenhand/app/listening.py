"""Who listens to which fact. A module of its own, since every process that records facts needs it, and little else."""

from evenhand.infra.facts import LISTENERS

#: who listens to what: fact -> job
LISTENING = (
    ("MemberJoined", "projects.seat"),
    ("MemberRoleChanged", "projects.reseat"),
    ("MemberRemoved", "projects.unseat"),
    ("TaskFailed", "deliveries.failed"),
    ("BreakGlassOpened", "grants.tell"),
)


def listen() -> None:
    """Fills the table of listeners. Every process that records facts calls it once."""
    LISTENERS.jobs.clear()
    for fact, job in LISTENING:
        LISTENERS.listen(fact, job)

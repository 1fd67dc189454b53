"""Refusals at the doors: whom each concerns. What is only asked for again (a fresh proof, a page's token) is none."""

from typing import Protocol

from evenhand.app.services import Services
from evenhand.infra.db import Actor
from evenhand.pure.trouble import Concern, Denied, Trouble

_ASKED_AGAIN = ("prove", "signin")


class InSpace(Protocol):
    """A request whose space and asker are known."""

    @property
    def org_id(self) -> str: ...
    @property
    def actor(self) -> Actor: ...


def note_refusal(services: Services, err: Exception, asked: str, call: InSpace | None = None) -> None:
    """Counts a refusal, for the customer whom it concerns."""
    if not isinstance(err, Trouble):
        return
    concern = err.concern
    if (
        concern is None
        and isinstance(err, Denied)
        and err.code not in _ASKED_AGAIN
        and call is not None
        and call.org_id
    ):
        concern = Concern(call.org_id, call.actor.kind, call.actor.id, "right")
    if concern is not None:
        services.refusals.note(concern, asked)

"""What grants look like to callers."""

from datetime import datetime
from typing import Literal

import msgspec

GrantKind = Literal["support", "break_glass"]


class Staff(msgspec.Struct, frozen=True):
    """Somebody of the operator's, whom a customer may let look. `id` means them for this customer only."""

    id: str
    name: str


class Grant(msgspec.Struct, frozen=True):
    """Somebody of the operator's may read until then. `project` none: the whole space. `uses`: how often they did."""

    id: str
    kind: GrantKind
    staff: str
    second: str | None
    project: str | None
    reason: str
    from_at: datetime
    until_at: datetime
    ended_at: datetime | None
    live: bool
    uses: int


class Support(msgspec.Struct, frozen=True):
    staff: list[Staff]
    grants: list[Grant]


class NewGrant(msgspec.Struct, forbid_unknown_fields=True):
    """`staff`: the id or the name of somebody on the list."""

    staff: str
    minutes: int
    reason: str = ""
    project: str | None = None


class NewAsk(msgspec.Struct, forbid_unknown_fields=True):
    """What the first of two people asks for."""

    org: str
    minutes: int
    reason: str
    project: str | None = None


class GlassAsk(msgspec.Struct, frozen=True):
    """Break-glass that waits for a second person."""

    id: str
    org: str
    org_name: str
    staff: str
    project: str | None
    minutes: int
    created_at: datetime
    mine: bool


class MyGrant(msgspec.Struct, frozen=True):
    """A grant as whoever holds it sees it."""

    id: str
    org: str
    org_name: str
    kind: GrantKind
    project: str | None
    until_at: datetime


class Access(msgspec.Struct, frozen=True):
    grants: list[MyGrant]
    asks: list[GlassAsk]


# --- facts. `staff` is a name: the operator's people are no workers of the pool, and customers know them.


class SupportGranted(msgspec.Struct, frozen=True):
    about: str
    staff: str
    project: str
    until_at: str
    reason: str


class SupportUsed(msgspec.Struct, frozen=True):
    about: str
    staff: str
    grant_kind: str
    looked_at: str


class SupportEnded(msgspec.Struct, frozen=True):
    about: str
    staff: str
    because: str


class BreakGlassAsked(msgspec.Struct, frozen=True):
    about: str
    staff: str
    project: str
    minutes: str
    reason: str


class BreakGlassOpened(msgspec.Struct, frozen=True):
    about: str
    staff: str
    second: str
    project: str
    until_at: str
    reason: str

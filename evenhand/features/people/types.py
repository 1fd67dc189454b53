"""What people and organisations look like to callers."""

from datetime import datetime
from typing import Literal

import msgspec

Mode = Literal["live", "test"]
RoleName = Literal["owner", "manager", "viewer", "annotator", "reviewer"]
Source = Literal["own", "pool"]


class Org(msgspec.Struct, frozen=True):
    id: str
    name: str
    mode: Mode = "live"
    role: str = ""


class Person(msgspec.Struct, frozen=True):
    id: str
    name: str
    email: str
    operator: bool = False
    director: bool = False


class Seats(msgspec.Struct, frozen=True):
    label: int = 0
    review: int = 0


class Entered(Org, frozen=True):
    """A space as whoever is signed in finds it. `project`: the only one that a grant to support opens."""

    project: str | None = None


class SessionView(msgspec.Struct, frozen=True):
    """Who is signed in, where they belong, and the token that writes must carry. `enrol`: nobody is yet: a passkey or an
    authenticator app must be set up first. `method`: what proved it."""

    person: Person
    csrf: str
    orgs: list[Entered]
    seats: Seats
    media: str = ""
    enrol: bool = False
    method: str = ""


class Member(msgspec.Struct, frozen=True):
    """`source`: whom the organisation invited is its own and has a name; who comes from the operator's shared pool has
    a pseudonym, and no address."""

    person: str
    name: str
    email: str
    role: RoleName
    state: Literal["active", "invited"]
    source: Source = "own"
    expires_at: datetime | None = None


class LinkView(msgspec.Struct, frozen=True):
    """What a single-use link is for. `known`: whoever it is for has an account already, and signs in to join."""

    purpose: Literal["setup", "invite", "reset"]
    email: str = ""
    org_name: str = ""
    known: bool = False


class NewLink(msgspec.Struct, frozen=True):
    link: str
    expires_at: datetime


class Key(msgspec.Struct, frozen=True):
    id: str
    prefix: str
    mode: Mode
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None = None


class NewKey(msgspec.Struct, frozen=True):
    """The only time that the key itself is shown."""

    id: str
    key: str
    mode: Mode
    prefix: str


# --- facts


class MemberJoined(msgspec.Struct, frozen=True):
    about: str
    role: str


class MemberInvited(msgspec.Struct, frozen=True):
    about: str
    role: str


class MemberRoleChanged(msgspec.Struct, frozen=True):
    about: str
    role: str


class MemberRemoved(msgspec.Struct, frozen=True):
    about: str


class KeyCreated(msgspec.Struct, frozen=True):
    about: str
    prefix: str
    scopes: list[str]


class KeyRevoked(msgspec.Struct, frozen=True):
    about: str

"""What signing in looks like to callers, and its facts."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

Method = Literal["passkey", "code", "recovery", "password", "provider"]


@dataclass(frozen=True, slots=True)
class Seen:
    """Whence a request came: the address, "" where it is none, and what the browser says it is. `background`: a page asked by
    itself, and nobody was there: that keeps no session alive."""

    address: str = ""
    agent: str = ""
    background: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """A session that was looked up."""

    person: str
    operator: bool
    session: str
    method: Method
    bound: frozenset[str] | None  # the only spaces that it opens
    barred: frozenset[str]
    proved_s: float  # seconds since somebody showed that it is still them
    hash: bytes  # of its token


@dataclass(frozen=True, slots=True)
class Enrolling:
    """Somebody who has used a link, or a password alone, and must make a second factor."""

    person: str


class Ways(msgspec.Struct, frozen=True):
    """How one may sign in here. `demo`: demo people need a password only."""

    demo: bool


class SessionLine(msgspec.Struct, frozen=True):
    id: str
    method: Method
    started_at: datetime
    seen_at: datetime
    expires_at: datetime  # unless it is used before
    ends_at: datetime  # at the latest
    address: str
    browser: str
    current: bool = False
    bound: bool = False


class PasskeyLine(msgspec.Struct, frozen=True):
    id: str
    name: str
    created_at: datetime
    used_at: datetime | None


class Security(msgspec.Struct, frozen=True):
    """A person's own page: what they sign in with, and where they are signed in. `fresh_s`: for how long a proof lasts."""

    password: bool
    app: datetime | None
    recovery_left: int
    passkeys: list[PasskeyLine]
    sessions: list[SessionLine]
    demo: bool
    fresh_s: int


class AppBegun(msgspec.Struct, frozen=True):
    """An authenticator app to be confirmed by its first code. `qr`: rows of 0 and 1, a quiet zone around them."""

    token: str
    secret: str
    uri: str
    qr: list[str]


class PasskeyBegun(msgspec.Struct, frozen=True):
    """What the browser's `navigator.credentials` is asked: the options of WebAuthn, as JSON."""

    token: str
    options: dict[str, Any]


class EntranceLine(msgspec.Struct, frozen=True):
    """A session of one of the organisation's own people that has been in this space."""

    id: str
    person: str
    name: str
    method: Method
    entered_at: datetime
    address: str
    browser: str


# --- facts; `about` is the person, or the space


class AppAdded(msgspec.Struct, frozen=True):
    about: str


class AppRemoved(msgspec.Struct, frozen=True):
    about: str


class RecoveryCodesMade(msgspec.Struct, frozen=True):
    about: str


class PasskeyAdded(msgspec.Struct, frozen=True):
    about: str


class PasskeyRemoved(msgspec.Struct, frozen=True):
    about: str


class PasswordChanged(msgspec.Struct, frozen=True):
    about: str


class SessionEntered(msgspec.Struct, frozen=True):
    """Somebody came into the space with a session that was not there before."""

    about: str
    method: str


class SignInRefused(msgspec.Struct, frozen=True):
    """Somebody tried to sign in as this person, and was refused, `count` times. reason: password, code, passkey, factor (a password
    alone, where a passkey is asked for), closed (the account is) or tries (too many)."""

    about: str
    reason: str
    count: int


class AccessRefused(msgspec.Struct, frozen=True):
    """Somebody was refused in the space, `count` times. reason: right, network, session, stranger, provider or admission. asked:
    the route."""

    about: str
    reason: str
    asked: str
    count: int


class SessionEnded(msgspec.Struct, frozen=True):
    about: str


class ProviderChanged(msgspec.Struct, frozen=True):
    about: str
    state: str


class ProviderRemoved(msgspec.Struct, frozen=True):
    about: str


class DomainVerified(msgspec.Struct, frozen=True):
    about: str


class DomainRemoved(msgspec.Struct, frozen=True):
    about: str


class SignedUpByProvider(msgspec.Struct, frozen=True):
    about: str


class NetworksChanged(msgspec.Struct, frozen=True):
    about: str
    networks: list[str]


class KeyEndsSoon(msgspec.Struct, frozen=True):
    about: str
    ends: str

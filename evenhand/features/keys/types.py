"""What an organisation's keys look like to callers. No key is ever shown, nor what opens a key service."""

from datetime import datetime
from typing import Literal

import msgspec

from evenhand.infra.kms.choice import Kind
from evenhand.infra.kms.port import State

Level = Literal["customer", "organisation", "project"]


class Service(msgspec.Struct, frozen=True):
    """The key service of a space. `state` is what the service says of the key; where it does not answer, `trouble` says why."""

    kind: Kind
    where: str
    key_id: str
    state: State
    versions: list[int]
    trouble: str = ""
    changed_at: datetime | None = None


class KeyVersion(msgspec.Struct, frozen=True):
    """`under`: the version of the organisation key that wraps it; 0 where the service does."""

    version: int
    under: int
    created_at: datetime


class ProjectKeys(msgspec.Struct, frozen=True):
    """`project` is "" for what belongs to the organisation as a whole."""

    project: str
    versions: list[KeyVersion]


class KeyUse(msgspec.Struct, frozen=True):
    """An opening of the organisation's key by its service, as the transparency log has it."""

    at: datetime
    process: str
    purpose: str
    service: str
    key: str
    versions: str
    keys: int
    refused: int


class KeysView(msgspec.Struct, frozen=True):
    """The keys of one space, newest uses first. `life_s`: how long at most what was opened stays in a process's memory."""

    service: Service
    organisation: list[KeyVersion]
    projects: list[ProjectKeys]
    uses: list[KeyUse]
    life_s: float


class NewChoice(msgspec.Struct, forbid_unknown_fields=True):
    """A key service for this space. Vault: `key_id`, `address`, `token` (and `mount`, `namespace`, `authority`). AWS:
    `key_id`, `region`, `access_key`, `secret_key` (and `session_token`, `address`). Local: nothing more."""

    kind: Kind
    key_id: str = ""
    address: str = ""
    region: str = ""
    mount: str = "transit"
    namespace: str = ""
    authority: str = ""
    token: str = ""
    access_key: str = ""
    secret_key: str = ""
    session_token: str = ""


class Rotation(msgspec.Struct, forbid_unknown_fields=True):
    """`project`: of the level "project"; "" rotates the key of what belongs to the organisation as a whole."""

    level: Level
    project: str = ""


class Checked(msgspec.Struct, frozen=True):
    """A key was wrapped and opened by the service, in so many milliseconds."""

    where: str
    key_id: str
    wrap_ms: float
    unwrap_ms: float


class KeyServiceChosen(msgspec.Struct, frozen=True):
    """Another key service wraps the organisation's keys from now on; all were wrapped anew."""

    about: str
    service: str
    key: str
    before: str
    wrapped: int


class KeyRotated(msgspec.Struct, frozen=True):
    """`wrapped`: how many keys were wrapped anew. `given_up`: versions of the organisation key that were deleted."""

    about: str
    level: str
    version: int
    wrapped: int
    given_up: int


class KeyRetired(msgspec.Struct, frozen=True):
    """Versions of the organisation key before `newest` were given up. `wrapped`: keys that were wrapped anew before that."""

    about: str
    newest: int
    wrapped: int
    given_up: int


class KeyServiceChecked(msgspec.Struct, frozen=True):
    about: str
    service: str
    key: str

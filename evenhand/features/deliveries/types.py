"""Callbacks and deliveries, as callers see them."""

from datetime import datetime
from typing import Any

import msgspec


class CallbackTry(msgspec.Struct, frozen=True):
    at: datetime
    status: int | None
    error: str


class Callback(msgspec.Struct, frozen=True):
    id: str
    task: str | None
    batch: str | None
    url: str
    state: str
    tries: list[CallbackTry]
    next_at: datetime | None


class CallbackBody(msgspec.Struct, omit_defaults=True):
    url: str
    payload: dict[str, Any] = {}


class CallbackSecrets(msgspec.Struct, frozen=True):
    """`auth_key` is sent as it is in `scale-callback-auth`; `signing_secret` signs `evenhand-signature`."""

    auth_key: str
    signing_secret: str


class Delivery(msgspec.Struct, frozen=True):
    id: str
    project: str
    name: str
    format: str
    task_count: int
    at: datetime
    url: str


class DeliveryBody(msgspec.Struct):
    name: str
    format: str = "jsonl"


class Exported(msgspec.Struct, frozen=True):
    """Results left the house: who asked is the fact's actor."""

    about: str
    format: str


class Delivered(msgspec.Struct, frozen=True):
    about: str
    project: str
    tasks: int


class CallbackSent(msgspec.Struct, frozen=True):
    """A try begins: what the callback says is about to leave. `task`: of which it tells; `n`: which try it is."""

    about: str
    task: str
    n: int


class CallbackEnded(msgspec.Struct, frozen=True):
    about: str
    ok: bool
    tries: int

"""Query strings: filters of the lists, and the token that leads to the next page."""

import base64
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

import msgspec

from evenhand.pure.scale.checks import bad
from evenhand.pure.scale.times import format_time, parse_time
from evenhand.pure.scale.types import BY_NAME

TASK_STATUSES = ("pending", "completed", "canceled", "error")
REVIEW_STATUSES = ("pending", "accepted", "fixed", "commented", "rejected")
BATCH_STATUSES = ("staging", "in_progress", "completed", "paused", "cancelled")
LIMIT_MAX = 100
VALUES_MAX = 1_000

Pairs = Iterable[tuple[str, str]]


class TaskQuery(msgspec.Struct, frozen=True, kw_only=True):
    start_time: datetime | None = None
    end_time: datetime | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    updated_after: datetime | None = None
    updated_before: datetime | None = None
    status: str | None = None
    type: str | None = None
    project: str | None = None
    batch: str | None = None
    customer_review_status: tuple[str, ...] = ()
    unique_id: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    limit: int = LIMIT_MAX
    offset: int = 0
    next_token: str | None = None
    include_attachment_url: bool = False
    limited_response: bool = False


class BatchQuery(msgspec.Struct, frozen=True, kw_only=True):
    start_time: datetime | None = None
    end_time: datetime | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    audited_after: datetime | None = None
    audited_before: datetime | None = None
    exclude_archived: bool = False
    detailed: bool = False
    status: str | None = None
    project: str | None = None
    limit: int = LIMIT_MAX
    offset: int = 0


class V2Query(msgspec.Struct, frozen=True, kw_only=True):
    """Every parameter that a v2 list or lookup may carry; each route uses its own."""

    project_id: str | None = None
    project_name: str | None = None
    batch_id: str | None = None
    batch_name: str | None = None
    task_id: str | None = None
    annotation_id: str | None = None
    delivery_id: str | None = None
    delivery_name: str | None = None
    dataset_id: str | None = None
    schema_id: str | None = None
    status: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    completed_after: datetime | None = None
    completed_before: datetime | None = None
    delivered_after: datetime | None = None
    delivered_before: datetime | None = None
    limit: int = LIMIT_MAX
    next_token: str | None = None
    expand: tuple[str, ...] = ()
    opts: tuple[str, ...] = ()


def parse_bool(name: str, value: str) -> bool:
    """`True`, `true`, `1` and `False`, `false`, `0`."""
    lower = value.lower()
    if lower in ("true", "1"):
        return True
    if lower in ("false", "0"):
        return False
    raise bad(name, "must be true or false")


def parse_whole(name: str, value: str, low: int, high: int) -> int:
    if not (value.isascii() and value.isdigit() and len(value) <= 12 and low <= int(value) <= high):
        raise bad(name, f"must be a whole number from {low} to {high}")
    return int(value)


def _statuses(name: str, values: list[str], allowed: Sequence[str]) -> None:
    for v in values:
        if v not in allowed:
            raise bad(name, f"must be one of {', '.join(allowed)}")


_Query = TypeVar("_Query", TaskQuery, BatchQuery, V2Query)


def _parse(kind: type[_Query], pairs: Pairs, statuses: Sequence[str]) -> _Query:
    """Empty values mean not given; keys that are not ours are left alone; of a single-valued key the last counts."""
    fields: Mapping[str, Any] = {f.name: f.type for f in msgspec.structs.fields(kind)}
    found: dict[str, Any] = {}
    lists: dict[str, list[str]] = {}
    for name, value in pairs:
        if name not in fields or value == "":
            continue
        wanted = fields[name]
        if wanted == datetime | None:
            found[name] = parse_time(name, value)
        elif wanted is bool:
            found[name] = parse_bool(name, value)
        elif wanted is int:
            found[name] = parse_whole(name, value, *((1, LIMIT_MAX) if name == "limit" else (0, 10**9)))
        elif wanted == tuple[str, ...]:
            values = value.split(",") if name == "customer_review_status" else [value]
            lists.setdefault(name, []).extend(v.strip() if name == "customer_review_status" else v for v in values)
        else:
            found[name] = value
    for name, values in lists.items():
        if len(values) > VALUES_MAX:
            raise bad(name, f"has more than {VALUES_MAX} values")
        found[name] = tuple(dict.fromkeys(v for v in values if v))
    if found.get("status"):
        _statuses("status", [found["status"]], statuses)
    return kind(**found)


def parse_tasks(pairs: Pairs) -> TaskQuery:
    query = _parse(TaskQuery, pairs, TASK_STATUSES)
    _statuses("customer_review_status", list(query.customer_review_status), REVIEW_STATUSES)
    if query.type is not None and query.type not in BY_NAME:
        raise bad("type", f"{query.type[:80]!r} is not a task type")
    return query


def parse_batches(pairs: Pairs) -> BatchQuery:
    return _parse(BatchQuery, pairs, BATCH_STATUSES)


def parse_v2(pairs: Pairs, statuses: Sequence[str] = (*TASK_STATUSES, "deleted")) -> V2Query:
    return _parse(V2Query, pairs, statuses)


# ---------------------------------------------------------------- the next page


class Place(msgspec.Struct, frozen=True):
    """The last row of a page: where the next one begins."""

    id: str
    created_at: str


def encode_token(place: Place, *, key: bytes, scope: str) -> str:
    """`scope` says whose list it is (organisation, route, filters): a token is good nowhere else."""
    body = msgspec.json.encode(place)
    return base64.urlsafe_b64encode(_mac(body, key, scope) + body).decode().rstrip("=")


def next_place(id_: str, created_at: datetime) -> Place:
    return Place(id_, format_time(created_at))


def decode_token(token: str, *, key: bytes, scope: str) -> Place:
    """Raises `Invalid` for anything that `encode_token` did not make with this key and scope."""
    try:
        if len(token) > 500 or not token.isascii():
            raise ValueError
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        mac, body = raw[:16], raw[16:]
        if not hmac.compare_digest(mac, _mac(body, key, scope)):
            raise ValueError
        return msgspec.json.decode(body, type=Place)
    except (ValueError, msgspec.MsgspecError):
        raise bad("next_token", "is not one that this list gave out") from None


def _mac(body: bytes, key: bytes, scope: str) -> bytes:
    return hmac.new(key, scope.encode() + b"\0" + body, sha256).digest()[:16]


def list_of_tasks(docs: list[Any], total: int, limit: int, next_token: str | None) -> dict[str, Any]:
    """The page of `GET tasks`: `next_token` is absent on the last page."""
    page: dict[str, Any] = {"docs": docs, "total": total, "limit": limit, "offset": 0, "has_more": bool(next_token)}
    return page | ({"next_token": next_token} if next_token else {})


def list_of_batches(docs: list[Any], total: int, limit: int, offset: int) -> dict[str, Any]:
    return {
        "docs": docs,
        "totalDocs": total,
        "limit": limit,
        "offset": offset,
        "has_more": offset + len(docs) < total,
    }


def first(pairs: Pairs, name: str) -> str | None:
    """One value of a query string by itself (`clear_unique_id`, `patch`)."""
    return next((v for k, v in pairs if k == name and v != ""), None)

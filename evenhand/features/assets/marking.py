"""Whether pictures carry the name of whoever looks at them, and under which name that is."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from evenhand.features.assets.watermark import printable
from evenhand.features.people.aliases import alias_of
from evenhand.features.people.members import name_here
from evenhand.features.people.rules import Verb, require
from evenhand.features.people.staff import names_of_staff
from evenhand.infra.db import Database, Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import At
from evenhand.infra.sql import Sql

#: off; on what people look at; on what API keys read as well
Watermark = Literal["off", "people", "all"]
_AT = At("setting", "watermark")
_GET = Sql("watermark_get", "select body from evenhand.setting where org_id = %(org)s and name = 'watermark'")
_PUT = Sql(
    "watermark_put",
    """insert into evenhand.setting (org_id, name, body) values (%(org)s, 'watermark', %(body)s)
       on conflict (org_id, name) do update set body = excluded.body""",
)
_KEY_PREFIX = Sql("key_prefix", "select prefix from evenhand.api_key where org_id = %(org)s and key_id = %(key)s")


class Media(msgspec.Struct, forbid_unknown_fields=True):
    """`watermark`: off, people (on what signed-in people look at) or all (on what API keys read as well)."""

    watermark: Watermark = "off"


class WatermarkChanged(msgspec.Struct, frozen=True):
    about: str
    watermark: str


async def media(tx: Tx) -> Media:
    """How this space shows its files."""
    require(tx, Verb.READ)
    return _opened(tx, await _GET.value(tx, org=tx.org_id))


def _opened(tx: Tx, body: bytes | None) -> Media:
    return Media() if body is None else tx.seal.open_as(body, Media, _AT)


async def set_media(tx: Tx, wanted: Media) -> Media:
    require(tx, Verb.MANAGE)
    await _PUT.run(tx, org=tx.org_id, body=tx.seal.shut(wanted, _AT))
    await record(tx, WatermarkChanged(tx.org_id, wanted.watermark))
    return wanted


async def lines_of(db: Database, tx: Tx, viewing: Any) -> tuple[str, ...]:
    """What stands on the pictures of a viewing (VIEWING_LIVE's row): nothing where the space does not want it."""
    wanted = _opened(tx, viewing["watermark"]).watermark
    by_key = viewing["actor_kind"] == "key"
    if wanted == "off" or (by_key and wanted != "all"):
        return ()
    at: datetime = viewing["opened_at"]
    name = await (_key_name(tx, viewing["actor_id"]) if by_key else viewer_name(db, tx, viewing["actor_id"]))
    return (name, f"{at:%Y-%m-%d %H:%M} UTC", viewing["viewing_id"])


async def shown_line(db: Database, tx: Tx) -> str:
    """What the studio lays over what can't be marked itself, for the person of `tx`: their name and the minute, or ""."""
    if tx.actor.kind != "person" or _opened(tx, await _GET.value(tx, org=tx.org_id)).watermark == "off":
        return ""
    return f"{await viewer_name(db, tx, tx.actor.id)} · {tx.now:%Y-%m-%d %H:%M} UTC"


async def viewer_name(db: Database, tx: Tx, person: str) -> str:
    """The name by which this customer knows somebody, in letters that can be drawn: a pseudonym for workers of the pool."""
    name = await name_here(tx, person) or (await names_of_staff(db)).get(person, "")
    return printable(name) or f"Person {alias_of(tx, person)[:16].upper()}"


async def _key_name(tx: Tx, key: str) -> str:
    return f"API key {await _KEY_PREFIX.value(tx, org=tx.org_id, key=key)}"

"""Migrations: numbered SQL files, each applied once, in order, in one transaction, by the owner."""

from hashlib import sha256
from importlib.resources import files

import psycopg

from evenhand.infra import context
from evenhand.pure.trouble import Conflict

_LOCK = 0x4556454E  # one migration at a time, whoever starts it


class NewerSchema(Conflict):
    hint = "Start the newer Evenhand again, or restore a backup made before the upgrade."


def known() -> list[tuple[int, str, str]]:
    """(number, name, text) of every migration of this program."""
    found: list[tuple[int, str, str]] = []
    for entry in files("evenhand.infra.migrations").iterdir():
        if entry.name.endswith(".sql"):
            found.append((int(entry.name.split("_", 1)[0]), entry.name, entry.read_text()))
    return sorted(found)


def migrate(owner_url: str, context_secret: bytes) -> list[str]:
    """Brings the schema up to date and stores the pads of the context key. Returns the names of what was applied."""
    applied: list[str] = []
    with psycopg.connect(owner_url, autocommit=True) as conn:
        conn.execute("select pg_advisory_lock(%s)", (_LOCK,))
        # a schema of its own: before PostgreSQL 16 an owner that is NOINHERIT has no rights in `public`
        conn.execute("create schema if not exists evenhand_meta")
        conn.execute(
            "create table if not exists evenhand_meta.migration ("
            " number integer primary key, name text not null, digest bytea not null,"
            " applied_at timestamptz not null default now())"
        )
        rows = conn.execute("select number, digest from evenhand_meta.migration").fetchall()
        have: dict[int, bytes] = {number: bytes(digest) for number, digest in rows}
        mine = known()
        newest = max((number for number, _, _ in mine), default=0)
        if have and max(have) > newest:
            raise NewerSchema(
                f"The database was made by a newer Evenhand (schema {max(have)}, this one knows {newest})."
            )
        for number, name, text in mine:
            digest = sha256(text.encode()).digest()
            if number in have:
                if have[number] != digest:
                    raise Conflict(
                        f"Migration {name} differs from the one this database was made with.",
                        hint="Use the release that made it, or restore a backup.",
                    )
                continue
            with conn.transaction():
                conn.execute(text.encode())
                conn.execute(
                    "insert into evenhand_meta.migration (number, name, digest) values (%s, %s, %s)",
                    (number, name, digest),
                )
            applied.append(name)
        inner, outer = context.pads(context_secret)
        conn.execute(
            "insert into ctx.secret (slot, inner_pad, outer_pad) values (1, %s, %s)"
            " on conflict (slot) do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad"
            " where ctx.secret.inner_pad <> excluded.inner_pad",
            (inner, outer),
        )
    return applied

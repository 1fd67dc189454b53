"""Everything is in the archive: a table that is added tomorrow and is neither in it nor in the list of what is left out fails."""

import re
from collections.abc import Iterator

import psycopg
import pytest

from evenhand.features.leaving.parts import EVENTS, PARTS, VIEWS
from evenhand.infra.postgres.roles import DatabaseUrls

#: what is not in it, and why
LEFT_OUT = {
    "org",  # organisation.json
    "log_member",  # the evidence
    "rate_told",  # events say so as well
    "key_service",  # where their key service is, with what signs in there; organisation-keys.jsonl names the key
    "affiliate",  # the operator's mark, which is never shown to who serves
    "feed",  # where a security team's feed goes, with the secret that signs it
    "sched_flow",  # the scheduler's; decisions are in the evidence
    "job", "job_step",  # what was to be done; its effects are here
    "idempotency",  # replies kept for a day, for who asks again
    "import_chunk",  # reports of imports, as their sender got them
    "viewing",  # which files somebody might see, behind the commitment that events have
    "undone",  # when a task that is done again had been done before, for a count of minutes
    "provider", "email_domain", "ip_rule",  # how its people get in here, with the provider's secret
    "identity", "entrance",  # which of its people came by the provider, and the sessions of now; events say so as well
    "erasure_file",  # files on their way out
    "access_grant", "glass_ask",  # who of the operator's might look, when and why: each is an event
    "wall", "conflict_group", "rivalry", "tie",  # whom people are kept off: rivals by id, and the operator's to keep
}  # fmt: skip
#: columns that say nothing to anybody but the program: MACs, blind indexes, object names, cursors, digests
INNER = re.compile(
    r"org_id|.*_mac|tokens|classes|key_hash|wrapped|object|callback|pinned|served_at|cursor_.*|shown_task|lease_s|gold|(closed_)?xid|"
    r"receipt|object_key|digest|actor_.*|sequenced|batch|counts|keys|salt|leaves|edge|about_id|kind|at|updated_at|warned_at"
)  # fmt: skip


@pytest.fixture
def owner(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(urls.owner, autocommit=True) as opened:
        yield opened


def read_tables() -> set[str]:
    texts = [part.rows.numbered for part in PARTS] + [EVENTS.numbered, VIEWS.numbered]
    return {table for text in texts for table in re.findall(r"\bevenhand\.(\w+)", text)}


def test_every_table_is_in_the_archive_or_written_down(owner: psycopg.Connection) -> None:
    rows = owner.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'org_id'"
        " WHERE c.relnamespace = 'evenhand'::regnamespace AND c.relkind = 'r'"
    ).fetchall()
    assert {name for (name,) in rows} - read_tables() - LEFT_OUT == set()


def test_every_column_is_in_the_archive_or_an_inner_one(owner: psycopg.Connection) -> None:
    left: list[str] = []
    for part in PARTS:
        table = re.findall(r"from evenhand\.(\w+)", part.rows.numbered)[0]
        listed = re.split(r"\bfrom\b", part.rows.numbered)[0]
        rows = owner.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            (f"evenhand.{table}",),
        ).fetchall()
        left += [
            f"{table}.{name}" for (name,) in rows if not re.search(rf"\b{name}\b", listed) and not INNER.fullmatch(name)
        ]
    assert left == []

"""Deletion reaches every table: one that is added tomorrow and is neither emptied nor in the list of what stays fails here."""

from collections.abc import Iterator

import psycopg
import pytest

from evenhand.infra.postgres.roles import DatabaseUrls

#: what stays when an organisation has left, and why
STAYS = {
    "org",  # closed: its id, its mode and the operator's name for it
    "fact", "log_member", "log_place",  # the events, sealed under a key that is gone; the log never loses a leaf
    "erasure", "erasure_file",  # the certificates
    "hold",  # there is none, or nothing is deleted
    "contract", "rate_told", "affiliate",  # the operator's: class and times, for the figures of the past; no content
    "sched_flow",  # the scheduler's account of a number: whole numbers under an index, no content
    "access_grant", "glass_ask",  # who of the operator's looked when
    # ids, times and MACs: who has worked for a customer that left stays off its rivals for the days that were agreed
    "wall", "conflict_group", "rivalry", "tie",
    "job", "job_step",  # ids of what was to be done, sealed; ended ones go within a month
}  # fmt: skip


@pytest.fixture
def owner(urls: DatabaseUrls) -> Iterator[psycopg.Connection]:
    with psycopg.connect(urls.owner, autocommit=True) as opened:
        yield opened


def unreached(owner: psycopg.Connection) -> set[str]:
    rows = owner.execute(
        "SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relnamespace = 'evenhand'::regnamespace AND c.relkind = 'r' AND a.attname = 'org_id'"
        " AND NOT EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polname = 'erase')"
    ).fetchall()
    return {name for (name,) in rows} - STAYS


def test_every_table_is_emptied_or_written_down(owner: psycopg.Connection) -> None:
    assert unreached(owner) == set()


def test_the_law_sees_a_new_table(owner: psycopg.Connection) -> None:
    owner.execute(
        "create table evenhand.plan (org_id text not null, task_id text not null, primary key (org_id, task_id))"
    )
    assert unreached(owner) == {"plan"}


def test_what_refers_goes_before_what_it_refers_to(owner: psycopg.Connection) -> None:
    for column in ("task_id", "project_id", "org_id"):
        order = [name for (name,) in owner.execute("SELECT evenhand.erased_tables(%s)", (column,)).fetchall()]
        at = {name: n for n, name in enumerate(order)}
        rows = owner.execute(
            "SELECT (SELECT relname FROM pg_class WHERE oid = k.conrelid), (SELECT relname FROM pg_class WHERE oid = k.confrelid)"
            " FROM pg_constraint k WHERE k.contype = 'f'"
        ).fetchall()
        wrong = [pair for pair in rows if pair[0] in at and pair[1] in at and at[pair[0]] > at[pair[1]]]
        assert len(order) > 5 and not wrong

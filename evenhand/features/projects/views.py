"""Saved views: filters of a project's task browser that somebody has given a name. Each person has their own."""

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.features.projects.actions import row_of
from evenhand.infra.db import Tx
from evenhand.infra.seal import At
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Invalid

VIEWS_MOST = 100
NAME_MOST = 60
QUERY_MOST = 2_000

VIEWS_GET = Sql("views_get", "select body from evenhand.setting where org_id = %(org)s and name = %(name)s")
VIEWS_BEGIN = Sql(
    "views_begin",
    """insert into evenhand.setting (org_id, name, body) values (%(org)s, %(name)s, %(body)s)
       on conflict (org_id, name) do nothing""",
)
VIEWS_LOCK = Sql(
    "views_lock", "select body from evenhand.setting where org_id = %(org)s and name = %(name)s for update"
)
VIEWS_SET = Sql("views_set", "update evenhand.setting set body = %(body)s where org_id = %(org)s and name = %(name)s")


class View(msgspec.Struct, frozen=True):
    """`query`: the part of the browser's address that holds the filter."""

    name: str
    query: str


class ViewChange(msgspec.Struct, forbid_unknown_fields=True):
    """`query` null takes the view away."""

    name: str
    query: str | None


class Views(msgspec.Struct, frozen=True):
    items: list[View] = []


async def list_views(tx: Tx, project: str) -> Views:
    """The views of whoever asks, by name."""
    require(tx, Verb.READ)
    await row_of(tx, project)
    body = await VIEWS_GET.value(tx, org=tx.org_id, name=_key(tx, project))
    return tx.seal.open_as(body, Views, _at(tx, project)) if body is not None else Views()


async def change_view(tx: Tx, project: str, change: ViewChange) -> Views:
    """Keeps, replaces or takes away one view; two pages that do so at once do not undo each other."""
    require(tx, Verb.READ)  # they are one's own, so a viewer has them too
    await row_of(tx, project)
    name = change.name.strip()
    if not 1 <= len(name) <= NAME_MOST:
        raise Invalid(f"A view's `name` has 1 to {NAME_MOST} characters.")
    if change.query is not None and len(change.query) > QUERY_MOST:
        raise Invalid(f"A view's `query` has at most {QUERY_MOST:,} characters.")
    key = _key(tx, project)
    await VIEWS_BEGIN.run(tx, org=tx.org_id, name=key, body=tx.seal.shut(Views(), _at(tx, project)))
    held = tx.seal.open_as(await VIEWS_LOCK.value(tx, org=tx.org_id, name=key), Views, _at(tx, project))
    items = [view for view in held.items if view.name != name]
    if change.query is not None:
        items.append(View(name, change.query))
    if len(items) > VIEWS_MOST:
        raise Invalid(f"Somebody has at most {VIEWS_MOST} views of a project.", hint="Remove one that is not used.")
    views = Views(sorted(items, key=lambda view: view.name.casefold()))
    await VIEWS_SET.run(tx, org=tx.org_id, name=key, body=tx.seal.shut(views, _at(tx, project)))
    return views


def _at(tx: Tx, project: str) -> At:
    return At("setting", _key(tx, project), project)


def _key(tx: Tx, project: str) -> str:
    return f"views {project} {tx.actor.id}"

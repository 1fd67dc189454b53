"""Groups of workers in a project: names for sets of people who have a seat there."""

from typing import Any

import msgspec

from evenhand.features.people.rules import Verb, require
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import new_id
from evenhand.infra.seal import At
from evenhand.infra.sql import Sql
from evenhand.pure.trouble import Conflict, Missing

GROUP_ADD = Sql(
    "group_add",
    """insert into evenhand.worker_group (org_id, group_id, project_id, name_mac, body)
       values (%(org)s, %(group)s, %(project)s, %(name_mac)s, %(body)s)
       on conflict (org_id, project_id, name_mac) do nothing returning group_id""",
)
GROUP_LIST = Sql(
    "group_list",
    """select group_id, project_id, body from evenhand.worker_group
        where org_id = %(org)s and project_id = %(project)s order by group_id""",
)
GROUP_LOCK = Sql(
    "group_lock",
    """select group_id, project_id, body from evenhand.worker_group
        where org_id = %(org)s and project_id = %(project)s and name_mac = %(name_mac)s for update""",
)
GROUP_SET = Sql(
    "group_set",
    "update evenhand.worker_group set body = %(body)s where org_id = %(org)s and group_id = %(group)s",
)


class GroupNameTaken(Conflict):
    hint = "Choose another name, or change the group that is there."


class NoSuchGroup(Missing):
    hint = "Look at the project's list of groups."


class Group(msgspec.Struct, frozen=True):
    id: str
    name: str
    people: list[str]


class GroupChanged(msgspec.Struct, frozen=True):
    """A group was made, or other people are in it now."""

    about: str
    project: str
    people: int


class _Body(msgspec.Struct):
    name: str
    people: list[str] = []


def _at(project: str, group: str) -> At:
    return At("worker_group", group, project)


def _group(tx: Tx, row: Any) -> Group:
    body = tx.seal.open_as(row["body"], _Body, _at(row["project_id"], row["group_id"]))
    return Group(row["group_id"], body.name, body.people)


async def list_groups(tx: Tx, project: str) -> list[Group]:
    require(tx, Verb.READ)
    return [_group(tx, row) for row in await GROUP_LIST.all(tx, org=tx.org_id, project=project)]


async def create_group(tx: Tx, project: str, name: str, people: list[str]) -> Group:
    require(tx, Verb.WRITE)
    group = new_id()
    made = await GROUP_ADD.maybe(
        tx,
        org=tx.org_id,
        group=group,
        project=project,
        name_mac=tx.seal.mac("group", name),
        body=tx.seal.shut(_Body(name, people), _at(project, group)),
    )
    if made is None:
        raise GroupNameTaken(f"There is a group called '{name[:100]}' in this project already.")
    await record(tx, GroupChanged(group, project, len(people)))
    return Group(group, name, people)


async def change_group(tx: Tx, project: str, name: str, *, add: list[str], remove: list[str]) -> Group:
    """Adds people, then takes people out."""
    require(tx, Verb.WRITE)
    row = await GROUP_LOCK.maybe(tx, org=tx.org_id, project=project, name_mac=tx.seal.mac("group", name))
    if row is None:
        raise NoSuchGroup(f"There is no group called '{name[:100]}' in this project.")
    body = tx.seal.open_as(row["body"], _Body, _at(project, row["group_id"]))
    body.people = [p for p in dict.fromkeys([*body.people, *add]) if p not in set(remove)]
    await GROUP_SET.run(
        tx, org=tx.org_id, group=row["group_id"], body=tx.seal.shut(body, _at(project, row["group_id"]))
    )
    await record(tx, GroupChanged(row["group_id"], project, len(body.people)))
    return Group(row["group_id"], body.name, body.people)

"""Follow-up tasks of a lidarannotation: made from its frames and cuboids once it is completed."""

from typing import Any, cast

import msgspec

from evenhand.app.scale.asking import Ask
from evenhand.app.scale.linking import asset_in
from evenhand.features.assets import actions as assets
from evenhand.features.tasks.actions import NoSuchTask, body_of, task_row
from evenhand.infra.db import Tx
from evenhand.pure.numbers import is_whole
from evenhand.pure.scale import checks as c
from evenhand.pure.scale.checks import Obj, bad
from evenhand.pure.scale.requests import CreateTask
from evenhand.pure.scale.types import ROOT_TYPE, TaskType


async def with_root(tx: Tx, type_: TaskType, given: CreateTask) -> CreateTask:
    """The task with the frames of the completed `lidar_task` that it starts from (`lidar_task_frames`: which of them,
    by place from 0). Raises `Invalid` while that task is not completed, or is another type of task."""
    params = given.params
    if not type_.dependent or not c.given(params.get("lidar_task")):
        return given
    root = await _root_row(tx, params["lidar_task"])
    if root is None:
        return given
    frames = cast(list[Any], body_of(tx, root).params.get("attachments") or [])
    wanted = params.get("lidar_task_frames")
    if wanted is not None:
        c.filled_rows("lidar_task_frames", wanted)
        for i, n in enumerate(cast(list[object], wanted)):
            if not is_whole(n) or not 0 <= n < len(frames):
                raise bad(f"lidar_task_frames[{i}]", f"must be a whole number from 0 to {len(frames) - 1}")
        frames = [frames[int(n)] for n in cast(list[int], wanted)]
    return msgspec.structs.replace(given, params={**params, "attachments": frames})


async def _root_row(tx: Tx, task: object) -> Any | None:
    """The task to start from. None for an id that is not there: test mode looks at no attachment either, so it takes any
    address and any id; and with a live key these types are refused before."""
    c.filled("lidar_task", task)
    try:
        row = await task_row(tx, cast(str, task))
    except NoSuchTask:
        return None
    if row["kind"] != ROOT_TYPE:
        raise bad("lidar_task", f"must be a {ROOT_TYPE} task; this is a {row['kind']}")
    if row["state"] != "done":
        raise bad("lidar_task", "is not completed yet; create this task when it is")
    return row


async def root_cuboids(ask: Ask, tx: Tx, params: Obj) -> list[list[Obj]]:
    """The cuboids of the root task, a list for each frame that was taken over; [] where there is no root."""
    task = params.get("lidar_task")
    root = await _root_row(tx, task) if c.given(task) else None
    if root is None:
        return []
    response = body_of(tx, root).response or {}
    asset = asset_in(str(cast(Obj, response.get("annotations") or {}).get("url") or ""), tx.org_id)
    if asset is None:
        return []
    file: Any = msgspec.json.decode(await assets.read_file(tx, ask.objects, asset))
    every = [cast(list[Obj], frame.get("cuboids", [])) for frame in cast(list[Obj], file)]
    wanted = params.get("lidar_task_frames")
    return every if wanted is None else [every[int(n)] for n in cast(list[int], wanted) if int(n) < len(every)]


def dependent_bodies(row: Any, params: Obj) -> list[tuple[str, Obj]]:
    """(type, create body) of each follow-up that a lidarannotation declared in `dependents.defs`."""
    found = cast(Obj, params.get("dependents") or {})
    out: list[tuple[str, Obj]] = []
    for one in cast(list[Obj], found.get("defs") or []):
        rest = {k: v for k, v in one.items() if k != "type"}
        out.append((str(one["type"]), {**rest, "lidar_task": row["task_id"]}))
    return out


def waits_for_audit(params: Obj) -> bool:
    return cast(Obj, params.get("dependents") or {}).get("require_audit") is True

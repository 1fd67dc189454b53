"""Quality of a project: tasks with a known answer, everybody's scores, the training course."""

from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.quality import actions as quality
from evenhand.features.quality.types import KnownTask, ProjectQuality, QualityPatch
from evenhand.infra.db import Tx


class Again(msgspec.Struct, forbid_unknown_fields=True):
    person: str
    because: str


@route("GET", "/projects/{project}/quality", reply=ProjectQuality)
async def get_quality(call: Call, tx: Tx) -> Any:
    """Known answers and everybody's scores"""
    return await quality.quality(tx, call.path("project"))


@route("PATCH", "/projects/{project}/quality", body=QualityPatch, reply=ProjectQuality)
async def change_quality(call: Call, tx: Tx) -> Any:
    """Set the share of known tasks and the pass mark"""
    return await quality.change_quality(tx, call.path("project"), call.body)


@route("POST", "/projects/{project}/quality/tasks", body=KnownTask, reply=ProjectQuality)
async def make_known(call: Call, tx: Tx) -> Any:
    """Make a task with a known answer of a finished one"""
    return await quality.make_known(tx, call.path("project"), call.body)


@route("POST", "/projects/{project}/quality/again", body=Again, reply=ProjectQuality)
async def course_again(call: Call, tx: Tx) -> Any:
    """Give somebody another try at the training course"""
    return await quality.course_again(tx, call.path("project"), call.body.person, call.body.because)

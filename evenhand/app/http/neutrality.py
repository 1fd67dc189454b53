"""The public neutrality figures."""

from datetime import date
from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.trust.neutrality import Neutrality, NeutralityDays, neutrality, neutrality_days


class NeutralityQuery(msgspec.Struct):
    """`week`: its Monday. Shows that week, with all its days. `day`: that day alone, or with `work` one class of work of it."""

    week: date | None = None
    day: date | None = None
    work: str | None = None


@route("GET", "/neutrality", who="public", query=NeutralityQuery, reply=Neutrality, tx=False)
async def published(call: Call) -> Any:
    """What each customer was served beside what it was entitled to, without names; affiliates beside all others"""
    asked: NeutralityQuery = call.query
    return await neutrality(call.db, week=asked.week, day=asked.day, work=asked.work)


@route("GET", "/neutrality/days", who="public", reply=NeutralityDays, tx=False)
async def published_days(call: Call) -> Any:
    """The figures of each day and week, without a row for each customer"""
    return await neutrality_days(call.db)

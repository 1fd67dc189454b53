"""The public neutrality figures."""

from datetime import date
from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.trust.neutrality import Neutrality, neutrality


class WeekQuery(msgspec.Struct):
    """`week`: its Monday. Shows that week, with all its days."""

    week: date | None = None


@route("GET", "/neutrality", who="public", query=WeekQuery, reply=Neutrality, tx=False)
async def published(call: Call) -> Any:
    """What each customer was served beside what it was entitled to, without names; affiliates beside all others"""
    return await neutrality(call.db, call.query.week)

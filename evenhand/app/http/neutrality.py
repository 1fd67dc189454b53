"""The public neutrality figures."""

from typing import Any

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.trust.neutrality import Neutrality, neutrality


@route("GET", "/neutrality", who="public", reply=Neutrality, tx=False)
async def published(call: Call) -> Any:
    """What each customer was served beside what it was entitled to, without names; affiliates beside all others"""
    return await neutrality(call.db)

"""Who of the operator's people may look, who looked, who left; break-glass; and the directors' figures."""

from typing import Any

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.features.grants import actions as grants
from evenhand.features.grants import figures, leaving
from evenhand.features.grants.figures import Figures
from evenhand.features.grants.leaving import Leavers, Left, Report
from evenhand.features.grants.types import Access, NewAsk, NewGrant, Support
from evenhand.features.people import actions as people
from evenhand.infra.db import Tx


class PersonRef(msgspec.Struct, forbid_unknown_fields=True):
    """`person`: id or address."""

    person: str


class DirectorIn(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    director: bool = True


@route("GET", "/support", reply=Support)
async def support(call: Call, tx: Tx) -> Any:
    """Grants to the operator's people: open, past, and how often they were used"""
    return await grants.support(call.db, tx)


@route("POST", "/support/grants", body=NewGrant, reply=Support, fresh=True)
async def give_grant(call: Call, tx: Tx) -> Any:
    """Let somebody of the operator's people read, for minutes"""
    return await grants.give(call.db, tx, call.body)


@route("DELETE", "/support/grants/{grant}", reply=Support)
async def end_grant(call: Call, tx: Tx) -> Any:
    """End a grant, or broken glass, at once"""
    return await grants.end(call.db, tx, call.path("grant"))


@route("GET", "/leavers", reply=Leavers)
async def leavers(call: Call, tx: Tx) -> Any:
    """Who left the operator or its pool, and how much they had seen here"""
    return await leaving.leavers(call.db, tx)


@route("GET", "/people/{person}/report", reply=Report)
async def person_report(call: Call, tx: Tx) -> Any:
    """What one person has seen of yours"""
    return await leaving.report(call.db, tx, call.path("person"))


@route("GET", "/operator/access", who="operator", reply=Access, tx=False)
async def access(call: Call) -> Any:
    """What you may read now, and which break-glass waits for a second person"""
    return await grants.access(call.db, call.actor.id)


@route("POST", "/operator/break-glass", who="operator", body=NewAsk, reply=Access, tx=False, fresh=True)
async def ask(call: Call) -> Any:
    """Ask for access without a grant; another of the operator's people has to confirm"""
    return await grants.ask_to_break(call.db, call.actor, call.body)


@route("POST", "/operator/break-glass/{ask}/confirm", who="operator", reply=Access, tx=False, fresh=True)
async def confirm(call: Call) -> Any:
    """Confirm somebody else's break-glass; the customer is told at once"""
    return await grants.confirm_break(call.db, call.actor, call.path("ask"))


@route("POST", "/operator/people/leave", who="operator", body=PersonRef, reply=Left, tx=False, fresh=True)
async def leave(call: Call) -> Any:
    """End everything that somebody can do here, at once"""
    ref: str = call.body.person
    person = await people.get_person(call.db, ref) if "@" in ref else ref
    return await leaving.leave(call.db, person, call.actor)


@route("POST", "/operator/directors", who="operator", body=DirectorIn, reply=DirectorIn, tx=False, fresh=True)
async def director(call: Call) -> Any:
    """Let somebody see the figures of all customers together, or no longer"""
    await figures.set_director(call.db, call.body.email, director=call.body.director)
    return call.body


@route("GET", "/director/figures", who="director", reply=Figures, tx=False)
async def director_figures(call: Call) -> Any:
    """Tasks and hours of all customers together, by week; none of a week in which few were served"""
    return await figures.figures(call.db)

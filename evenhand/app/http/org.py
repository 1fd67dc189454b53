"""The organisation's own pages: people, keys, questions, the audit trail; and the operator's."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from evenhand.app.http.call import Call
from evenhand.app.http.projects import bounded
from evenhand.app.http.routes import Page, route
from evenhand.app.mail import send_link
from evenhand.features.contracts.walls import no_wall
from evenhand.features.people import actions as people
from evenhand.features.people import links, members
from evenhand.features.people.rules import Verb, may, require
from evenhand.features.people.types import Key, Member, Mode, NewKey, NewLink, RoleName
from evenhand.features.reviews import actions as reviews
from evenhand.features.reviews import progress
from evenhand.features.reviews.types import Question
from evenhand.infra.db import Actor, Tx
from evenhand.infra.jobs import job_counts
from evenhand.pure.trouble import Denied


class Members(msgspec.Struct, frozen=True):
    items: list[Member]
    next: str | None = None


class Invite(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    role: RoleName


class RoleIn(msgspec.Struct, forbid_unknown_fields=True):
    role: RoleName


class Keys(msgspec.Struct, frozen=True):
    items: list[Key]
    next: str | None = None


class KeyIn(msgspec.Struct, forbid_unknown_fields=True):
    name: str = ""
    mode: Mode | None = None
    scopes: list[str] | None = None
    expires_at: datetime | None = None


class QuestionPage(msgspec.Struct):
    limit: int = 50
    cursor: str | None = None
    project: str | None = None
    open: bool = False


class Questions(msgspec.Struct, frozen=True):
    items: list[Question]
    next: str | None


class Reply(msgspec.Struct, forbid_unknown_fields=True):
    text: str


class AuditLine(msgspec.Struct, frozen=True):
    """`counter`: its place in the log, null until it has one, which takes seconds."""

    id: str
    at: datetime
    who: str
    what: str
    about: str
    counter: int | None
    detail: dict[str, Any]


class Audit(msgspec.Struct, frozen=True):
    items: list[AuditLine]
    next: str | None


class OperatorOrg(msgspec.Struct, frozen=True):
    id: str
    name: str
    members: int
    waiting: int


class OperatorPerson(msgspec.Struct, frozen=True):
    id: str
    name: str
    email: str
    state: str
    operator: bool
    director: bool = False


class Overview(msgspec.Struct, frozen=True):
    orgs: list[OperatorOrg]
    people: list[OperatorPerson]
    jobs: dict[str, int]


class OperatorInvite(msgspec.Struct, forbid_unknown_fields=True):
    email: str
    role: Literal["operator", "annotator", "reviewer"]
    orgs: list[str] = []


class ResetIn(msgspec.Struct, forbid_unknown_fields=True):
    """`factors`: they have lost their passkeys and their authenticator app, which the link takes away as well."""

    email: str
    factors: bool = False


@route("GET", "/members", reply=Members)
async def list_members(call: Call, tx: Tx) -> Any:
    """List the members of the organisation"""
    return Members(await members.list_members(tx))


@route("POST", "/members/invite", body=Invite, reply=NewLink, tx=False, fresh=True)
async def invite(call: Call) -> Any:
    """Invite somebody by a single-use link"""
    async with call.db.tx(call.org_id, call.actor) as tx:
        require(tx, Verb.MANAGE)
    body: Invite = call.body
    _, link = await links.invite_person(
        call.db, body.email, call.services.settings.public_url, role=body.role, orgs=[call.org_id], actor=call.actor
    )
    await send_link(call.services.settings, body.email, link.link)
    return link


@route("PATCH", "/members/{person}", body=RoleIn, reply=Members, fresh=True)
async def change_role(call: Call, tx: Tx) -> Any:
    """Change a member's role"""
    await members.change_role(tx, call.path("person"), call.body.role)
    return Members(await members.list_members(tx))


@route("DELETE", "/members/{person}", reply=Members, fresh=True)
async def remove_member(call: Call, tx: Tx) -> Any:
    """Remove a member"""
    await members.remove_member(tx, call.path("person"))
    return Members(await members.list_members(tx))


@route("GET", "/keys", reply=Keys, tx=False)
async def list_keys(call: Call) -> Any:
    """List API keys of this space"""
    org = await people.find_org(call.db, call.org_id)
    mode: Mode = "live" if org.id == call.org_id else "test"
    async with call.db.tx(call.org_id, call.actor) as tx:
        return Keys(await people.list_keys(tx, mode))


@route("POST", "/keys", body=KeyIn, reply=NewKey, tx=False, fresh=True)
async def create_key(call: Call) -> Any:
    """Create an API key; it is shown once"""
    async with call.db.tx(call.org_id, call.actor) as tx:
        require(tx, Verb.MANAGE)
    body: KeyIn = call.body
    if call.actor.kind == "key" and body.scopes is None:
        body.scopes = sorted(call.actor.scopes)
    if call.actor.kind == "key" and not set(body.scopes or ()) <= call.actor.scopes:
        raise Denied("A key can't make a key that may do more than itself.")
    live = await people.find_org(call.db, call.org_id)
    here: Mode = "live" if live.id == call.org_id else "test"
    mode = body.mode or here
    if mode != here:
        if call.actor.kind == "key":
            raise Denied("A key can't make keys for the other mode.", hint="Sign in, or use a key of that mode.")
        other = await people.find_org(call.db, call.org_id, mode)
        role = await people.role_in(call.db, other.id, call.actor.id) or ""
        if not may(Actor("person", call.actor.id, role), Verb.MANAGE):
            raise Denied(f"You are not an owner of the {mode} space.", hint="Ask one of its owners.")
    return await people.create_key(
        call.db, call.org_id, mode, actor=call.actor, name=body.name, scopes=body.scopes, expires_at=body.expires_at
    )


@route("DELETE", "/keys/{key}", reply=dict[str, bool], fresh=True)
async def revoke_key(call: Call, tx: Tx) -> Any:
    """Revoke an API key"""
    await people.revoke_key(tx, call.path("key"))
    return {"revoked": True}


@route("GET", "/questions", query=QuestionPage, reply=Questions)
async def list_questions(call: Call, tx: Tx) -> Any:
    """List annotators' questions, newest first"""
    limit = bounded(call.query.limit)
    items = await reviews.list_questions(
        tx, project=call.query.project, open_only=call.query.open, after=call.query.cursor, limit=limit
    )
    return Questions(items, items[-1].id if len(items) == limit else None)


@route("POST", "/questions/{question}/answer", body=Reply, reply=Question)
async def answer_question(call: Call, tx: Tx) -> Any:
    """Answer a question once for all"""
    return await reviews.answer_question(tx, call.path("question"), call.body.text)


class AuditQuery(Page):
    """`files`: each time that a file was shown as well; a page of pictures is as many facts as it has pictures. `group`: all,
    access, people, keys, exports or deletions."""

    files: bool = True
    group: str = "all"


@route("GET", "/audit", query=AuditQuery, reply=Audit)
async def audit(call: Call, tx: Tx) -> Any:
    """The organisation's facts, newest first"""
    limit = bounded(call.query.limit)
    rows = await progress.audit(
        tx, after=call.query.cursor, limit=limit, files=call.query.files, group=call.query.group
    )
    return Audit([AuditLine(**row) for row in rows], rows[-1]["id"] if len(rows) == limit else None)


@route("GET", "/operator/overview", who="operator", reply=Overview, tx=False)
async def overview(call: Call) -> Any:
    """People, organisations and jobs: counts only, no content"""
    counts = await people.member_counts(call.db)
    waiting, jobs = await job_counts(call.db)
    orgs = [
        OperatorOrg(org.id, org.name, counts.get(org.id, 0), waiting.get(org.id, 0))
        for org in await people.list_orgs(call.db)
    ]
    everybody = [
        OperatorPerson(p.id, p.name, p.email, state, p.operator, p.director)
        for p, state in await people.people_overview(call.db)
    ]
    return Overview(orgs, everybody, jobs)


@route("POST", "/operator/people/invite", who="operator", body=OperatorInvite, reply=NewLink, tx=False, fresh=True)
async def operator_invite(call: Call) -> Any:
    """Invite an operator, or a worker into organisations"""
    body: OperatorInvite = call.body
    spaces: list[str] = []
    for ref in body.orgs:
        for mode in ("live", "test"):
            spaces.append((await people.find_org(call.db, ref, mode)).id)
    known = await people.find_person(call.db, body.email)
    if known is not None:
        await no_wall(call.db, spaces, known)
    _, link = await links.invite_person(
        call.db,
        body.email,
        call.services.settings.public_url,
        role=body.role,
        orgs=spaces,
        actor=call.actor,
        shared=True,
    )
    await send_link(call.services.settings, body.email, link.link)
    return link


@route("POST", "/operator/people/reset", who="operator", body=ResetIn, reply=NewLink, tx=False, fresh=True)
async def operator_reset(call: Call) -> Any:
    """A link for somebody to choose a new password"""
    url = call.services.settings.public_url
    link = await links.reset_link(call.db, call.body.email, url, factors=call.body.factors)
    await send_link(call.services.settings, call.body.email, link.link)
    return link

"""Sessions: begun by what proves who somebody is, seen, proved again, ended at once."""

import secrets
import time
from collections import OrderedDict
from typing import Any

import msgspec

from evenhand.features.access import store
from evenhand.features.access.types import (
    EntranceLine,
    Held,
    Method,
    Seen,
    SessionEnded,
    SessionEntered,
    SessionLine,
)
from evenhand.features.people.members import member_names
from evenhand.features.people.rules import Verb, require, wall_ahead
from evenhand.infra.db import Actor, Database, Narrow, Tx
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id, new_id
from evenhand.infra.keys import hashed
from evenhand.infra.seal import KEYLESS, At
from evenhand.pure.trouble import Concern, Denied, Missing

SESSION_S = 30 * 24 * 3600
#: A session that nobody uses ends after `Database.session_idle_s`. That it was used is written at most this often, or ten times
#: in that time: each note is an update of its row, and the desk must not pay for one with every task.
_NOTED_S = 300.0
PROVIDER_SESSION_S = (
    12 * 3600
)  # whoever leaves the organisation is gone from its provider: we hear of it by the next day
#: how long a proof lasts for what asks for a fresh one
FRESH_S = 600
_AGENT_MOST = 300


class ProveAgain(Denied):
    code = "prove"
    hint = "Show your passkey, or a code of your authenticator app, and send the request again."


class OutsideNetworks(Denied):
    hint = "Use one of the organisation's networks, or ask an owner to change its list."


class EndedHere(Denied):
    code = "signin"
    hint = "Sign in again."


class _SessionBody(msgspec.Struct):
    address: str
    agent: str


class _EntranceBody(msgspec.Struct):
    method: Method
    address: str
    agent: str


#: The address at which this process saw a session last, and until when (monotonic) it need not be noted that it is used. From
#: another address, it is looked at which spaces that leaves open.
_SEEN_AT: OrderedDict[bytes, tuple[str, float]] = OrderedDict()
_MOST_SEEN = 20_000


def new_token() -> str:
    return secrets.token_urlsafe(32)


def seen_at(token: str, seen: Seen) -> bool:
    """Whether the desk may leave the look-up to the database's own: the session was looked up from the same address, and that
    it is used was noted not long ago."""
    known = _SEEN_AT.get(hashed(token))
    return known is not None and known[0] == seen.address and (seen.background or time.monotonic() < known[1])


def _keep_seen(token_hash: bytes, seen: Seen, noted_until: float) -> None:
    _SEEN_AT[token_hash] = (seen.address, noted_until)
    if len(_SEEN_AT) > _MOST_SEEN:
        _SEEN_AT.popitem(last=False)


def _address(seen: Seen) -> str | None:
    return seen.address or None


async def start(
    db: Database,
    door: Narrow,
    person: str,
    method: Method,
    seen: Seen,
    *,
    bound: list[str] | None = None,
    sid: bytes | None = None,
) -> str:
    """The token of a new session. `bound`: the only spaces that it opens; `sid`: the MAC of its provider's name for it."""
    token = new_token()
    life_s = SESSION_S if bound is None else PROVIDER_SESSION_S
    session = new_id()
    body = door.seal.shut(_SessionBody(seen.address, seen.agent[:_AGENT_MOST]), At("session", session))
    await store.SESSION_ADD.run(
        door, hash=hashed(token), session=session, person=person, method=method, bound=bound, sid=sid,
        idle_s=db.session_idle_s, life_s=life_s, body=body,
    )  # fmt: skip
    await store.SESSION_SEEN.run(door, hash=hashed(token), address=_address(seen), acts=True, idle_s=db.session_idle_s)
    return token


async def who_holds(db: Database, token: str, seen: Seen) -> Held | None:
    """The session of a token, or None."""
    if not 20 <= len(token) <= 100:
        return None
    token_hash = hashed(token)
    async with db.connection("gate") as conn:
        door = Narrow(conn, db.platform)
        row = await store.SESSION_PERSON.maybe(door, hash=token_hash)
        if row is None:
            return None
        barred: list[str] = row["barred"]
        noted_s, known = min(_NOTED_S, db.session_idle_s / 10), _SEEN_AT.get(token_hash)
        used = not seen.background and row["seen_s"] >= noted_s
        if barred or used or known is None or known[0] != seen.address:
            barred = await store.SESSION_SEEN.value(
                door, hash=token_hash, address=_address(seen), acts=used, idle_s=db.session_idle_s
            ) or []  # fmt: skip
        _keep_seen(token_hash, seen, time.monotonic() + noted_s - (0.0 if used else row["seen_s"]))
    bound = frozenset(row["bound"]) if row["bound"] is not None else None
    return Held(
        row["person_id"],
        row["operator"],
        row["session_id"],
        row["method"],
        bound,
        frozenset(barred),
        row["proved_s"],
        token_hash,
    )


def actor_of(held: Held, role: str = "") -> Actor:
    """The person of a session, as far as the session reaches."""
    return Actor("person", held.person, role, session=held.hash, only=held.bound, barred=held.barred)


def require_fresh(held: Held) -> None:
    """Raises ProveAgain for a session whose last proof is old."""
    if held.proved_s > FRESH_S:
        raise ProveAgain("This needs a fresh proof that it is you.")


async def enter(db: Database, org_id: str, held: Held, seen: Seen) -> str | None:
    """The person's role in a space, or None for a stranger. Raises OutsideNetworks, EndedHere, BehindAWall.

    The first time that a session is in a space, its owner is told."""
    if not is_id(org_id) or (held.bound is not None and org_id not in held.bound):
        return None
    async with db.connection("gate") as conn:
        row = await store.ROLE_AT.maybe(
            Narrow(conn, db.platform), org=org_id, person=held.person, session=held.session, address=_address(seen)
        )
    if row is None:
        return None
    if row["source"] == "own" and row["outside"]:
        raise OutsideNetworks("This organisation does not let people in from your address.").concerning(
            Concern(org_id, "person", held.person, "network")
        )
    if row["ended"]:
        raise EndedHere("An owner of the organisation has ended this session here.").concerning(
            Concern(org_id, "person", held.person, "session")
        )
    if row["shut"] is not None:
        raise wall_ahead(row["shut"])
    if not row["entered"] and row["source"] == "own":
        await _tell_entered(db, org_id, row["role"], held, seen)
    return row["role"]


async def _tell_entered(db: Database, org_id: str, role: str, held: Held, seen: Seen) -> None:
    try:
        body = (await db.seal(org_id)).shut(
            _EntranceBody(held.method, seen.address, seen.agent[:_AGENT_MOST]), At("entrance", held.session)
        )
    except KEYLESS:
        return  # whoever comes in will be told why nothing is shown
    async with db.narrow("gate") as door:
        fresh = await store.ENTRANCE_ADD.run(
            door, org=org_id, session=held.session, person=held.person, life_s=SESSION_S, body=body
        )
    if fresh:
        async with db.tx(org_id, Actor("person", held.person, role)) as tx:
            await record(tx, SessionEntered(held.person, held.method))


async def tell(db: Database, person: str, fact: Any, actor: Actor | None = None) -> None:
    """Records a fact about a person in every space whose own they are. The pool's spaces are not told: by two events of one
    moment two customers could tell that their workers are one person."""
    async with db.narrow("gate") as door:
        rows = await store.OWN_SPACES.all(door, person=person)
    for row in rows:
        try:
            async with db.tx(row["org_id"], actor or Actor("person", person, row["role"])) as tx:
                await record(tx, fact)
        except KEYLESS:
            continue  # one organisation's key keeps nobody from mending their account


async def own_spaces(db: Database, person: str) -> list[str]:
    """The spaces whose own a person is."""
    async with db.narrow("gate") as door:
        return [row["org_id"] for row in await store.OWN_SPACES.all(door, person=person)]


# --- lists, and the end


def _browser(agent: str) -> str:
    """A few words for what a browser says of itself."""
    systems = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
               ("Mac OS", "macOS"), ("Linux", "Linux"))  # fmt: skip
    names = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
    name = next((words for mark, words in names if mark in agent), "")
    system = next((words for mark, words in systems if mark in agent), "")
    return f"{name} on {system}" if name and system else name or system or agent[:60]


async def list_sessions(db: Database, person: str, current: str = "") -> list[SessionLine]:
    async with db.narrow("gate") as door:
        rows = await store.SESSION_LIST.all(door, person=person)
    out: list[SessionLine] = []
    for row in rows:
        body = db.platform.open_as(row["body"], _SessionBody, At("session", row["session_id"]))
        out.append(
            SessionLine(
                row["session_id"],
                row["method"],
                row["created_at"],
                row["seen_at"],
                row["expires_at"],
                row["ends_at"],
                body.address,
                _browser(body.agent),
                row["session_id"] == current,
                row["bound"],
            )
        )
    return out


async def end_session(db: Database, person: str, session: str, actor: Actor | None = None) -> None:
    """Ends one session of a person, at once and everywhere."""
    async with db.narrow("gate") as door:
        if await store.SESSION_END_ONE.maybe(door, person=person, session=session) is None:
            raise Missing("There is no such session.")
    await tell(db, person, SessionEnded(person), actor)


async def end_others(db: Database, person: str, session: str, actor: Actor | None = None) -> int:
    """Ends all sessions of a person but one ("" for none). `actor`: who does it, if not they themselves."""
    async with db.narrow("gate") as door:
        ended = await store.SESSION_END_OTHERS.run(door, person=person, session=session)
    if ended:
        await tell(db, person, SessionEnded(person), actor)
    return ended


async def sign_out(db: Database, token: str) -> None:
    async with db.narrow("gate") as door:
        await store.SESSION_END.run(door, hash=hashed(token))
    _SEEN_AT.pop(hashed(token), None)


async def list_entrances(tx: Tx) -> list[EntranceLine]:
    """Sessions of the organisation's own people that have been in this space."""
    require(tx, Verb.MANAGE)
    names = await member_names(tx)
    out: list[EntranceLine] = []
    for row in await store.ENTRANCE_LIST.all(tx, org=tx.org_id):
        body = tx.seal.open_as(row["body"], _EntranceBody, At("entrance", row["session_id"]))
        name = names.get(row["person_id"])
        if name is not None:
            agent = _browser(body.agent)
            out.append(
                EntranceLine(
                    row["session_id"], row["person_id"], name, body.method, row["entered_at"], body.address, agent
                )
            )
    return out


async def end_entrance(tx: Tx, session: str) -> None:
    """Ends a session for this space, at once. What it opens elsewhere is none of this organisation's business."""
    require(tx, Verb.MANAGE)
    person = await store.ENTRANCE_END.value(tx, org=tx.org_id, session=session)
    if person is None:
        raise Missing("There is no such session.")
    await record(tx, SessionEnded(person))

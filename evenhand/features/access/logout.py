"""The end of a session that the provider tells of, server to server (OpenID Connect Back-Channel Logout 1.0).

Nobody is signed in here: the token is the only proof, so it is checked like one of a sign-in, taken once, and only soon after it
was made. Until it is proved nothing is said of who exists, and a stranger makes us ask the provider for its keys every half
minute at most."""

import time
from collections import OrderedDict
from typing import Any

from evenhand.features.access import oidc, provider, sessions, store
from evenhand.features.access.provider import ProviderBody
from evenhand.features.access.signin import count_try, too_many
from evenhand.features.access.types import Seen, SessionEnded
from evenhand.infra.db import SYSTEM, Database
from evenhand.infra.facts import record
from evenhand.infra.ids import is_id
from evenhand.infra.keys import hashed
from evenhand.infra.seal import KEYLESS, At
from evenhand.pure.oidc import LOGOUT_FRESH_S, SKEW_S, BadToken, Logout, check_logout_token

MOST_TRIES = 2_000  #: from one address in a quarter of an hour: a provider that signs out a whole organisation is one
_KEYS_S, _KEYS_LEAST_S, _KEYS_MOST = 300.0, 30.0, 500
#: issuer -> when its keys were asked for (monotonic), and they
_KEYS: OrderedDict[str, tuple[float, Any]] = OrderedDict()


async def take(db: Database, org_id: str, token: str, seen: Seen, now_s: float | None = None) -> int:
    """Ends what an organisation's provider says has ended; how many sessions. Raises BadToken, NoProvider, Upstream, Busy."""
    async with db.narrow("gate") as door:
        blocked = await count_try(door, (f"logout from {seen.address}", MOST_TRIES))
    if blocked:
        raise too_many()
    given = await oidc.settings_of(db, org_id) if is_id(org_id) else None
    if given is None:
        raise oidc.NoProvider("No organisation here has a provider at this address.")
    said = await _checked(given, token, time.time() if now_s is None else now_s)
    ended = await _end(db, org_id, given.issuer, said)
    await _tell(db, org_id, {person for person, _ in ended})
    return len(ended)


async def _checked(given: ProviderBody, token: str, now_s: float) -> Logout:
    """What the token says, by keys that are at most five minutes old; by fresh ones where those do not fit."""
    kept = _KEYS.get(given.issuer)
    age_s = time.monotonic() - kept[0] if kept is not None else _KEYS_S
    if kept is not None and age_s < _KEYS_S:
        try:
            return check_logout_token(token, kept[1], issuer=given.issuer, client_id=given.client_id, now_s=now_s)
        except BadToken:
            if age_s < _KEYS_LEAST_S:
                raise
    keys = await provider.read_json((await provider.discover(given.issuer)).keys)
    _KEYS[given.issuer] = (time.monotonic(), keys)
    if len(_KEYS) > _KEYS_MOST:
        _KEYS.popitem(last=False)
    return check_logout_token(token, keys, issuer=given.issuer, client_id=given.client_id, now_s=now_s)


async def _end(db: Database, org_id: str, issuer: str, said: Logout) -> list[tuple[str, str]]:
    """(person, session) of those that have ended. A token that was taken before is refused: whoever has seen one go by could end
    each session of somebody, again and again."""
    async with db.narrow("gate") as door:
        once = hashed(f"logout\n{org_id}\n{issuer}\n{said.token_id}")
        body = door.seal.shut({}, At("ceremony", once.hex()))
        if not await store.LOGOUT_ONCE.run(door, hash=once, life_s=LOGOUT_FRESH_S + 3 * SKEW_S, body=body):
            raise BadToken("The logout token was taken before.")
        person: str | None = None
        if said.subject:
            mac = oidc.subject_mac(db, issuer, said.subject)
            person = await store.IDENTITY_OF.value(door, org=org_id, mac=mac)
            if person is None:
                return []
        sid = oidc.sid_mac(db, org_id, issuer, said.sid) if said.sid else None
        rows = await store.SESSIONS_OF_PROVIDER_END.all(door, org=org_id, person=person, sid=sid)
        ended = [(row["person_id"], row["session_id"]) for row in rows]
        await store.ENTRANCES_END.run(door, sessions=[session for _, session in ended])
        return ended


async def _tell(db: Database, org_id: str, people: set[str]) -> None:
    async with db.narrow("gate") as door:
        spaces = {row["org_id"] for row in await store.SPACES_OF.all(door, org=org_id)}
    for person in sorted(people):
        for space in await sessions.own_spaces(db, person):
            if space not in spaces:
                continue
            try:
                async with db.tx(space, SYSTEM) as tx:
                    await record(tx, SessionEnded(person))
            except KEYLESS:
                continue  # the session has ended all the same

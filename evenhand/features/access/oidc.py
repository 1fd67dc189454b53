"""The trip to an organisation's provider and back: authorisation code with PKCE, state, nonce, and a cookie that ties the two
halves to one browser. The session it ends in opens this organisation's spaces and no others."""

import base64
import hmac
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import msgspec

from evenhand.features.access import provider, sessions, store
from evenhand.features.access.provider import ProviderBody
from evenhand.features.access.signin import Signed, begin_ceremony, ceremony_at, count_try, from_network, too_many
from evenhand.features.access.types import Seen, SignedUpByProvider
from evenhand.features.people import links, profiles
from evenhand.features.people import store as people_store
from evenhand.features.people.types import MemberJoined
from evenhand.infra import fetch
from evenhand.infra.db import Actor, Database
from evenhand.infra.facts import record
from evenhand.infra.keys import hashed
from evenhand.pure.oidc import BadToken, Claims, Endpoints, authorize_url, check_id_token
from evenhand.pure.trouble import Concern, Denied, Invalid, Missing, Upstream

TRIP_S = 600
_FRESH_S = 300
_REPLY_MOST = 100_000


class NoProvider(Missing):
    hint = "Sign in with a passkey, or with your password and a code."


class NotAdmitted(Denied):
    hint = "Ask an owner of the organisation to invite you, or to add your mail domain."


class _Trip(msgspec.Struct):
    """What has to be the same on the way back."""

    org: str
    issuer: str
    nonce: str
    verifier: str
    browser: bytes  # of the cookie: its hash
    again: bool


class _Tokens(msgspec.Struct, frozen=True):
    """What the provider gives for a code, as far as it is looked at."""

    id_token: str | None = None


@dataclass(frozen=True, slots=True)
class Leaving:
    """Where the browser goes, and the cookie by which it is known again."""

    url: str
    browser: str


async def settings_of(db: Database, org_id: str) -> ProviderBody | None:
    """The provider of an organisation, where it is on."""
    async with db.narrow("gate") as door:
        row = await store.PROVIDER_OF.maybe(door, org=org_id)
    return (await db.seal(org_id)).open_as(row["body"], ProviderBody, provider.PROVIDER_AT) if row is not None else None


def subject_mac(db: Database, issuer: str, subject: str) -> bytes:
    """How a person whom a provider names is found."""
    return db.platform.mac("subject", f"{issuer}\n{subject}")


def sid_mac(db: Database, org_id: str, issuer: str, sid: str) -> bytes:
    """How a session that a provider names is found."""
    return db.platform.mac("provider-session", f"{org_id}\n{issuer}\n{sid}")


async def org_of(db: Database, email: str) -> str:
    """The organisation whose mail domain an address is of. Raises NoProvider, which tells nothing of the address."""
    domain = email.strip().lower().rpartition("@")[2][:200]
    async with db.narrow("gate") as door:
        org_id = await store.DOMAIN_OWNER.value(door, mac=provider.domain_mac(door.seal, domain))
    if org_id is None:
        raise NoProvider("No organisation here signs in for addresses of that mail domain.")
    return org_id


async def leave(
    db: Database, public_url: str, email: str, seen: Seen, *, again: bool = False, org_id: str = ""
) -> Leaving:
    """Sends the browser to the provider of the organisation that an address belongs to (or of `org_id`)."""
    async with db.narrow("gate") as door:
        blocked = await count_try(door, from_network(seen))
    if blocked:
        raise too_many()
    org_id = org_id or await org_of(db, email)
    given = await settings_of(db, org_id)
    if given is None:
        raise NoProvider("No organisation here signs in for addresses of that mail domain.")
    at = await provider.discover(given.issuer)
    nonce, verifier, browser = (secrets.token_urlsafe(32) for _ in range(3))
    trip = _Trip(org_id, given.issuer, nonce, verifier, hashed(browser), again)
    async with db.narrow("gate") as door:
        state = await begin_ceremony(door, "provider", None, trip, life_s=TRIP_S)
    redirect = provider.redirect_of(public_url, org_id)
    url = authorize_url(
        at, client_id=given.client_id, redirect=redirect, state=state, nonce=nonce, verifier=verifier, again=again
    )
    return Leaving(url, browser)


async def come_back(
    db: Database,
    public_url: str,
    org_id: str,
    answer: dict[str, str],
    browser: str,
    seen: Seen,
    now_s: float | None = None,
) -> Signed:
    """The session for what the provider answered. Raises BadToken, NotAdmitted, NoProvider, Upstream.

    answer: the query of the address that the provider sent the browser to."""
    async with db.narrow("gate") as door:
        row = await store.CEREMONY_END.maybe(door, hash=hashed(answer.get("state", "")), kind="provider")
    if row is None:
        raise BadToken("This sign-in was begun long ago, or has ended already.")
    trip = db.platform.open_as(row["body"], _Trip, ceremony_at(answer.get("state", "")))
    try:
        return await _end_trip(db, public_url, org_id, answer, browser, seen, trip, now_s)
    except Denied as err:
        reason = "admission" if isinstance(err, NotAdmitted) else "provider"
        err.concerning(Concern(trip.org, "system", "provider", reason))
        raise


async def _end_trip(
    db: Database,
    public_url: str,
    org_id: str,
    answer: dict[str, str],
    browser: str,
    seen: Seen,
    trip: _Trip,
    now_s: float | None,
) -> Signed:
    if not hmac.compare_digest(hashed(browser), trip.browser):
        raise BadToken("This sign-in was begun in another browser.")
    if org_id != trip.org or answer.get("iss", trip.issuer) != trip.issuer:
        raise BadToken("Another provider has answered than the one that was asked.")
    given = await settings_of(db, trip.org)
    if given is None or given.issuer != trip.issuer:
        raise NoProvider("The organisation has changed its sign-in meanwhile.")
    if "error" in answer:
        raise BadToken(f"The provider refused: {answer['error'][:100]}.")
    at = await provider.discover(given.issuer)
    if at.tells_issuer and "iss" not in answer:
        raise BadToken("The provider's answer does not say whose it is.")
    token = await _exchange(at, given, trip, answer.get("code", ""), provider.redirect_of(public_url, trip.org))
    claims = check_id_token(
        token,
        await provider.read_json(at.keys),
        issuer=trip.issuer,
        client_id=given.client_id,
        nonce=trip.nonce,
        now_s=time.time() if now_s is None else now_s,
        fresh_s=_FRESH_S if trip.again else None,
    )
    person = await _admit(db, trip.org, given, claims)
    async with db.narrow("gate") as door:
        spaces = await store.SPACES_OF.all(door, org=trip.org)
        sid = sid_mac(db, trip.org, trip.issuer, claims.sid) if claims.sid else None
        bound = [row["org_id"] for row in spaces]
        return Signed(await sessions.start(db, door, person, "provider", seen, bound=bound, sid=sid))


async def _exchange(at: Endpoints, given: ProviderBody, trip: _Trip, code: str, redirect: str) -> str | None:
    """The ID token for a code, from the provider itself."""
    form = {
        "grant_type": "authorization_code",
        "code": code[:4000],
        "redirect_uri": redirect,
        "code_verifier": trip.verifier,
        "client_id": given.client_id,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if given.client_secret and at.secret_in_body:
        form["client_secret"] = given.client_secret
    elif given.client_secret:
        pair = f"{quote(given.client_id, safe='')}:{quote(given.client_secret, safe='')}"  # RFC 6749, 2.3.1
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    got = await fetch.request(
        "POST",
        at.token,
        content=urlencode(form).encode(),
        headers=headers,
        most_bytes=_REPLY_MOST,
        follow=False,
        timeout_s=10,
    )
    if got.status != 200:
        raise BadToken(f"The provider did not take its own code back ({got.status}).")
    try:
        return msgspec.json.decode(got.body, type=_Tokens).id_token
    except msgspec.ValidationError:
        return None
    except (msgspec.DecodeError, RecursionError) as err:
        raise Upstream("The provider's answer is not JSON.", hint="Try again in a moment.") from err


async def _admit(db: Database, org_id: str, given: ProviderBody, claims: Claims) -> str:
    """The person whom the provider means, as a member of the organisation. Raises NotAdmitted.

    A subject that came before is known by its name at the provider. A new one comes in by an address of a domain that is
    the organisation's, or by one that it has invited and the provider has verified."""
    subject = subject_mac(db, given.issuer, claims.subject)
    async with db.narrow("gate") as door:
        known = await store.IDENTITY_OF.value(door, org=org_id, mac=subject)
        if known is not None:
            if await people_store.MEMBER_STATE.value(door, org=org_id, person=known) != "active":
                raise NotAdmitted("You are no member of this organisation any more.")
            return known
        try:
            email = profiles.tidy_email(claims.email)
        except Invalid as err:
            raise NotAdmitted("Your organisation's sign-in gave no address.") from err
        domain = provider.domain_mac(door.seal, email.rpartition("@")[2])
        owned = await store.DOMAIN_OWNER.value(door, mac=domain) == org_id
    # of its own domain the organisation says who has which address; any other must have been verified by the provider
    believed = claims.email_verified is not False if owned else claims.email_verified is True
    joins = await links.admit(db, org_id, email, claims.name, given.role if owned else None) if believed else None
    if joins is None:
        raise NotAdmitted("Your address is neither of a mail domain of this organisation nor invited by it.")
    person, joined = joins
    async with db.narrow("gate") as door:
        await store.IDENTITY_ADD.run(door, org=org_id, mac=subject, person=person)
    for space, role in joined:
        async with db.tx(space, Actor("person", person, role)) as tx:
            await record(tx, SignedUpByProvider(person))
            await record(tx, MemberJoined(person, role))
    return person

"""An organisation's own sign-in: its provider and its mail domains. It vouches for people inside this organisation and nowhere
else, and for addresses of domains that it has shown to be its own or that it has invited."""

import re
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import asyncpg
import msgspec

from evenhand.features.access import store
from evenhand.features.access.types import DomainRemoved, DomainVerified, ProviderChanged, ProviderRemoved
from evenhand.features.people.rules import Verb, require
from evenhand.infra import fetch
from evenhand.infra.db import Tx
from evenhand.infra.facts import record
from evenhand.infra.seal import At, Seal
from evenhand.pure.oidc import Endpoints, discovery_url, read_discovery, usable_url
from evenhand.pure.trouble import Conflict, Invalid, Missing, Upstream

GivenRole = Literal["viewer", "manager", "annotator", "reviewer"]
DOCUMENT_MOST = 200_000
DOMAINS_MOST = 20
WELL_KNOWN = "/.well-known/evenhand-domain"
_DOMAIN = re.compile(r"(?=.{4,190}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]\Z")
#: mail hosts whose addresses belong to their customers and to no organisation
_EVERYBODYS = ("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "yahoo.com", "icloud.com",
               "proton.me", "protonmail.com", "gmx.de", "gmx.net", "web.de", "aol.com", "mail.ru", "qq.com")  # fmt: skip
PROVIDER_AT = At("provider", "")
Read = Callable[[str], Awaitable[bytes]]


class LiveOnly(Conflict):
    hint = "Switch to the live space. Who signs in that way gets into the test space as well."


class DomainTaken(Conflict):
    hint = "If it is yours, tell the operator."


class NotShown(Conflict):
    hint = "Put the file where the list says, with these words in it, and try again."


class ProviderBody(msgspec.Struct):
    issuer: str
    client_id: str
    client_secret: str
    role: GivenRole


class DomainBody(msgspec.Struct):
    name: str
    word: str


class ProviderView(msgspec.Struct, frozen=True):
    """The secret is not shown again. `redirect` and `logout`: what the provider must be told."""

    issuer: str
    client_id: str
    role: GivenRole
    on: bool
    redirect: str
    logout: str


class DomainView(msgspec.Struct, frozen=True):
    """To show that it is theirs, the organisation puts `word` into a file at `url`."""

    name: str
    verified: bool
    word: str
    url: str


def redirect_of(public_url: str, org_id: str) -> str:
    """Where the browser comes back to: an address for each organisation, so that no provider's answer can pass for another's."""
    return f"{public_url}/signin/return/{org_id}"


def logout_of(public_url: str, org_id: str) -> str:
    """Where the provider tells that somebody has signed out there (`backchannel_logout_uri`)."""
    return f"{public_url}/signout/provider/{org_id}"


async def read_json(url: str) -> Any:
    """A document of a provider. Raises Upstream."""
    got = await fetch.request("GET", url, most_bytes=DOCUMENT_MOST, follow=False, timeout_s=10)
    if got.status != 200:
        raise Upstream(f"The provider answered {got.status}.", hint="Check the issuer's address.")
    try:
        return msgspec.json.decode(got.body)
    except (msgspec.DecodeError, RecursionError) as err:
        raise Upstream("The provider's answer is not JSON.", hint="Check the issuer's address.") from err


async def discover(issuer: str) -> Endpoints:
    plain = fetch.private_allowed()
    return read_discovery(await read_json(discovery_url(issuer)), issuer, plain_allowed=plain)


async def _live(tx: Tx) -> None:
    require(tx, Verb.MANAGE)
    if await store.MODE_HERE.value(tx, org=tx.org_id) != "live":
        raise LiveOnly("An organisation's sign-in is set up in its live space.")


async def view(tx: Tx, public_url: str) -> tuple[ProviderView | None, list[DomainView]]:
    require(tx, Verb.MANAGE)
    row = await store.PROVIDER_MINE.maybe(tx, org=tx.org_id)
    found: ProviderView | None = None
    if row is not None:
        body = tx.seal.open_as(row["body"], ProviderBody, PROVIDER_AT)
        url = redirect_of(public_url, tx.org_id)
        out = logout_of(public_url, tx.org_id)
        found = ProviderView(body.issuer, body.client_id, body.role, row["state"] == "on", url, out)
    rows = await store.DOMAINS_MINE.all(tx, org=tx.org_id)
    return found, [_domain_view(tx, row) for row in rows]


def _domain_view(tx: Tx, row: Any) -> DomainView:
    body = tx.seal.open_as(row["body"], DomainBody, _domain_at(row["domain_mac"]))
    return DomainView(body.name, row["verified_at"] is not None, body.word, f"https://{body.name}{WELL_KNOWN}")


def check_given(issuer: str, client_id: str) -> None:
    if not usable_url(issuer, plain_allowed=fetch.private_allowed()) or "?" in issuer or len(issuer) > 500:
        raise Invalid("The issuer is an https address without a query.")
    if not 1 <= len(client_id) <= 300:
        raise Invalid("The client id is missing.")


async def put_provider(tx: Tx, given: ProviderBody, *, on: bool) -> None:
    """Keeps the provider. An empty secret keeps the one that there is."""
    await _live(tx)
    check_given(given.issuer, given.client_id)
    row = await store.PROVIDER_MINE.maybe(tx, org=tx.org_id)
    old = tx.seal.open_as(row["body"], ProviderBody, PROVIDER_AT) if row is not None else None
    if old is not None and not given.client_secret and old.issuer == given.issuer:
        given = msgspec.structs.replace(given, client_secret=old.client_secret)
    if old is not None and old.issuer != given.issuer:
        await store.IDENTITIES_DROP.run(tx, org=tx.org_id)  # another issuer's people are other people
    await store.PROVIDER_PUT.run(tx, org=tx.org_id, state="on" if on else "off", body=tx.seal.shut(given, PROVIDER_AT))
    await record(tx, ProviderChanged(tx.org_id, "on" if on else "off"))


async def drop_provider(tx: Tx) -> None:
    await _live(tx)
    if not await store.PROVIDER_DROP.run(tx, org=tx.org_id):
        raise Missing("There is no provider.")
    await store.IDENTITIES_DROP.run(tx, org=tx.org_id)
    await record(tx, ProviderRemoved(tx.org_id))


# --- mail domains


def tidy_domain(name: str) -> str:
    name = name.strip().lower().rstrip(".")
    if not _DOMAIN.match(name):
        raise Invalid(f"'{name[:80]}' is not a mail domain, such as example.org.")
    if name in _EVERYBODYS:
        raise Invalid(f"Addresses at {name} belong to their owners, and to no organisation.")
    return name


def _domain_at(mac: bytes) -> At:
    return At("email_domain", mac.hex())


def domain_mac(platform: Seal, name: str) -> bytes:
    """How the gate finds a domain before it knows whose it is."""
    return platform.mac("domain", name)


async def add_domain(tx: Tx, platform: Seal, name: str) -> None:
    await _live(tx)
    name = tidy_domain(name)
    if len(await store.DOMAINS_MINE.all(tx, org=tx.org_id)) >= DOMAINS_MOST:
        raise Conflict(f"There are {DOMAINS_MOST} domains already.", hint="Remove one that is not used.")
    body = DomainBody(name, f"evenhand-domain={secrets.token_hex(16)}")
    mac = domain_mac(platform, name)
    await store.DOMAIN_ADD.run(tx, org=tx.org_id, mac=mac, body=tx.seal.shut(body, _domain_at(mac)))


async def word_of(tx: Tx, platform: Seal, name: str) -> DomainBody:
    """The domain and its word, to be looked for outside this transaction."""
    await _live(tx)
    mac = domain_mac(platform, tidy_domain(name))
    row = await store.DOMAIN_MINE.maybe(tx, org=tx.org_id, mac=mac)
    if row is None:
        raise Missing("There is no such domain.")
    return tx.seal.open_as(row["body"], DomainBody, _domain_at(mac))


async def look_for(body: DomainBody, read: Read) -> None:
    """Raises NotShown unless the domain's own web server shows the word."""
    try:
        found = await read(f"https://{body.name}{WELL_KNOWN}")
    except Upstream as err:
        raise NotShown(f"https://{body.name}{WELL_KNOWN} could not be read: {err.message}") from err
    if body.word.encode() not in (line.strip() for line in found[:10_000].splitlines()):
        raise NotShown(f"https://{body.name}{WELL_KNOWN} does not hold the line {body.word}.")


async def read_web(url: str) -> bytes:
    got = await fetch.request("GET", url, most_bytes=10_000, follow=False, timeout_s=10)
    if got.status != 200:
        raise Upstream(f"the answer was {got.status}.")
    return got.body


async def domain_shown(tx: Tx, platform: Seal, name: str) -> None:
    """The domain is this organisation's. Raises DomainTaken where another has shown the same."""
    await _live(tx)
    mac = domain_mac(platform, name)
    if await store.DOMAIN_OWNED.value(tx, org=tx.org_id, mac=mac):
        return
    try:
        verified = await store.DOMAIN_VERIFY.run(tx, org=tx.org_id, mac=mac)
    except asyncpg.UniqueViolationError as err:
        raise DomainTaken("Another organisation here has shown that this domain is its own.") from err
    if not verified:
        raise Missing("There is no such domain.")
    await record(tx, DomainVerified(tx.org_id))


async def drop_domain(tx: Tx, platform: Seal, name: str) -> None:
    await _live(tx)
    if not await store.DOMAIN_DROP.run(tx, org=tx.org_id, mac=domain_mac(platform, tidy_domain(name))):
        raise Missing("There is no such domain.")
    await record(tx, DomainRemoved(tx.org_id))

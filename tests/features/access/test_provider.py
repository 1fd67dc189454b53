"""An organisation's own sign-in: honest providers get their people in, into this organisation only; liars get nobody in."""

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from evenhand.features.access import provider, sessions
from evenhand.features.contracts import walls
from evenhand.features.people import actions as people
from evenhand.infra.db import Actor
from evenhand.infra.fetch import ALLOW_VARIABLE
from evenhand.pure.trouble import Invalid, Upstream
from tests.conftest import PASSWORD, Browser, Customer, World
from tests.features.access.idp import Key, Provider, b64, serving

pytestmark = pytest.mark.anyio
DOMAIN = "acme.example"


@pytest.fixture
def idp(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(ALLOW_VARIABLE, "1")  # the double is on this machine
    with serving(Provider()) as made:
        yield made


async def show_domain(world: World, owner: Browser, name: str = DOMAIN) -> None:
    """As the owner does it, but for the web server of the domain, which is nowhere."""
    assert (await owner.post("/access/domains", {"domain": name})).status_code == 200
    async with world.db.tx(owner.org, (await actor(world, owner))) as tx:
        body = await provider.word_of(tx, world.db.platform, name)

    async def read(url: str) -> bytes:
        assert url == f"https://{name}/.well-known/evenhand-domain"
        return f"# ours\n{body.word}\n".encode()

    await provider.look_for(body, read)
    async with world.db.tx(owner.org, (await actor(world, owner))) as tx:
        await provider.domain_shown(tx, world.db.platform, name)


async def actor(world: World, browser: Browser) -> Any:
    return Actor("person", browser.person, await people.role_in(world.db, browser.org, browser.person) or "")


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


@pytest.fixture
async def owner(world: World, acme: Customer, idp: Provider) -> Browser:
    """Acme with its provider and its domain."""
    made = await world.browser(acme.owner_email, acme.live)
    given = {"issuer": idp.issuer, "client_id": idp.client_id, "client_secret": idp.client_secret}
    reply = await made.ask("PUT", "/access/provider", json=given)
    assert reply.status_code == 200, reply.text
    assert idp.client_secret not in reply.text
    assert reply.json()["provider"]["redirect"] == f"http://localhost:8080/signin/return/{acme.live}"
    await show_domain(world, made)
    return made


async def begin(client: httpx.AsyncClient, email: str = f"kim@{DOMAIN}") -> str:
    reply = await client.post("/api/v1/session/provider", json={"email": email})
    assert reply.status_code == 200, reply.text
    return reply.json()["url"]


async def finish(client: httpx.AsyncClient, url: str) -> str:
    """Where the browser ends: "/" when it is signed in."""
    reply = await client.get(url)
    assert reply.status_code == 303, reply.text
    return reply.headers["location"]


async def trip(client: httpx.AsyncClient, idp: Provider, email: str = f"kim@{DOMAIN}") -> str:
    return await finish(client, idp.sign_in(await begin(client, email)))


@pytest.mark.parametrize("alg", ["RS256", "ES256", "EdDSA"])
async def test_there_and_back(world: World, acme: Customer, owner: Browser, idp: Provider, alg: str) -> None:
    idp.key = Key(alg)
    client = world.client()
    assert await trip(client, idp) == "/"
    found = (await client.get("/api/v1/session")).json()
    assert found["method"] == "provider" and found["person"]["email"] == f"kim@{DOMAIN}"
    assert {(o["id"], o["role"]) for o in found["orgs"]} == {(acme.live, "viewer"), (acme.test, "viewer")}
    again = world.client()
    idp.person = {"sub": "s-1", "email": "another@elsewhere.example"}  # known by the subject, whatever the address is
    assert await trip(again, idp) == "/"
    assert (await again.get("/api/v1/session")).json()["person"]["id"] == found["person"]["id"]
    facts = [line["what"] for line in (await owner.get("/audit")).json()["items"]]
    assert {"ProviderChanged", "DomainVerified", "SignedUpByProvider", "MemberJoined"} <= set(facts)
    members = (await owner.get("/members")).json()["items"]
    kim = next(m["person"] for m in members if m["email"] == f"kim@{DOMAIN}")  # by the id that this customer knows
    assert (await owner.ask("DELETE", f"/members/{kim}")).status_code == 200
    assert await trip(world.client(), idp) == "/signin?provider=not-admitted", (
        "who was removed does not come back by it"
    )


async def test_its_session_opens_one_organisation(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    """Somebody who belongs to a rival as well, and is an operator: Acme's provider opens Acme and nothing more."""
    birch = await world.customer("Birch")
    kim = await people.add_person(world.db, f"kim@{DOMAIN}", "Kim", PASSWORD, operator=True)
    await people.add_member(world.db, birch.live, kim, "owner")
    project = {"name": "Secret", "medium": "text"}
    made = await world.keyed(birch.live_key).post("/api/v1/projects", json=project)
    client = world.client()
    assert await trip(client, idp) == "/"
    session = (await client.get("/api/v1/session")).json()
    assert session["person"]["id"] == kim and session["person"]["operator"] is False
    assert {o["id"] for o in session["orgs"]} == {acme.live, acme.test}
    bound = Browser(client, kim, session["csrf"], birch.live)
    for path in ("/projects", f"/projects/{made.json()['id']}", "/members", "/keys", "/audit"):
        assert (await bound.get(path)).status_code == 404, path
    assert (await bound.get("/operator/overview")).status_code == 403
    for reply in (
        await bound.post("/me/app"), await bound.post("/me/passkeys"),
        await bound.post("/me/password", {"password": "chosen by the provider"}),
        await bound.ask("DELETE", "/me/sessions"), await bound.post("/me/prove", {"password": PASSWORD}),
    ):  # fmt: skip
        assert reply.status_code == 403, reply.text
    bound.org = acme.live
    assert (await bound.get("/projects")).status_code == 200
    own = await world.browser(f"kim@{DOMAIN}", birch.live)
    assert (await own.get("/projects")).status_code == 200


async def test_a_bound_session_works_only_there(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    """At the desk too: work of the rival's is neither handed out nor opened."""
    birch = await world.customer("Birch")
    worker = await world.worker(f"kim@{DOMAIN}", birch.live)
    for customer in (birch,):
        api = world.keyed(customer.live_key)
        project = (await api.post("/api/v1/projects", json={"name": "P", "medium": "text"})).json()["id"]
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": "rival's"}})
        await world.drain()
    own = await world.browser(f"kim@{DOMAIN}")
    held = (await own.post("/work/next", {"want": 1})).json()["assignments"]
    assert len(held) == 1
    client = world.client()
    assert await trip(client, idp) == "/"
    found = (await client.get("/api/v1/session")).json()
    assert found["person"]["id"] == worker and found["seats"] == {"label": 0, "review": 0}
    bound = Browser(client, worker, found["csrf"])
    handle = held[0]["handle"]
    assert (await bound.post("/work/next", {"want": 1})).json()["assignments"] == []
    assert (await bound.get(f"/work/{handle}")).status_code == 403
    body = {"key": "k", "answer": {"annotations": []}, "seconds": 1}
    assert (await bound.post(f"/work/{handle}/submit", body)).status_code in (401, 403, 404)
    assert (await bound.post("/work/heartbeat", {"handles": [handle]})).json()["leases"] == {handle: None}
    assert (await bound.get("/work/summary")).json()["projects"] == []
    assert (await own.post(f"/work/{handle}/submit", body)).status_code == 200


async def test_who_is_let_in(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    refused = "/signin?provider=not-admitted"
    idp.person = {"sub": "s-2", "email": "lee@elsewhere.example", "email_verified": True}
    assert await trip(world.client(), idp) == refused, "neither its domain nor invited"
    await owner.post("/members/invite", {"email": "lee@elsewhere.example", "role": "manager"})
    idp.person["email_verified"] = False
    assert await trip(world.client(), idp) == refused, "an address that the provider has not verified"
    idp.person["email_verified"] = True
    client = world.client()
    assert await trip(client, idp) == "/"
    orgs = (await client.get("/api/v1/session")).json()["orgs"]
    assert [(o["id"], o["role"]) for o in orgs] == [(acme.live, "manager")], "where it was invited, as what it was"
    for person in ({"sub": "s-3"}, {"sub": "s-3", "email": "no address"}, {"sub": "s-3", "email": f"x@sub.{DOMAIN}"}):
        idp.person = person
        assert await trip(world.client(), idp) == refused
    idp.person = {"sub": "s-4", "email": f"new@{DOMAIN}"}
    assert (await owner.ask("DELETE", f"/access/domains/{DOMAIN}")).status_code == 200
    reply = await world.client().post("/api/v1/session/provider", json={"email": f"new@{DOMAIN}"})
    assert reply.status_code == 404


async def test_a_rivals_provider_cannot_speak_for_acme(world: World, acme: Customer, owner: Browser) -> None:
    """Birch names Acme's domain and runs a provider that says whatever Birch likes."""
    birch = await world.customer("Birch")
    rival = await world.browser(birch.owner_email, birch.live)
    with serving(Provider(person={"sub": "x", "email": acme.owner_email, "email_verified": True})) as liar:
        given = {"issuer": liar.issuer, "client_id": liar.client_id, "client_secret": liar.client_secret}
        assert (await rival.ask("PUT", "/access/provider", json=given)).status_code == 200
        with pytest.raises(provider.DomainTaken):
            await show_domain(world, rival)
        await show_domain(world, rival, "birch.example")
        client = world.client()
        url = await begin(client, "x@birch.example")
        assert await finish(client, liar.sign_in(url)) == "/signin?provider=not-admitted"
        # invited by Birch, Acme's owner is let into Birch and nowhere else
        await rival.post("/members/invite", {"email": acme.owner_email, "role": "viewer"})
        client = world.client()
        assert await finish(client, liar.sign_in(await begin(client, "x@birch.example"))) == "/"
        session = (await client.get("/api/v1/session")).json()
        assert [o["id"] for o in session["orgs"]] == [birch.live]
        stolen = Browser(client, session["person"]["id"], session["csrf"], acme.live)
        assert (await stolen.get("/keys")).status_code == 404


async def test_the_trip_belongs_to_one_browser_and_is_made_once(
    world: World, acme: Customer, owner: Browser, idp: Provider
) -> None:
    birch = await world.customer("Birch")
    refused = "/signin?provider=refused"
    client = world.client()
    back = idp.sign_in(await begin(client))
    assert await finish(world.client(), back) == refused, "in another browser"
    assert await finish(client, back) == refused, "and then it has ended"
    back = idp.sign_in(await begin(client))
    assert await finish(client, back) == "/"
    before = idp.exchanges
    assert await finish(client, back) == refused and idp.exchanges == before, "a replayed state"
    # mix-up: another organisation's address, another issuer's name, no name where one is promised
    for bent in (
        lambda url: url.replace(acme.live, birch.live),
        lambda url: url.replace("iss=", "iss=https%3A%2F%2Fevil.example&x="),
        lambda url: url.replace("&iss=", "&was="),
        lambda url: url.replace("state=", "state=x"),
        lambda url: url.replace("code=", "code=x"),
        lambda url: url.split("?", 1)[0],
        lambda url: url.split("?", 1)[0] + "?error=access_denied&state=" + parse_qs(urlsplit(url).query)["state"][0],
    ):
        fresh = world.client()
        assert await finish(fresh, bent(idp.sign_in(await begin(fresh)))) == refused
        assert (await fresh.get("/api/v1/session")).status_code == 401


def bends(idp: Provider) -> dict[str, Any]:
    other, small, curve = Key("RS256"), Key("RS256", kid=idp.key.kid, bits=1024), Key("ES256", kid=idp.key.kid)

    def unsigned(claims: dict[str, Any], alg: str = "none", signature: str = "") -> str:
        head = b64(json.dumps({"alg": alg, "typ": "JWT"}).encode())
        return f"{head}.{b64(json.dumps(claims).encode())}.{signature}"

    def confused(claims: dict[str, Any]) -> str:
        """HS256 with the public key as the secret: key confusion."""
        text = unsigned(claims, "HS256").rsplit(".", 1)[0]
        secret = json.dumps(idp.key.jwk()).encode()
        return f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}"

    def bent(**changes: Any) -> Any:
        return lambda claims: idp.key.sign({k: v for k, v in {**claims, **changes}.items() if v is not None})

    def cut(claims: dict[str, Any]) -> str:
        head, body, signature = idp.key.sign(claims).split(".")
        changed = json.loads(base64.urlsafe_b64decode(body + "=="))
        return f"{head}.{b64(json.dumps({**changed, 'email': 'root@acme.example'}).encode())}.{signature}"

    return {
        "another issuer": bent(iss="https://evil.example"), "no issuer": bent(iss=None),
        "another audience": bent(aud="somebody-else"), "several, given to another": bent(aud=["evenhand", "x"], azp="x"),
        "several, given to nobody": bent(aud=["evenhand", "x"]), "given to another": bent(azp="x"),
        "expired": bent(exp=1_600_000_000), "without an end": bent(exp=None), "end is a word": bent(exp="soon"),
        "from the future": bent(iat=4_000_000_000), "not yet": bent(nbf=4_000_000_000),
        "another nonce": bent(nonce="x"), "no nonce": bent(nonce=None), "nobody": bent(sub=None), "sub is none": bent(sub=7),
        "alg none": unsigned, "alg NONE": lambda c: unsigned(c, "nOnE"), "key confusion": confused,
        "HS256 without a key": lambda c: unsigned(c, "HS256", b64(b"x" * 32)),
        "another key": lambda c: other.sign(c, kid=idp.key.kid), "unknown kid": lambda c: other.sign(c),
        "a weak key": lambda c: small.sign(c), "another algorithm": lambda c: curve.sign(c),
        "changed after signing": cut, "no token": lambda _: "", "two parts": lambda c: idp.key.sign(c).rsplit(".", 1)[0],
        "its own key inside": lambda c: other.sign(c, jwk=other.jwk()), "critical": lambda c: idp.key.sign(c, crit=["x"], x=1),
        "no claims": lambda _: idp.key.sign([]),  # type: ignore[arg-type]
    }  # fmt: skip


async def test_liars(world: World, owner: Browser, idp: Provider) -> None:
    faults: list[str] = []
    for name, bend in bends(idp).items():
        idp.bend = bend
        client = world.client()
        if await trip(client, idp) != "/signin?provider=refused":
            faults.append(name)
        if (await client.get("/api/v1/session")).status_code != 401:
            faults.append(f"{name}: is signed in")
    assert not faults
    idp.bend = None
    assert await trip(world.client(), idp) == "/", "the honest one is let in all the same"


async def test_tokens_stay_on_the_server(world: World, owner: Browser, idp: Provider) -> None:
    """The browser carries a code that is worth nothing without the server's secret and verifier, and gets our own session only."""
    minted: list[str] = []

    def keep(claims: dict[str, Any]) -> str:
        minted.append(idp.key.sign(claims))
        return minted[-1]

    idp.bend = keep
    client = world.client()
    reply = await client.post("/api/v1/session/provider", json={"email": f"kim@{DOMAIN}"})
    asked = parse_qs(urlsplit(reply.json()["url"]).query)
    assert asked["code_challenge_method"] == ["S256"] and "code_verifier" not in reply.text
    assert len(asked["state"][0]) >= 40 and len(asked["nonce"][0]) >= 40
    back = idp.sign_in(reply.json()["url"])
    code = parse_qs(urlsplit(back).query)["code"][0]
    (idp.codes[code])["code_challenge"] = b64(b"x" * 32)  # as if it had been begun with another verifier
    assert await finish(client, back) == "/signin?provider=refused" and minted == []
    done = await client.get(idp.sign_in(await begin(client)))
    assert (done.status_code, done.headers["location"], len(minted)) == (303, "/", 1)
    session = await client.get("/api/v1/session")
    told = "".join(f"{r.headers}{r.text}" for r in (done, session)) + str(dict(client.cookies))
    assert session.status_code == 200
    assert not any(part in told for part in minted[0].split("."))


async def test_sessions_last_as_the_page_says(world: World, owner: Browser, idp: Provider) -> None:
    page = (Path(__file__).parents[3] / "docs" / "how-to" / "sign-in-with-your-own-provider.md").read_text()
    assert f"after {sessions.PROVIDER_SESSION_S // 3600} hours" in page
    assert f"after {sessions.SESSION_S // 86400} days" in page and "any number of sessions at once" in page
    kept: list[Browser] = []
    for _ in range(3):
        client = world.client()
        assert await trip(client, idp) == "/"
        found = (await client.get("/api/v1/session")).json()
        kept.append(Browser(client, found["person"]["id"], found["csrf"]))
    lines = (await kept[0].get("/me/security")).json()["sessions"]
    assert len(lines) == 3
    for line in lines:
        lives = datetime.fromisoformat(line["expires_at"]) - datetime.now(UTC)
        assert abs(lives.total_seconds() - sessions.PROVIDER_SESSION_S) < 60


async def test_no_provider_leads_over_a_wall(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    """Somebody of Acme's mail domain who has a role at a rival: the provider vouches for them, and the wall stays."""
    birch = await world.customer("Birch")
    kim = await people.add_person(world.db, f"kim@{DOMAIN}", "Kim", PASSWORD)
    await people.add_member(world.db, birch.live, kim, "viewer")
    await walls.set_wall(world.db, birch.live, birch.actor, walls.NewWall("Acme", 30))
    client = world.client()
    assert await trip(client, idp) == "/signin?provider=wall"
    assert (await client.get("/api/v1/session")).status_code == 401
    assert f"kim@{DOMAIN}" not in (await owner.get("/members")).text


async def test_a_weak_key_is_no_key(world: World, owner: Browser, idp: Provider) -> None:
    idp.key = Key("RS256", bits=1024)
    assert await trip(world.client(), idp) == "/signin?provider=refused"


async def test_a_fresh_proof_is_asked_of_the_provider(
    world: World, acme: Customer, owner: Browser, idp: Provider
) -> None:
    client = world.client()
    assert await trip(client, idp) == "/"
    url = await begin(client)
    asked = parse_qs(urlsplit(url).query)
    assert asked["prompt"] == ["login"] and asked["max_age"] == ["0"]
    idp.bend = lambda claims: idp.key.sign({**claims, "auth_time": claims["auth_time"] - 3600})
    assert await finish(client, idp.sign_in(url)) == "/signin?provider=refused", "it did not ask again"
    idp.bend = None
    assert await finish(client, idp.sign_in(await begin(client))) == "/"


async def test_what_the_document_must_say(world: World, acme: Customer, idp: Provider) -> None:
    made = await world.browser(acme.owner_email, acme.live)
    given = {"issuer": idp.issuer, "client_id": "x"}
    for document in (
        {"issuer": "https://evil.example"}, {"issuer": f"{idp.issuer}/"}, {"token_endpoint": None}, {"jwks_uri": 7},
        {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": "file:///etc/passwd"},
        {"jwks_uri": "http://user:word@localhost/"},
    ):  # fmt: skip
        idp.document = document
        assert (await made.ask("PUT", "/access/provider", json=given)).status_code == 400, document
    for issuer in ("", "ftp://x", "https://", f"{idp.issuer}?x=1", "javascript:alert(1)", "x" * 600):
        assert (await made.ask("PUT", "/access/provider", json={**given, "issuer": issuer})).status_code == 400
    made.org = acme.test
    idp.document = {}
    assert (await made.ask("PUT", "/access/provider", json=given)).status_code == 409, "in the live space"


async def test_inside_networks_are_not_reached(world: World, acme: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALLOW_VARIABLE, raising=False)
    made = await world.browser(acme.owner_email, acme.live)
    for issuer in ("https://127.0.0.1:1/acme", "https://localhost/", "https://10.0.0.1", "https://[::1]/"):
        reply = await made.ask("PUT", "/access/provider", json={"issuer": issuer, "client_id": "x"})
        assert reply.status_code == 400 and "EVENHAND_ALLOW_PRIVATE" in reply.text, reply.text
    plain = await made.ask("PUT", "/access/provider", json={"issuer": "http://id.example.org", "client_id": "x"})
    assert plain.status_code == 400


@pytest.mark.parametrize(
    "name", ["gmail.com", "localhost", "acme", "-x.org", "a..b", "x" * 200 + ".org", "127.0.0.1", ""]
)
def test_what_is_no_organisations_domain(name: str) -> None:
    with pytest.raises(Invalid):
        provider.tidy_domain(name)


async def test_a_domain_is_shown(world: World) -> None:
    body = provider.DomainBody("acme.example", "evenhand-domain=abc")

    async def other(_: str) -> bytes:
        return b"evenhand-domain=abcd\nx evenhand-domain=abc\n"

    async def away(_: str) -> bytes:
        raise Upstream("the answer was 404.")

    for read in (other, away):
        with pytest.raises(provider.NotShown):
            await provider.look_for(body, read)

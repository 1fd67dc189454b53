"""Back-channel logout: what an organisation's provider has ended ends here at once; nobody else ends anything by it."""

import time
from typing import Any

import httpx
import pytest

from evenhand.features.access import logout
from evenhand.infra.fetch import ALLOW_VARIABLE
from tests.conftest import Browser, Customer, World
from tests.features.access.idp import Key, Provider, serving
from tests.features.access.test_provider import acme, idp, owner, trip

pytestmark = pytest.mark.anyio
__all__ = ["acme", "idp", "owner"]  # fixtures
EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture(autouse=True)
def forgotten() -> None:
    logout._KEYS.clear()  # type: ignore[attr-defined]


async def send(world: World, org: str, token: str) -> httpx.Response:
    return await world.client().post(f"/signout/provider/{org}", data={"logout_token": token})


async def signed_in(world: World, idp: Provider, sid: str = "") -> httpx.AsyncClient:
    idp.person = {"sub": "s-1", "email": "kim@acme.example", "name": "Kim", **({"sid": sid} if sid else {})}
    client = world.client()
    assert await trip(client, idp) == "/"
    return client


async def lives(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/session")).status_code == 200


@pytest.mark.parametrize(
    ("alg", "typ"), [("RS256", "logout+jwt"), ("ES256", "JWT"), ("EdDSA", "application/logout+jwt")]
)
async def test_what_ends_there_ends_here(
    world: World, acme: Customer, owner: Browser, idp: Provider, alg: str, typ: str
) -> None:
    idp.key = Key(alg)
    first, second = await signed_in(world, idp), await signed_in(world, idp)
    shown = (await owner.get("/access")).json()["provider"]["logout"]
    assert shown == f"http://localhost:8080/signout/provider/{acme.live}"
    org = {"evenhand-org": acme.live}
    assert (await first.get("/api/v1/projects", headers=org)).status_code == 200
    reply = await send(world, acme.live, idp.logout_token(typ=typ))
    assert (reply.status_code, reply.content, reply.headers["cache-control"]) == (200, b"", "no-store")
    assert not await lives(first) and not await lives(second)
    assert (await first.get("/api/v1/projects", headers=org)).status_code == 401
    assert await lives(owner.client), "others stay"
    assert "SessionEnded" in [line["what"] for line in (await owner.get("/audit")).json()["items"]]
    assert {x["name"] for x in (await owner.get("/sessions")).json()["items"]} == {"Owner of Acme"}
    assert (await send(world, acme.live, idp.logout_token())).status_code == 200, "who is out already is out"
    again = await signed_in(world, idp)
    assert await lives(again), "and may come again"


async def test_one_session_by_its_name(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    one, two = await signed_in(world, idp, "sid-1"), await signed_in(world, idp, "sid-2")
    assert (await send(world, acme.live, idp.logout_token(sid="sid-9"))).status_code == 200
    assert await lives(one) and await lives(two)
    assert (await send(world, acme.live, idp.logout_token(sid="sid-1", sub=None))).status_code == 200
    assert not await lives(one) and await lives(two)
    nameless = await signed_in(world, idp)
    assert (await send(world, acme.live, idp.logout_token(sid="sid-2"))).status_code == 200
    assert not await lives(two) and not await lives(nameless), "one without a name may be the one"


async def test_other_ways_in_stay(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    """The same person at the same organisation, signed in by themselves: that is not the provider's session."""
    idp.person = {"sub": "s-2", "email": acme.owner_email.replace("owner@acme.example", "kim@acme.example")}
    by_provider = await signed_in(world, idp)
    person = (await by_provider.get("/api/v1/session")).json()["person"]["id"]
    idp.person = {"sub": "s-3", "email": "lee@acme.example", "name": "Lee"}
    lee = world.client()
    assert await trip(lee, idp) == "/"
    assert (await send(world, acme.live, idp.logout_token(sub="s-1"))).status_code == 200
    assert not await lives(by_provider) and await lives(lee) and person
    assert (await send(world, acme.live, idp.logout_token(sub="nobody", sid="x"))).status_code == 200
    assert await lives(lee) and await lives(owner.client)


async def test_a_token_is_taken_once(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    await signed_in(world, idp)
    token = idp.logout_token()
    assert (await send(world, acme.live, token)).status_code == 200
    client = await signed_in(world, idp)
    refused = await send(world, acme.live, token)
    assert refused.status_code == 400 and "before" in refused.json()["error_description"]
    assert await lives(client)


async def test_liars_end_nothing(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    client = await signed_in(world, idp, "sid-1")
    now = int(time.time())
    stranger = Key("RS256", kid=idp.key.kid)
    for name, token in {
        "signed by another": idp.logout_token(key=stranger),
        "an ID token": idp.key.sign(idp.claims({"nonce": "n"})),
        "typed as one for an interface": idp.logout_token(typ="at+jwt"),
        "with a nonce": idp.logout_token(nonce="n"),
        "an empty nonce": idp.logout_token(nonce=""),
        "without the event": idp.logout_token(events=None),
        "of another event": idp.logout_token(events={"http://schemas.openid.net/event/other": {}}),
        "an event that is no object": idp.logout_token(events={EVENT: True}),
        "events as a list": idp.logout_token(events=[EVENT]),
        "for somebody else": idp.logout_token(aud="another"),
        "of another issuer": idp.logout_token(iss="https://evil.example"),
        "without a name": idp.logout_token(sub=None, sid=None),
        "with names that are none": idp.logout_token(sub=7, sid=["x"]),
        "without jti": idp.logout_token(jti=None),
        "without exp": idp.logout_token(exp=None),
        "without iat": idp.logout_token(iat=None),
        "expired": idp.logout_token(iat=now - 200, exp=now - 100),
        "old, and good for long": idp.logout_token(iat=now - 600, exp=now + 3600),
        "from the future": idp.logout_token(iat=now + 600, exp=now + 700),
        "unsigned": idp.logout_token().rsplit(".", 1)[0] + ".",
        "none of all": "x.y.z",
        "nothing": "",
        "endless": "x" * 30_000,
    }.items():
        refused = await send(world, acme.live, token)
        assert refused.status_code == 400, name
        assert refused.json()["error"] == "invalid_request" and refused.headers["cache-control"] == "no-store", name
        assert refused.headers["content-type"].startswith("application/json"), name
    assert await lives(client)
    # a sign-in takes no logout token either
    idp.bend = lambda claims: idp.logout_token(nonce=claims["nonce"])
    assert await trip(world.client(), idp) == "/signin?provider=refused"


async def test_what_is_no_request(world: World, acme: Customer, owner: Browser, idp: Provider) -> None:
    client, url = await signed_in(world, idp), f"/signout/provider/{acme.live}"
    form = {"content-type": "application/x-www-form-urlencoded"}
    token = idp.logout_token()
    bodies: list[dict[str, Any]] = [
        {"json": {"logout_token": token}},
        {"content": f"logout_token={token}&logout_token={token}", "headers": form},
        {"content": "&".join(f"a{n}=1" for n in range(40)), "headers": form},
        {"content": b"logout_token=\xff", "headers": form},
        {"content": "x" * 70_000, "headers": form},
        {"content": "", "headers": form},
    ]
    for body in bodies:
        assert (await world.client().post(url, **body)).status_code == 400, body
    assert (await world.client().get(f"{url}?logout_token={token}")).status_code in (404, 405)
    assert await lives(client)
    for org in (acme.test, "0" * 24, "x", "%00"):  # the provider's address is the live space's
        assert (await send(world, org, token)).status_code == 400, org
    assert (await send(world, acme.live, token)).status_code == 200


async def test_a_rivals_provider_ends_nothing_here(
    world: World, acme: Customer, owner: Browser, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = await signed_in(world, idp)
    birch = await world.customer("Birch")
    monkeypatch.setenv(ALLOW_VARIABLE, "1")
    with serving(Provider()) as theirs:
        made = await world.browser(birch.owner_email, birch.live)
        given = {"issuer": theirs.issuer, "client_id": theirs.client_id, "client_secret": theirs.client_secret}
        assert (await made.ask("PUT", "/access/provider", json=given)).status_code == 200
        assert (await send(world, birch.live, theirs.logout_token(sub="s-1"))).status_code == 200
        assert (await send(world, acme.live, theirs.logout_token(sub="s-1"))).status_code == 400
        assert (await send(world, birch.live, idp.logout_token())).status_code == 400
    assert await lives(client)


async def test_strangers_do_not_drive_us_to_the_provider(
    world: World, acme: Customer, owner: Browser, idp: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answer = idp.answer

    def counting(method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, Any]]:
        asked.append(path)
        return answer(method, path, headers, body)

    client = await signed_in(world, idp)
    monkeypatch.setattr(idp, "answer", counting)
    for _ in range(5):
        assert (await send(world, acme.live, idp.logout_token(key=Key("ES256")))).status_code == 400
    assert asked.count("/acme/keys") == 1
    # a key that is new at the provider is found once the half minute is over
    idp.key = Key("ES256")
    assert (await send(world, acme.live, idp.logout_token())).status_code == 400
    logout._KEYS[idp.issuer] = (time.monotonic() - 40, logout._KEYS[idp.issuer][1])  # type: ignore[attr-defined]
    assert (await send(world, acme.live, idp.logout_token())).status_code == 200
    assert not await lives(client) and asked.count("/acme/keys") == 2
    monkeypatch.setattr(logout, "MOST_TRIES", 0)
    held = await send(world, acme.live, idp.logout_token())
    assert held.status_code == 429 and int(held.headers["retry-after"]) > 0

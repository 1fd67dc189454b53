"""Passkeys: made, used, refused. What a liar sends is refused with one answer."""

from typing import Any

import httpx
import pytest

from evenhand.features.access.passkeys import NoPasskeysHere, Site
from tests.authenticator import Authenticator, add_passkey, raw, text
from tests.conftest import PASSWORD, Customer, World
from tests.features.access.people import open_link, with_app

pytestmark = pytest.mark.anyio


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


async def begin(client: httpx.AsyncClient) -> dict[str, Any]:
    reply = await client.post("/api/v1/session/passkey")
    assert reply.status_code == 200, reply.text
    return reply.json()


async def answer(client: httpx.AsyncClient, token: str, credential: dict[str, Any]) -> httpx.Response:
    return await client.post("/api/v1/session/passkey/confirm", json={"token": token, "credential": credential})


async def sign_in(client: httpx.AsyncClient, key: Authenticator) -> httpx.Response:
    begun = await begin(client)
    return await answer(client, begun["token"], key.get(begun["options"]))


async def test_an_invitation_is_taken_up_with_a_passkey_and_no_password(world: World, acme: Customer) -> None:
    api = world.keyed(acme.live_key)
    invited = await api.post("/api/v1/members/invite", json={"email": "lee@people.example", "role": "owner"})
    lee = await open_link(world, invited.json()["link"], password="")
    asked = (await lee.post("/me/passkeys")).json()["options"]["publicKey"]
    assert asked["rp"]["id"] == "localhost" and asked["attestation"] == "none"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    key = await add_passkey(lee)
    lee.org = acme.live
    assert (await lee.get("/projects")).status_code == 200
    assert (await lee.post("/me/app")).status_code == 409, "a code goes with a password"
    client = world.client()
    reply = await sign_in(client, key)
    assert reply.status_code == 200 and reply.json()["method"] == "passkey"
    assert [o["id"] for o in reply.json()["orgs"]] == [acme.live]
    body = {"email": "lee@people.example", "password": PASSWORD}
    assert (await client.post("/api/v1/session", json=body)).status_code == 401
    assert (await lee.ask("DELETE", f"/me/passkeys/{(await keys_of(lee))[0]['id']}")).status_code == 409, "the last one"


async def keys_of(browser: Any) -> list[dict[str, Any]]:
    return (await browser.get("/me/security")).json()["passkeys"]


async def test_several_with_names(world: World, acme: Customer) -> None:
    kim = await with_app(world, world.keyed(acme.live_key), "kim@people.example", org=acme.live)
    first = await add_passkey(kim.browser, name="Laptop")
    second = await add_passkey(kim.browser, name="")
    begun = (await kim.browser.post("/me/passkeys")).json()["options"]["publicKey"]
    assert {raw(c["id"]) for c in begun["excludeCredentials"]} == {first.id, second.id}
    lines = await keys_of(kim.browser)
    assert [line["name"] for line in lines] == ["Laptop", "Passkey"]
    await kim.browser.ask("PATCH", f"/me/passkeys/{lines[1]['id']}", json={"name": "Telephone"})
    assert [line["name"] for line in await keys_of(kim.browser)] == ["Laptop", "Telephone"]
    assert (await kim.browser.ask("DELETE", f"/me/passkeys/{lines[0]['id']}")).status_code == 200
    assert (await sign_in(world.client(), first)).status_code == 401
    assert (await sign_in(world.client(), second)).status_code == 200
    # a password alone makes no second factor where there is a passkey
    assert (await kim.browser.ask("DELETE", "/me/app")).status_code == 200
    refused = await kim.sign_in(world.client(), "")
    assert refused.status_code == 401 and "set-cookie" not in refused.headers
    facts = [line["what"] for line in (await kim.browser.get("/audit")).json()["items"]]
    assert facts.count("PasskeyAdded") == 2 and {"PasskeyRemoved", "AppRemoved"} <= set(facts)


async def test_liars(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    key = await add_passkey(owner)
    client = world.client()
    replies: dict[str, httpx.Response] = {}

    async def attempt(name: str, credential_of: Any, token: str | None = None) -> None:
        begun = await begin(client)
        replies[name] = await answer(client, token or begun["token"], credential_of(begun["options"]))

    def twin(**changes: Any) -> Authenticator:
        return Authenticator(key=key.key, id=key.id, user=key.user, count=key.count + 100, **changes)

    def bent(options: dict[str, Any], field: str, value: Any) -> dict[str, Any]:
        made = twin().get(options)
        made["response"][field] = value
        return made

    await attempt("another site's page", twin(origin="https://evil.example").get)
    await attempt("another port of the machine", twin(origin="http://localhost:9999").get)
    await attempt("made for another name", twin(host="evil.example").get)
    await attempt("without a finger", twin(verifies=False).get)
    await attempt("another key", Authenticator(id=key.id, user=key.user, count=500).get)
    await attempt("nobody's", Authenticator().get)
    await attempt("a copy whose counter is behind", Authenticator(key=key.key, id=key.id, user=key.user, count=0).get)
    await attempt("another's handle", Authenticator(key=key.key, id=key.id, user=b"0" * 24, count=500).get)
    await attempt("made as if for making", lambda o: twin().get(o, "webauthn.create"))
    await attempt(
        "another challenge", lambda o: twin().get({"publicKey": {**o["publicKey"], "challenge": text(b"x" * 32)}})
    )
    await attempt("a bent signature", lambda o: bent(o, "signature", text(b"\x30\x00")))
    await attempt("no data", lambda o: bent(o, "authenticatorData", ""))
    await attempt("short data", lambda o: bent(o, "authenticatorData", text(b"x" * 20)))
    await attempt("no client data", lambda o: bent(o, "clientDataJSON", text(b"{}")))
    await attempt("numbers for words", lambda o: bent(o, "signature", 7))
    await attempt("nothing", lambda _: {})
    await attempt("no challenge of ours", key.get, "x" * 43)
    assert {(r.status_code, r.text) for r in replies.values()} == {(401, replies["nothing"].text)}, {
        name: (r.status_code, r.text) for name, r in replies.items()
    }
    # a challenge works once, whatever came of it
    begun = await begin(client)
    assert (await answer(client, begun["token"], {})).status_code == 401
    assert (await answer(client, begun["token"], key.get(begun["options"]))).status_code == 401
    begun = await begin(client)
    sent = key.get(begun["options"])
    assert (await answer(client, begun["token"], sent)).status_code == 200
    assert (await answer(client, begun["token"], sent)).status_code == 401, "replayed"


async def test_what_is_no_passkey_is_not_kept(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    theirs = await add_passkey(owner)
    for liar in (
        Authenticator(origin="https://evil.example"),
        Authenticator(host="evil.example"),
        Authenticator(verifies=False),
        Authenticator(id=theirs.id),  # somebody has it already
    ):
        begun = (await owner.post("/me/passkeys")).json()
        sent = {"token": begun["token"], "credential": liar.create(begun["options"])}
        assert (await owner.post("/me/passkeys/confirm", sent)).status_code == 400
        again = await owner.post("/me/passkeys/confirm", sent)
        assert again.status_code == 404, "a challenge works once"
    assert len(await keys_of(owner)) == 1


async def test_a_key_that_does_not_count(world: World, acme: Customer) -> None:
    """Synchronised passkeys keep their counter at zero."""
    owner = await world.browser(acme.owner_email, acme.live)
    key = await add_passkey(owner, Authenticator(counts=False))
    for _ in range(2):
        assert (await sign_in(world.client(), key)).status_code == 200


async def test_a_passkey_proves_who_it_is(world: World, acme: Customer) -> None:
    birch = await world.customer("Birch")
    owner, other = await world.browser(acme.owner_email, acme.live), await world.browser(birch.owner_email)
    mine, theirs = await add_passkey(owner), await add_passkey(other)
    async with world.db.narrow("gate") as door:
        await door.conn.execute("update evenhand.session set proved_at = now() - interval '1 hour'")
    assert (await owner.post("/keys", {"name": "k"})).json()["code"] == "prove"
    for key, status in ((theirs, 403), (mine, 200)):
        begun = await begin(owner.client)
        sent = {"token": begun["token"], "credential": key.get(begun["options"])}
        assert (await owner.post("/me/prove/passkey", sent)).status_code == status
    assert (await owner.post("/keys", {"name": "k"})).status_code == 200


@pytest.mark.parametrize("origin", ["http://127.0.0.1:8080", "http://[::1]:8080"])
async def test_by_number_there_are_no_passkeys(origin: str) -> None:
    with pytest.raises(NoPasskeysHere, match="number"):
        Site(origin).server()

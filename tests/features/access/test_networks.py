"""Networks: who is outside is told so, whoever sets a rule is inside it, and a header of anybody is not believed."""

import ipaddress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from evenhand.app.settings import settings_from_environment
from evenhand.features.access.networks import inside, tidy_networks
from evenhand.features.people import actions as people
from evenhand.pure.trouble import Invalid
from tests.conftest import Browser, Customer, World

pytestmark = pytest.mark.anyio
v4 = st.ip_addresses(v=4) | st.ip_addresses(network="192.0.2.0/24")
v6 = st.ip_addresses(v=6)


def from_(world: World, address: str, browser: Browser) -> Browser:
    """The same browser at another address."""
    transport = httpx.ASGITransport(app=world.app, client=(address, 4711), raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", cookies=browser.client.cookies)
    world.clients.append(client)
    return Browser(client, browser.person, browser.csrf, browser.org)


@given(v4 | v6, st.integers(0, 128))
def test_an_address_is_inside_its_own_network(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, bits: int
) -> None:
    size = min(bits, address.max_prefixlen)
    network = ipaddress.ip_network(f"{address}/{size}", strict=False)
    assert inside(str(address), tidy_networks([str(network)]))
    other = ipaddress.ip_address(int(network.network_address) ^ (1 << (address.max_prefixlen - size)) if size else 0)
    if size and other.version == address.version:
        assert not inside(str(other), [network])
    assert not inside("", [network]) and not inside("nowhere", [network])


@pytest.mark.parametrize("text", ["", "x", "10.0.0.1/8", "10.0.0.0/33", "::/129", "10.0.0.0/8 10.1.0.0/16", "0x7f.1"])
def test_what_is_no_network(text: str) -> None:
    with pytest.raises(Invalid, match="not a network"):
        tidy_networks([text])


async def test_people_and_keys_outside(world: World) -> None:
    acme, birch = await world.customer("Acme"), await world.customer("Birch")
    owner, rival = await world.browser(acme.owner_email, acme.live), await world.browser(birch.owner_email, birch.live)
    out = await owner.ask("PUT", "/access/networks", json={"networks": ["192.0.2.0/24"]})
    assert out.status_code == 409 and "127.0.0.1" in out.json()["detail"], "nobody locks themselves out"
    rule = {"networks": ["192.0.2.0/24", "127.0.0.0/8", "2001:db8::/32", "192.0.2.0/24"]}
    kept = await owner.ask("PUT", "/access/networks", json=rule)
    assert kept.json()["networks"] == ["192.0.2.0/24", "127.0.0.0/8", "2001:db8::/32"]
    assert kept.json()["address"] == "127.0.0.1"
    for address, status in (
        ("192.0.2.7", 200), ("2001:db8::1", 200), ("127.0.0.1", 200), ("::ffff:192.0.2.7", 200),
        ("198.51.100.1", 403), ("2001:db9::1", 403), ("::ffff:198.51.100.1", 403), ("unknown", 403),
    ):  # fmt: skip
        assert (await from_(world, address, owner).get("/projects")).status_code == status, address
        assert (await from_(world, address, rival).get("/projects")).status_code == 200, "the rival's rule it is not"
        transport = httpx.ASGITransport(app=world.app, client=(address, 4711))
        bearer = {"authorization": f"Bearer {acme.live_key}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080", headers=bearer) as api:
            assert (await api.get("/api/v1/projects")).status_code == status, address
            assert (await api.get("/v1/batches")).status_code == status, address
            forged = await api.get("/api/v1/projects", headers={"x-forwarded-for": "192.0.2.7"})
            assert forged.status_code == status, "a header that nobody vouches for"
    facts = [line["what"] for line in (await owner.get("/audit")).json()["items"]]
    assert "NetworksChanged" in facts
    assert (await owner.ask("PUT", "/access/networks", json={"networks": []})).json()["networks"] == []
    assert (await from_(world, "198.51.100.1", owner).get("/projects")).status_code == 200


async def acme_with_work(world: World) -> tuple[Customer, Browser, Browser]:
    """Acme, an annotator of its own and one of the pool, each with a lease."""
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    project = (await api.post("/api/v1/projects", json={"name": "P", "medium": "text"})).json()["id"]
    for n in range(9):
        await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"text": f"{n}"}})
    await world.worker("own@acme.example", acme.live)
    await world.worker("ann@pool.example", acme.live, shared=True)
    await world.drain()
    return acme, await world.browser("own@acme.example"), await world.browser("ann@pool.example")


async def test_at_the_desk(world: World) -> None:
    """An annotator of the organisation's own is let to its work from its networks; the pool's from anywhere."""
    acme, own, ann = await acme_with_work(world)
    owner = await world.browser(acme.owner_email, acme.live)
    handle = (await own.post("/work/next", {"want": 1})).json()["assignments"][0]["handle"]
    away = from_(world, "198.51.100.1", own)
    assert len((await away.post("/work/next", {"want": 1})).json()["assignments"]) == 1, "there is no rule yet"
    assert (await owner.ask("PUT", "/access/networks", json={"networks": ["127.0.0.1/32"]})).status_code == 200
    body = {"key": "k", "answer": {"annotations": []}, "seconds": 1}
    assert (await away.post("/work/next", {"want": 1})).json()["assignments"] == []
    assert (await away.get(f"/work/{handle}")).status_code == 403
    assert (await away.post(f"/work/{handle}/submit", body)).status_code in (401, 403, 404)
    assert (await away.get("/work/summary")).json()["projects"] == []
    assert (await away.get("/session")).status_code == 200
    assert (await own.get(f"/work/{handle}")).status_code == 200
    assert (await own.post(f"/work/{handle}/submit", body)).status_code == 200
    assert len((await own.post("/work/next", {"want": 1})).json()["assignments"]) == 1
    pool = from_(world, "198.51.100.1", ann)
    assert len((await pool.post("/work/next", {"want": 1})).json()["assignments"]) == 1
    assert (await people.role_in(world.db, acme.live, own.person)) == "annotator"


async def test_a_proxy_is_believed_when_it_is_named(world: World) -> None:
    """As the server is started: X-Forwarded-For counts from the addresses in EVENHAND_TRUSTED_PROXIES only, and the last
    address that no proxy of ours has added is the one."""
    plain = settings_from_environment({"EVENHAND_HOME": "/tmp/x"})
    assert plain.trusted_proxies == ""
    secure = {"EVENHAND_HOME": "/tmp/x", "EVENHAND_PUBLIC_URL": "https://label.example.org"}
    assert settings_from_environment(secure).trusted_proxies == "127.0.0.1"
    named = settings_from_environment({**secure, "EVENHAND_TRUSTED_PROXIES": "10.0.0.0/8"})
    acme = await world.customer("Acme")
    owner = await world.browser(acme.owner_email, acme.live)
    app = ProxyHeadersMiddleware(world.app, trusted_hosts=named.trusted_proxies)
    for peer, header, told in (
        ("10.1.2.3", "203.0.113.9", "203.0.113.9"), ("10.1.2.3", "192.0.2.7, 203.0.113.9, 10.9.9.9", "203.0.113.9"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"), ("127.0.0.1", "203.0.113.9", "127.0.0.1"),
    ):  # fmt: skip
        transport = httpx.ASGITransport(app=app, client=(peer, 1))  # type: ignore[arg-type]
        headers = {"x-forwarded-for": header, "evenhand-org": acme.live}
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost:8080", cookies=owner.client.cookies
        ) as c:
            assert (await c.get("/api/v1/access", headers=headers)).json()["address"] == told

"""The doors to the browser: cookies, CSRF, hosts, headers, sign-in and single-use links."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from evenhand.app.http.server import PREFIX, build
from evenhand.app.settings import UnsafeUrl, settings_from_environment
from evenhand.features.people import links, passwords
from tests.conftest import PASSWORD, Customer, World
from tests.laws.test_twin import CUSTOMER, OPERATOR, PERSON

pytestmark = pytest.mark.anyio


@pytest.fixture
async def acme(world: World) -> Customer:
    return await world.customer("Acme")


def credentials(customer: Customer, password: str = PASSWORD) -> dict[str, str]:
    return {"email": customer.owner_email, "password": password}


# --- CSRF


async def test_a_write_by_cookie_needs_the_token(world: World, acme: Customer) -> None:
    owner, other = await world.browser(acme.owner_email, acme.live), await world.browser(acme.owner_email, acme.live)
    assert owner.csrf != other.csrf, "each session has its own"
    writes = [name.split(" ", 1) for name in (*CUSTOMER, *PERSON, *OPERATOR) if not name.startswith("GET")]
    for method, path in writes:
        path = re.sub(r"\{\w+\}", "0" * 48, path)
        for token in (None, "", "x", owner.csrf[:-1], owner.csrf + "0", other.csrf, "é"):
            headers = {"evenhand-org": acme.live}
            if token is not None:
                headers["x-evenhand-csrf"] = token  # type: ignore[assignment]
            sent = {k: v.encode() for k, v in headers.items()}
            reply = await owner.client.request(method, f"{PREFIX}{path}", headers=sent, content=b"{}")
            assert reply.status_code == 403, f"{method} {path} with {token!r}: {reply.status_code} {reply.text}"
    assert (await owner.post("/projects", {"name": "P", "medium": "text"})).status_code == 200


async def test_the_token_may_come_in_a_beacon_for_leases_only(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    url = f"{PREFIX}/work/release"
    good = await owner.client.post(url, content=f'{{"csrf":"{owner.csrf}","handles":[]}}')
    assert good.json() == {"released": 0}
    assert (await owner.client.post(url, content='{"csrf":"no","handles":[]}')).status_code == 403
    assert (await owner.client.post(url, content='{"csrf":null}')).status_code == 403
    assert (await owner.client.post(url, content='{"csrf":')).status_code == 400
    body = f'{{"csrf":"{owner.csrf}","name":"P","medium":"text"}}'
    reply = await owner.client.post(f"{PREFIX}/projects", content=body, headers={"evenhand-org": acme.live})
    assert reply.status_code == 403


async def test_nobody_is_signed_in_from_another_site(world: World, acme: Customer) -> None:
    for origin in (
        "https://evil.example",
        "null",
        "http://localhost:9",
        "http://localhost.evil.example:8080",
        "http://[",
    ):
        for kind in ("application/json", "text/plain"):
            headers = {"origin": origin, "content-type": kind}
            reply = await world.client().post(f"{PREFIX}/session", json=credentials(acme), headers=headers)
            assert reply.status_code in (400, 403), f"{origin}: {reply.text}"
            assert "set-cookie" not in reply.headers
    same = await world.client().post(
        f"{PREFIX}/session", json=credentials(acme), headers={"origin": "http://localhost:8080"}
    )
    assert same.status_code == 200


# --- cookies


async def test_the_cookie_on_loopback(world: World, acme: Customer) -> None:
    reply = await world.client().post(f"{PREFIX}/session", json=credentials(acme))
    name, _, rest = reply.headers["set-cookie"].partition("=")
    flags = {part.strip().lower().split("=")[0]: part for part in rest.split(";")[1:]}
    assert name == "evenhand_8080", "the port is in the name: loopback http shares cookies between ports"
    assert {"httponly", "samesite", "path", "max-age"} <= set(flags) and "secure" not in flags and "domain" not in flags
    assert flags["samesite"].strip().lower() == "samesite=lax" and flags["path"].strip().lower() == "path=/"


async def test_the_cookie_on_https(world: World, acme: Customer) -> None:
    settings = replace(world.services.settings, public_url="https://label.example.org")

    @asynccontextmanager
    async def opened() -> Any:
        yield world.services

    app: Any = build(settings, opened, lambda _: [])
    async with app._app.router.lifespan_context(app._app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="https://label.example.org") as client:
            reply = await client.post(f"{PREFIX}/session", json=credentials(acme))
            cookie = reply.headers["set-cookie"]
            assert cookie.startswith("__Host-evenhand=") and "secure" in cookie.lower() and "path=/" in cookie.lower()
            assert "domain" not in cookie.lower() and "httponly" in cookie.lower()
            assert reply.headers["strict-transport-security"].startswith("max-age=")
            assert (await client.get(f"{PREFIX}/session")).status_code == 200


def test_plain_http_is_for_this_machine_only() -> None:
    for url in ("http://label.example.org", "http://10.0.0.1:8080", "http://[::2]:1", "ftp://localhost", "localhost"):
        with pytest.raises(UnsafeUrl):
            settings_from_environment({"EVENHAND_PUBLIC_URL": url, "EVENHAND_HOME": "/tmp/never"})
    assert settings_from_environment({"EVENHAND_PUBLIC_URL": "https://label.example.org", "HOME": "/tmp"}).secure


async def test_signing_out_ends_the_session_and_a_new_password_ends_all(world: World, acme: Customer) -> None:
    one, two = await world.browser(acme.owner_email, acme.live), await world.browser(acme.owner_email, acme.live)
    cookie = dict(one.client.cookies)
    assert (await one.ask("DELETE", "/session")).status_code == 200
    stolen = world.client(cookies=cookie)
    assert (await stolen.get(f"{PREFIX}/session")).status_code == 401
    assert (await two.get("/session")).status_code == 200
    link = await links.reset_link(world.db, acme.owner_email, "")
    token = link.link.rsplit("/", 1)[-1]
    reply = await world.client().post(f"{PREFIX}/links/{token}", json={"password": "an entirely new one"})
    assert reply.status_code == 200
    assert (await two.get("/session")).status_code == 401
    assert (await world.client().post(f"{PREFIX}/session", json=credentials(acme))).status_code == 401


async def test_sessions_are_kept_as_hashes(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email)
    token = next(iter(dict(owner.client.cookies).values()))
    async with world.db.narrow("gate") as door:
        for table in ("session", "link", "person"):
            for row in await door.conn.fetch(f"select x::text as row from evenhand.{table} x"):
                assert token not in row["row"] and token.encode().hex() not in row["row"]
                assert PASSWORD not in row["row"]
        hashes = [r["password_hash"] for r in await door.conn.fetch("select password_hash from evenhand.person")]
    assert all(h.startswith("$argon2id$") for h in hashes)


# --- hosts


async def test_unknown_hosts_are_refused(world: World, acme: Customer) -> None:
    for host in (
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "10.0.0.1",
        "[::2]",
        "0.0.0.0",
    ):
        for path in ("/", f"{PREFIX}/session", "/healthz", "/media/x", "/studio/x"):
            reply = await world.client().get(path, headers={"host": host})
            assert reply.status_code == 400, f"{host} {path}: {reply.status_code}"
            assert "default-src 'none'" in reply.headers["content-security-policy"]
    for host in ("localhost:8080", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "localhost"):
        assert (await world.client().get("/healthz", headers={"host": host})).status_code == 200, host


async def test_the_media_host_shows_no_pages_and_knows_no_sessions(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    media = {"host": "127.0.0.1:8080"}
    for path in ("/", "/signin", "/work", "/console/projects", "/operator", "/studio/index.html", "/studio/", "/x"):
        reply = await owner.client.get(path, headers=media)
        assert reply.status_code == 307 and reply.headers["location"].startswith("http://localhost:8080/"), path
    token = next(iter(dict(owner.client.cookies).values()))
    stolen = {**media, "cookie": f"{world.services.settings.cookie}={token}", "x-evenhand-csrf": owner.csrf}
    for method, path in (("GET", "/session"), ("GET", "/projects"), ("POST", "/projects"), ("POST", "/work/next")):
        reply = await world.client().request(
            method, f"{PREFIX}{path}", headers={**stolen, "evenhand-org": acme.live}, content=b"{}"
        )
        assert reply.status_code == 401, f"{path}: {reply.status_code}"
    key = await world.keyed(acme.live_key).get(f"{PREFIX}/projects", headers=media)
    assert key.status_code == 200, "programs may use either name"


# --- headers


async def test_every_reply_carries_the_policies(world: World, acme: Customer) -> None:
    owner = await world.browser(acme.owner_email, acme.live)
    for path in ("/", "/signin", "/nothing", "/studio/nothing", "/healthz", f"{PREFIX}/session", f"{PREFIX}/projects",
                 f"{PREFIX}/openapi.json", f"{PREFIX}/tasks/x", f"{PREFIX}/nothing"):  # fmt: skip
        reply = await owner.client.get(path, headers={"evenhand-org": acme.live})
        policy = reply.headers["content-security-policy"]
        parts = dict(part.strip().split(" ", 1) for part in policy.split(";"))
        assert parts["default-src"] == "'none'" and parts["script-src"] == "'self'" and parts["base-uri"] == "'none'"
        assert parts["frame-ancestors"] == "'none'" and parts["form-action"] == "'self'"
        assert "unsafe" not in policy and "*" not in policy and "http://127.0.0.1:8080" in parts["img-src"]
        assert reply.headers["x-content-type-options"] == "nosniff" and reply.headers["x-frame-options"] == "DENY"
        assert reply.headers["referrer-policy"] == "no-referrer"
        assert reply.headers["cross-origin-opener-policy"] == "same-origin"
        if path.startswith(f"{PREFIX}/") and "openapi" not in path:
            assert reply.headers["cache-control"] == "no-store", path
        assert not any(name.startswith("access-control") for name in reply.headers), path


# --- signing in


async def test_unknown_and_known_addresses_cost_and_read_the_same(
    world: World, acme: Customer, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bool] = []
    inner = passwords._hasher.verify

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            checked.append(stored == passwords._NOBODY)
            return inner(stored, password)

    monkeypatch.setattr(passwords, "_hasher", Counting())
    invited = await links.invite_person(world.db, "invited@people.example", "", role="viewer", orgs=[acme.live])
    assert invited
    replies = [
        await world.client().post(f"{PREFIX}/session", json={"email": email, "password": password})
        for email, password in (
            (acme.owner_email, "not the password"),
            ("nobody@people.example", "not the password"),
            ("invited@people.example", "not the password"),
            ("nobody@people.example", "nobody has this password"),
            ("not an address", "not the password"),
        )
    ]
    assert {(r.status_code, r.text) for r in replies} == {(401, replies[0].text)}
    assert checked == [False, True, True, True, True], "one argon2 each"


@pytest.mark.usefixtures("one_window")
async def test_tries_are_limited_for_an_address_and_for_a_network(world: World, acme: Customer) -> None:
    async def attempt(email: str, password: str = "not the password") -> httpx.Response:
        return await world.client().post(f"{PREFIX}/session", json={"email": email, "password": password})

    statuses = [(await attempt(acme.owner_email)).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    # spelled otherwise it is the same address, and the right password does not help now
    blocked = await attempt(f"  {acme.owner_email.upper()} ", PASSWORD)
    assert blocked.status_code == 429 and int(blocked.headers["retry-after"]) >= 60
    birch = await world.customer("Birch")
    assert (await attempt(birch.owner_email, PASSWORD)).status_code == 200, "others are not shut out"
    async with world.db.narrow("gate") as door:
        await door.conn.execute("update evenhand.signin_attempt set tries = 1000")
    assert (await attempt("somebody@else.example")).status_code == 429, "the whole network has tried too often"


@pytest.mark.usefixtures("one_window")
async def test_joining_by_an_invitation_is_limited_like_signing_in(world: World, acme: Customer) -> None:
    """The rival holds the link: it must not be a place to guess the password without limit."""
    birch = await world.customer("Birch")
    link = await world.keyed(birch.live_key).post(
        f"{PREFIX}/members/invite", json={"email": acme.owner_email, "role": "viewer"}
    )
    token = link.json()["link"].rsplit("/", 1)[-1]
    statuses = [
        (await world.client().post(f"{PREFIX}/links/{token}", json={"password": f"guess number {n}"})).status_code
        for n in range(12)
    ]
    assert statuses == [401] * 10 + [429] * 2


async def test_a_burst_of_sign_ins_is_turned_away_before_memory_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_MOST_WAITING", 2)
    stored = await passwords.hash_password("a long password")
    results = await asyncio.gather(
        *(passwords.verify_password(stored, "a long password") for _ in range(6)), return_exceptions=True
    )
    assert [r for r in results if r is True] and any(isinstance(r, passwords.Busy) for r in results)


# --- single-use links


async def test_a_link_is_used_once_however_many_try(world: World, acme: Customer) -> None:
    link = await links.reset_link(world.db, acme.owner_email, "")
    token = link.link.rsplit("/", 1)[-1]
    replies = await asyncio.gather(
        *(world.client().post(f"{PREFIX}/links/{token}", json={"password": f"chosen by number {n}"}) for n in range(8))
    )
    assert sorted(r.status_code for r in replies) == [200] + [404] * 7
    winner = next(n for n, r in enumerate(replies) if r.status_code == 200)
    after = await world.client().post(f"{PREFIX}/session", json=credentials(acme, f"chosen by number {winner}"))
    assert after.status_code == 200


async def test_setting_up_happens_once(world: World) -> None:
    made = [await links.setup_link(world.db, "") for _ in range(3)]
    tokens = [link.link.rsplit("/", 1)[-1] for link in made if link is not None]
    sent = [{"password": "a good long password", "email": f"op{n}@x.example", "name": "O"} for n in range(3)]
    replies = await asyncio.gather(
        *(world.client().post(f"{PREFIX}/links/{t}", json=body) for t, body in zip(tokens, sent, strict=True))
    )
    assert [r.status_code for r in replies].count(200) == 1, [r.text for r in replies]
    assert await links.setup_link(world.db, "") is None


async def test_old_and_made_up_links_lead_nowhere(world: World, acme: Customer, tmp_path: Path) -> None:
    link = await links.reset_link(world.db, acme.owner_email, "")
    token = link.link.rsplit("/", 1)[-1]
    weak = await world.client().post(f"{PREFIX}/links/{token}", json={"password": "short"})
    assert weak.status_code == 400 and (await world.client().get(f"{PREFIX}/links/{token}")).status_code == 200
    async with world.db.connection("gate") as conn:
        with pytest.raises(Exception, match="permission denied"):
            await conn.execute("update evenhand.link set expires_at = now() + interval '1 year'")
    for bad in (token[:-1], token + "x", token.swapcase(), "x", "%00", "%ff", "x" * 5000, "..%2f.."):
        for method in ("GET", "POST"):
            reply = await world.client().request(
                method,
                f"{PREFIX}/links/{bad}",
                content=b'{"password":"a good long password"}' if method == "POST" else None,
            )
            assert reply.status_code == 404, f"{method} {bad[:20]}: {reply.status_code} {reply.text}"

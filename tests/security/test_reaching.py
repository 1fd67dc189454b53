"""Reaching out: which addresses are refused, when, and what a hostile answer may cost."""

import asyncio
import gzip
import http.server
import io
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from PIL import Image

from evenhand.features.assets import rules
from evenhand.infra import fetch
from evenhand.infra.fetch import UnsafeAddress, check_url, is_public, request
from evenhand.pure.trouble import Invalid, Trouble, Upstream
from tests.conftest import World

pytestmark = pytest.mark.anyio
PRIVATE = (
    "127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "169.254.170.2", "100.64.0.1", "100.127.255.255", "192.0.0.1", "192.0.2.1", "198.18.0.1",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe",  # IPv4 in IPv6
    "::127.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2002:0a00:0001::",  # compatible, 6to4
    "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "2001::1", "2001:0:7f00:1::",  # NAT64, Teredo
)  # fmt: skip
PUBLIC = ("93.184.215.14", "8.8.8.8", "1.1.1.1", "172.15.0.1", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8",
          "64:ff9b::808:808", "2002:808:808::1")  # fmt: skip
#: refused when they are sent, before any name server is asked
REFUSED_AT_ONCE = (
    *(f"http://{a}/x.jpg" if ":" not in a else f"http://[{a.replace('%', '%25')}]/x.jpg" for a in PRIVATE),
    "http://localhost/", "http://LOCALHOST:5432/", "http://localhost./", "https://127.0.0.1:5432/",
    "file:///etc/passwd", "ftp://8.8.8.8/x", "gopher://8.8.8.8/", "data:text/plain,x", "javascript:alert(1)",
    "s3://bucket/key", "//8.8.8.8/x", "/etc/passwd", "", "x", "http://", "http:///x", "http://[::1", "http://[x]/",
    "http://8.8.8.8:0/", "http://8.8.8.8:99999/", "http://8.8.8.8:x/", "http://user@8.8.8.8/", "http://u:p@8.8.8.8/",
    "http://8.8.8.8@127.0.0.1/", "http://127.0.0.1#@8.8.8.8/", "http://127.0.0.1?@8.8.8.8/", "http://8.8.8.8\\@127.0.0.1/",
    "http://exa mple.com/", "http://8.8.8.8/\nhost: x", "http://8.8.8.8\r\n/", "http://\x00/", "http://a\u2028b/\x7f",
    "http://127.0.0.1\t/", "HTTP://[::FFFF:7F00:1]/", "http://[::ffff:169.254.169.254]:80/latest/meta-data",
)  # fmt: skip
#: names and old spellings that the resolver turns into private addresses
REFUSED_BY_THE_RESOLVER = (
    "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/", "http://0/", "http://0x7f.1/",
    "http://2852039166/latest/meta-data/", "http://017700000001/", "http://127.0.0.1./",
)  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("url", REFUSED_AT_ONCE)
def test_addresses_that_are_refused_when_sent(url: str) -> None:
    with pytest.raises(Invalid):
        check_url(url)


async def test_old_spellings_are_refused_by_what_they_lead_to() -> None:
    for url in REFUSED_BY_THE_RESOLVER:
        with pytest.raises(Trouble) as caught:
            await request("GET", url, most_bytes=10, timeout_s=2)
        assert isinstance(caught.value, (Invalid, Upstream)), url
        assert "did not answer" not in caught.value.message, f"{url} was connected to"


def resolver(table: dict[str, list[str]]) -> Callable[..., Any]:
    """A name server that gives these answers, and counts how often it is asked."""

    async def getaddrinfo(_: Any, host: str, port: int, **__: Any) -> list[Any]:
        asked.append(host)
        if host not in table:
            raise socket.gaierror("no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in table[host]]

    asked: list[str] = []
    getaddrinfo.asked = asked  # type: ignore[attr-defined]
    return getaddrinfo


async def test_names_that_lead_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {"inside.example": ["10.0.0.5"], "both.example": ["8.8.8.8", "169.254.169.254"], "six.example": ["::1"]}
    monkeypatch.setattr(asyncio.get_running_loop().__class__, "getaddrinfo", resolver(names))
    for name in names:
        with pytest.raises(UnsafeAddress):
            await request("GET", f"http://{name}/x", most_bytes=10)


async def test_a_second_answer_of_the_name_server_is_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: what was checked is what is connected to."""
    ask = resolver({"rebind.example": ["8.8.8.8"]})
    monkeypatch.setattr(asyncio.get_running_loop().__class__, "getaddrinfo", ask)
    seen: list[str] = []

    class Client:
        def __init__(self, **_: Any) -> None: ...

        async def __aenter__(self) -> "Client":
            return self

        async def __aexit__(self, *_: object) -> None: ...

        def build_request(self, _method: str, url: Any, **options: Any) -> Any:
            seen.extend((url.host, options["headers"]["host"], options["extensions"]["sni_hostname"]))
            raise OSError("stop here")

    monkeypatch.setattr(fetch.httpx, "AsyncClient", Client)
    with pytest.raises(Upstream):
        await request("GET", "https://rebind.example:8443/x", most_bytes=10)
    assert seen == ["8.8.8.8", "rebind.example:8443", "rebind.example"]
    assert ask.asked == ["rebind.example"]  # type: ignore[attr-defined]


# --- a hostile server


@dataclass
class Hostile:
    port: int
    replies: dict[str, tuple[int, dict[str, str], bytes]] = field(
        default_factory=dict[str, tuple[int, dict[str, str], bytes]]
    )
    asked: list[str] = field(default_factory=list[str])

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    monkeypatch.setenv(fetch.ALLOW_VARIABLE, "1")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.asked.append(self.path)
            status, headers, body = made.replies.get(self.path, (404, {}, b""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Hostile(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield made
    server.shutdown()
    server.server_close()


async def test_the_operator_may_allow_private_addresses(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile.replies["/x"] = (200, {"content-type": "text/plain"}, b"hello")
    assert (await request("GET", hostile.url("/x"), most_bytes=10)).body == b"hello"
    for value in ("0", "", "true", "yes"):
        monkeypatch.setenv(fetch.ALLOW_VARIABLE, value)
        with pytest.raises(UnsafeAddress):
            await request("GET", hostile.url("/x"), most_bytes=10)


async def test_redirects_are_checked_again(hostile: Hostile, monkeypatch: pytest.MonkeyPatch) -> None:
    inside = "http://169.254.169.254/latest/meta-data"
    bad = (
        inside,
        "file:///etc/passwd",
        "//[::1]/x",
        "http://[::1",
        "gopher://x",
        "http://u:p@8.8.8.8/",
        "http://\x7f/",
    )
    for n, target in enumerate(bad):
        hostile.replies[f"/{n}"] = (302, {"location": target}, b"")
    hostile.replies["/loop"] = (302, {"location": "/loop"}, b"")
    real = fetch.is_public
    # this machine's own server counts as public here, so that the first step is taken and the second is judged
    monkeypatch.setattr(fetch, "is_public", lambda a: a == "127.0.0.1" or real(a))
    monkeypatch.setenv(fetch.ALLOW_VARIABLE, "0")
    for n, target in enumerate(bad):
        with pytest.raises((Invalid, Upstream)):
            await request("GET", hostile.url(f"/{n}"), most_bytes=10)
            pytest.fail(target)
    with pytest.raises(Upstream, match="redirects"):
        await request("GET", hostile.url("/loop"), most_bytes=10)
    assert hostile.asked.count("/loop") == fetch.MOST_REDIRECTS + 1
    # callbacks follow nothing
    assert (await request("GET", hostile.url("/0"), most_bytes=10, follow=False)).status == 302


async def test_a_zip_bomb_is_unfolded_no_further_than_the_limit(hostile: Hostile) -> None:
    bomb = gzip.compress(b"\0" * 200_000_000)  # 194 kB
    packed_twice = gzip.compress(bomb)
    gz = {"content-encoding": "gzip"}
    hostile.replies |= {
        "/bomb": (200, gz, bomb),
        "/twice": (200, {"content-encoding": "gzip, gzip"}, packed_twice),
        "/deflate": (200, {"content-encoding": "deflate"}, zlib.compress(b"x" * 1000)),
        "/br": (200, {"content-encoding": "br"}, b"\x0b\x02\x80hi\x03"),
        "/broken": (200, gz, b"not gzip at all"),
        "/plain": (200, {}, b"x" * 1_000_001),
        "/good": (200, gz, gzip.compress(b"fine" * 1000)),
    }
    for path in ("/bomb", "/twice", "/deflate", "/br", "/broken", "/plain"):
        with pytest.raises(Upstream):
            await request("GET", hostile.url(path), most_bytes=1_000_000)
            pytest.fail(path)
    assert (await request("GET", hostile.url("/good"), most_bytes=1_000_000)).body == b"fine" * 1000


async def test_a_server_that_never_ends_is_left(hostile: Hostile) -> None:
    async def drip(_: Any, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(Upstream):
        await request("GET", f"http://127.0.0.1:{port}/", most_bytes=10_000_000, timeout_s=0.5)
    server.close()


# --- through the doors


async def test_attachments_and_callbacks_inside_are_refused(world: World) -> None:
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    pictures = (await api.post("/api/v1/projects", json={"name": "P", "medium": "image"})).json()["id"]
    texts = (await api.post("/api/v1/projects", json={"name": "T", "medium": "text"})).json()["id"]
    for url in ("http://169.254.169.254/latest", "http://[::1]:5432/", "file:///etc/passwd", "http://[::1", "x"):
        task = await api.post(f"/api/v1/projects/{pictures}/tasks", json={"data": {"image_url": url}})
        assert task.status_code == 400, f"{url}: {task.status_code} {task.text}"
        line = f'{{"data":{{"image_url":"{url}"}}}}'.encode()
        bulk = (await api.post(f"/api/v1/projects/{pictures}/tasks/bulk", content=line)).json()
        assert (bulk["created"], bulk["failed"]) == (0, 1), url
        for path, body in (
            (f"/api/v1/projects/{texts}/tasks", {"data": {"text": "x"}, "callback_url": url}),
            ("/api/v1/projects", {"name": f"C {url}", "medium": "text", "callback_url": url}),
            (f"/api/v1/projects/{texts}/batches", {"name": f"B {url}", "callback_url": url}),
        ):
            reply = await api.post(path, json=body)
            assert reply.status_code == 400, f"{path} {url}: {reply.status_code} {reply.text}"


async def test_what_was_allowed_once_is_checked_when_it_is_fetched(
    world: World, hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule of the moment counts: tasks taken in while private addresses were open end in error, and say so."""
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    project = (await api.post("/api/v1/projects", json={"name": "P", "medium": "image"})).json()["id"]
    hostile.replies["/good.jpg"] = (200, {}, _png(20, 10))
    hostile.replies["/page.jpg"] = (200, {"content-type": "image/jpeg"}, b"<html><script>alert(1)</script>")
    tasks = {
        path: (
            await api.post(f"/api/v1/projects/{project}/tasks", json={"data": {"image_url": hostile.url(path)}})
        ).json()["id"]
        for path in ("/good.jpg", "/page.jpg", "/missing.jpg", "/late.jpg")
    }
    late = tasks.pop("/late.jpg")
    async with world.db.tx(acme.live, acme.actor) as tx:
        await tx.conn.execute("update evenhand.job set run_at = now() + interval '1 hour' where job_id ="
                              " (select max(job_id) from evenhand.job)")  # fmt: skip
    await world.drain()
    states = {path: (await api.get(f"/api/v1/tasks/{task}")).json()["state"] for path, task in tasks.items()}
    assert states == {"/good.jpg": "open", "/page.jpg": "error", "/missing.jpg": "error"}
    monkeypatch.delenv(fetch.ALLOW_VARIABLE)
    async with world.db.tx(acme.live, acme.actor) as tx:
        await tx.conn.execute("update evenhand.job set run_at = now() where state = 'ready'")
    await world.drain()
    found = (await api.get(f"/api/v1/tasks/{late}")).json()
    assert found["state"] == "error" and "private" in found["error"]
    assert "/late.jpg" not in hostile.asked


def _png(width: int, height: int, mode: str = "1") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, "PNG")
    return out.getvalue()


def test_pictures_that_unfold_to_gigabytes_are_refused_by_their_head() -> None:
    head = _png(16, 16)
    giant = bytearray(head)
    giant[16:24] = (60_000).to_bytes(4, "big") * 2  # 3.6 billion pixels, in the header only
    giant[29:33] = zlib.crc32(bytes(giant[12:29])).to_bytes(4, "big")
    for call in (rules.sniff, rules.check_picture):
        with pytest.raises(rules.Undecodable):
            call(bytes(giant))


def test_broken_pictures_are_no_bug() -> None:
    whole = _png(300, 300, "RGB")
    for cut in (8, 20, 33, 60, len(whole) // 2):
        for call in (rules.check_picture, rules.thumbnail):
            with pytest.raises(rules.Undecodable):
                call(whole[:cut])
    assert rules.sniff(b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>").type == "text/plain"
    assert rules.sniff(b"<!doctype html><script>1</script>").type == "text/plain"
    assert rules.sniff(b"\x89PNG\r\n\x1a\n<html>").type == "application/octet-stream"
    assert rules.sniff(b"GIF89a/*<script>*/").type in ("application/octet-stream", "text/plain", "image/gif")

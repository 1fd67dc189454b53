"""The security team's feed, to real receivers: each event at least once, in the order of its counter, and signed."""

import asyncio
import datetime as dt
import hmac
import ipaddress
import json
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evenhand.features.projects.types import ProjectCreated
from evenhand.features.trust import feeds
from evenhand.features.trust.sequencer import tick
from evenhand.infra.facts import record
from evenhand.infra.fetch import UnsafeAddress
from evenhand.infra.syslog import send
from evenhand.pure.syslog import framed, message
from evenhand.pure.trouble import Invalid, Upstream
from tests.conftest import Customer, World
from tests.features.trust.test_log import OWNER, log_in

pytestmark = pytest.mark.anyio


@dataclass
class Receiver:
    """What came: requests of a webhook, or bytes of a stream. answers: status of each request, then 200."""

    answers: list[int] = field(default_factory=list[int])
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list[tuple[dict[str, str], bytes]])
    stream: bytes = b""
    port: int = 0

    async def hook(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in head.splitlines()[1:] if line)}
        self.requests.append((headers, await reader.readexactly(int(headers["content-length"]))))
        status = self.answers.pop(0) if self.answers else 200
        writer.write(b"HTTP/1.1 %d X\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
        await writer.drain()
        writer.close()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(65536):
            self.stream += piece
        writer.close()

    def events(self) -> list[dict[str, Any]]:
        """Of the webhook, in the order in which they came."""
        return [event for _, body in self.requests for event in json.loads(body)["events"]]

    def messages(self) -> list[dict[str, Any]]:
        """Of syslog, by their lengths."""
        out: list[dict[str, Any]] = []
        rest = self.stream
        while rest:
            length, _, rest = rest.partition(b" ")
            out.append(json.loads(rest[: int(length)].split(b" - ", 2)[2]))
            rest = rest[int(length) :]
        return out


@asynccontextmanager
async def receiving(
    webhook: bool, *, secure: ssl.SSLContext | None = None, answers: tuple[int, ...] = ()
) -> AsyncIterator[Receiver]:
    made = Receiver(list(answers))
    server = await asyncio.start_server(made.hook if webhook else made.take, "127.0.0.1", 0, ssl=secure)
    made.port = server.sockets[0].getsockname()[1]
    yield made
    server.close()


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")


async def act(world: World, acme: Customer, names: range) -> None:
    for n in names:
        async with world.db.tx(acme.live, OWNER) as tx:
            await record(tx, ProjectCreated("1" * 24, f"{n}"))


async def add(world: World, acme: Customer, url: str, **more: Any) -> dict[str, Any]:
    made = await world.keyed(acme.live_key).post("/api/v1/trust/feeds", json={"url": url, **more})
    assert made.status_code == 200, made.text
    return made.json()["items"][-1]


@pytest.mark.usefixtures("private")
async def test_a_webhook_gets_each_event_in_order_and_can_tell_who_sent_it(world: World, tmp_path: Path) -> None:
    this, acme, rival = log_in(tmp_path), await world.customer("Acme"), await world.customer("Rival")
    async with receiving(True, answers=(500, 302)) as receiver:
        feed = await add(world, acme, f"http://127.0.0.1:{receiver.port}/in", everything=True)
        await act(world, acme, range(150))
        await act(world, rival, range(3))
        await tick(world.db, this)
        told = 0
        for _ in range(8):
            told += await feeds.tell_due(world.db, "log.example")
            async with world.db.tx(acme.live, OWNER) as tx:
                await tx.conn.execute("update evenhand.feed set next_at = clock_timestamp()")
        count = len(receiver.requests)
        assert await feeds.tell_due(world.db, "log.example") == 0 and len(receiver.requests) == count
        headers, body = receiver.requests[-1]
        at, mac = re.fullmatch(r"t=(\d+),v1=([0-9a-f]{64})", headers["evenhand-signature"]).groups()  # type: ignore[union-attr]
        wanted = hmac.new(feed["secret"].encode(), f"{at}.".encode() + body, "sha256").hexdigest()
        assert hmac.compare_digest(mac, wanted) and headers["evenhand-feed-id"] == feed["id"]
        counters = [event["counter"] for event in receiver.events()]
        async with world.db.tx(acme.live, OWNER) as tx:
            last = await tx.conn.fetchval("select count from evenhand.log_member where org_id = $1", acme.live)
        assert set(counters) == set(range(2, last + 1)), "an event is missing, or somebody else's"
        first = [c for at, c in enumerate(counters) if c not in counters[:at]]
        assert first == sorted(first), "not in order"
        assert counters[:100] == counters[100:200] == counters[200:300], "what was refused is told again"
        assert [e["data"]["kind"] for e in receiver.events()[200:] if e["kind"] == "ProjectCreated"] == [
            f"{n}" for n in range(150)
        ]
        assert all(e["org"] == acme.live for e in receiver.events())
        seen = (await world.keyed(acme.live_key).get("/api/v1/trust/feeds")).json()["items"][0]
        assert (seen["behind"], seen["tries"], seen["error"], seen["on"]) == (0, 0, "", True)


@pytest.mark.usefixtures("private")
async def test_a_receiver_that_fails_is_told_so_and_goes_on_where_it_was(world: World, tmp_path: Path) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    await act(world, acme, range(2))
    await tick(world.db, this)
    api = world.keyed(acme.live_key)
    async with receiving(True) as receiver:
        port = receiver.port
        feed = await add(world, acme, f"http://127.0.0.1:{port}/in")
    await act(world, acme, range(2, 5))
    await tick(world.db, this)
    assert await feeds.tell_due(world.db, "x") == 0
    failed = (await api.get("/api/v1/trust/feeds")).json()["items"][0]
    assert failed["tries"] == 1 and "did not answer" in failed["error"] and failed["behind"] >= 3
    assert await feeds.tell_due(world.db, "x") == 0, "it is not asked again at once"
    off = (await api.patch(f"/api/v1/trust/feeds/{feed['id']}", json={"on": False})).json()["items"][0]
    assert off["on"] is False
    receiver = Receiver()
    server = await asyncio.start_server(receiver.hook, "127.0.0.1", port)
    assert await feeds.tell_due(world.db, "x") == 0 and not receiver.requests
    await api.patch(f"/api/v1/trust/feeds/{feed['id']}", json={"on": True})
    await tick(world.db, this)
    assert await feeds.tell_due(world.db, "x") >= 3
    kinds = [e["kind"] for e in receiver.events()]
    assert kinds.count("ProjectCreated") == 3 and {"FeedAdded", "FeedChanged"} <= set(kinds)
    assert (await api.delete(f"/api/v1/trust/feeds/{feed['id']}")).json()["items"] == []
    server.close()


@pytest.mark.usefixtures("private")
@pytest.mark.parametrize("secure", [False, True], ids=["tcp", "tls"])
async def test_syslog_gets_them_on_a_stream(world: World, tmp_path: Path, secure: bool) -> None:
    this, acme = log_in(tmp_path), await world.customer("Acme")
    serve, trust = certificates(tmp_path) if secure else (None, None)
    async with receiving(False, secure=serve) as receiver:
        where = f"syslog+{'tls' if secure else 'tcp'}://127.0.0.1:{receiver.port}"
        feed = await add(world, acme, where, everything=True)
        await act(world, acme, range(120))
        await tick(world.db, this)
        took = 0
        while more := await feeds.deliver(world.db, acme.live, feed["id"], "log.example", trust):
            took += more
        async with asyncio.timeout(5):
            while len(receiver.messages()) < took:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    counters = [one["counter"] for one in receiver.messages()]
    assert counters == list(range(2, took + 2)) and took > 120


async def test_syslog_gets_them_as_datagrams(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")
    came: asyncio.Queue[bytes] = asyncio.Queue()

    class Take(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: Any) -> None:
            came.put_nowait(data)

    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(Take, local_addr=("127.0.0.1", 0))
    port = transport.get_extra_info("sockname")[1]
    at = dt.datetime(2026, 11, 23, 5, 0, 1, 250, tzinfo=dt.UTC)
    sent = [message("log.example", "TaskViewed", at, {"counter": n, "who": "Zoë"}) for n in range(3)]
    await send(f"syslog+udp://127.0.0.1:{port}", sent)
    assert [await asyncio.wait_for(came.get(), 5) for _ in sent] == sent
    assert (
        sent[1]
        == b'<109>1 2026-11-23T05:00:01.000250Z log.example evenhand - TaskViewed - {"counter":1,"who":"Zo\\u00eb"}'
    )
    assert framed(b"abc") == b"3 abc" and message("a b", "", at, {}).startswith(
        b"<109>1 2026-11-23T05:00:01.000250Z a_b evenhand - - - {"
    )
    transport.close()


async def test_a_tls_receiver_must_be_who_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENHAND_ALLOW_PRIVATE_ADDRESSES", "1")
    serve, _ = certificates(tmp_path)
    async with receiving(False, secure=serve) as receiver:
        with pytest.raises(Upstream):
            await send(f"syslog+tls://127.0.0.1:{receiver.port}", [b"secret"])
        assert receiver.stream == b""


async def test_feeds_do_not_lead_inside(world: World) -> None:
    """Nor in the clear, nor to what is no receiver; a viewer has no say."""
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    for url in (
        "http://siem.example/", "https://127.0.0.1/", "https://localhost/", "syslog+tls://10.0.0.1:6514", "syslog+tcp://[::1]:601",
        "syslog+tls://u@siem.example", "syslog+tls://siem.example/x", "ftp://siem.example/", "syslog://siem.example", "https://a:b@c/",
    ):  # fmt: skip
        said = await api.post("/api/v1/trust/feeds", json={"url": url})
        assert said.status_code == 400, (url, said.text)
    with pytest.raises((UnsafeAddress, Invalid)):
        await send("syslog+udp://127.0.0.1:514", [b"x"])
    assert (await api.post("/api/v1/trust/feeds", json={"url": "syslog+tls://siem.example"})).status_code == 200
    again = await api.post("/api/v1/trust/feeds", json={"url": "syslog+tls://siem.example"})
    assert again.status_code == 409


def certificates(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """(the receiver's, one that believes it)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "siem")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem = folder / "siem.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    serve = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serve.load_cert_chain(pem)
    return serve, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())

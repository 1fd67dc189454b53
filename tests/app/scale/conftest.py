"""One server for all tests of the compatible door, and the official client, unmodified."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image
from scaleapi import ScaleClient

from tests.serving import Elsewhere, Org, Serving, elsewhere, serving


@pytest.fixture(scope="session")
def server() -> Iterator[Serving]:
    with serving() as made:
        yield made


@pytest.fixture(scope="session")
def other() -> Iterator[Elsewhere]:
    with elsewhere() as made:
        picture = io.BytesIO()
        Image.new("RGB", (64, 48), (200, 30, 30)).save(picture, "PNG")
        made.put("cat.png", "image/png", picture.getvalue())
        made.put("broken.png", "image/png", b"\x89PNG\r\n\x1a\nnot a picture")
        made.put("note.txt", "text/plain", "Grüße aus Genf".encode())
        yield made


@pytest.fixture(scope="session")
def org(server: Serving) -> Org:
    made = server.customer("Acme")
    for space in (made.live, made.test):
        server.member("ada@acme.example", "owner", space)
    server.member("lee@workers.example", "annotator", made.live, made.test)
    return made


def client_for(server: Serving, key: str) -> ScaleClient:
    made = ScaleClient(key, source="tests", api_instance_url=f"{server.url}/v1")
    made.v2.api_client.configuration.host = server.url
    return made


@pytest.fixture(scope="session")
def client(server: Serving, org: Org) -> ScaleClient:
    """The official client with a test key."""
    return client_for(server, org.test_key)


@pytest.fixture(scope="session")
def live(server: Serving, org: Org) -> ScaleClient:
    """The official client with a live key."""
    return client_for(server, org.live_key)


def next_of(person: Any, task: str) -> dict[str, Any]:
    """The assignment of one task; others in the queue are given back."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        reply = person.post("/work/next", json={"want": 3})
        assert reply.status_code == 200, reply.text
        found = reply.json()["assignments"]
        mine = [a for a in found if a["task"] == task]
        others = [a["handle"] for a in found if a["task"] != task]
        person.post("/work/release", json={"handles": others})
        if mine:
            return mine[0]
        time.sleep(0.1)
    raise AssertionError("the task was not handed out")


@pytest.fixture
def eventually() -> Callable[..., Any]:
    """Asks again until the answer is a yes."""

    def wait(ask: Callable[[], Any], within_s: float = 15) -> Any:
        deadline = time.monotonic() + within_s
        while True:
            found = ask()
            if found:
                return found
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.1)

    return wait

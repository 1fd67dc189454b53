"""A reply in pieces: what fails before the first is told, what fails later leaves the reply without its end."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest

from evenhand.app.http.streaming import streamed
from evenhand.app.logs import Discreet, on_loop_error

pytestmark = pytest.mark.anyio
CONTENT = "what a customer wrote"
SCOPE = {"type": "http", "method": "GET", "asgi": {"spec_version": "2.3"}}


async def pieces(most: int, err: Exception | None) -> AsyncIterator[bytes]:
    for n in range(most):
        yield b"%d" % n
    if err is not None:
        raise err


async def sent(most: int, err: Exception | None) -> list[Any]:
    out: list[Any] = []
    gone = asyncio.Event()

    async def receive() -> dict[str, Any]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        out.append(message)

    reply = await streamed(pieces(most, err), 200, {"x-a": "b"}, "text/plain")
    await reply(SCOPE, receive, send)
    return out


async def test_a_whole_one_has_an_end() -> None:
    for most in (0, 1, 3):
        messages = await sent(most, None)
        assert b"".join(m.get("body", b"") for m in messages) == b"012"[:most]
        assert messages[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def test_one_that_breaks_off_has_none(caplog: pytest.LogCaptureFixture) -> None:
    messages = await sent(2, ConnectionResetError(CONTENT))
    assert messages[0]["status"] == 200 and len(messages) == 3
    assert all(m.get("more_body", True) for m in messages), "nobody takes a part for the whole"
    assert "broke off after it had begun (ConnectionResetError, 503)" in caplog.text
    assert "a bug" not in caplog.text and CONTENT not in caplog.text
    await sent(2, LookupError(CONTENT))
    assert "a bug: LookupError" in caplog.text and CONTENT not in caplog.text


async def test_what_fails_at_once_is_told_as_any_request() -> None:
    with pytest.raises(ConnectionResetError):
        await sent(0, ConnectionResetError(CONTENT))


def test_errors_of_libraries_are_logged_by_kind_and_place() -> None:
    try:
        raise ValueError(CONTENT)
    except ValueError as err:
        found = logging.LogRecord("uvicorn.error", logging.ERROR, "", 1, "Exception in it", None,
                                  (type(err), err, err.__traceback__))  # fmt: skip
    said = Discreet("%(message)s").format(found)
    assert said.startswith("Exception in it\na bug: ValueError") and CONTENT not in said


async def test_errors_that_nobody_waited_for_are_too(caplog: pytest.LogCaptureFixture) -> None:
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(on_loop_error)

    async def forgotten() -> None:
        raise ValueError(CONTENT)

    task = loop.create_task(forgotten())
    await asyncio.wait([task])
    del task
    loop.set_exception_handler(before)
    assert "a bug: Task exception was never retrieved: ValueError" in caplog.text and CONTENT not in caplog.text

"""What one process changed of an organisation's keys, the others hear at once: a word of the database, with the id of the
organisation in it. Where nobody listens, keys still end by themselves within their minutes."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import asyncpg

from evenhand.infra.sql import Sql

log = logging.getLogger("evenhand.keys")
_CHANNEL = "evenhand_keys"
_AGAIN_S = 1.0  # until the next attempt
_PROBE_S, _ANSWER_S = 30.0, 10.0  # how often to see whether the database is there, and how long it may take to say so

#: in the transaction that changes wrapped keys: it is heard when that commits, and not if it does not
KEYS_CHANGED = Sql("keys_changed", f"select pg_notify('{_CHANNEL}', %(org)s)")


async def hear(url: str, heard: Callable[[str], None], everything: Callable[[], None]) -> None:
    """Calls `heard` with each organisation whose keys were changed, until it is cancelled. `everything`: words may have been
    missed, so all that is held is to be read anew."""
    while True:
        try:
            await _listen(url, heard, everything)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as err:
            log.info("nobody tells of changed keys now (%s); trying again", type(err).__name__)
        await asyncio.sleep(_AGAIN_S)


async def _listen(url: str, heard: Callable[[str], None], everything: Callable[[], None]) -> None:
    conn: Any = await asyncpg.connect(
        url, timeout=10, command_timeout=_ANSWER_S, server_settings={"application_name": "evenhand hearing"}
    )
    ended = asyncio.Event()

    def told(_conn: Any, _pid: int, _channel: str, org_id: object) -> None:
        heard(str(org_id))

    def over(_conn: Any) -> None:
        ended.set()

    conn.add_termination_listener(over)
    try:
        await conn.add_listener(_CHANNEL, told)
        everything()
        while not ended.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ended.wait(), _PROBE_S)
                break
            await conn.execute("select 1")
    finally:
        conn.terminate()

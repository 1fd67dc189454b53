"""`evenhand neutrality`: makes every published number again from the published rows."""

import argparse
from pathlib import Path
from typing import Any

import httpx
import msgspec

from evenhand.app.cli import show
from evenhand.features.trust.neutrality import Neutrality
from evenhand.infra.home import plain_reason
from evenhand.pure.fairness.published import Publication, Versus, faults
from evenhand.pure.trouble import Invalid, Upstream

_PATH = "/api/v1/neutrality"
_MOST = 64 << 20


def check(given: argparse.Namespace) -> int:
    """Compares and says what came out. 1 where a number differs."""
    found = _decoded(_read(given.source), given.source)
    wrong = [sentence for one in found.publications for sentence in faults(one)]
    if given.json:
        show.as_json({"publications": len(found.publications), "wrong": wrong})
        return 1 if wrong else 0
    show.table(
        ("day", "work", "customers", "Jain's index", "affiliates served more by", "p", "detectable"),
        [_line(one) for one in found.publications],
        empty=f"Nothing is published yet: a day is shown {found.delay_h} hours after its end.",
    )
    for sentence in wrong:
        show.line(f"wrong: {sentence}")
    if found.publications:
        show.line(f"Recomputed from the published rows: {len(found.publications)}. Numbers that differ: {len(wrong)}.")
    return 1 if wrong else 0


def _line(one: Publication) -> tuple[Any, ...]:
    seen, few = one.figures, "not shown: too few"
    test: Versus | None = seen.service_test
    return (
        one.day, one.work, seen.customers, few if seen.jain is None else f"{seen.jain:.4f}",
        few if test is None else _percent(test.difference), "" if test is None else f"{test.p:.4f}",
        "" if test is None else _percent(test.detectable),
    )  # fmt: skip


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _read(source: str) -> bytes:
    if not source.startswith(("http://", "https://")):
        try:
            return Path(source).read_bytes()
        except OSError as err:
            raise Invalid(f"{source} can't be read: {plain_reason(err)}.", hint="Give a file or an address.") from err
    url = source if source.endswith(_PATH) else source.rstrip("/").removesuffix("/neutrality") + _PATH
    try:
        with httpx.stream("GET", url, timeout=60) as reply:
            raw = b""
            for piece in reply.iter_bytes():
                raw += piece
                if len(raw) > _MOST:
                    raise Upstream(f"{url} sends more than 64 MB.")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as err:
        raise Upstream(f"{url} can't be reached.", hint="Is the server up, and the address right?") from err
    if reply.status_code != 200:
        raise Upstream(f"{url} answers {reply.status_code}.", hint="Give the address of an Evenhand server.")
    return raw


def _decoded(raw: bytes, source: str) -> Neutrality:
    try:
        return msgspec.json.decode(raw, type=Neutrality)
    except msgspec.MsgspecError as err:
        raise Invalid(f"{source} holds no neutrality figures: {err}", hint=f"A server has them at {_PATH}.") from err

"""`evenhand neutrality`: makes every published number again from the published rows."""

import argparse
import hashlib
from pathlib import Path
from typing import Any

import httpx
import msgspec

from evenhand.app.cli import show
from evenhand.features.trust.neutrality import Neutrality
from evenhand.infra.home import plain_reason
from evenhand.pure.fairness.published import Publication, Versus, faults
from evenhand.pure.fairness.weeks import PublishedWeek, chained, digest, week_faults
from evenhand.pure.trouble import Invalid, Upstream

_PATH = "/api/v1/neutrality"
_MOST = 64 << 20


def check(given: argparse.Namespace) -> int:
    """Compares and says what came out. 1 where a number differs."""
    found = _decoded(_read(given.source, given.week), given.source)
    wrong = [sentence for one in found.publications for sentence in faults(one)]
    again = {week.week: week_faults(week, found.publications) for week in found.weeks}
    wrong += [sentence for faulty in again.values() for sentence in faulty or ()]
    wrong += broken(found)
    elsewhere = [monday for monday, faulty in again.items() if faulty is None]
    head = found.chain[0].head if found.chain else ""
    if given.json:
        told: dict[str, Any] = {"publications": len(found.publications), "weeks": len(found.weeks), "wrong": wrong}
        show.as_json({**told, "weeks_not_checked": elsewhere, "head": head})
        return 1 if wrong else 0
    show.table(
        ("day", "work", "customers", "Jain's index", "affiliates served more by", "p", "detectable"),
        [_line(one) for one in found.publications],
        empty=f"Nothing is published yet: a day is shown {found.delay_h} hours after its end.",
    )
    if found.weeks:
        show.table(
            ("week", "affiliates served more by", "p", "detectable"), [_week(one) for one in found.weeks], empty=""
        )
    for sentence in wrong:
        show.line(f"wrong: {sentence}")
    if found.publications:
        show.line(f"Recomputed from the published rows: {len(found.publications)}. Numbers that differ: {len(wrong)}.")
        show.line(
            f"Publication {found.chain[0].number} of the chain: {head}. The log's epochs name the newest of their time."
        )
    if elsewhere:
        show.line(f"Not checked, since their days are not among these: {', '.join(elsewhere)}. Take each with --week.")
    return 1 if wrong else 0


def _line(one: Publication) -> tuple[Any, ...]:
    seen, few = one.figures, "not shown: too few"
    test: Versus | None = seen.service_test
    return (
        one.day, one.work, seen.customers, few if seen.jain is None else f"{seen.jain:.4f}",
        few if test is None else _percent(test.difference), "" if test is None else f"{test.p:.4f}",
        "" if test is None else _percent(test.detectable),
    )  # fmt: skip


def _week(one: PublishedWeek) -> tuple[Any, ...]:
    test = one.service_test
    if test is None:
        return one.week, "not shown: too few", "", ""
    return one.week, _percent(test.difference), f"{test.p:.4f}", _percent(test.detectable)


def broken(found: Neutrality) -> list[str]:
    """Where a publication is not the one in the chain, or the chain does not hold, a sentence each."""
    out: list[str] = []
    digests = {(one.day, one.work): digest(one) for one in found.publications}
    digests |= {(one.week, ""): hashlib.sha256(msgspec.json.encode(one)).hexdigest() for one in found.weeks}
    for newer, link in enumerate(found.chain, -1):
        if digests.get((link.day, link.work), link.sha256) != link.sha256:
            out.append(f"{link.day}, {link.work or 'the week'}: it is not what the chain has as number {link.number}")
        if newer >= 0:
            after = found.chain[newer]
            if chained(bytes.fromhex(link.head), bytes.fromhex(after.sha256)).hex() != after.head:
                out.append(f"number {after.number} of the chain does not follow from number {link.number}")
    return out


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.2%}"


def _read(source: str, week: str | None) -> bytes:
    if not source.startswith(("http://", "https://")):
        try:
            return Path(source).read_bytes()
        except OSError as err:
            raise Invalid(f"{source} can't be read: {plain_reason(err)}.", hint="Give a file or an address.") from err
    url = source if source.endswith(_PATH) else source.rstrip("/").removesuffix("/neutrality") + _PATH
    try:
        with httpx.stream("GET", url, params={"week": week} if week else None, timeout=60) as reply:
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

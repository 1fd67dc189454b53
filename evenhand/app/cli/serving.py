"""Commands on the installation as a whole: status, doctor, backup, restore."""

import argparse
import os
import ssl
import sys
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

import msgspec

from evenhand.app.cli import show
from evenhand.app.cli.people import with_services
from evenhand.app.opening import URL_VARIABLE
from evenhand.app.services import Services
from evenhand.app.settings import settings_from_environment
from evenhand.app.surprises import surprises
from evenhand.features.assets.unused import swept
from evenhand.features.people import actions as people
from evenhand.features.people.types import Mode
from evenhand.infra.db import SYSTEM
from evenhand.infra.home import Home
from evenhand.infra.jobs import job_counts
from evenhand.infra.postgres import backup as backups
from evenhand.infra.postgres import doctor as doctors
from evenhand.infra.postgres import restore as restores

_MARKS = {"ok": "ok  ", "warn": "mind", "fail": "FAIL"}


def _health(port: int, secure: bool) -> str:
    """What the server of this installation says of itself; "" when nothing answers."""
    if secure:  # our own certificate names the public host, not this one
        unverified = ssl.create_default_context()
        unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
        door = HTTPSConnection("127.0.0.1", port, timeout=3, context=unverified)
    else:
        door = HTTPConnection("127.0.0.1", port, timeout=3)
    try:
        door.request("GET", "/healthz")
        return str(msgspec.json.decode(door.getresponse().read())["status"])
    except (OSError, HTTPException, msgspec.MsgspecError, KeyError, TypeError):
        return ""
    finally:
        door.close()


async def _dropped(s: Services, org: str) -> int:
    """How many files that nothing needed have gone, in both spaces of an organisation."""
    count = 0
    modes: tuple[Mode, ...] = ("live", "test")
    for mode in modes:
        async with s.db.tx((await people.find_org(s.db, org, mode)).id, SYSTEM) as tx:
            count += (await swept(tx)).files
    return count


def status(given: argparse.Namespace) -> int:
    settings = settings_from_environment()
    if not os.environ.get(URL_VARIABLE) and not (settings.home.path / "pg").exists():
        if given.json:
            show.as_json(
                {
                    "running": False,
                    "home": str(settings.home.path),
                    "organisations": [],
                    "people": 0,
                    "jobs": {},
                    "unused_files_dropped": 0,
                }
            )
        else:
            show.line(f"There is no Evenhand in {settings.home.path} yet. Start one: evenhand up --demo")
        return 0
    health = _health(settings.port, bool(settings.tls_cert))

    async def work(s: Services) -> dict[str, Any]:
        members = await people.member_counts(s.db)
        waiting, jobs = await job_counts(s.db)
        found = await people.list_orgs(s.db)
        orgs = [
            {"id": o.id, "name": o.name, "members": members.get(o.id, 0), "waiting": waiting.get(o.id, 0)}
            for o in found
        ]
        return {
            "running": health != "",
            "health": health or None,
            "url": settings.public_url,
            "home": str(settings.home.path),
            "organisations": orgs,
            "people": len(await people.people_overview(s.db)),
            "jobs": jobs,
            "unused_files_dropped": sum([await _dropped(s, org.id) for org in found]),
        }

    found = with_services(work)
    if given.json:
        show.as_json(found)
        return 0
    if health:
        show.line(f"Evenhand serves at {settings.public_url} ({health}).")
    else:
        show.line(f"The server does not run. Start it: evenhand up   (home: {settings.home.path})")
    show.line(f"{found['people']} people; jobs: {', '.join(f'{n} {k}' for k, n in found['jobs'].items()) or 'none'}")
    if found["unused_files_dropped"]:
        show.line(f"{found['unused_files_dropped']:,} files that nothing needed have been dropped.")
    show.line()
    show.table(
        ("organisation", "members", "jobs waiting"),
        [(o["name"], o["members"], o["waiting"]) for o in found["organisations"]],
        empty="No organisation yet. Make one: evenhand org create NAME",
    )
    return 0


def doctor(given: argparse.Namespace) -> int:
    found = [*surprises(os.environ), *doctors.examine(Home.from_environment())]
    bad = sum(check.verdict == "fail" for check in found)
    if given.json:
        show.as_json([{"name": c.name, "verdict": c.verdict, "sentence": c.sentence, "hint": c.hint} for c in found])
        return 1 if bad else 0
    for check in found:
        show.line(f"{_MARKS[check.verdict]}  {check.sentence}")
        if check.hint and check.verdict != "ok":
            show.line(f"      {check.hint}")
    show.line()
    show.line("Nothing is wrong." if not bad else f"{bad} thing{'s' if bad > 1 else ''} to put right.")
    return 1 if bad else 0


def _progress(words: str) -> None:
    sys.stderr.write(f"  {words} ...\n")
    sys.stderr.flush()


def _print_report(given: argparse.Namespace, report: backups.Report, words: str) -> None:
    if given.json:
        show.as_json(
            {
                "file": str(report.file),
                "keys_file": str(report.keys_file),
                "bytes": report.bytes,
                "tables": report.tables,
                "rows": report.rows,
                "objects": report.objects,
                "made_at": report.made_at,
                "verified": report.verified,
            }
        )
        return
    show.line(
        f"{words}: {report.rows:,} rows of {report.tables} tables, {report.objects:,} files, "
        f"{report.bytes / 1e6:.1f} MB."
    )


def backup(given: argparse.Namespace) -> int:
    home = Home.from_environment()
    url = given.database_url or os.environ.get(URL_VARIABLE) or None
    keys = Path(given.keys_file) if given.keys_file else None
    report = backups.backup(home, Path(given.file), keys_file=keys, database_url=url, progress=_progress)
    _print_report(given, report, f"Wrote {report.file}")
    if not given.json:
        show.line(f"The keys are in {report.keys_file}: keep that file elsewhere. Without it the backup opens nothing.")
    return 0


def restore(given: argparse.Namespace) -> int:
    home = Home.from_environment()
    keys = Path(given.keys_file) if given.keys_file else None
    report = restores.restore(Path(given.file), home, keys_file=keys, verify=given.verify, progress=_progress)
    _print_report(given, report, f"Restored into {home.path}")
    if not given.json and report.verified:
        show.line("Every table and every file is what was backed up.")
    return 0

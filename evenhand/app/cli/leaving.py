"""Commands on what is kept and what goes: retention, legal holds, deletion with its certificate."""

import argparse
import os
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from evenhand.app.cli import show
from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.progress import Progress
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Conflict, Invalid

_LOOK_S = 0.5
_SILENT_S = 60.0


def project_data(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        data = api.get(f"/projects/{api.project(given.project)['id']}/data")
    return _show_data(given, data)


def _show_data(given: argparse.Namespace, data: dict[str, Any]) -> int:
    if given.json:
        show.as_json(data)
        return 0
    rule = data["retention"]
    if data["project"]:
        show.pairs(
            (("kept after a task is done", _days(rule["done_days"])), ("kept after the end", _days(rule["ended_days"])))
        )
    for hold in data["holds"]:
        what = "this project" if hold["project"] else "the whole organisation"
        show.line(f"Legal hold on {what} since {show.moment(hold['since'])}: {hold['reason']}")
    show.line()
    show.table(
        ("deletion", "of", "state", "tasks", "answers", "files", "asked"),
        [
            (d["id"], d["reason"], d["state"], d["tasks"], d["answers"], d["files"], show.moment(d["asked_at"]))
            for d in data["deletions"]
        ],
        empty="Nothing of it was deleted.",
    )
    return 0


def _days(days: int | None) -> str:
    return f"{days:,} days" if days is not None else "without an end"


def retention(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        rule = api.put(
            f"/projects/{project['id']}/retention", {"done_days": given.done_days, "ended_days": given.ended_days}
        )
    if given.json:
        show.as_json(rule)
    else:
        show.line(f"Tasks of {project['name']} are kept for {_days(rule['done_days'])} after they are done,")
        show.line(f"and for {_days(rule['ended_days'])} after the project is archived.")
    return 0


def _holds(given: argparse.Namespace, holds: dict[str, Any], words: str) -> int:
    if given.json:
        show.as_json(holds["items"])
    else:
        show.line(words)
    return 0


def hold_project(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        holds = api.put(f"/projects/{project['id']}/hold", {"reason": given.reason})
    return _holds(given, holds, f"Nothing of {project['name']} is deleted until the hold is released.")


def release_project(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        holds = api.delete(f"/projects/{project['id']}/hold")
    left = "; the organisation is still held" if holds["items"] else ""
    return _holds(given, holds, f"Released {project['name']}{left}.")


def confirmed(name: str, what: str, yes: bool) -> str:
    """The name, typed by a person or confirmed with --yes."""
    if yes:
        return name
    if not sys.stdin.isatty():
        raise Invalid(f"Deleting {what} can't be undone.", hint="Add --yes to confirm it.")
    sys.stderr.write(f"This deletes {what} for good. Type its name to confirm: ")
    sys.stderr.flush()
    typed = sys.stdin.readline().strip()
    if typed != name:
        raise Invalid("That is not its name, so nothing was deleted.", hint=f"It is called: {name}")
    return typed


def delete_project(given: argparse.Namespace) -> int:
    target = _free(given.certificate)
    with open_api(given) as api:
        project = api.project(given.project)
        confirm = confirmed(project["name"], f"the project {project['name']} with everything in it", given.yes)
        gone = api.post(f"/projects/{project['id']}/delete", {"confirm": confirm})
        if target is not None:
            gone = _wait(api, gone)
            with _kept(target) as file:
                file.write(gone["certificate"])
    if given.json:
        show.as_json(gone)
    elif target is None:
        show.line(
            f"{project['name']} is being deleted ({gone['id']}). The server goes on with it, and signs when it is done."
        )
    else:
        show.line(
            f"Deleted {project['name']}: {gone['tasks']:,} tasks, {gone['answers']:,} answers, {gone['files']:,} files."
        )
        show.line(f"The certificate is in {target}; `evenhand evidence` has it too.")
    return 0


def org_data(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        data = api.get("/org/data")
    return _show_data(given, data)


def hold_org(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        holds = api.put("/org/hold", {"reason": given.reason})
    return _holds(given, holds, "Nothing in this space is deleted until the hold is released.")


def release_org(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        holds = api.delete("/org/hold")
    return _holds(
        given,
        holds,
        f"Released; {len(holds['items'])} of its projects are still held." if holds["items"] else "Released.",
    )


def leave(given: argparse.Namespace) -> int:
    target = _free(given.receipts)
    assert target is not None  # it is required
    with open_api(given) as api:
        space = api.get("/org")
        what = (
            "everything in the live and the test space" if space["mode"] == "live" else "everything in the test space"
        )
        confirm = confirmed(space["name"], f"{what} of {space['name']}", given.yes)
        with _kept(target) as file:  # before anything goes: without its receipts nobody opens the evidence
            left = api.post("/org/leave", {"confirm": confirm})["items"]
            for one in left:
                file.write(f"{one['mode']} {one['organisation']} {one['receipt']}\n")
        if given.json:
            show.as_json(left)
            return 0
    show.line(f"{space['name']} is closed, and {what} is being deleted by the server.")
    show.line(
        f"Keep {target}: each line ends in a receipt, and SERVER/api/v1/leaving/RECEIPT/evidence gives the last evidence."
    )
    return 0


def _free(name: str | None) -> Path | None:
    if name is None:
        return None
    if Path(name).exists():
        raise Conflict(f"{name} exists already.", hint="Name another file.")
    return Path(name)


@contextmanager
def _kept(target: Path) -> Generator[IO[str]]:
    """A new file that only its owner reads, on the disk when the block ends."""
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as err:
        raise Invalid(f"{target} can't be written: {plain_reason(err)}.", hint="Name another file.") from err
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _wait(api: Api, gone: dict[str, Any]) -> dict[str, Any]:
    """Until it is done; trouble when it stands still, which it does where no server runs or a hold came between."""
    moved, seen = time.monotonic(), -1
    with Progress("Deleting", unit="tasks") as progress:
        while gone["state"] == "running":
            if gone["tasks"] != seen:
                progress.add(max(0, gone["tasks"] - max(seen, 0)))
                moved, seen = time.monotonic(), gone["tasks"]
            if time.monotonic() - moved > _SILENT_S:
                raise Conflict(
                    "The deletion stands still.", hint="Is the server up? It goes on by itself: evenhand status"
                )
            time.sleep(_LOOK_S)  # by HTTP, perhaps of another machine: nothing there tells when a job has gone on
            gone = api.get(f"/deletions/{gone['id']}")
    if gone["state"] == "held":
        raise Conflict("A legal hold has stopped the deletion.", hint="It goes on when the hold is released.")
    return gone

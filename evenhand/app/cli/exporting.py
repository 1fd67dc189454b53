"""`evenhand export`: results as they stream, into a file whole or not at all, or to standard output."""

import argparse
import contextlib
import os
import sys
from collections.abc import Generator
from pathlib import Path
from typing import IO, Any

from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.progress import Progress
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Conflict, Invalid

CHUNK = 256 * 1024


@contextlib.contextmanager
def output(name: str | None, force: bool) -> Generator[IO[bytes]]:
    """Standard output, or a file that has its name only when it is whole."""
    if name is None or name == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    target = Path(name)
    if target.exists() and not force:
        raise Conflict(f"{target} exists already.", hint="Name another file, or add --force.")
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except OSError as err:
        raise Invalid(f"{target} can't be written: {plain_reason(err)}.") from err
    finally:
        unfinished.unlink(missing_ok=True)


def export(given: argparse.Namespace) -> int:
    if given.format == "yolo" and given.output in (None, "-") and sys.stdout.isatty():
        raise Invalid("YOLO is a zip file, which a terminal can't show.", hint="Add -o results.zip.")
    with open_api(given) as api:
        project = api.project(given.project)
        query = {
            "project": project["id"],
            "format": given.format,
            "state": None if given.state == "all" else given.state,
            "batch": api.batch(project["id"], given.batch)["id"] if given.batch else None,
        }
        with (
            output(given.output, given.force) as out,
            Progress("Exporting", unit="bytes") as progress,
            api.stream("/exports", query) as reply,
        ):
            for piece in reply.iter_bytes(CHUNK):
                out.write(piece)
                progress.add(len(piece))
        if given.format != "jsonl":  # which carries everything
            _say_losses(api, query)
    if given.output not in (None, "-"):
        sys.stderr.write(f"Wrote {given.output}.\n")
    return 0


def evidence(given: argparse.Namespace) -> int:
    if given.output in (None, "-") and sys.stdout.isatty():
        raise Invalid("Evidence is a zip file, which a terminal can't show.", hint="Add -o evidence.zip.")
    with (
        open_api(given) as api,
        output(given.output, given.force) as out,
        api.stream("/trust/bundle", {"saved": given.saved}) as reply,
    ):
        for piece in reply.iter_bytes(CHUNK):
            out.write(piece)
    if given.output not in (None, "-"):
        sys.stderr.write(f"Wrote {given.output}.\n")
    return 0


def _say_losses(api: Api, query: dict[str, Any]) -> None:
    """What the format could not carry: nothing is dropped in silence."""
    report = api.get("/exports/report", **query)
    for kind, words in (("skipped", "left out"), ("changed", "changed")):
        for one in report.get(kind, []):
            where = ", ".join(str(example) for example in one.get("examples", [])[:3])
            sys.stderr.write(f"{one['count']:,} {words}: {one['reason']}{f' (such as {where})' if where else ''}\n")
    if report.get("omits"):
        sys.stderr.write(f"This format has no place for: {', '.join(report['omits'])}. JSONL has.\n")

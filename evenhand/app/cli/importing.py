"""`evenhand task import`: lines in chunks that are always cut the same way, under a key that comes from their content.

The server remembers every chunk with its key, so an import that broke off anywhere (Ctrl-C, kill -9, the network, the
server) is run again with the same command: chunks that are in are answered from memory and nothing is doubled.
"""

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from evenhand.app.cli import show
from evenhand.app.cli.api import Api, open_api
from evenhand.app.cli.progress import Progress
from evenhand.app.cli.readers import Fault, Record, Source, open_source
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Invalid, Missing, Trouble

CHUNK_LINES = 2_000
CHUNK_BYTES = 8_000_000
CHUNK_FILES = 16
AT_ONCE = 4
_REFUSED = ("invalid", "conflict")  # what one record can be to blame for; anything else stops the import


@dataclass(slots=True)
class Report:
    """The sum of what the server said, with the places in the source."""

    created: int = 0
    repeated: int = 0
    faults: list[Fault] = field(default_factory=list[Fault])
    left_out: str = ""


def import_tasks(given: argparse.Namespace) -> int:
    with open_api(given) as api:
        project = api.project(given.project)
        batch = api.batch(project["id"], given.batch)["id"] if given.batch else None
        source = open_source(Path(given.source), given.kind, project["medium"])
        key = given.import_key or f"auto-{sha256(f'{source.digest} {batch}'.encode()).hexdigest()[:40]}"
        report = Report()
        with Progress("Importing", total=source.total, unit="bytes") as progress:
            try:
                _send_all(api, project["id"], batch, key, source, report, progress)
            except KeyboardInterrupt:
                progress.line(
                    f"{report.created + report.repeated:,} tasks are in. Run the same command again to go on; "
                    "nothing is doubled."
                )
                raise
    return _tell(given, project, key, report)


def _send_all(
    api: Api, project: str, batch: str | None, key: str, source: Source, report: Report, progress: Progress
) -> None:
    first = 1
    for chunk in _chunks(source, report, progress):
        lines = _uploaded(api, key, chunk) if source.kind == "folder" else [(r, r.line) for r in chunk]
        body = b"\n".join(line for _, line in lines if isinstance(line, bytes))
        sent = [(record, line) for record, line in lines if isinstance(line, bytes)]
        for record, line in lines:
            if isinstance(line, Fault):
                _add_fault(report, progress, Fault(record.where, line.code, line.detail))
        if sent:
            path = f"/projects/{project}/tasks/bulk"
            said = api.post_lines(path, body, **{"batch": batch, "import": key, "first_line": first})
            report.created += said["created"]
            report.repeated += said["repeated"]
            for error in said["errors"]:
                where = sent[error["line"] - first][0].where
                _add_fault(report, progress, Fault(where, error["code"], error["detail"]))
        first += len(chunk)
        progress.add(sum(record.read for record in chunk))


def _add_fault(report: Report, progress: Progress, fault: Fault) -> None:
    fault = Fault(_clean(fault.where), fault.code, fault.detail)
    report.faults.append(fault)
    progress.line(f"{fault.where}: {fault.detail}")


def _chunks(source: Source, report: Report, progress: Progress) -> Iterator[list[Record]]:
    """Records in chunks whose borders depend on the content only."""
    most = CHUNK_FILES if source.kind == "folder" else CHUNK_LINES
    held: list[Record] = []
    size = 0
    for found in source.records():
        if isinstance(found, Fault):
            if found.code == "left_out":
                report.left_out = found.detail
            else:
                _add_fault(report, progress, found)
            continue
        if held and (len(held) >= most or size + len(found.line) > CHUNK_BYTES):
            yield held
            held, size = [], 0
        held.append(found)
        size += len(found.line)
    if held:
        yield held


def _uploaded(api: Api, key: str, chunk: list[Record]) -> list[tuple[Record, bytes | Fault]]:
    """The lines of files; pictures are uploaded first. The server knows a picture that it has by its reference."""

    def one(record: Record) -> tuple[Record, bytes | Fault]:
        if record.file is None:
            return record, record.line
        try:
            data = record.file.read_bytes()
            reference = f"{key}/{sha256(record.where.encode('utf-8', 'surrogateescape')).hexdigest()[:32]}"
            kept: dict[str, Any] = api.upload(_clean(record.where), data, reference)
        except OSError as err:  # not the file's fault: it must be read when the command is run again
            raise Invalid(f"{record.where} can't be read: {plain_reason(err)}.") from err
        except Trouble as err:
            if err.code not in _REFUSED:
                raise
            return record, Fault(record.where, err.code, err.message)
        return record, msgspec.json.encode({"data": {"asset": kept["id"]}, "name": _clean(record.where)[:500]})

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(one, chunk))


def _clean(name: str) -> str:
    """A file name as text: names on disk may hold bytes that are none."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _place(fault: Fault) -> tuple[int, str]:
    """Lines by their number, files by their name."""
    word, _, number = fault.where.partition(" ")
    return (int(number), "") if word == "line" and number.isdigit() else (0, fault.where)


def _tell(given: argparse.Namespace, project: dict[str, Any], key: str, report: Report) -> int:
    failed = len(report.faults)
    if given.json:
        faults = sorted(report.faults, key=_place)
        errors = [{"where": f.where, "code": f.code, "detail": f.detail} for f in faults]
        show.as_json(
            {
                "project": project["id"],
                "import": key,
                "created": report.created,
                "repeated": report.repeated,
                "failed": failed,
                "errors": errors,
            }
        )
    else:
        if report.left_out:
            show.line(report.left_out)
        known = f", {report.repeated:,} were in already" if report.repeated else ""
        show.line(f"{report.created:,} tasks imported into {project['name']}{known}.")
    if failed:
        sys.stdout.flush()
        sys.stderr.write(
            f"{failed:,} could not be imported; they are named above. Put the corrected ones into a file of their own: "
            "a changed file is a new import.\n"
        )
    elif not report.created and not report.repeated:
        raise Missing(f"There are no tasks in {given.source}.", hint="A CSV file needs rows below its header.")
    return 1 if failed else 0

"""Native JSON lines: one task a line, everything in it. When something had to be left out, a last line says so."""

from collections.abc import Iterable, Iterator

import msgspec

from evenhand.pure.formats.task import ExportTask, Report, Spool, Streaming, lines
from evenhand.pure.kinds.kind import Obj
from evenhand.pure.trouble import Invalid

REPORT = b'{"report":'


class JsonlWriter(Streaming):
    def __init__(self, ontology: Obj | None = None, new_spool: Spool | None = None) -> None:
        self.report = Report("jsonl")
        self._encode = msgspec.json.Encoder().encode

    def start(self) -> bytes:
        return b""

    def task(self, task: ExportTask) -> bytes:
        report = self.report
        try:
            line = self._encode(task)
        except (UnicodeEncodeError, OverflowError):
            report.skip("holds text or a number that JSON cannot write", task.id)
            return b""
        report.tasks += 1
        report.annotations += len(task.result or ())
        return line + b"\n"

    def finish(self) -> Iterator[bytes]:
        if self.report.skipped:
            yield REPORT + self.report.json() + b"}\n"


def read_jsonl(chunks: Iterable[bytes]) -> Iterator[ExportTask]:
    decoder = msgspec.json.Decoder(ExportTask)
    for number, line in enumerate(lines(chunks), 1):
        if not line.strip() or line.startswith(REPORT):
            continue
        try:
            yield decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
            raise Invalid(f"Line {number}: {e}", errors=[{"path": f"line {number}", "detail": str(e)}]) from None

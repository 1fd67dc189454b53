"""Evidence from the transparency log as a reply: of those who are here, of those who left, and as a part of an archive."""

from typing import IO, Any, cast

from starlette.responses import Response

from evenhand.app.http.call import Call
from evenhand.app.http.streaming import file_pieces, streamed
from evenhand.app.transparency import log_files
from evenhand.features.trust.bundles import Evidence, newest_epoch
from evenhand.features.trust.types import log_secret
from evenhand.features.trust.witnesses import quorum_of
from evenhand.infra.spool import Forward, Spool

_IN_MEMORY = 8_000_000


async def newest(call: Call) -> Evidence:
    """To be gathered: as of the end of an epoch, which is ended for it. Raises LogAway."""
    files = log_files(call.services.settings)
    return Evidence(files, log_secret(call.db.keys), await newest_epoch(call.db, quorum_of(files)))


async def evidence_reply(call: Call, evidence: Evidence, saved: list[int]) -> Response:
    """What was gathered, as a zip file."""
    out: Any = Spool(_IN_MEMORY)  # closed when it has been sent
    try:
        await evidence.write(call.db, cast(IO[bytes], Forward(out)), saved)
    except BaseException:
        out.close()
        raise
    headers = {"content-disposition": 'attachment; filename="evidence.zip"', "cache-control": "no-store"}
    return await streamed(file_pieces(out), 200, headers, "application/zip")

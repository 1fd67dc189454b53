"""What a customer can take and check alone: the evidence from the transparency log."""

import tempfile

import msgspec
from starlette.responses import Response

from evenhand.app.http.call import Call
from evenhand.app.http.routes import route
from evenhand.app.http.streaming import file_pieces, streamed
from evenhand.app.transparency import log_files
from evenhand.features.people.rules import Verb, require
from evenhand.features.trust.bundles import Evidence, newest_epoch
from evenhand.features.trust.types import log_secret
from evenhand.features.trust.witnesses import quorum_of
from evenhand.pure.trouble import Invalid

_MOST_SAVED = 20


class BundleQuery(msgspec.Struct):
    saved: list[int] = []


@route("GET", "/trust/bundle", query=BundleQuery, tx=False, media="application/zip")
async def bundle(call: Call) -> Response:
    """Your evidence: everything that the log holds of your organisation, to be checked offline"""
    saved: list[int] = call.query.saved
    if len(saved) > _MOST_SAVED or any(not 0 <= size < 2**63 for size in saved):
        raise Invalid(f"`saved` must be the size of a checkpoint, at most {_MOST_SAVED} times.")
    async with call.db.tx(call.org_id, call.actor) as tx:
        require(tx, Verb.READ)
    files = log_files(call.services.settings)
    evidence = Evidence(files, log_secret(call.db.keys), await newest_epoch(call.db, quorum_of(files)))
    async with call.db.tx(call.org_id, call.actor, read_only=True) as tx:
        await evidence.gather(tx)
    out = tempfile.TemporaryFile()  # noqa: SIM115  (closed when it has been sent)
    await evidence.write(call.db, out, sorted(set(saved)))
    headers = {"content-disposition": 'attachment; filename="evidence.zip"', "cache-control": "no-store"}
    return await streamed(file_pieces(out), 200, headers, "application/zip")

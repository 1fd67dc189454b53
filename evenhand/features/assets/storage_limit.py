"""How many bytes an organisation's files may take on the disk (memory while they are uploaded: app/upload_memory.py). What it has
is counted at most a minute ago, and what came since is added: a few uploads at the same moment, in several processes, may go over
by themselves."""

import time
from collections import OrderedDict

from evenhand.features.assets import store
from evenhand.infra.db import Tx
from evenhand.infra.objects import Objects, StorageFull

_FRESH_S = 60.0
_FRESH_WHEN_FULL_S = 1.0
_MOST = 10_000
#: space -> (when it was counted, bytes)
_USED: OrderedDict[str, tuple[float, int]] = OrderedDict()


class OverStorageLimit(StorageFull):
    hint = "Nothing was changed. Delete projects that are not needed any more, or ask the operator for more room."


async def count_file(tx: Tx, objects: Objects, size: int) -> None:
    """Counts a file of `size` bytes that is about to be kept. Raises OverStorageLimit."""
    most = objects.most_bytes
    if not most:
        return
    now = time.monotonic()
    at, used = _USED.get(tx.org_id, (-_FRESH_S, 0))
    if now - at >= (_FRESH_S if used + size <= most else _FRESH_WHEN_FULL_S):
        at, used = now, await store.ASSET_BYTES.value(tx, org=tx.org_id)
    if used + size > most:
        _keep(tx.org_id, at, used)
        raise OverStorageLimit(f"The files of this space may take {most / 1e9:g} GB, and this one would be more.")
    _keep(tx.org_id, at, used + size)


def _keep(org_id: str, at: float, used: int) -> None:
    _USED[org_id] = (at, used)
    if len(_USED) > _MOST:
        _USED.popitem(last=False)

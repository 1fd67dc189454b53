"""Tasks as the compatible interface shows them."""

from typing import Any

from evenhand.infra.db import Tx


async def callback_payload(tx: Tx, row: Any) -> dict[str, Any]:
    """The body of a callback: {"task", "response", "task_id", "status"}."""
    return {"task": {}, "response": {}, "task_id": row["task_id"], "status": "completed"}

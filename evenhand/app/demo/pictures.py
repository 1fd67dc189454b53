"""The demo's photographs as assets. A picture that an earlier attempt kept is found by its reference and used again."""

from evenhand.app.demo.content import folder
from evenhand.app.services import Services
from evenhand.features.assets import actions as assets
from evenhand.features.assets.types import AssetBody
from evenhand.infra.db import Actor


async def keep_pictures(s: Services, org_id: str, owner: Actor, names: list[str]) -> dict[str, str]:
    """picture -> asset."""
    out: dict[str, str] = {}
    place = folder()
    for name in names:
        body = AssetBody(name=name, reference_id=f"demo/{name}")
        data = (place / name).read_bytes()
        out[name] = (await assets.keep_file_once(s.db, s.objects, org_id, owner, data, body)).id
    return out

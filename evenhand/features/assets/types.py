"""What files look like to callers."""

from datetime import datetime
from typing import Any, Literal

import msgspec


class Asset(msgspec.Struct, frozen=True):
    id: str
    name: str
    state: Literal["fetching", "ready", "error"]
    type: str | None
    size: int
    width: int | None
    height: int | None
    created_at: datetime
    url: str = ""
    thumb_url: str = ""


class AssetBody(msgspec.Struct, omit_defaults=True):
    name: str = ""
    object: str = ""
    source: str = ""
    sha256: str = ""
    error: str = ""
    status: int = 0
    reference_id: str = ""
    metadata: dict[str, Any] = {}
    projects: list[str] = []


class AssetStored(msgspec.Struct, frozen=True):
    about: str
    size: int
    type: str


class AssetFailed(msgspec.Struct, frozen=True):
    about: str
    status: int

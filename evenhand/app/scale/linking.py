"""Links to files: ours as `scaledata://owner/file`, and as links to media, which live for some minutes."""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urljoin

from evenhand.app.settings import Settings, settings_from_environment
from evenhand.features.assets.viewings import Page
from evenhand.pure.scale.checks import Obj
from evenhand.pure.trouble import Invalid

_OURS = re.compile(r"scaledata://([^/]+)/([0-9a-f]{24})\Z", re.IGNORECASE)


def data_url(org_id: str, asset: str) -> str:
    return f"scaledata://{org_id}/{asset}"


def asset_in(url: str, org_id: str) -> str | None:
    """The file that a `scaledata://` address names; None for any other address. Nobody else's file is not there."""
    if not url.lower().startswith("scaledata://"):
        return None
    found = _OURS.match(url)
    if found is None or found[1] != org_id:
        raise Invalid(f"There is no file {url[:120]}.")
    return found[2]


@dataclass(frozen=True, slots=True)
class Links:
    """Makes absolute links. Without a page (a callback goes to nobody who could be asked again) they lead through the door,
    which asks for the customer's key."""

    base: str
    page: Page | None = None
    public: str = ""

    @staticmethod
    def of(settings: Settings, page: Page | None) -> "Links":
        return Links(settings.media_url or settings.public_url, page, settings.public_url)

    def file(self, asset: str, task: str = "") -> str:
        if self.page is None:
            return f"{self.public}/v1/task/{task}/response_url/{asset}"
        return urljoin(f"{self.base}/", self.page.link(asset))

    def shown(self, value: Any, org_id: str, task: str) -> Any:
        """A stored response with its `scaledata://` addresses as links."""
        if isinstance(value, str):
            found = _OURS.match(value) if value[:12] == "scaledata://" else None
            return self.file(found[2], task) if found is not None and found[1] == org_id else value
        if isinstance(value, list):
            return [self.shown(v, org_id, task) for v in cast(list[Any], value)]
        if isinstance(value, dict):
            return {k: self.shown(v, org_id, task) for k, v in cast(Obj, value).items()}
        return value


@lru_cache(maxsize=1)
def _settings() -> Settings:
    return settings_from_environment()


def links_from_environment() -> Links:
    """For the worker, which has no door."""
    return Links.of(_settings(), None)


def files_in(value: Any) -> list[str]:
    """The assets that a stored response names."""
    if isinstance(value, str):
        found = _OURS.match(value)
        return [found[2]] if found is not None else []
    if isinstance(value, list):
        return [a for v in cast(list[Any], value) for a in files_in(v)]
    if isinstance(value, dict):
        return [a for v in cast(Obj, value).values() for a in files_in(v)]
    return []

"""The demo."""

from evenhand.app.settings import Settings
from evenhand.infra.keys import Keys
from evenhand.infra.postgres.roles import DatabaseUrls
from evenhand.pure.trouble import Conflict


class SeedFailed(Conflict):
    pass


def seed(settings: Settings, urls: DatabaseUrls, keys: Keys) -> None:
    pass


def sign_ins(settings: Settings) -> list[str]:
    return []

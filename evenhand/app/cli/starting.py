"""`evenhand up`."""

import argparse

from evenhand.app import up as serving
from evenhand.app.logs import log_to
from evenhand.app.settings import settings_from_environment
from evenhand.infra.postgres.restore import refuse_unfinished_restore


def up(given: argparse.Namespace) -> int:
    settings = settings_from_environment()
    settings.home.make()
    refuse_unfinished_restore(settings.home)
    log_to(settings.home)
    serving.up(settings, with_demo=given.demo, open_browser=not given.no_browser)
    return 0

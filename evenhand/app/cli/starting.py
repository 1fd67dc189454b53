"""`evenhand up`."""

import argparse
import logging
import os

from evenhand.app import up as serving
from evenhand.app.settings import settings_from_environment
from evenhand.infra.home import Home
from evenhand.infra.postgres.backup import refuse_unfinished_restore

_LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def up(given: argparse.Namespace) -> int:
    settings = settings_from_environment()
    settings.home.make()
    refuse_unfinished_restore(settings.home)
    _log_to(settings.home)
    serving.up(settings, with_demo=given.demo, open_browser=not given.no_browser)
    return 0


def _log_to(home: Home) -> None:
    """All of it into the home's log, warnings on the terminal too. Neither ever holds a customer's content."""
    os.umask(0o077)
    terminal = logging.StreamHandler()
    terminal.setLevel(logging.WARNING)
    file = logging.FileHandler(home.logs / "evenhand.log", encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT, handlers=[terminal, file])
    logging.getLogger("httpx").setLevel(logging.WARNING)

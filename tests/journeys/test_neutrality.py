"""The neutrality page, which anybody may open: before anything is published, and with a day in which affiliates were favoured."""

import subprocess
import sys
from datetime import date
from typing import Any

import msgspec
import pytest
from playwright.sync_api import expect

from evenhand.features.trust import neutrality_store as store
from evenhand.pure.fairness.figures import Policy
from evenhand.pure.fairness.published import publication
from tests.journeys.conftest import Demo, Sit, check_axe
from tests.pure.fairness.test_rollup import played

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_anybody_sees_the_figures_and_makes_them_again(demo: Demo, sit: Sit) -> None:
    page = sit(None, start="/neutrality", width=390).page
    expect(page.get_by_role("heading", name="Nothing is old enough yet")).to_be_visible()
    check_axe(page, "neutrality, empty")
    made = publication("2026-01-01", "label native text", played(1, 240, 0.2), Policy(), seed=1, held_back=0)

    async def keep(s: Any) -> None:
        async with s.db.narrow("reporter") as door:
            text = msgspec.json.encode(made).decode()
            await store.PUBLISH.run(door, day=date(2026, 1, 1), publication=text, **{"class": made.work})

    demo.server.run(keep)
    for dark in (False, True):
        page = sit(None, start="/neutrality", dark=dark).page
        expect(page.get_by_role("img", name="12 customers.")).to_be_visible()
        expect(page.get_by_role("table", name="Affiliates beside all others")).to_contain_text("Served of entitled")
        check_axe(page, f"neutrality, dark: {dark}")
    command = [sys.executable, "-c", "from evenhand.app.cli.run import main; raise SystemExit(main())"]
    command += ["neutrality", "--from", demo.url]
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0 and "Recomputed from the published rows: 1. Numbers that differ: 0." in again.stdout

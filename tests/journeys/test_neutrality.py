"""The neutrality page, which anybody may open: the simulated days of the demo, and a day in which affiliates
were favoured."""

import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import pytest
from playwright.sync_api import expect

from evenhand.features.trust.neutrality import place
from evenhand.pure.fairness.figures import Policy
from evenhand.pure.fairness.published import publication
from tests.journeys.conftest import Demo, Sit, check_axe
from tests.pure.fairness.test_rollup import played

pytestmark = [pytest.mark.journey, pytest.mark.slow]


def test_anybody_sees_the_figures_and_makes_them_again(demo: Demo, sit: Sit) -> None:
    page = sit(None, start="/neutrality", width=390).page
    day = page.get_by_label("Day and class of work")
    expect(day.locator("option")).to_have_count(3)
    expect(day).to_contain_text("simulated for the demo")
    expect(page.get_by_role("img", name="18 customers.")).to_be_visible()
    today = datetime.now(UTC).date().isoformat()  # stands before the demo's
    made = publication(today, "label native text", played(1, 240, 0.2), Policy(), seed=1, held_back=0)

    async def keep(s: Any) -> None:
        assert await place(s.db, date.fromisoformat(today), made.work, made) == 1

    demo.server.run(keep)
    for dark in (False, True):
        page = sit(None, start="/neutrality", dark=dark).page
        expect(page.get_by_role("img", name="12 customers.")).to_be_visible()
        expect(page.get_by_role("table", name="Affiliates beside all others")).to_contain_text("Served of entitled")
        check_axe(page, f"neutrality, dark: {dark}")
    command = [sys.executable, "-c", "from evenhand.app.cli.run import main; raise SystemExit(main())"]
    command += ["neutrality", "--from", demo.url]
    again = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert again.returncode == 0 and "Recomputed from the published rows: 4. Numbers that differ: 0." in again.stdout

"""The log of an organisation: every fact is there, and those of shown files only for whoever asks for them."""

from pathlib import Path

import pytest

from tests.conftest import World

pytestmark = pytest.mark.anyio
PICTURE = Path(__file__).resolve().parents[3] / "fixtures" / "demo" / "01-chickens.jpg"


async def test_shown_files_are_facts_that_can_be_left_out(world: World) -> None:
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    kept = (await api.post("/api/v1/assets", files={"file": ("a.jpg", PICTURE.read_bytes())})).json()
    for _ in range(3):
        assert (await world.client(headers={"host": "127.0.0.1:8080"}).get(kept["url"])).status_code == 200
    every = (await api.get("/api/v1/audit")).json()["items"]
    assert [line["what"] for line in every].count("MediaIssued") == 1, (
        "one for the page of links, not one for each look"
    )
    acts = (await api.get("/api/v1/audit", params={"files": "false"})).json()["items"]
    assert acts == [line for line in every if line["what"] != "MediaIssued"] and len(acts) >= 2
    (last,) = (await api.get("/api/v1/audit", params={"files": "false", "limit": 1})).json()["items"]
    assert last == acts[0], "a page is full of what is asked for"

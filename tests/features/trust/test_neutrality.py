"""The public neutrality figures over a real database: decided, worked, sealed, published, and made again from what is published."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from evenhand.app.cli.run import main
from evenhand.features.contracts.affiliates import mark_affiliate
from evenhand.features.people.actions import create_org
from evenhand.features.tasks import turns_store
from evenhand.features.tasks.turns import Turns
from evenhand.features.trust.neutrality import POLICY, Neutrality, neutrality, place, publish_due
from evenhand.features.trust.turns import Keeper
from evenhand.infra.db import SYSTEM, Database, Narrow
from evenhand.infra.ids import new_id
from evenhand.pure.fairness.figures import Policy
from evenhand.pure.fairness.ledger import Charge
from evenhand.pure.fairness.published import Line, Publication, faults, publication
from tests.conftest import World
from tests.features.trust.test_log import end_epoch, log_in

pytestmark = pytest.mark.anyio
_PROJECT = (
    "insert into evenhand.project (org_id, project_id, name_mac, kind, medium, everyone, body)"
    " values ($1, $1, '', 'native', 'text', false, '')"
)
_TASK = "insert into evenhand.task (org_id, task_id, project_id, kind, state, body) values ($1, $1, $1, 'native', 'todo', '')"
_WORK = (
    "insert into evenhand.assignment (org_id, assignment_id, task_id, project_id, person_id, role, state, leased_at, lease_until,"
    " lease_s, version, closed_at, closed_xid, paid_s, key_mac, body)"
    " select $1, w.id, $1, $1, 'x', 'label', 'submitted', now(), now(), 60, 1, now(), pg_current_xact_id(), w.paid_s, '', ''"
    " from unnest($2::text[], $3::real[]) as w (id, paid_s)"
)


async def customers(db: Database, count: int, affiliates: int) -> list[str]:
    """Live spaces; the first are affiliates."""
    made: list[str] = []
    for n in range(count):
        org = (await create_org(db, f"Customer {n}")).id
        async with db.tx(org, SYSTEM) as tx:
            await tx.conn.execute(_PROJECT, org)
            await tx.conn.execute(_TASK, org)
        if n < affiliates:
            await mark_affiliate(db, f"Customer {n}")
        made.append(org)
    return made


async def work(db: Database, name: str, members: Sequence[str], *, bias: float = 0.0, decisions: int = 240) -> None:
    """All wait, in two batches. The first half is charged less than it used, where a bias is planted."""
    async with db.narrow("scheduler") as on:
        await turns_store.CLASS_ADD.run(on, **{"class": name}, unit=2520, secret=bytes(32), seed=bytes(32))
    turns, chance, favoured = Turns(db), random.Random(5), set(members[: len(members) // 2])
    replica = await turns.replica(name)
    for org in members:
        await turns.enrol(replica, [org])
    for _ in range(2):
        done: dict[str, list[tuple[str, float]]] = {}
        for _ in range(decisions // 2):
            assignment, used_ms = new_id(), chance.randrange(50_000, 70_000)
            turn = await turns.decide(name, members, members, (), assignment)
            assert turn is not None
            charged = round(used_ms / (1 + bias)) if turn.org in favoured else used_ms
            async with db.connection("scheduler") as conn:
                assert await replica.propose(Narrow(conn, db.platform), [Charge(turn.number, charged)]) is not None
            done.setdefault(turn.org, []).append((assignment, used_ms / 1000))
        for org, pieces in done.items():
            async with db.tx(org, SYSTEM) as tx:
                await tx.conn.execute(_WORK, org, [one for one, _ in pieces], [paid_s for _, paid_s in pieces])
        await Keeper(db).tick(close=True)


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=2)


async def by_class(db: Database) -> dict[str, Publication]:
    return {one.work: one for one in (await neutrality(db)).publications}


async def test_published_shown_and_made_again(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    db = world.db
    members = await customers(db, 12, 6)
    renamed = [members[n] for n in (3, 0, 5, 1, 4, 2, 11, 7, 9, 6, 10, 8)]  # names permuted among alike
    await work(db, "fair", members)
    await work(db, "renamed", renamed)
    await work(db, "biased", members, bias=0.4)
    await work(db, "few", members[4:8], decisions=40)
    assert await publish_due(db, datetime.now(UTC)) == 0, "nothing before the delay is over"
    assert (await world.client().get("/api/v1/neutrality")).json()["publications"] == []
    assert await publish_due(db, later()) == 4 + len((await neutrality(db)).weeks), (
        "a week as well, where one ended meanwhile"
    )
    first = await world.client().get("/api/v1/neutrality")
    assert await publish_due(db, later()) == 0, "once"
    assert (await world.client().get("/api/v1/neutrality")).text == first.text
    assert not any(org in first.text for org in members) and "Customer" not in first.text
    found = await by_class(db)

    fair, test = found["fair"].figures, found["fair"].figures.service_test
    assert fair.customers == 12 and fair.jain is not None and fair.jain > 0.99
    assert fair.lag_of_limit is not None and 0 < fair.lag_of_limit <= 1
    assert test is not None and test.difference is not None and abs(test.difference) < 0.03
    assert test.detectable is not None and 0 < test.detectable < 0.1
    assert test.exact and test.assignments == 924
    assert sum(line.served_ms for line in found["fair"].lines) == pytest.approx(
        sum(line.entitled_ms for line in found["fair"].lines), abs=12
    )
    assert [line.affiliate for line in found["fair"].lines].count(True) == 6

    planted = found["biased"].figures.service_test
    assert planted is not None and planted.difference is not None and planted.low is not None
    assert planted.p < 0.01 and planted.low > 0 and 0.2 < planted.difference < 0.5

    def rows(name: str) -> list[tuple[bool | None, int, int]]:
        return sorted((bool(one.affiliate), one.served_ms, one.entitled_ms) for one in found[name].lines)

    assert rows("renamed") == rows("fair"), "names change nothing"
    assert not {one.tag for one in found["renamed"].lines} & {one.tag for one in found["fair"].lines}

    few = found["few"]
    assert few.lines == [] and few.held_back == 4 and few.figures.jain is None and few.figures.shares == []

    page = await world.client().get("/api/v1/neutrality/days")
    whole = {one["work"]: one for one in first.json()["publications"]}
    for day in page.json()["days"]:
        one = whole[day["work"]]
        figures = {name: value for name, value in one["figures"].items() if name != "shares"}
        assert day == {name: one[name] for name in ("day", "work", "least", "level", "held_back")} | {
            "figures": figures
        }
    assert len(page.json()["days"]) == 4 and page.json()["weeks"] == first.json()["weeks"]
    assert not any(line.tag in page.text for one in found.values() for line in one.lines), "no row of a customer"
    of = {"day": found["biased"].day, "work": "biased"}
    assert (await world.client().get("/api/v1/neutrality", params=of)).json()["publications"] == [whole["biased"]]
    assert len((await world.client().get("/api/v1/neutrality", params={"day": of["day"]})).json()["publications"]) == 4
    assert (await world.client().get("/api/v1/neutrality", params=of | {"work": "none"})).json()["publications"] == []

    copy = tmp_path / "neutrality.json"
    copy.write_text(first.text)
    assert main(["neutrality", "--from", str(copy)]) == 0
    said = capsys.readouterr().out
    assert "Recomputed from the published rows: 4. Numbers that differ: 0." in said and "not shown: too few" in said
    bent = json.loads(first.text)
    one = next(one for one in bent["publications"] if one["work"] == "biased")
    one["figures"]["service_test"]["p"] = 0.5
    copy.write_text(json.dumps(bent))
    assert main(["neutrality", "--from", str(copy), "--json"]) == 1
    wrong = json.loads(capsys.readouterr().out)["wrong"]
    assert len(wrong) == 2 and "service_test.p is 0.5" in wrong[0] and "not what the chain has" in wrong[1]


async def test_a_small_group_of_affiliates_has_no_mark(db: Database) -> None:
    await work(db, "label native text", await customers(db, 8, 3), decisions=40)
    assert await publish_due(db, later()) >= 1
    (one,) = (await neutrality(db)).publications
    assert len(one.lines) == 8 and {line.affiliate for line in one.lines} == {None}
    assert one.figures.service_test is None and one.figures.affiliates_waiting is None
    assert one.figures.jain is not None and one.least == POLICY.least
    assert faults(one) == []
    moved = msgspec.structs.replace(one.lines[0], served_ms=one.lines[0].served_ms * 2)
    assert faults(msgspec.structs.replace(one, lines=[moved, *one.lines[1:]])), "a row that was altered shows"


async def test_a_week_finds_what_its_days_do_not_and_is_in_the_log(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Seven days of 24 customers, half of them served 5 % more, are put together when the week is over. Its hash is in the log."""
    monday, chance, policy = date(2026, 11, 2), random.Random(7), Policy(delay_s=86_400, draws=999)
    for n in range(7):
        day = (monday + timedelta(days=n)).isoformat()
        rows = [
            Line(
                f"{k:02}",
                k < 12,
                "label, weight 1",
                60.0,
                round(chance.gauss(1.05 if k < 12 else 1.0, 0.06) * 10**7),
                10**7,
                1,
                9,
            )
            for k in range(24)
        ]
        made = publication(day, "label", rows, policy, seed=n, held_back=0)
        assert await place(world.db, monday + timedelta(days=n), "label", made) == 1
    assert await publish_due(world.db, datetime(2026, 11, 9, 23, tzinfo=UTC)) == 0, (
        "not before the delay of its last day"
    )
    assert await publish_due(world.db, datetime(2026, 11, 10, 1, tzinfo=UTC)) == 1
    assert await publish_due(world.db, datetime(2026, 11, 11, 1, tzinfo=UTC)) == 0, "once"

    reply = (await world.client().get("/api/v1/neutrality")).text
    found = msgspec.json.decode(reply, type=Neutrality)
    (week,) = found.weeks
    days = [one.figures.service_test for one in found.publications]
    assert week.service_test is not None and week.service_test.detectable is not None and week.rows == 7 * 24
    assert week.service_test.p <= 0.01 and week.service_test.low is not None and week.service_test.low > 0
    assert week.service_test.detectable < 0.03 < min(test.detectable or 0 for test in days if test is not None)
    one = (await world.client().get("/api/v1/neutrality", params={"week": "2026-11-02"})).json()
    assert len(one["publications"]) == 7 and one["weeks"][0]["week"] == "2026-11-02"
    assert (await world.client().get("/api/v1/neutrality", params={"week": "2026-11-09"})).json()["weeks"] == []

    copy = tmp_path / "neutrality.json"
    copy.write_text(reply)
    assert main(["neutrality", "--from", str(copy), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["weeks"], said["weeks_not_checked"], said["wrong"]) == (1, [], [])
    for bent, words in (
        (lambda it: it["weeks"][0]["service_test"].update(p=0.9), "week of 2026-11-02: service_test.p"),
        (
            lambda it: it["publications"][3]["lines"][0].update(served_ms=1),
            "2026-11-05, label: it is not what the chain has",
        ),
        (lambda it: it["chain"][2].update(head="00" * 32), "does not follow"),
    ):
        it = json.loads(reply)
        bent(it)
        copy.write_text(json.dumps(it))
        assert main(["neutrality", "--from", str(copy), "--json"]) == 1
        assert any(words in sentence for sentence in json.loads(capsys.readouterr().out)["wrong"]), words

    await end_epoch(world, log_in(tmp_path))
    async with world.db.narrow("sequencer") as door:
        record = await door.conn.fetchval("select record from evenhand.log_epoch")
    assert json.loads(record)["public"]["neutrality"] == f"8 {said['head']}" == f"8 {found.chain[0].head}"

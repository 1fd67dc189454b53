"""Random histories of work, walls and days: the database admits exactly whom a model in plain Python admits."""

from dataclasses import dataclass, field
from typing import Any

import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evenhand.infra import context
from evenhand.infra.postgres import roles
from evenhand.infra.postgres.roles import DatabaseUrls
from tests.conftest import KEYS
from tests.pg import TestServer

ORGS = [letter + "0" * 23 for letter in "abc"]
PEOPLE = [letter + "0" * 23 for letter in "pq"]
_STEP = st.one_of(
    st.tuples(st.just("work"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("wall"), st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, 40])),
    st.tuples(st.just("down"), st.integers(0, 2)),
    st.tuples(st.just("days"), st.sampled_from([1, 20, 60])),
)


@dataclass
class Model:
    """What the contracts say: days since the beginning, whose walls, who saw whose work last on which day."""

    day: int = 0
    walls: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    seen: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    def kept_off(self, org: int, person: int) -> bool:
        for (one, two), days in self.walls.items():
            rival = two if one == org else one if two == org else None
            if rival is not None and (rival, person) in self.seen and self.day - self.seen[(rival, person)] <= days:
                return True
        return False


class Real:
    """The same in the database, by the roles that do it in the program; days go by as the administrator says."""

    def __init__(self, gate: Any, app: Any, admin: Any) -> None:
        self.gate, self.app, self.admin = gate, app, admin
        for table in ("wall", "tie", "rivalry"):
            admin.execute(f"delete from evenhand.{table}")
        for org in ORGS:
            admin.execute(
                "insert into evenhand.org (org_id, mode, sibling_id, name_mac, body) values (%s, 'live', %s, %s, '')"
                " on conflict do nothing",
                (org, org[::-1], org[0].encode()),
            )

    def inside(self, org: int, statement: str, values: tuple[Any, ...]) -> None:
        token = context.mint(KEYS.key("context"), ORGS[org], "system", self.app.info.backend_pid)
        with self.app.transaction():
            self.app.execute("select set_config('evenhand.ctx', %s, true)", (token,))
            self.app.execute(statement, values)
        self.gate.execute("select evenhand.rivals_anew()")

    def work(self, org: int, person: int) -> bool:
        token = context.mint(KEYS.key("context"), ORGS[org], "system", self.app.info.backend_pid)
        row = self.app.execute("select evenhand.admit(%s, %s)", (token, PEOPLE[person])).fetchone()
        return row[0] is None

    def wall(self, org: int, rival: int, days: int) -> None:
        self.inside(
            org,
            "insert into evenhand.wall (org_id, wall_id, target, kind, cool_off_d, body) values (%s, %s, %s, 'customer', %s, '')"
            " on conflict (org_id, target) do update set cool_off_d = excluded.cool_off_d",
            (ORGS[org], ORGS[rival], ORGS[rival][0].encode(), days),
        )

    def down(self, org: int) -> None:
        self.inside(org, "delete from evenhand.wall where org_id = %s", (ORGS[org],))

    def days(self, days: int) -> None:
        self.admin.execute("update evenhand.tie set worked_until = worked_until - make_interval(days => %s)", (days,))


@given(st.lists(_STEP, min_size=5, max_size=20))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_admits_whom_the_model_admits(
    pg_server: TestServer, urls: DatabaseUrls, steps: list[tuple[Any, ...]]
) -> None:
    admin_url = pg_server.admin_url_of(roles.connection_info(urls.owner)["dbname"])
    with (
        psycopg.connect(urls.gate, autocommit=True) as gate,
        psycopg.connect(urls.app, autocommit=True) as app,
        psycopg.connect(admin_url, autocommit=True) as admin,
    ):
        model, real = Model(), Real(gate, app, admin)
        for step in steps:
            match step:
                case ("work", org, person):
                    allowed = not model.kept_off(org, person)
                    assert real.work(org, person) == allowed, step
                    if allowed:
                        model.seen[(org, person)] = model.day
                case ("wall", org, rival, days) if org != rival:
                    model.walls[(org, rival)] = days
                    real.wall(org, rival, days)
                case ("down", org):
                    model.walls = {pair: days for pair, days in model.walls.items() if pair[0] != org}
                    real.down(org)
                case ("days", days):
                    model.day += days
                    real.days(days)
                case _:
                    pass

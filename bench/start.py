"""Claim: the next start answers within 3 s, everything idles under 200 MB, and the core installs in under 300 MB.

Memory is the proportional set size (PSS) of all processes, the database's included, ten seconds after the start with the
demo in it. The installed size is what the runtime requirements put on disk, the database's programs included.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from importlib.metadata import distributions
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psutil

from bench.support.serving import ROOT, conclude, free_port, say, wait_until_healthy

START_S, IDLE_MB, SIZE_MB = 3.0, 200.0, 300.0
_UP = "import sys; from evenhand.app.cli import main; sys.exit(main())"


def core_size_mb() -> float:
    """Megabytes of the packages that requirements.txt names, and of Evenhand itself."""
    wanted = {
        line.split("==")[0].strip().lower().replace("_", "-")
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if "==" in line and not line.startswith((" ", "#"))
    }
    total = sum(f.stat().st_size for f in (ROOT / "evenhand").rglob("*") if f.is_file())
    for one in distributions():
        if (one.metadata["Name"] or "").lower().replace("_", "-") in wanted:
            for file in one.files or ():
                path = Path(str(one.locate_file(file)))
                total += path.stat().st_size if path.is_file() else 0
    return total / 1e6


def pss_mb(pid: int) -> dict[str, float]:
    out = {"server": 0.0, "database": 0.0}
    root = psutil.Process(pid)
    for p in [root, *root.children(recursive=True)]:
        try:
            out["database" if "postgres" in p.name() else "server"] += p.memory_full_info().pss / 1e6
        except psutil.NoSuchProcess:
            continue
    return out


def start(env: dict[str, str], log: Path) -> tuple[subprocess.Popen[bytes], float]:
    begun = time.perf_counter()
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", _UP, "up", "--demo", "--no-browser"],
            cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    wait_until_healthy(f"http://localhost:{env['EVENHAND_PORT']}/healthz", process, log)
    return process, time.perf_counter() - begun


def stop(process: subprocess.Popen[bytes]) -> float:
    begun = time.perf_counter()
    process.send_signal(signal.SIGINT)
    process.wait(30)
    return time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    rounds = 3 if parser.parse_args().quick else 7
    with tempfile.TemporaryDirectory(prefix="ev-start-") as folder:
        env = {**os.environ, "EVENHAND_HOME": f"{folder}/home", "EVENHAND_PORT": str(free_port())}
        env.pop("EVENHAND_DATABASE_URL", None)
        process, first = start(env, Path(folder) / "log")
        stop(process)
        starts: list[float] = []
        for n in range(rounds):
            process, took = start(env, Path(folder) / "log")
            starts.append(took)
            if n == rounds - 1:
                time.sleep(10)  # idle: what was needed for the start has been let go
                memory = pss_mb(process.pid)
            stop(process)
        starts.sort()
        size = core_size_mb()
        idle = sum(memory.values())
        say(first_start_with_demo_s=round(first, 2), next_start_s={"min": round(starts[0], 2),
            "median": round(starts[len(starts) // 2], 2), "max": round(starts[-1], 2)})  # fmt: skip
        say(idle_pss_mb={k: round(v, 1) for k, v in memory.items()}, total=round(idle, 1))
        say(installed_core_mb=round(size, 1))
        ratios = {
            "start": START_S / starts[len(starts) // 2],
            "memory": IDLE_MB / idle,
            "size": SIZE_MB / size,
        }
        print(json.dumps({"ratios": {k: round(v, 2) for k, v in ratios.items()}}), flush=True)
        worst = min(ratios, key=lambda k: ratios[k])
        conclude(
            f"start, idle memory and installed size (worst: {worst})", starts[len(starts) // 2], "s to healthy",
            START_S, ratios[worst],
        )  # fmt: skip


if __name__ == "__main__":
    main()

"""kill -9 of the worker in the middle of a deletion: the next one goes on, nothing is counted twice, and the certificate comes
when the last of it is gone."""

import json
import time

import httpx

from tests.failure.running import PREFIX, Cast, Running, patiently

TASKS = 4_000


def test_a_killed_worker_leaves_a_deletion_that_goes_on(running: Running, cast: Cast) -> None:
    with httpx.Client(base_url=running.url, headers={"authorization": f"Bearer {cast.key}"}, timeout=60) as api:
        made = api.post(f"{PREFIX}/projects", json={"name": "Doomed", "medium": "text"}).json()["id"]
        lines = "\n".join(json.dumps({"data": {"text": f"line {n}"}}) for n in range(TASKS))
        assert api.post(f"{PREFIX}/projects/{made}/tasks/bulk", content=lines).json()["created"] == TASKS
        gone = api.post(f"{PREFIX}/projects/{made}/delete", json={"confirm": "Doomed"}).json()["id"]

        def look() -> dict[str, object]:
            return api.get(f"{PREFIX}/deletions/{gone}").json()

        seen: list[int] = []
        for _ in range(1):
            before = seen[-1] if seen else 0
            found = patiently(
                lambda before=before: (now := look())["tasks"] > before and now, 60, "some tasks have gone"
            )
            assert found["state"] == "running" and found["certificate"] == "", "it was too fast to be hurt"
            seen.append(found["tasks"])
            for process in running.members()["worker"]:
                process.kill()
            time.sleep(0.1)
        done = patiently(lambda: (now := look())["state"] == "done" and now, 120, "the deletion is done")
    said = json.loads(done["certificate"].split("\n")[1])
    assert said["rows"]["task"] == said["rows"]["queue"] == said["commitment"]["leaves"] == TASKS
    assert seen == sorted(seen) and 0 < seen[0] < TASKS

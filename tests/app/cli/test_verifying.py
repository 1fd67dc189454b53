"""`evenhand verify` and the program that is handed out: the same words and exit codes, offline, with nothing of Evenhand."""

import ast
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from evenhand.app.cli import main
from evenhand.app.standalone import program
from evenhand.pure.log.notes import LOG_KEY
from evenhand.pure.log.signing import Signer
from tests.pure.log.double import LOG, POLICY_TEXT, LogDouble, edit, edit_event, history, private

#: what the stand-alone program may import: the standard library and one package
ALLOWED = sys.stdlib_module_names | {"cryptography"}


@dataclass
class Case:
    words: list[str]
    exit: int
    says: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with bundles, good and bad, as a customer would hold them."""
    folder = tmp_path_factory.mktemp("evidence")
    log = LogDouble().run(history())
    bundle = log.bundle("birch")
    files = {
        "verify.py": program().encode(),
        "policy": POLICY_TEXT.encode(),
        "nobody": f"log {LOG.key}\nquorum none\n".encode(),
        "other-log": POLICY_TEXT.splitlines()[1].encode() + b"\nquorum w0\nlog\n",
        "key": f"{LOG.key}\n".encode(),
        "good.zip": bundle,
        "saved": log.notes[log.closed[1].size],
        "newest": log.notes[log.closed[3].size],
        "not-ours": log.notes[64].replace(b"evenhand", b"elsewhere"),
        "older.zip": log.bundle("birch", epochs=2),
        "cedar.zip": log.bundle("cedar", epochs=3),
        "altered.zip": edit_event(bundle, 5, lambda line: line.update(body=line["body"].replace("media", "thumb"))),
        "hidden.zip": log.bundle("birch", events=lambda events: events[:-1]),
        "broken.zip": edit(bundle, "events.jsonl", lambda raw: raw[:-40]),
        "escape.zip": edit_event(bundle, 5, lambda line: line.update(body='{"kind":"\u001b[2J"}')),
        "none.zip": b"this is not a zip file",
    }
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    return folder


BASE = ["--policy", "policy", "--key", "key"]
CASES = {
    "good": Case(["good.zip", *BASE], 0, "not checked  since"),
    "key as text": Case(["good.zip", "--policy", "policy", "--key", str(LOG.key)], 0, "ok           signature"),
    "everything": Case(["good.zip", *BASE, "--since", "saved", "--against", "cedar.zip"], 0, "ok           against"),
    "no witness": Case(["good.zip", "--policy", "nobody", "--key", "key"], 0, "not checked  witnesses"),
    "rolled back": Case(["older.zip", *BASE, "--since", "newest"], 1, "rolled back: from_size 64, to_size 32"),
    "altered": Case(["altered.zip", *BASE], 1, "altered: counter 5, index"),
    "hidden": Case(["hidden.zip", *BASE], 1, "hidden: counter 13, epoch 4"),
    "against a bad one": Case(["good.zip", *BASE, "--against", "hidden.zip"], 1, "second bundle: by itself"),
    "broken": Case(["broken.zip", *BASE], 2, "events.jsonl, line 13"),
    "control characters": Case(["escape.zip", *BASE], 2, "Nothing could be checked"),
    "not a zip": Case(["none.zip", *BASE], 2, "not a zip file"),
    "no such file": Case(["gone.zip", *BASE], 2, "gone.zip"),
    "no policy": Case(["good.zip", "--policy", "gone", "--key", "key"], 2, "gone can't be read"),
    "bad policy": Case(["good.zip", "--policy", "other-log", "--key", "key"], 2, "line 3 of the policy"),
    "bad key": Case(["good.zip", "--policy", "policy", "--key", "a+b+c"], 2, "base64"),
    "foreign checkpoint": Case(["good.zip", *BASE, "--since", "not-ours"], 2, "saved checkpoint can't be used"),
}


@pytest.mark.parametrize("name", CASES)
def test_command_and_program_say_the_same(
    name: str, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    monkeypatch.chdir(place)
    assert main(["verify", *case.words]) == case.exit
    said = capsys.readouterr().out
    assert case.says in said and "\x1b" not in said
    alone = subprocess.run([sys.executable, "-I", "verify.py", *case.words], cwd=place, capture_output=True, text=True)
    assert (alone.returncode, alone.stdout, alone.stderr) == (case.exit, said, "")


def test_json(place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(place)
    assert main(["verify", "altered.zip", *BASE, "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    checks = {one["check"]: one for one in said["checks"]}
    assert said["exit"] == 1 and checks["inclusion"]["status"] == "FAILED"
    assert checks["inclusion"]["faults"][0]["where"]["counter"] == 5
    assert checks["decisions"]["status"] == "not checked"
    assert main(["verify", "broken.zip", *BASE, "--json"]) == 2
    assert "events.jsonl, line 13" in json.loads(capsys.readouterr().out)["unreadable"]


def test_the_program_imports_nothing_of_ours(place: Path) -> None:
    tree = ast.parse((place / "verify.py").read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [one.name for one in node.names] if isinstance(node, ast.Import)
            else [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        )
    }  # fmt: skip
    assert imported <= ALLOWED and "cryptography" in imported
    look = (
        "import runpy, sys; sys.argv = ['verify.py', 'good.zip', '--policy', 'policy', '--key', 'key']\n"
        "try: runpy.run_path('verify.py', run_name='__main__')\n"
        "except SystemExit as end: code = end.code\n"
        "bad = [m for m in sys.modules if m.split('.')[0] in ('evenhand', 'socket', 'ssl', 'msgspec', 'httpx')]\n"
        "print(code, bad)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", look], cwd=place, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_verifier_writes_a_file_once(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "check.py"
    assert main(["verifier", "-o", str(target)]) == 0
    assert target.read_text() == program("check.py") and "python check.py BUNDLE" in target.read_text()
    assert main(["verifier", "-o", str(target)]) == 1
    assert "exists already" in capsys.readouterr().err
    assert main(["verifier"]) == 0
    assert capsys.readouterr().out == program()


def test_no_signature_by_the_log(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another key of the same name: what it signed is not the log's."""

    monkeypatch.chdir(place)
    key = Signer.of(LOG.key.name, LOG_KEY, private("thief")).key
    (place / "thief").write_text(f"log {key}\nquorum none\n")
    assert main(["verify", "good.zip", "--policy", "thief", "--key", str(key)]) == 1
    assert "unsigned: size 64" in capsys.readouterr().out
    assert main(["verify", "good.zip", "--policy", "thief", "--key", "key"]) == 2
    assert "does not list the key" in capsys.readouterr().out

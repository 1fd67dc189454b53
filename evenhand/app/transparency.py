"""The log of this installation: its key, its files, and what every customer is told alike."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import evenhand
from evenhand.app.settings import Settings
from evenhand.features.trust.types import Log, log_secret
from evenhand.infra.keys import Keys, load_log_key
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.notes import LOG_KEY
from evenhand.pure.log.signing import Signer


def log_files(settings: Settings) -> LogFiles:
    return LogFiles(settings.home.log)


def log_signer(settings: Settings) -> Signer:
    """Who signs checkpoints and deletion certificates."""
    private = load_log_key(settings.home.keys)
    name = f"evenhand/{hashlib.sha256(private.public_key().public_bytes_raw()).hexdigest()[:16]}"
    return Signer.of(name, LOG_KEY, private)


def the_log(settings: Settings, keys: Keys) -> Log:
    """The log with the key that signs it, for the worker. Its name does not change with the address that people use."""
    signer = log_signer(settings)
    files = log_files(settings)
    files.put_key(str(signer.key))
    return Log(signer, files, log_secret(keys), software())


def software() -> dict[str, str]:
    """What runs: the version, and the hashes of the program and of the pages (of "path sha256" lines, sorted)."""
    root = Path(evenhand.__file__).parent
    pages = root / "app" / "static"
    files = sorted(p for p in root.rglob("*") if p.is_file() and "__pycache__" not in p.parts)
    return {
        "version": version("evenhand"),
        "program": _hash(root, [p for p in files if not p.is_relative_to(pages)]),
        "pages": _hash(root, [p for p in files if p.is_relative_to(pages)]),
    }


def _hash(root: Path, files: list[Path]) -> str:
    lines = (f"{p.relative_to(root).as_posix()} {hashlib.sha256(p.read_bytes()).hexdigest()}\n" for p in files)
    return hashlib.sha256("".join(lines).encode()).hexdigest()

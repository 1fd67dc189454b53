"""`evenhand trace` and `evenhand audit`: the scheduler's whole trace, for an auditor's eyes only."""

import argparse
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from evenhand.app.cli import show
from evenhand.app.cli.people import with_services
from evenhand.features.trust.traces import audited, sealed, unsealed, whole_trace
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Conflict, Invalid

_HINT = "Make one with: openssl genpkey -algorithm x25519 -out auditor.pem; openssl pkey -in auditor.pem -pubout -out auditor.pub"


def _read(name: str) -> bytes:
    try:
        return Path(name).read_bytes()
    except OSError as err:
        raise Invalid(f"{name} can't be read: {plain_reason(err)}.") from err


def trace(given: argparse.Namespace) -> int:
    """Writes the trace, sealed; never over an existing file."""
    try:
        key = load_pem_public_key(_read(given.auditor_key))
    except (ValueError, UnsupportedAlgorithm) as err:
        raise Invalid(f"{given.auditor_key} is not a public key in PEM.", hint=_HINT) from err
    if not isinstance(key, X25519PublicKey):
        raise Invalid(f"{given.auditor_key} is not an X25519 key.", hint=_HINT)
    lines = with_services(lambda s: whole_trace(s.db))
    target = Path(given.output)
    try:
        with target.open("xb") as file:
            file.write(sealed(lines, key))
    except FileExistsError as err:
        raise Conflict(f"{target} exists already.", hint="Name another file.") from err
    except OSError as err:
        raise Invalid(f"{target} can't be written: {plain_reason(err)}.") from err
    count = sum(len(line.get("decisions", ())) for line in lines)
    if given.json:
        show.as_json({"decisions": count, "file": str(target)})
        return 0
    show.line(f"{count} decisions are in {target}, for the holder of that key only.")
    return 0


def audit(given: argparse.Namespace) -> int:
    """Opens a trace and replays it. 1 where something is wrong."""
    try:
        key = load_pem_private_key(_read(given.key), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as err:
        raise Invalid(f"{given.key} is not a private key in PEM without a password.", hint=_HINT) from err
    if not isinstance(key, X25519PrivateKey):
        raise Invalid(f"{given.key} is not an X25519 key.", hint=_HINT)
    found = audited(unsealed(_read(given.file), key))
    if given.json:
        counts = {"decisions": found.decisions, "batches": found.batches, "classes": found.classes}
        show.as_json({**counts, "wrong": list(found.wrong)})
        return 1 if found.wrong else 0
    for sentence in found.wrong:
        show.line(f"wrong: {sentence}")
    show.line(
        f"{found.decisions} decisions in {found.batches} batches of {found.classes} classes replayed; {len(found.wrong)} faults."
    )
    return 1 if found.wrong else 0

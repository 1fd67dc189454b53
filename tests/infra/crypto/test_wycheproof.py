"""Wycheproof: the primitives that we take from `cryptography` answer as they should, and where not, it is written here why.

`DIFFERS` names each case in which the library answers otherwise than the file says, with the reason. A difference that is
not written there fails, and so does a line that no case needs any more.
"""

import hmac
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import keywrap
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.infra.crypto.vectors import load, wycheproof

Case = dict[str, Any]
_IV = "valid by the standard, but `cryptography` takes IVs of 8 to 128 bytes only; ours have 12"
DIFFERS: dict[str, str] = {
    f"aes_gcm/{case}": _IV
    for case in (268, 272, 276, *range(277, 285), *range(287, 295), *range(299, 307))  # 257 bytes; 1, 2, 4, 6 bytes
}


def bytes_of(case: Case, *names: str) -> list[bytes]:
    return [bytes.fromhex(case[name]) for name in names]


def aes_gcm(_: Case, case: Case) -> bool:
    key, iv, aad, msg, ct, tag = bytes_of(case, "key", "iv", "aad", "msg", "ct", "tag")
    try:
        cipher = AESGCM(key)
        opened = cipher.decrypt(iv, ct + tag, aad)
    except (InvalidTag, ValueError):
        return False
    return opened == msg and cipher.encrypt(iv, msg, aad) == ct + tag


def aes_wrap(_: Case, case: Case) -> bool:
    key, msg, ct = bytes_of(case, "key", "msg", "ct")
    try:
        return keywrap.aes_key_unwrap(key, ct) == msg and keywrap.aes_key_wrap(key, msg) == ct
    except (keywrap.InvalidUnwrap, ValueError):
        return False


def aes_kwp(_: Case, case: Case) -> bool:
    key, msg, ct = bytes_of(case, "key", "msg", "ct")
    try:
        unwrapped = keywrap.aes_key_unwrap_with_padding(key, ct)
        return unwrapped == msg and keywrap.aes_key_wrap_with_padding(key, msg) == ct
    except (keywrap.InvalidUnwrap, ValueError):
        return False


def ed25519(group: Case, case: Case) -> bool:
    msg, sig = bytes_of(case, "msg", "sig")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]["pk"])).verify(sig, msg)
    except InvalidSignature:
        return False
    return True


def hkdf_sha256(_: Case, case: Case) -> bool:
    ikm, salt, info, okm = bytes_of(case, "ikm", "salt", "info", "okm")
    try:
        return HKDF(algorithm=SHA256(), length=case["size"], salt=salt, info=info).derive(ikm) == okm
    except ValueError:
        return False


def hmac_sha256(group: Case, case: Case) -> bool:
    """The standard library's, which is the one we use."""
    key, msg, tag = bytes_of(case, "key", "msg", "tag")
    return hmac.compare_digest(hmac.digest(key, msg, "sha256")[: group["tagSize"] // 8], tag)


PRIMITIVES: dict[str, Callable[[Case, Case], bool]] = {
    f.__name__: f for f in (aes_gcm, aes_wrap, aes_kwp, ed25519, hkdf_sha256, hmac_sha256)
}


@pytest.mark.parametrize("name", PRIMITIVES)
def test_every_case(name: str) -> None:
    """`acceptable` cases may go either way; `valid` and `invalid` may not."""
    counted = 0
    wrong: dict[str, str] = {}
    for group, case in wycheproof(name):
        counted += 1
        accepted = PRIMITIVES[name](group, case)
        if case["result"] != "acceptable" and accepted != (case["result"] == "valid"):
            wrong[f"{name}/{case['tcId']}"] = (
                f"{case['result']}, accepted={accepted}: {case['comment']} {case['flags']}"
            )
    assert counted == load(f"wycheproof_{name}_test.json")["numberOfTests"] > 80
    assert all(group["ivSize"] != 96 for group, case in wycheproof("aes_gcm") if f"aes_gcm/{case['tcId']}" in DIFFERS)
    known = {key for key in DIFFERS if key.startswith(f"{name}/")}
    assert wrong.keys() == known, wrong

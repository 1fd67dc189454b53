"""XAES-256-GCM against every published vector; what was altered is refused; forked writers never share a nonce."""

import json
import os
import sys
import threading
from hashlib import shake_128
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHAKE128, XOFHash
from hypothesis import given
from hypothesis import strategies as st

from evenhand.infra.crypto.trouble import Altered
from evenhand.infra.crypto.xaes import CHUNK_ROWS, OVERHEAD_BYTES, Xaes
from tests.data import cases_of
from tests.infra.crypto.vectors import load

KEY = bytes(range(32))


def published(path: Path) -> list[dict[str, str]]:
    return json.loads(path.read_text())["cases"]


@pytest.mark.parametrize("case", cases_of(published, "vectors", "xaes_256_gcm.json"))
def test_published_cases(case: dict[str, str]) -> None:
    xaes = Xaes(bytes.fromhex(case["key"]))
    nonce, aad, plain = (case[f"{name}_ascii"].encode() for name in ("nonce", "aad", "plaintext"))
    assert xaes.derived_key(nonce[:12]).hex() == case["derived_key"]
    assert nonce[12:].hex() == case["derived_nonce"]
    assert xaes.seal_with(nonce, plain, aad).hex() == case["ciphertext"]
    assert xaes.open(nonce + bytes.fromhex(case["ciphertext"]), aad) == plain


def accumulated(count: int) -> str:
    """The hash over the ciphertexts of `count` random cases; every tenth is opened again."""
    stream = XOFHash(SHAKE128(digest_size=sys.maxsize))
    hashed = XOFHash(SHAKE128(digest_size=sys.maxsize))
    for n in range(count):
        start = stream.squeeze(57)
        key, nonce = start[:32], start[32:56]
        plain = stream.squeeze(start[56])
        aad = stream.squeeze(stream.squeeze(1)[0])
        xaes = Xaes(key)
        sealed = xaes.seal_with(nonce, plain, aad)
        hashed.update(sealed)
        if n % 10 == 0:
            assert xaes.open(nonce + sealed, aad) == plain
    return hashed.squeeze(32).hex()


def test_the_stream_is_the_published_one() -> None:
    assert shake_128(b"").hexdigest(16) == "7f9c2ba4e88f827d616045507605853e"


def test_accumulated_hash() -> None:
    assert accumulated(10_000) == load("xaes_256_gcm.json")["accumulated"]["10000"]


@pytest.mark.slow
def test_accumulated_hash_of_a_million() -> None:
    assert accumulated(1_000_000) == load("xaes_256_gcm.json")["accumulated"]["1000000"]


@given(plain=st.binary(max_size=600), aad=st.binary(max_size=80), chunked=st.booleans())
def test_what_was_sealed_opens(plain: bytes, aad: bytes, chunked: bool) -> None:
    xaes = Xaes(KEY)
    sealed = xaes.chunk().seal(plain, aad) if chunked else xaes.seal(plain, aad)
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert Xaes(KEY).open(sealed, aad) == plain


@given(plain=st.binary(max_size=60), data=st.data())
def test_what_was_altered_is_refused(plain: bytes, data: st.DataObject) -> None:
    xaes = Xaes(KEY)
    sealed = xaes.seal(plain, b"place")
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    flipped = bytearray(sealed)
    flipped[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(0, len(sealed) - 1))
    for changed, aad in (
        (bytes(flipped), b"place"), (sealed[:cut], b"place"), (sealed + b"\x00", b"place"), (sealed, b"elsewhere"),
    ):  # fmt: skip
        with pytest.raises(Altered):
            xaes.open(changed, aad)
    with pytest.raises(Altered):
        Xaes(bytes(32)).open(sealed, b"place")


def test_a_chunk_shares_half_a_nonce_and_is_renewed() -> None:
    xaes = Xaes(KEY)
    chunk = xaes.chunk()
    rows = [chunk.seal(b"row", b"") for _ in range(CHUNK_ROWS + 1)]
    assert len({row[:12] for row in rows[:-1]}) == 1
    assert rows[-1][:12] != rows[0][:12]
    assert len({row[:24] for row in rows}) == len(rows)
    assert {xaes.open(row, b"") for row in rows} == {b"row"}


def test_a_forked_writer_repeats_no_nonce() -> None:
    chunk = Xaes(KEY).chunk()
    chunk.seal(b"first", b"")
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, chunk.seal(b"x", b"")[:24])
        os._exit(0)
    theirs = os.read(read, 24)
    os.waitpid(child, 0)
    os.close(read)
    os.close(write)
    mine = chunk.seal(b"x", b"")[:24]
    assert len(theirs) == 24 and mine[:12] == theirs[:12] and mine != theirs


def test_threads_share_a_key() -> None:
    xaes = Xaes(KEY)
    wrong: list[object] = []

    def work(n: int) -> None:
        try:
            for k in range(2000):
                text = f"{n}/{k}".encode()
                if xaes.open(xaes.seal(text, b"a"), b"a") != text:
                    wrong.append(text)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_key_is_not_shown() -> None:
    xaes = Xaes(KEY)
    for text in (repr(xaes), repr(xaes.chunk()), str(xaes)):
        assert KEY.hex() not in text and "not shown" in text


@pytest.mark.parametrize("size", [0, 16, 31, 33])
def test_a_key_of_another_length_is_a_mistake(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Xaes(bytes(size))

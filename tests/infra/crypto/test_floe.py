"""FLOE: every published file, both directions; ranges; cut, swapped, lengthened, flipped and misplaced files are refused."""

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evenhand.infra.crypto import floe
from evenhand.infra.crypto.floe import (
    GCM256_IV256_1M,
    GCM256_IV256_4K,
    GCM256_IV256_64K,
    HEADER_BYTES,
    Decryptor,
    Encryptor,
    Parameters,
    RangeReader,
)
from evenhand.infra.crypto.trouble import Altered
from tests.infra.crypto import vectors

KEY = bytes(32)
AAD = b"This is AAD"
PUBLISHED = {
    "GCM256_IV256_64": Parameters(64),
    "GCM256_IV256_4K": GCM256_IV256_4K,
    "lastSegAligned": Parameters(40),
    "lastSegEmpty": Parameters(40),
    "rotation": Parameters(40, rotation_bits=2),
}
SMALL = Parameters(48, rotation_bits=1)
"""16 bytes of plaintext in a segment, a new key every other one: all the rules within a hundred bytes."""


def cut(data: bytes, sizes: Iterator[int] | list[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
    yield data[at:]


def sealed_by_us(plain: bytes, parameters: Parameters = SMALL) -> bytes:
    return b"".join(floe.encrypt(KEY, AAD, [plain], parameters))


def opened(sealed: bytes, parameters: Parameters = SMALL, *, key: bytes = KEY, aad: bytes = AAD) -> bytes:
    return b"".join(floe.decrypt(key, aad, [sealed], parameters))


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_open(name: str) -> None:
    plain, sealed = vectors.floe(name)
    parameters = PUBLISHED[name]
    assert opened(sealed, parameters) == plain
    assert b"".join(floe.decrypt(KEY, AAD, cut(sealed, [1] * 300), parameters)) == plain
    assert parameters.plain_size(len(sealed)) == len(plain)


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_range_of_the_published_files(name: str) -> None:
    plain, sealed = vectors.floe(name)
    reader = RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), PUBLISHED[name])
    assert reader.plain_size == len(plain)
    marks = range(len(plain) + 1) if len(plain) < 100 else [0, 1, 4063, 4064, 4065, 5000, len(plain) - 1, len(plain)]
    for start in marks:
        for end in marks:
            if start <= end:
                low, high = reader.cover(start, end)
                assert bytes(reader.read(start, end, sealed[low:high])) == plain[start:end]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_made_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file's own IVs in place of fresh ones, sealing gives the file, byte for byte."""
    plain, sealed = vectors.floe(name)
    parameters = PUBLISHED[name]
    ivs = [sealed[10:42]]
    ivs += [sealed[at + 4 : at + 16] for at in range(HEADER_BYTES, len(sealed), parameters.segment_bytes)]
    given_out = iter(ivs)
    monkeypatch.setattr(floe.os, "urandom", lambda size: next(iv for iv in given_out if len(iv) == size))
    ours = b"".join(floe.encrypt(KEY, AAD, [plain], parameters))
    if name == "lastSegEmpty":  # theirs ends with an empty segment; ours with a full one, which is as lawful
        whole = len(sealed) - floe.SEGMENT_OVERHEAD - parameters.segment_bytes
        assert ours[:whole] == sealed[:whole] and len(ours) == parameters.sealed_size(len(plain))
    else:
        assert ours == sealed


@given(plain=st.binary(max_size=200), steps=st.lists(st.integers(0, 40), max_size=12))
def test_any_file_in_any_pieces(plain: bytes, steps: list[int]) -> None:
    sealed = b"".join(floe.encrypt(KEY, AAD, cut(plain, steps), SMALL))
    assert len(sealed) == SMALL.sealed_size(len(plain))
    assert SMALL.plain_size(len(sealed)) == len(plain)
    assert b"".join(floe.decrypt(KEY, AAD, cut(sealed, steps), SMALL)) == plain


@given(plain=st.binary(max_size=200), data=st.data())
def test_any_range(plain: bytes, data: st.DataObject) -> None:
    sealed = sealed_by_us(plain)
    start = data.draw(st.integers(0, len(plain)))
    end = data.draw(st.integers(start, len(plain)))
    reader = RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), SMALL)
    low, high = reader.cover(start, end)
    assert high - low <= (end - start) + 2 * SMALL.segment_bytes + 2 * 32 * (1 + (end - start) // 16)
    assert bytes(reader.read(start, end, sealed[low:high])) == plain[start:end]


@pytest.mark.parametrize("parameters", [GCM256_IV256_4K, floe.GCM256_IV256_16K, GCM256_IV256_64K, GCM256_IV256_1M])
def test_large_files(parameters: Parameters) -> None:
    plain = bytes(range(256)) * 10_000
    sealed = b"".join(floe.encrypt(KEY, AAD, cut(plain, [100_000] * 25), parameters))
    assert len(sealed) == parameters.sealed_size(len(plain))
    assert b"".join(floe.decrypt(KEY, AAD, cut(sealed, [65_536] * 39), parameters)) == plain
    reader = RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), parameters)
    low, high = reader.cover(1_000_000, 1_065_536)
    assert bytes(reader.read(1_000_000, 1_065_536, sealed[low:high])) == plain[1_000_000:1_065_536]


@given(plain=st.binary(max_size=100), data=st.data())
def test_a_flipped_bit_is_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = bytearray(sealed_by_us(plain))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Altered):
        opened(bytes(sealed))


@given(plain=st.binary(max_size=100), data=st.data())
def test_a_cut_or_lengthened_file_is_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = sealed_by_us(plain)
    kept = data.draw(st.integers(0, len(sealed) - 1))
    more = data.draw(st.binary(min_size=1, max_size=100))
    for changed in (sealed[:kept], sealed + more, sealed + sealed[HEADER_BYTES:]):
        with pytest.raises(Altered):
            opened(changed)


def segments(sealed: bytes) -> list[bytes]:
    return [sealed[at : at + SMALL.segment_bytes] for at in range(HEADER_BYTES, len(sealed), SMALL.segment_bytes)]


@given(plain=st.binary(min_size=33, max_size=200), data=st.data())
def test_swapped_dropped_and_repeated_segments_are_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = sealed_by_us(plain)
    parts = segments(sealed)
    a = data.draw(st.integers(0, len(parts) - 2))
    b = data.draw(st.integers(a + 1, len(parts) - 1))
    swapped = [*parts[:a], parts[b], *parts[a + 1 : b], parts[a], *parts[b + 1 :]]
    for changed in (swapped, parts[:a] + parts[a + 1 :], [*parts[:a], parts[a], *parts[a:]]):
        with pytest.raises(Altered):
            opened(sealed[:HEADER_BYTES] + b"".join(changed))


@given(plain=st.binary(min_size=17, max_size=120))
def test_a_segment_of_another_file_of_the_same_key_is_refused(plain: bytes) -> None:
    mine, other = sealed_by_us(plain), sealed_by_us(plain)
    parts, strange = segments(mine), segments(other)
    with pytest.raises(Altered):
        opened(mine[:HEADER_BYTES] + strange[0] + b"".join(parts[1:]))
    with pytest.raises(Altered):
        opened(other[:HEADER_BYTES] + b"".join(parts))


@given(plain=st.binary(min_size=40, max_size=200), data=st.data())
def test_ranges_of_altered_files_are_refused(plain: bytes, data: st.DataObject) -> None:
    sealed = sealed_by_us(plain)
    reader = RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), SMALL)
    start = data.draw(st.integers(0, len(plain) - 1))
    low, high = reader.cover(start, start + 1)
    piece = sealed[low:high]
    wrong = bytearray(piece)
    wrong[data.draw(st.integers(0, len(piece) - 1))] ^= 1
    others = [part for part in segments(sealed) if part != piece]
    for changed in (bytes(wrong), piece[:-1], piece + b"\x00", b"", *others):
        with pytest.raises(Altered):
            reader.read(start, start + 1, changed)


@pytest.mark.parametrize("more", [-48, 48])
def test_a_wrong_size_shows_at_the_last_byte(more: int) -> None:
    """Cut or lengthened at a segment's border, which lengths alone cannot show."""
    sealed = sealed_by_us(bytes(80))  # five full segments
    changed = sealed[:more] if more < 0 else sealed + sealed[-48:]
    reader = RangeReader(KEY, AAD, changed[:HEADER_BYTES], len(changed), SMALL)
    low, high = reader.cover(reader.plain_size - 1, reader.plain_size)
    with pytest.raises(Altered):
        reader.read(reader.plain_size - 1, reader.plain_size, changed[low:high])


@pytest.mark.parametrize("size", [0, 10, 73, 74, 74 + 31, 74 + 48 + 31])
def test_a_size_that_no_file_has_is_refused(size: int) -> None:
    with pytest.raises(Altered):
        SMALL.plain_size(size)


def test_the_header_binds_key_aad_and_parameters() -> None:
    sealed = sealed_by_us(b"a body")
    for key, aad, parameters in (
        (b"\x01" * 32, AAD, SMALL), (KEY, b"elsewhere", SMALL), (KEY, AAD, Parameters(64, rotation_bits=1)),
    ):  # fmt: skip
        with pytest.raises(Altered):
            opened(sealed, parameters, key=key, aad=aad)
        with pytest.raises(Altered):
            RangeReader(key, aad, sealed[:HEADER_BYTES], len(sealed), parameters)


def test_keys_rotate_as_the_mask_says() -> None:
    """A file of one rotation does not open as one of another once the first key has served its time."""
    plain = bytes(16 * 3)
    sealed = sealed_by_us(plain, Parameters(48, rotation_bits=1))
    with pytest.raises(Altered):
        opened(sealed, Parameters(48, rotation_bits=20))
    short = sealed_by_us(bytes(16 * 2), Parameters(48, rotation_bits=1))
    assert opened(short, Parameters(48, rotation_bits=20)) == bytes(32)


def test_two_files_of_the_same_bytes_differ() -> None:
    first, second = sealed_by_us(bytes(100)), sealed_by_us(bytes(100))
    assert not set(pairwise(segments(first))) & set(pairwise(segments(second)))
    assert first[10:42] != second[10:42]


def test_a_finished_file_takes_no_more() -> None:
    sealing = Encryptor(KEY, AAD, SMALL)
    sealing.finish()
    with pytest.raises(ValueError, match="finished"):
        sealing.feed(b"more")


@settings(max_examples=20)
@given(start=st.integers(-5, 30), end=st.integers(-5, 30))
def test_a_range_outside_the_file_is_a_mistake(start: int, end: int) -> None:
    sealed = sealed_by_us(bytes(20))
    reader = RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), SMALL)
    if 0 <= start <= end <= 20:
        assert reader.cover(start, end)[0] >= HEADER_BYTES
    else:
        with pytest.raises(ValueError, match="not within"):
            reader.cover(start, end)


def test_the_key_is_not_shown() -> None:
    sealed = sealed_by_us(b"x")
    secret = b"\x07" * 32
    for thing in (
        Encryptor(secret, AAD, SMALL), Decryptor(secret, AAD, SMALL),
        RangeReader(KEY, AAD, sealed[:HEADER_BYTES], len(sealed), SMALL),
    ):  # fmt: skip
        assert "not shown" in repr(thing) and "\\x07" not in repr(thing)

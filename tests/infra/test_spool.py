"""What is spooled comes back, from memory and from the disk, and lies on the disk as ciphertext."""

import io
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evenhand.infra.spool import Spool


@given(
    pieces=st.lists(st.binary(max_size=300), max_size=30),
    most=st.sampled_from([1, 100, 10_000]),
    at=st.integers(0, 500),
)
def test_what_goes_in_comes_out(pieces: list[bytes], most: int, at: int) -> None:
    whole = b"".join(pieces)
    with Spool(most) as spool:
        for piece in pieces:
            spool.write(piece)
        assert spool.tell() == len(whole)
        spool.seek(0)
        assert spool.read() == whole
        spool.seek(min(at, len(whole)))
        assert spool.read(50) == whole[at : at + 50]
        spool.seek(0, os.SEEK_END)
        spool.write(b"more")
        spool.seek(0)
        assert spool.read() == whole + b"more"


def test_large_ones() -> None:
    data = os.urandom(3_000_000)
    with Spool(1000) as spool:
        for at in range(0, len(data), 70_001):
            spool.write(data[at : at + 70_001])
        for at in (0, 1, 15, 16, 17, 2_999_999, 1_234_567):
            spool.seek(at)
            assert spool.read(100) == data[at : at + 100]


def test_the_disk_has_ciphertext() -> None:
    canary = b"SISKINSONG" * 1000
    with Spool(10) as spool:
        spool.write(canary)
        spool.seek(0)
        assert spool.read() == canary
        stored = os.pread(spool._file.raw._file.fileno(), 100_000, 0)
        assert len(stored) == len(canary) and b"SISKIN" not in stored and len(set(stored)) > 200


def test_no_place_is_written_twice() -> None:
    with Spool(1) as spool:
        spool.write(b"first")
        spool.seek(0)
        with pytest.raises(io.UnsupportedOperation):
            spool._file.raw.write(b"again")
        assert spool.read() == b"first"

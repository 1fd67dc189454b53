"""Zip entries whose sizes stand behind them: what is written in pieces reads back whole, by the standard library."""

import io
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.formats.zipstream import ZipStream

ENTRY = st.tuples(st.lists(st.binary(max_size=400), max_size=6), st.sampled_from(["packed", "stored", "whole"]))


@given(st.lists(ENTRY, max_size=6))
def test_what_is_written_reads_back(entries: list[tuple[list[bytes], str]]) -> None:
    spool = io.BytesIO()
    out, zipped = io.BytesIO(), ZipStream(spool)
    for n, (parts, how) in enumerate(entries):
        name = f"höhe/{n}.bin"
        if how == "whole":
            out.write(zipped.file(name, b"".join(parts)))
            continue
        out.write(zipped.begin(name, packed=how == "packed"))
        for part in parts:
            out.write(zipped.add(part))
        out.write(zipped.end())
    for piece in zipped.finish():
        out.write(piece)
    with zipfile.ZipFile(out) as found:
        assert found.testzip() is None
        assert found.namelist() == [f"höhe/{n}.bin" for n in range(len(entries))]
        for n, (parts, _) in enumerate(entries):
            assert found.read(f"höhe/{n}.bin") == b"".join(parts)

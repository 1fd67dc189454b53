"""The witness protocol: the published request, every status, and that a witness can't be led astray."""

import base64

import pytest

from evenhand.pure.log.checkpoints import Checkpoint
from evenhand.pure.log.merkle import Tree, consistency_proof
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY
from evenhand.pure.log.proofs import EMPTY_ROOT, leaf_hash
from evenhand.pure.log.signing import Signer, cosignature, sign_checkpoint
from evenhand.pure.log.witness import SIZE_TYPE, AddCheckpoint, Answer, consider, merged
from evenhand.pure.log.wrong import Unreadable
from tests.pure.log.double import private

LOG = Signer.of("log.example/one", LOG_KEY, private("one"))
OTHER = Signer.of("log.example/two", LOG_KEY, private("two"))
LOGS = {"log.example/one": [LOG.key]}
TREE = Tree(leaf_hash(bytes([n])) for n in range(40))
PUBLISHED = """old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

— example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
"""


def root(size: int) -> bytes:
    return Tree(TREE.levels[0][:size]).root()


def note(size: int) -> bytes:
    return sign_checkpoint(LOG, size, root(size))


def request(old: int, new: int) -> AddCheckpoint:
    return AddCheckpoint(old, tuple(consistency_proof(TREE.nodes, old, new)) if old else (), note(new))


def ask(sent: AddCheckpoint | bytes, size: int | None = None) -> Answer:
    """A witness whose latest is the tree of `size`."""
    body = sent if isinstance(sent, bytes) else sent.body()
    return consider(body, LOGS, {} if size is None else {"log.example/one": (size, root(size))})


def test_the_published_request() -> None:
    read = AddCheckpoint.parse(PUBLISHED.encode())
    assert read.old_size == 20_852_014 and len(read.proof) == 4
    assert Checkpoint.parse(read.note).size == 20_852_163
    assert read.body() == PUBLISHED.encode()


def test_it_goes_on() -> None:
    for old, new in ((None, 0), (None, 16), (0, 16), (16, 32), (16, 33), (33, 33)):
        answer = ask(request(old or 0, new), old)
        assert answer.status == 200 and answer.accepted is not None and answer.accepted.size == new, (old, new)


@pytest.mark.parametrize(
    ("sent", "latest", "status", "body"),
    [
        (request(16, 32), 20, 409, "20\n"),
        (request(0, 32), 20, 409, "20\n"),
        (request(20, 32), None, 409, "0\n"),
        (AddCheckpoint(20, (), sign_checkpoint(LOG, 20, bytes(32))), 20, 409, "20\n"),
        (AddCheckpoint(32, (), note(20)), 32, 400, None),
        (AddCheckpoint(16, (bytes(32),), note(32)), 16, 422, None),
        (AddCheckpoint(16, (), note(32)), 16, 422, None),
        (AddCheckpoint(0, (bytes(32),), note(32)), None, 422, None),
        (AddCheckpoint(16, (bytes(32),), note(16)), 16, 422, None),
        (AddCheckpoint(0, (), sign_checkpoint(OTHER, 16, root(16))), None, 404, None),
        (AddCheckpoint(0, (), note(16).replace(b"log.example/one", b"log.example/two", 1)), None, 404, None),
        (AddCheckpoint(0, (), note(16).replace(b"\n16\n", b"\n17\n")), None, 403, None),
        (b"", None, 400, None),
        (b"old 016\n\n" + note(32), 16, 400, None),
        (b"old 16\nAAAA\n\n" + note(32), 16, 400, None),
        (b"old 16\n" + (base64.b64encode(bytes(32)) + b"\n") * 64 + b"\n" + note(32), 16, 400, None),
        (b"old 16\n\nnot a note\n", 16, 400, None),
        (b"size 16\n\n" + note(32), 16, 400, None),
        (b"\xff\n\n" + note(32), 16, 400, None),
    ],
)  # fmt: skip
def test_it_refuses(sent: AddCheckpoint | bytes, latest: int | None, status: int, body: str | None) -> None:
    answer = ask(sent, latest)
    assert (answer.status, answer.accepted) == (status, None)
    if body is not None:
        assert (answer.body, answer.content_type) == (body, SIZE_TYPE)


def test_an_empty_log_has_one_root() -> None:
    assert root(0) == EMPTY_ROOT
    assert ask(AddCheckpoint(0, (), sign_checkpoint(LOG, 0, bytes(32)))).status == 409


def test_only_good_cosignatures_are_merged() -> None:
    known = [Signer.of(f"w.example/{n}", WITNESS_KEY, private(f"w{n}")) for n in range(3)]
    sent, point = note(16), Checkpoint.parse(note(16))
    lines = [cosignature(one, point, 1000 + at) for at, one in enumerate(known)]
    bad = cosignature(known[1], Checkpoint.parse(note(17)), 1000)
    answer = (lines[0] + bad + lines[2]).encode()
    both = merged(sent, answer, [one.key for one in known[:2]])
    assert both == sent + lines[0].encode()
    assert merged(both, answer, [one.key for one in known]) == both + lines[2].encode()
    assert merged(both, b"", [known[0].key]) == both
    with pytest.raises(Unreadable):
        merged(sent, b"nonsense\n", [known[0].key])

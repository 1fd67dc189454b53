"""Notes, checkpoints, cosignatures and policies, against the examples that are published with them."""

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from evenhand.pure.log.checkpoints import Checkpoint, cosigned_message
from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY, Note, VerifierKey
from evenhand.pure.log.policy import Policy
from evenhand.pure.log.signing import Signer, cosignature, sign_checkpoint, sign_note
from evenhand.pure.log.wrong import Unreadable, Wrong
from tests.pure.log.double import private

VECTORS = Path(__file__).resolve().parents[3] / "fixtures" / "vectors"

# golang.org/x/mod/sumdb/note, note_test.go
PETER = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
PETERS_SEED = base64.b64decode("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz")[1:]
ENOCH = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
PETER_SIG = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
ENOCH_SIG = "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
# c2sp.org/tlog-cosignature
SOFA = (VECTORS / "checkpoint_behind_the_sofa.txt").read_text()
# A public log as its public witnesses cosigned it on 23 May 2026: the log's own key, and the witnesses' keys as they publish them
REAL = (VECTORS / "checkpoint_arche2025h1.txt").read_text()
REAL_LOG = "arche2025h1.staging.ct.transparency.dev+ba2f06c0+AU0vHmlGCS/PdN8b2OaGmKprLI8HKM+dJ472xgFYh15f"
REAL_WITNESSES = (
    "transparency.dev/DEV:witness-little-garden+d8042a87+BCtusOxINQNUTN5Oj8HObRkh2yHf/MwYaGX4CPdiVEPM",
    "witness1.smartit.nu/witness1+a48c820f+BPSFWg9G6KPiO7QPryYO5Xq4oYJJ+kAvLKLSimDhoxMO",
    "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2",
    "witness.stagemole.eu+67f7aea0+BEqSG3yu9YrmcM3BHvQYTxwFj3uSWakQepafafpUqklv",
)


def test_a_real_log_and_its_real_witnesses() -> None:
    point, later = Checkpoint.parse(REAL.encode()), Checkpoint.parse(REAL.replace("1432088532", "1432088533").encode())
    log = VerifierKey.parse(REAL_LOG)
    point.signed_by(log)
    with pytest.raises(Wrong):
        later.signed_by(log)
    for text in REAL_WITNESSES:
        witness = VerifierKey.parse(text)
        assert str(witness) == text and point.cosigned_at(witness) == 1_779_573_024
        with pytest.raises(Wrong):
            later.cosigned_at(witness)


def test_the_published_note_is_made_and_verified() -> None:
    signer = Signer.of("PeterNeumann", LOG_KEY, Ed25519PrivateKey.from_private_bytes(PETERS_SEED))
    assert str(signer.key) == PETER
    made = sign_note(TEXT, [signer])
    assert made.decode() == TEXT + "\n" + PETER_SIG
    note = Note.parse((TEXT + "\n" + PETER_SIG + ENOCH_SIG).encode())
    assert note.text == TEXT
    for text in (PETER, ENOCH):
        key = VerifierKey.parse(text)
        (signature,) = note.by(key)
        key.verify(signature, note.text.encode())
        with pytest.raises(Wrong):
            key.verify(signature, note.text.encode() + b"\n")


def test_a_key_is_written_in_one_way_only() -> None:
    assert str(VerifierKey.parse(PETER)) == PETER
    parts = {PETER[low:high] for low in range(len(PETER)) for high in range(low + 1, len(PETER) + 1)} - {PETER}
    changed = {PETER[:at] + chr(ord(PETER[at]) + 1) + PETER[at + 1 :] for at in range(len(PETER))}
    more = {
        "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==",
        "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        PETER.replace("c74f20a3", "C74F20A3"), f"{PETER}\n", "", "++",
    }  # fmt: skip
    for text in parts | changed | more:
        with pytest.raises(Unreadable):
            VerifierKey.parse(text)


@pytest.mark.parametrize(
    "raw",
    [
        TEXT, TEXT + "\n", TEXT + "\n" + PETER_SIG[:-1], "\x01" + TEXT + "\n" + PETER_SIG, TEXT + "\r\n\n" + PETER_SIG,
        TEXT + "\n" + PETER_SIG.replace("— PeterNeumann", "— Bad Name"), TEXT + "\n" + PETER_SIG + "Unexpected line.\n",
        TEXT + "\n" + PETER_SIG * 101, TEXT + "\n" + PETER_SIG.replace("—", "-"), TEXT + "\n— PeterNeumann x08g\n",
        TEXT + "\n" + PETER_SIG.replace("=", ""), TEXT + "\n" + PETER_SIG.replace("Peter", "Peter+"), "\n\n" + PETER_SIG,
        TEXT + "\n" + PETER_SIG.replace("AM=", "AN="), TEXT + "\n" + PETER_SIG + "\n",
    ],
)  # fmt: skip
def test_what_is_no_note(raw: str) -> None:
    with pytest.raises(Unreadable):
        Note.parse(raw.encode())


def test_a_note_is_utf8() -> None:
    with pytest.raises(Unreadable, match="UTF-8"):
        Note.parse(b"\xff" + (TEXT + "\n" + PETER_SIG).encode())


def test_the_published_checkpoint() -> None:
    point = Checkpoint.parse(SOFA.encode())
    assert (point.origin, point.size) == ("example.com/behind-the-sofa", 20_852_163)
    name, id_, signature = point.note.signatures[1]
    assert (name, id_.hex(), int.from_bytes(signature[:8], "big")) == ("witness.example.com/w1", "8d66cf3f", 1679315147)
    assert cosigned_message(1679315147, point.note.text) == (
        b"cosignature/v1\ntime 1679315147\nexample.com/behind-the-sofa\n20852163\n"
        b"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("20852163", "020852163"), ("20852163", "-1"), ("20852163", ""), ("20852163", "2e7"), ("20852163", "9" * 19),
        ("20852163", "２"), ("xq2I=", "xq2I"), ("xq2I=\n", "xq2I=\n\nmore\n"), ("example.com/behind-the-sofa\n2", "\n2"),
        ("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", "CsUY"),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint(old: str, new: str) -> None:
    with pytest.raises(Unreadable):
        Checkpoint.parse(SOFA.replace(old, new, 1).encode())


LOG = Signer.of("log.example/one", LOG_KEY, private("one"))
WITNESS = Signer.of("witness.example/w", WITNESS_KEY, private("w"))


@given(st.integers(0, 1 << 62), st.binary(min_size=32, max_size=32), st.integers(0, 1 << 62))
def test_checkpoints_and_cosignatures_read_back(size: int, root: bytes, time_s: int) -> None:
    note = sign_checkpoint(LOG, size, root)
    point = Checkpoint.parse(note)
    assert (point.origin, point.size, point.root) == ("log.example/one", size, root)
    point.signed_by(LOG.key)
    assert point.cosigned_at(WITNESS.key) is None
    line = cosignature(WITNESS, point, time_s)
    both = Checkpoint.parse(note + line.encode())
    both.signed_by(LOG.key)
    assert both.cosigned_at(WITNESS.key) == time_s
    assert both.note.text == point.note.text


def test_signatures_are_not_taken_for_one_another() -> None:
    """Another name, another type, another time: all of them fail."""
    note = sign_checkpoint(LOG, 7, bytes(32))
    point = Checkpoint.parse(note)
    line = cosignature(WITNESS, point, 1000)
    later = base64.b64encode(WITNESS.key.id + (1001).to_bytes(8, "big") + base64.b64decode(line.split()[2])[12:])
    with pytest.raises(Wrong):
        Checkpoint.parse(note + f"— {WITNESS.key.name} {later.decode()}\n".encode()).cosigned_at(WITNESS.key)
    for key in (Signer.of("log.example/two", LOG_KEY, private("one")).key, WITNESS.key):
        with pytest.raises(Wrong):
            point.signed_by(key)
    same = Signer.of("log.example/one", WITNESS_KEY, private("one"))
    assert Checkpoint.parse(note).cosigned_at(same.key) is None
    with pytest.raises(ValueError):
        sign_checkpoint(WITNESS, 7, bytes(32))
    with pytest.raises(ValueError):
        cosignature(LOG, point, 1)
    with pytest.raises(ValueError):
        Signer.of("two words", LOG_KEY, private("one"))
    with pytest.raises(ValueError):
        sign_note("no end", [LOG])


def keys(count: int, kind: int = WITNESS_KEY) -> list[VerifierKey]:
    return [Signer.of(f"k.example/{n}", kind, private(f"{kind}{n}")).key for n in range(count)]


def test_the_policy_of_the_specification() -> None:
    """Two of three X and one of three Y."""
    names = ["X1", "X2", "X3", "Y1", "Y2", "Y3"]
    lines = [f"log {keys(1, LOG_KEY)[0]} https://log.example/", "", "  # a comment"]
    lines += [f"\twitness {name}  {key}" for name, key in zip(names, keys(6), strict=True)]
    lines += [
        "group X-witnesses 2 X1 X2 X3",
        "group Y-witnesses any Y1 Y2 Y3",
        "group X-and-Y all X-witnesses Y-witnesses",
    ]
    policy = Policy.parse("\n".join([*lines, "quorum X-and-Y", ""]).encode())
    assert policy.quorum == b"X-and-Y" and len(policy.logs) == 1

    def met(*cosigned: bytes) -> bool:
        return policy.met(b"X-and-Y", set(cosigned))

    assert met(b"X1", b"X3", b"Y2") and met(b"X1", b"X2", b"X3", b"Y1", b"Y3")
    assert not met(b"X1", b"Y1", b"Y2", b"Y3") and not met(b"X1", b"X2", b"X3") and not met()


W0, W1 = keys(2)


@pytest.mark.parametrize(
    "text",
    [
        "", f"witness a {W0}", f"witness a {W0}\nquorum b", f"witness a {W0}\nquorum a\nquorum a", f"quorum a\nwitness a {W0}",
        f"witness a {W0}\nwitness b {W0}\nquorum a", f"witness a {W0}\nwitness a {W1}\nquorum a",
        f"witness none {W0}\nquorum none", f"witness a {W0}\ngroup g 0 a\nquorum g", f"witness a {W0}\ngroup g 2 a\nquorum g",
        f"witness a {W0}\ngroup g 01 a\nquorum g", f"witness a {W0}\ngroup g all\nquorum g", "group g any none\nquorum g",
        f"witness a {W0}\ngroup g all a\ngroup h all a\nquorum g", f"witness a {W0}\ngroup g all a a\nquorum g",
        f"log {W0}\nquorum none", f"witness a {keys(1, LOG_KEY)[0]}\nquorum a", "quorum none\r\n", "quorum none\x00",
        "hello\nquorum none", f"witness a {W0} https://a.example b\nquorum a", "group g all g\nquorum g",
    ],
)  # fmt: skip
def test_what_is_no_policy(text: str) -> None:
    with pytest.raises(Unreadable):
        Policy.parse(text.encode())


def test_a_policy_is_octets() -> None:
    """A Kelvin sign is not a K, and names need not be UTF-8."""
    policy = Policy.parse(
        f"witness K {W0}\nwitness \u212a {W1}\n".encode() + b"group \xff all \xe2\x84\xaa K\nquorum \xff"
    )
    assert policy.met(b"\xff", {b"K", "\u212a".encode()}) and not policy.met(b"\xff", {b"K"})
    assert Policy.parse(b"quorum none").quorum is None

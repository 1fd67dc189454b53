"""Policies: whose word is enough (c2sp.org/tlog-policy)."""

from collections.abc import Iterable
from dataclasses import dataclass

from evenhand.pure.log.notes import LOG_KEY, WITNESS_KEY, VerifierKey, whole_number
from evenhand.pure.log.wrong import Unreadable


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom one believes. groups: name -> (how many, of whom); quorum: a name, or None for no witnesses; addresses: where
    witnesses are asked, for those that say."""

    logs: tuple[VerifierKey, ...]
    witnesses: dict[bytes, VerifierKey]
    groups: dict[bytes, tuple[int, tuple[bytes, ...]]]
    quorum: bytes | None
    addresses: dict[bytes, str]

    def met(self, name: bytes, cosigned: set[bytes]) -> bool:
        """Whether the witness or group `name` has witnessed what the witnesses in `cosigned` cosigned."""
        if name in self.witnesses:
            return name in cosigned
        needed, members = self.groups[name]
        return sum(self.met(member, cosigned) for member in members) >= needed

    @staticmethod
    def parse(raw: bytes) -> "Policy":
        """Raises Unreadable, with the number of the line."""
        reading = _PolicyReading()
        if any((c < 0x20 and c not in b"\t\n") or c == 0x7F for c in raw):
            raise Unreadable("the policy has a control character other than tab and newline")
        for number, line in enumerate(raw.split(b"\n"), 1):
            words = [word for word in line.replace(b"\t", b" ").split(b" ") if word]
            try:
                if words and not words[0].startswith(b"#"):
                    reading.line(words)
            except (Unreadable, UnicodeDecodeError) as err:
                raise Unreadable(f"line {number} of the policy: {err}") from err
        if reading.quorum is None:
            raise Unreadable("the policy has no quorum line (`quorum none` says that no witness is needed)")
        quorum = None if reading.quorum == b"none" else reading.quorum
        return Policy(tuple(reading.logs), reading.witnesses, reading.groups, quorum, reading.addresses)


class _PolicyReading:
    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: dict[bytes, VerifierKey] = {}
        self.groups: dict[bytes, tuple[int, tuple[bytes, ...]]] = {}
        self.member_of_a_group: set[bytes] = set()
        self.quorum: bytes | None = None
        self.addresses: dict[bytes, str] = {}

    def line(self, words: list[bytes]) -> None:
        match words:
            case [b"log", key] | [b"log", key, _]:
                self.logs.append(self._key(key, LOG_KEY, self.logs))
            case [b"witness", name, key, *address] if len(address) <= 1:
                self._new(name)
                self.witnesses[name] = self._key(key, WITNESS_KEY, self.witnesses.values())
                self.addresses.update((name, one.decode()) for one in address)
            case [b"group", name, count, *members] if members:
                self._new(name)
                self.groups[name] = (self._threshold(count, len(members)), self._members(members))
            case [b"quorum", name] if self.quorum is None:
                if name != b"none":
                    self._known(name)
                self.quorum = name
            case _:
                raise Unreadable("not a line of a policy, or a second quorum")

    def _key(self, text: bytes, kind: int, others: Iterable[VerifierKey]) -> VerifierKey:
        key = VerifierKey.parse(text.decode())
        if key.kind != kind:
            raise Unreadable(f"the key of {key.name!r} is of type {key.kind}, where {kind} belongs")
        if any(other.public == key.public for other in others):
            raise Unreadable(f"the key of {key.name!r} is listed twice")
        return key

    def _new(self, name: bytes) -> None:
        if name == b"none" or name in self.witnesses or name in self.groups:
            raise Unreadable(f"the name {name!r} is taken")

    def _known(self, name: bytes) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise Unreadable(f"{name!r} is not defined above")

    def _threshold(self, count: bytes, members: int) -> int:
        if count in (b"any", b"all"):
            return 1 if count == b"any" else members
        needed = whole_number(count.decode())
        if not 1 <= needed <= members:
            raise Unreadable(f"{needed} of {members} can't be")
        return needed

    def _members(self, members: list[bytes]) -> tuple[bytes, ...]:
        for name in members:
            self._known(name)
            if name in self.member_of_a_group:
                raise Unreadable(f"{name!r} is in a group already")
            self.member_of_a_group.add(name)
        return tuple(members)

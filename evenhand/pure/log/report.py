"""What was checked and what came of it."""

from dataclasses import dataclass, field
from typing import Any

SHOWN = 20  #: faults kept for a check; all are counted
OK, FAILED, NOT_CHECKED = "ok", "FAILED", "not checked"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong: its name, where it is ({"counter": 17, "index": 4711}), and what is wrong there."""

    name: str
    where: dict[str, int | str]
    what: str

    def __str__(self) -> str:
        place = ", ".join(f"{name} {value}" for name, value in self.where.items())
        return f"{self.name}: {place}: {self.what}" if place else f"{self.name}: {self.what}"


@dataclass(slots=True)
class Check:
    """One check. Until `done` is called it was not made, and `words` say why; `asked` means that somebody wanted it."""

    name: str
    words: str = ""
    asked: bool = False
    made: bool = False
    faults: list[Fault] = field(default_factory=list[Fault])
    count: int = 0

    def fault(self, name: str, what: str, **where: int | str) -> None:
        self.count += 1
        if len(self.faults) < SHOWN:
            self.faults.append(Fault(name, where, what))

    def done(self, words: str) -> None:
        self.made, self.words = True, words

    def skip(self, words: str, *, asked: bool = False) -> None:
        self.words, self.asked = words, asked or self.asked

    @property
    def said(self) -> str:
        """What came of it, in words."""
        return f"{self.count} {'fault' if self.count == 1 else 'faults'}" if self.count else self.words

    @property
    def status(self) -> str:
        return FAILED if self.count else OK if self.made else NOT_CHECKED


@dataclass(slots=True)
class Report:
    """All checks, in the order in which they are told."""

    checks: dict[str, Check] = field(default_factory=dict[str, Check])

    def check(self, name: str) -> Check:
        return self.checks.setdefault(name, Check(name))

    @property
    def exit(self) -> int:
        """1 something is wrong, 2 something asked for could not be checked, 0 otherwise."""
        if any(check.count for check in self.checks.values()):
            return 1
        return 2 if any(check.asked and not check.made for check in self.checks.values()) else 0

    def as_json(self) -> dict[str, Any]:
        checks = [
            {
                "check": check.name, "status": check.status, "words": check.said, "count": check.count,
                "faults": [{"name": one.name, "where": one.where, "what": one.what} for one in check.faults],
            }
            for check in self.checks.values()
        ]  # fmt: skip
        return {"exit": self.exit, "checks": checks}

    def as_text(self) -> str:
        out: list[str] = []
        for check in self.checks.values():
            out.append(f"{check.status:<12} {check.name:<13} {check.said}".rstrip())
            out += [f"{'':<12} {one}" for one in check.faults]
            if check.count > len(check.faults):
                out.append(f"{'':<12} and {check.count - len(check.faults)} more")
        verdicts = (
            "Nothing that was checked is wrong.",
            "Something is wrong.",
            "Something that was asked for could not be checked.",
        )
        return "\n".join([*out, verdicts[self.exit]]) + "\n"

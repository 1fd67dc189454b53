"""What the scheduler can see: numbers, and nothing that says who somebody is."""

import ast
import dataclasses
import inspect
import random
import typing
from pathlib import Path
from types import ModuleType

import pytest

from evenhand.pure.fairness import account, bounds, ledger, queueing, rates, seeds, state
from evenhand.pure.fairness.queueing import FairQueue
from tests.pure.fairness.test_queueing import CARD, SEED, UNIT

SCHEDULER = [account, bounds, ledger, queueing, rates, seeds, state]
# Everything a name or a mark could be written in is missing here.
NUMBERS = {int, bytes, bool, type(None)}
ALLOWED_IMPORTS = {
    "bisect", "collections.abc", "dataclasses", "hashlib", "heapq", "hmac", "json", "math", "typing", "evenhand.pure.trouble",
    *(module.__name__ for module in SCHEDULER),
}  # fmt: skip


def leaves(hint: object, seen: set[object] | None = None) -> set[object]:
    """The plain types that an annotation is made of, looking into our own records."""
    seen = set() if seen is None else seen
    if hint is None or hint is type(None):
        return {type(None)}
    if arguments := typing.get_args(hint):
        return set().union(*(leaves(one, seen) for one in arguments if one is not ...))
    if isinstance(hint, type) and hint.__module__.startswith("evenhand.pure.fairness"):
        if hint in seen:
            return set()
        seen.add(hint)
        return set().union(set(), *(leaves(one, seen) for one in typing.get_type_hints(hint).values()))
    return {hint}


def functions(module: ModuleType) -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    for name, one in vars(module).items():
        if getattr(one, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(one):
            found.append((name, one))
        elif inspect.isclass(one) and not issubclass(one, Exception):
            found += [(f"{name}.{n}", m) for n, m in vars(one).items() if inspect.isfunction(m) and n[:2] != "__"]
            found += [(f"{name}.__init__", one.__init__)] if name == "FairQueue" else []
    return found


@pytest.mark.parametrize("module", SCHEDULER, ids=lambda m: m.__name__.rpartition(".")[2])
def test_every_argument_and_every_field_is_a_number(module: ModuleType) -> None:
    looked = 0
    for name, function in functions(module):
        if name == "_frozen":  # walks over what json read
            continue
        hints = typing.get_type_hints(function)
        hints.pop("return", None)
        for argument, hint in hints.items():
            assert leaves(hint) <= NUMBERS, f"{module.__name__}.{name}({argument}: {hint})"
            looked += 1
    for name, one in vars(module).items():
        if dataclasses.is_dataclass(one) or hasattr(one, "_fields"):
            assert leaves(one) <= NUMBERS, name
            looked += 1
    assert looked > 2


@pytest.mark.parametrize("module", SCHEDULER, ids=lambda m: m.__name__.rpartition(".")[2])
def test_it_imports_nothing_that_knows_more(module: ModuleType) -> None:
    tree = ast.parse(Path(module.__file__ or "").read_text())
    imported = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    imported |= {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    assert imported <= ALLOWED_IMPORTS, imported - ALLOWED_IMPORTS


def week(names: list[str], chance_seed: int) -> list[str]:
    """A week of work in which customer n has the n-th role; who wins is told by name."""
    chance = random.Random(chance_seed)
    queue = FairQueue(UNIT, SEED)
    for n in range(len(names)):
        queue.enrol(n, CARD[n % 4])
    winners: list[str] = []
    open_: list[int] = []
    while len(winners) < 100:
        n, pool = chance.randrange(len(names)), chance.randrange(2)
        (queue.depart(n, pool) if chance.random() < 0.2 else queue.arrive(n, pool, chance.choice([10, 20, 500])))
        if decided := queue.decide(chance.randrange(2)):
            winners.append(names[decided.winner])
            open_.append(decided.number)
        if len(open_) > 5:
            queue.charge(open_.pop(0), chance.randrange(600))
    return winners


def test_names_swap_and_decisions_swap_with_them() -> None:
    """A thousand relabellings of a thousand weeks: exactly the relabelled decisions, each time."""
    names = ["Acme", "Globex", "Initech", "Umbrella", "Hooli", "Stark"]
    for n in range(1000):
        shuffled = random.Random(n).sample(names, len(names))
        renamed = dict(zip(names, shuffled, strict=True))
        assert [renamed[name] for name in week(names, n)] == week(shuffled, n)

"""The verifier as one readable file, handed out with the evidence: the modules of `pure/log` that check, one after another,
and `app/offline`, which opens files and prints.

There is one truth: `evenhand verify` runs these modules, and the file is made of their text, without what imports one from
another.
"""

import ast
from importlib.resources import files

from evenhand.pure.trouble import Conflict

#: in the order in which they are read, and in which each uses those before it
PARTS = (
    "wrong", "proofs", "notes", "checkpoints", "policy", "leaves", "bundle", "report", "walk", "compare", "seeds", "opening",
    "decisions", "checks", "offline",
)  # fmt: skip
_ELSEWHERE = {"offline": "evenhand.app", "seeds": "evenhand.pure.fairness", "opening": "evenhand.pure.fairness"}
_OURS = "evenhand."

_HEAD = '''#!/usr/bin/env python3
"""Checks a bundle of evidence from Evenhand's transparency log: alone, offline, trusting nobody who made it.

    python {name} BUNDLE --policy POLICY --key PUB [--since CHECKPOINT] [--against BUNDLE2] [--late SECONDS] [--json]

It needs Python 3.11 or later, the package `cryptography`, and nothing else. Keep a copy that you got earlier or elsewhere: a
program that is handed out together with the evidence is only as good as your reading of it.

PUB is the log's key, as text (name+id+base64) or a file that holds it; POLICY is a file as c2sp.org/tlog-policy describes it.
The form of the bundle is described in Evenhand's docs/decisions/0015-log.md.

Exit: 0 nothing that was checked is wrong, 1 something is wrong, 2 something asked for could not be checked. What was not
given is "not checked", never "ok".
"""

'''
_TAIL = '\n\nif __name__ == "__main__":\n    sys.exit(main())\n'


def program(name: str = "verify.py") -> str:
    """The text of the whole program, about 1,000 lines. Raises Conflict where two parts use one name."""
    imports: dict[str, set[str]] = {}
    names: dict[str, str] = {}
    bodies: list[str] = []
    for part in PARTS:
        package = _ELSEWHERE.get(part, "evenhand.pure.log")
        text = (files(package) / f"{part}.py").read_text(encoding="utf-8")
        tree = ast.parse(text)
        for node in tree.body:
            for defined in _defined(node):
                if names.setdefault(defined, part) != part:
                    raise Conflict(f"{defined} is in {names[defined]} and in {part}.", hint="Give one another name.")
        bodies.append(_body(text, tree, imports))
    lines = [f"import {module}" for module, what in sorted(imports.items()) if not what]
    lines += [f"from {module} import {', '.join(sorted(what))}" for module, what in sorted(imports.items()) if what]
    return _HEAD.format(name=name) + "\n".join(lines) + "\n\n\n" + "\n\n\n".join(bodies) + _TAIL


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)]
    return []


def _body(text: str, tree: ast.Module, imports: dict[str, set[str]]) -> str:
    """A part without its imports, which are put into `imports`, and with its docstring as a heading."""
    lines = text.splitlines()
    gone: set[int] = set()
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            gone.update(range(node.lineno - 1, (node.end_lineno or node.lineno)))
            if isinstance(node, ast.Import):
                for one in node.names:
                    imports.setdefault(one.name, set())
            elif not (node.module or "").startswith(_OURS):
                imports.setdefault(node.module or "", set()).update(one.name for one in node.names)
    heading = tree.body[0]
    gone.update(range(heading.lineno - 1, heading.end_lineno or heading.lineno))
    comment = "\n".join(f"# {line}".rstrip() for line in (ast.get_docstring(tree) or "").splitlines())
    rest = "\n".join(line for at, line in enumerate(lines) if at not in gone).strip()
    return f"# {'-' * 78}\n{comment}\n\n{rest}"

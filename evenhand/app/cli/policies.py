"""`evenhand log`: whose cosignatures the log asks for. Straight on this machine's database, by its operator."""

import argparse
from pathlib import Path

from evenhand.app.cli import show
from evenhand.app.cli.people import with_services
from evenhand.app.services import Services
from evenhand.features.trust import witnesses
from evenhand.infra.home import plain_reason
from evenhand.pure.trouble import Invalid


def policy(given: argparse.Namespace) -> int:
    """Prints the policy, after setting it where a file is given."""

    async def work(s: Services) -> str:
        if given.file:
            await witnesses.set_policy(s.db, _read(given.file))
        return await witnesses.policy_words(s.db)

    _say(given, with_services(work))
    return 0


def witness(given: argparse.Namespace) -> int:
    async def work(s: Services) -> str:
        words = await witnesses.policy_words(s.db)
        if given.remove:
            words = witnesses.without_witness(words, given.name)
        elif given.key is None:
            raise Invalid(
                "Which key does this witness have?", hint="It is the first line that `evenhand witness` prints."
            )
        else:
            words = witnesses.with_witness(words, given.name, given.key, given.url or "")
        await witnesses.set_policy(s.db, words)
        return words

    _say(given, with_services(work))
    return 0


def _read(name: str) -> str:
    try:
        return Path(name).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as err:
        raise Invalid(f"{name} can't be read: {plain_reason(err) if isinstance(err, OSError) else 'no text'}.") from err


def _say(given: argparse.Namespace, words: str) -> None:
    if given.json:
        show.as_json({"policy": words, "sha256": witnesses.policy_hash(words)})
    else:
        show.line(words.rstrip("\n"))

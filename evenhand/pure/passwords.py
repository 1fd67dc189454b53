"""Which passwords are guessed first, whatever their length: what many people choose, keys in a row, one piece again and again, and
what anybody knows of the person.

After NIST SP 800-63B (5.1.1.2) and OWASP ASVS 5.0.0 (6.2.4, 6.2.11): it refuses what is easy, and asks for no kinds of
characters."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Set

#: what a password is not made of, beside the person's and the organisation's own words
PRODUCT = ("evenhand", "password", "passwort", "admin", "annotator", "labelling", "labeling")
#: keys that lie side by side, and characters that follow each other
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop",
    "qsdfghjklm", "wxcvbn", "1qaz", "2wsx", "3edc", "4rfv", "5tgb", "6yhn", "7ujm", "8ik,", "9ol.", "1qay", "6zhn", "!@#$%^&*()",
    "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю",
)  # fmt: skip
_RUN = 4  # as many in a row are a run
_REST = 4  # what is left beside something easy has to be as long
_OWN_REST = 6
_TAIL = 6  # and what stands before and after a common word is longer than this together
_LEET = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})


def _pairs() -> frozenset[str]:
    """Every two characters that follow each other in a row, forward and backward."""
    lines = [*_ROWS, *(row[::-1] for row in _ROWS)]
    return frozenset(line[i : i + 2] for line in lines for i in range(len(line) - 1))


_PAIRS = _pairs()


def weakness(password: str, common: Set[str], own: Iterable[str] = ()) -> str | None:
    """Why a password would be guessed soon, as a sentence; None where nothing is known against it.

    common: words in lower case. own: what anybody knows of the person: names, addresses, organisations."""
    folded = unicodedata.normalize("NFKC", password).casefold()
    if _is_repeated(folded):
        return "The password is the same again and again."
    if len(_without_runs(folded)) < _REST:
        return "The password is made of keys side by side, or of characters that follow each other."
    if _is_common(folded, common):
        return "The password is one that many people use, or only a little more."
    rest = _without_words(folded, _words_of([*own, *PRODUCT]))
    if rest is not None and (len(rest) < _OWN_REST or _is_common(rest, common)):
        return "The password is made of what anybody knows: a name, an address, the organisation or this program."
    return None


def _is_repeated(text: str) -> bool:
    """Whether it is a piece of up to half its length again and again, or of few characters."""
    if len(set(text)) <= 3:
        return True
    return any(text == (text[:n] * (len(text) // n + 1))[: len(text)] for n in range(1, min(len(text) // 2, 5) + 1))


def _without_runs(text: str) -> str:
    """What is left without runs of neighbours (1234, qwer, aaaa)."""
    out: list[str] = []
    at = 0
    while at < len(text):
        end = at + 1
        while end < len(text) and (text[end - 1 : end + 1] in _PAIRS or text[end] == text[end - 1]):
            end += 1
        if end - at < _RUN:
            out.append(text[at:end])
        at = end
    return "".join(out)


def _is_common(text: str, common: Set[str]) -> bool:
    """Whether it is a common word, also with something short around it, twice, with blanks, or in the spelling of signs."""
    for shown in {text, re.sub(r"[\W_]+", "", text)}:
        for core in _cores(shown):
            for word in {core, core.translate(_LEET)}:
                half = word[: len(word) // 2]
                if word in common or (half * 2 == word and half in common):
                    return True
    return False


def _cores(text: str) -> Iterator[str]:
    """The text without a few signs and digits before and after it: 1tiger!, tiger2024."""
    before = next((i for i, c in enumerate(text) if c.isalpha()), len(text))
    after = next((i for i, c in enumerate(reversed(text)) if c.isalpha()), len(text))
    for i in range(min(before, _TAIL) + 1):
        for j in range(min(after, _TAIL - i) + 1):
            if i + j < len(text):
                yield text[i : len(text) - j]


def _words_of(own: Iterable[str]) -> list[str]:
    """The words of names and addresses, the longest first; what is shorter than four characters says nothing."""
    found = {word for one in own for word in re.split(r"[\W_]+", unicodedata.normalize("NFKC", one).casefold())}
    found |= {re.sub(r"[\W_]+", "", one.casefold()) for one in own}
    return sorted((word for word in found if len(word) >= 4), key=lambda word: (-len(word), word))


def _without_words(text: str, words: Iterable[str]) -> str | None:
    """Letters and digits that are left without these words, in the spelling of signs too; None where none of them is in it."""
    left = text
    for word in words:
        for spelt in (left, left.translate(_LEET)):
            if word in spelt:
                left = spelt.replace(word, " ")
                break
    return re.sub(r"[\W_]+", "", left) if left != text else None

"""How far long work is: a bar on a terminal, a plain line now and then elsewhere; always on standard error."""

import sys
import time
from types import TracebackType
from typing import Self

_BAR = 30
_REDRAW_S = 0.1
_LINE_S = 5.0


def _amount(n: int, unit: str) -> str:
    return f"{n / 1e6:,.1f} MB" if unit == "bytes" else f"{n:,} {unit}"


class Progress:
    """`total` 0: not known. Work that takes less than `_LINE_S` prints nothing where there is no terminal."""

    def __init__(self, doing: str, *, total: int = 0, unit: str) -> None:
        self._doing, self._total, self._unit = doing, total, unit
        self._done = 0
        self._terminal = sys.stderr.isatty()
        self._begun = self._shown = time.monotonic()

    def add(self, n: int) -> None:
        self._done += n
        if time.monotonic() - self._shown >= (_REDRAW_S if self._terminal else _LINE_S):
            self._show()

    def line(self, words: str) -> None:
        """A line of its own that does not tear the bar. Names of files may hold anything; it must not reach a terminal."""
        shown = "".join(c if c.isprintable() else "�" for c in words)
        sys.stderr.write(("\r\x1b[K" if self._terminal else "") + shown + "\n")

    def _show(self) -> None:
        self._shown = time.monotonic()
        seconds = max(self._shown - self._begun, 0.001)
        words = f"{self._doing}: {_amount(self._done, self._unit)}"
        if self._total:
            share = min(1.0, self._done / self._total)
            left = seconds / share * (1 - share) if share else 0
            words = f"{self._doing}: {share:4.0%}, {_amount(self._done, self._unit)}, {left:.0f} s left"
            if self._terminal:
                full = round(share * _BAR)
                words = f"{'█' * full}{'░' * (_BAR - full)} {words}"
        if self._terminal:
            sys.stderr.write(f"\r\x1b[K{words}")
        else:
            sys.stderr.write(words + "\n")
        sys.stderr.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._terminal:
            self._show()
            sys.stderr.write("\n")

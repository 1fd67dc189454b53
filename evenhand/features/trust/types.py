"""Nouns of the log."""

from collections.abc import Callable
from dataclasses import dataclass, field

from evenhand.infra.keys import Keys
from evenhand.infra.logfiles import LogFiles
from evenhand.pure.log.signing import Signer

BATCH_S = 5.0
EPOCH_S = 3600.0


@dataclass(frozen=True, slots=True)
class Log:
    """The log of an installation. `public`: what every customer is told alike, in the record of each epoch."""

    signer: Signer
    files: LogFiles
    secret: bytes  # 32 bytes: what looks like a leaf or a slot and holds nothing is made with it
    public: dict[str, str] = field(default_factory=dict[str, str])
    epoch_s: float = EPOCH_S


@dataclass(frozen=True, slots=True)
class Batched:
    """What a tick of the sequencer did."""

    size: int  # of the log, afterwards
    events: int
    epoch: int | None  # the one that it ended
    more: bool  # whether more waits already


#: microseconds since 1970
Clock = Callable[[], int]


def log_secret(keys: Keys) -> bytes:
    return keys.key("log-padding")

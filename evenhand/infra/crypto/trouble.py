"""What can go wrong when something sealed is opened. One error for all causes: which one it was helps only an attacker."""

from evenhand.pure.trouble import Conflict


class Altered(Conflict):
    """The bytes are not those that were sealed, or were sealed for another place or under another key."""

    code = "altered"
    hint = "What is stored differs from what was sealed. Tell the operator: it can be restored from a backup."

    def __init__(self, what: str = "This") -> None:
        super().__init__(f"{what} was changed after it was sealed, or was sealed for something else.")


class KeyAltered(Altered):
    """A wrapped key that does not open: it was changed, or its service answers with another key than the one it was wrapped by."""

    hint = (
        "Nothing is read with it. Look at the key service; else tell the operator: keys can be restored from a backup."
    )

    def __init__(self, err: Altered) -> None:
        Conflict.__init__(self, f"The key service gave no usable key. {err.message}")

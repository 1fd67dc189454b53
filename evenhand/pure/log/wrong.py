"""The two ways in which evidence is not good."""


class Unreadable(Exception):
    """What was given is not in the form it must have, so it can be neither right nor wrong."""


class Wrong(Exception):
    """A proof or a signature does not hold."""

"""What a list says, one thing after the other."""

from dataclasses import dataclass

from newsmorgue.archive.capture import Role


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a list says.

    An address (``role`` is what it is taken for, ``stated`` the date given for it; ``guessed`` where only its look
    speaks for it), or, at the end, ``problem``: the first thing that was wrong with the list. ``role`` OLDER is the
    list's next page, its ``stated`` the latest day of any story on this one.
    """

    role: Role | None
    url: str
    stated: str | None = None
    guessed: bool = False
    problem: str | None = None

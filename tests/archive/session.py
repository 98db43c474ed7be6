"""A child process that does one whole run, and says on its standard output what it was told is durable.

Run as ``python -m tests.archive.session FOLDER``.
"""

import sys
from pathlib import Path

from tests.archive.harness import BRIDGE, OTHER_TEXT, TEXT, Visitor, open_archive

STEPS = (("new", BRIDGE, TEXT), ("edited", BRIDGE, TEXT + " More."), ("other", "https://news.example/b", OTHER_TEXT))


def main(folder: Path) -> None:
    """Three visits, each said once it is committed; then the sealing, said too."""
    visitor = Visitor(open_archive(folder))
    for name, url, text in STEPS:
        visitor.see(url, text, headline=name)
        _say(name)
    visitor.end()
    _say("sealed")


def _say(what: str) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

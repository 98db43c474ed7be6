"""``make demo``: an archive of the demo newsroom, made in front of one's eyes with the real ``morgue`` command.

Starts the newsroom on this machine, crawls it, lets it edit and publish, crawls again, and shows what came of it.
What is left in ``demo/`` is an archive to try the other commands on.
"""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.sites.newsroom import Newsroom
from tests.sites.server import serve

FOLDER = Path("demo")
MORGUE = Path(sys.executable).parent / "morgue"
_MARK = "# The demo newsroom's archive: 'make demo' makes this folder anew.\n"
_BY_THE_MINUTE = "/tech/cirrane-ecarte-sa-patronne/"
_EDITED = "/monde/accord-peche-golfe-ister/"  # a figure was changed without a word, and changed back


def say(text: str) -> None:
    """A line between the commands' own."""
    dim, plain = ("\033[2m", "\033[0m") if sys.stdout.isatty() else ("", "")
    sys.stdout.write(f"{dim}{text}{plain}\n")
    sys.stdout.flush()


def morgue(*arguments: str) -> None:
    """Run the command in the demo's folder, as a person would. Ends the demo where it fails."""
    say(f"\n$ morgue {' '.join(arguments)}")
    ended = subprocess.run([MORGUE, *arguments], cwd=FOLDER, env=_environment())
    if ended.returncode != 0:
        sys.exit(f"the demo ends here: 'morgue {arguments[0]}' ended with code {ended.returncode}")


def _environment() -> dict[str, str]:
    """This process's own, without settings that would lead the demo into another archive."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MORGUE_")}


def make_folder() -> None:
    """An empty ``demo/`` with a morgue.toml of its own. A folder that is not ours stays as it is."""
    toml = FOLDER / "morgue.toml"
    if FOLDER.exists():
        if not toml.is_file() or not toml.read_text("utf-8").startswith(_MARK):
            sys.exit(f"{FOLDER.resolve()} is there already and is not the demo's; move it away first")
        shutil.rmtree(FOLDER)
    FOLDER.mkdir()
    toml.write_text(_MARK + 'store = "./archive"\n', "utf-8")


def main() -> None:
    """See the module."""
    make_folder()
    newsroom = Newsroom(clock=lambda: datetime.now(UTC))
    with serve(newsroom) as site:
        say(f"The demo newsroom is at {site.url}/ until this ends.")
        morgue("crawl", f"{site.url}/")
        for _ in range(Newsroom.LAST):
            newsroom.advance()
            say("\nThe newsroom edits, moves and withdraws stories, and publishes new ones.")
            morgue("crawl", f"{site.url}/", "--recheck")
        morgue("stories")
        morgue("versions", site.url + _BY_THE_MINUTE)
        morgue("diff", site.url + _EDITED)
    say(f"\nThe archive is in {FOLDER.resolve()}: WARCs, texts and manifests under archive/. The newsroom is closed;")
    say("the archive answers without it. To go on:\n")
    relative = os.path.relpath(MORGUE, FOLDER)
    story = site.url.removeprefix("http://") + _BY_THE_MINUTE
    commands = (f"show {story} --version 1", f"diff {story} --from 1 --to 3", "verify", "stories --json", "--help")
    for command in commands:
        say(f"  {relative} {command}")
    say(f"\n  (in that folder: cd {FOLDER})")


if __name__ == "__main__":
    main()

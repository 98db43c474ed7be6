"""A crawl ends when its last page is done, and not at Scrapy's next look at the matter; Ctrl-C ends it in order."""

import subprocess
import sys
from pathlib import Path

from tests.cli.command import clean_environment
from tests.processes import SECONDS
from tests.sites.scripted import page_of, scripted

# Scrapy looks each 5 seconds whether a spider has become idle without its noticing. Here it never does.
_UNAIDED = """
from scrapy.core.engine import ExecutionEngine
ExecutionEngine._SLOT_HEARTBEAT_INTERVAL = 10_000.0
from newsmorgue.cli import main
main()
"""


def test_it_waits_for_no_heartbeat(tmp_path: Path) -> None:
    story = "/2026/01/02/a-headline-without-a-story"
    with scripted({"/": page_of(f"A headline that leads to nothing worth reading|{story}"), story: page_of()}) as site:
        command = [sys.executable, "-c", _UNAIDED, "crawl", site.url, "--delay", "0"]
        done = subprocess.run(
            command, cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=SECONDS, check=False
        )
    assert done.returncode == 5, done.stderr
    assert "0 new stories" in done.stdout


# Says, at the moment when the fork server begins to load lxml, whether Ctrl-C is for it to act on.
_LOADING = """
import signal, sys
class Look:
    def find_spec(self, name, path, target=None):
        if name == "lxml":
            print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
sys.meta_path.insert(0, Look())
import newsmorgue.pipelines.preload
"""


def test_ctrl_c_while_the_cleaner_is_loaded_is_for_the_crawl_alone() -> None:
    """It goes to all processes of the terminal: the fork server died of it, with a traceback, and the page failed."""
    said = subprocess.run([sys.executable, "-c", _LOADING], capture_output=True, text=True, timeout=SECONDS, check=True)
    assert said.stdout == "True\n"

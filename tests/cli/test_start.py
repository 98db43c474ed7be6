"""Commands that clean, fetch and upload nothing start without what does: it takes longer than what they do."""

import json
import subprocess
import sys
from pathlib import Path

from tests.archive.harness import BRIDGE, TEXT, Visitor, open_archive
from tests.cli.command import clean_environment

HEAVY = ("lxml", "bs4", "cssselect", "scrapy", "twisted", "pebble", "boto3", "botocore", "newsmorgue.cleaning.cleaner")
COMMANDS = (
    "--version",
    "stories",
    f"versions {BRIDGE}",
    f"show {BRIDGE}",
    f"show {BRIDGE} --format markdown",
    f"show {BRIDGE} --format html",
    f"show {BRIDGE} --format warc",
    f"diff {BRIDGE}",
    "status",
    "sources",
    "verify",
    "verify --repair",
    "seal",
    "reindex --replace",
    f"export --format wacz -o a.wacz {BRIDGE}",
    "compact demo",
)
PROGRAM = """
import json, sys
from newsmorgue.cli import app
heavy, told = json.loads(sys.argv[1]), {}
for command in sys.argv[2:]:
    try:
        app(command.split())
    except SystemExit as ended:
        told[command] = [ended.code, sorted(name for name in heavy if name in sys.modules)]
print(json.dumps(told), file=sys.stderr)
"""


def test_what_no_command_needs_is_not_loaded(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE)
    visitor.see(BRIDGE, TEXT + "\n\nIt is open again.", reason="recheck")
    visitor.end()
    places = {"STORE": "archive", "CATALOGUE": f"sqlite:///{tmp_path / 'catalogue.sqlite'}", "SPOOL": "spool"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(HEAVY), *COMMANDS],
        cwd=tmp_path,
        env=clean_environment() | {f"MORGUE_{name}": value for name, value in places.items()},
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert b"It is open again" in done.stdout
    told = json.loads(done.stderr.splitlines()[-1])
    assert told == {command: [0, []] for command in COMMANDS}, done.stderr.decode()

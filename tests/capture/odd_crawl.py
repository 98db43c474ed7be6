"""Crawls of the odd server in a process of their own, and the WARC records that came of them, read by warcio."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.command import clean_environment
from tests.processes import SECONDS
from warcio.archiveiterator import ArchiveIterator

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Record:
    """A WARC record: its fields in order, names in lower case, and its block."""

    fields: tuple[tuple[str, str], ...]
    block: bytes

    def all(self, name: str) -> list[str]:
        """Every value of a field."""
        return [value for field, value in self.fields if field == name]

    def get(self, name: str) -> str | None:
        """A field's only value, or None."""
        found = self.all(name)
        assert len(found) <= 1, f"{name} stands {len(found)} times in one record"
        return found[0] if found else None

    @property
    def kind(self) -> str | None:
        """``WARC-Type``."""
        return self.get("warc-type")

    @property
    def values(self) -> dict[str, str]:
        """The block of a ``warcinfo`` or ``metadata`` record as names and values."""
        return dict(line.split(": ", 1) for line in self.block.decode().splitlines())


@dataclass(frozen=True, slots=True)
class Crawled:
    """What a crawl printed, and where its archive is."""

    out: str
    store: Path

    @property
    def warcs(self) -> list[Path]:
        """The sealed WARCs, oldest first."""
        return sorted(self.store.glob("warc/*/*/*/*.warc.gz"))

    def records(self) -> list[Record]:
        """Every record of every WARC."""
        return [record for path in self.warcs for record in read_records(path)]

    def index(self) -> list[dict[str, Any]]:
        """The fields of every line of every CDXJ."""
        lines = [line for path in self.store.glob("warc/*/*/*/*.cdxj") for line in path.read_text().splitlines()]
        return [json.loads(line.split(" ", 2)[2]) for line in lines]


def read_records(path: Path) -> list[Record]:
    """The records of a WARC."""
    with path.open("rb") as stream:
        return [
            Record(tuple((name.lower(), value) for name, value in record.rec_headers.headers), record.raw_stream.read())
            for record in ArchiveIterator(stream, no_record_parse=True)
        ]


def crawl(
    folder: Path,
    requests: Sequence[Mapping[str, Any]],
    settings: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Crawled:
    """Let the odd spider make these requests in a folder. Fails where it ends in an error of ours."""
    job = json.dumps({"requests": list(requests), "settings": dict(settings or {})})
    done = subprocess.run(
        [sys.executable, "-m", "tests.capture.odd_spider", job],
        cwd=folder,
        env=clean_environment() | {"PYTHONPATH": str(_ROOT)} | dict(environment or {}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr}"
    assert "Traceback" not in done.stderr, done.stderr
    return Crawled(done.stdout, folder / "archive")

"""Other tools accept every WARC that the tests before these sealed; ``conftest.py`` puts these last.

``SEALED`` names the folder of an earlier session, of several processes at once, whose WARCs are looked at too.
"""

import json
import os
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urljoin

import pytest
from warcio.archiveiterator import ArchiveIterator

from tests.sealed import Sealed, put_together, sealed_under
from tests.servers import free_ports, program

pytestmark = pytest.mark.alone
# Of what pywb's HTTP server takes.
LONGEST_URL = 4_000


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory, fetched: None) -> list[Sealed]:
    """All that was sealed in this session, and in the one before it."""
    folders = [tmp_path_factory.getbasetemp(), *map(Path, filter(None, [os.environ.get("SEALED")]))]
    found = [sealed for folder in folders for sealed in sealed_under(folder)]
    if not found:
        pytest.skip("no test of this session sealed a WARC")
    return found


@pytest.fixture(scope="module")
def together(
    tmp_path_factory: pytest.TempPathFactory, every: list[Sealed]
) -> tuple[Path, dict[tuple[str, str], Sealed]]:
    """All of them in one file, and which capture is where."""
    goal = tmp_path_factory.mktemp("every") / "every.warc.gz"
    return goal, put_together(every, goal)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    "command",
    [["warcio", "check"], ["fastwarc", "check"], ["gzip", "-t"]],
    ids=["warcio", "fastwarc", "gzip"],
)
def test_it_passes(
    every: list[Sealed], together: tuple[Path, dict[tuple[str, str], Sealed]], command: list[str]
) -> None:
    def passes(path: Path) -> bool:
        done = subprocess.run([program(command[0]), *command[1:], path], capture_output=True, check=False)
        return done.returncode == 0

    assert passes(together[0]) or [str(sealed.path) for sealed in every if not passes(sealed.path)] == []


@pytest.mark.timeout(600)
def test_cdxj_indexer_finds_every_capture_where_our_index_has_it(
    together: tuple[Path, dict[tuple[str, str], Sealed]],
) -> None:
    path, places = together
    done = subprocess.run([program("cdxj-indexer"), path], capture_output=True, text=True, check=True)
    theirs = [json.loads(line.split(" ", 2)[2]) for line in done.stdout.splitlines()]
    missing = places.keys() - {(each["offset"], each["length"]) for each in theirs}
    assert [str(places[place].path) for place in missing] == []


@contextmanager
def _wayback(programs: Path, folder: Path, collections: dict[str, list[Sealed]]) -> Iterator[int]:
    """A pywb that serves each store as a collection, by newsmorgue's own indexes; its port."""
    for name, warcs in collections.items():
        archive, indexes = (folder / "collections" / name / kind for kind in ("archive", "indexes"))
        archive.mkdir(parents=True)
        indexes.mkdir()
        for sealed in warcs:
            (archive / sealed.path.name).symlink_to(sealed.path)
        lines = {line for sealed in warcs for line in _index_of(sealed).read_text().splitlines()}
        (indexes / "index.cdxj").write_text("".join(f"{line}\n" for line in sorted(lines)))
    (port,) = free_ports(1)
    command: list[str | Path] = [programs / "wayback", "-b", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            _wait_for(port)
            yield port
        finally:
            child.terminate()


def _index_of(sealed: Sealed) -> Path:
    return sealed.path.with_name(sealed.path.name.removesuffix(".warc.gz") + ".cdxj")


def _wait_for(port: int) -> None:
    for _ in range(300):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise AssertionError("pywb does not start")


def _replay(port: int, name: str, line: dict[str, str]) -> str | None:
    """What is wrong with what pywb shows for a capture, or None. Its head is looked at alone, as bytes: archived fields
    may be odd, and a body may be shorter than its archived length says."""
    asked = f"GET /{name}/{line['timestamp']}id_/{line['url']} HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(asked.encode())
        head = b""
        while b"\r\n\r\n" not in head and (data := connection.recv(1 << 16)):
            head += data
    if b"\nmemento-datetime:" in head.lower():
        return None
    return f"{name} {line['timestamp']} {line['url']}: {head[:40]!r}"


def _replayable(warcs: list[Sealed]) -> Iterator[dict[str, str]]:
    """The captures of a store, but for what pywb does not show.

    Its times are seconds, so that it cannot tell a revisit of the same second apart: two sources make one in a test
    whose clock stands still. Nor a redirect and the page that it leads to, at the same address with a slash more: its
    key is the same. A page that redirects to itself it answers with 400, lest a browser ask for ever.
    """
    keys = Counter((line["url"].rstrip("/"), line["timestamp"]) for sealed in warcs for line in sealed.lines)
    for sealed in warcs:
        for line in sealed.lines:
            is_same_second = line["time"][:19] == line.get("refers-to-time", "")[:19]
            is_alone = keys[line["url"].rstrip("/"), line["timestamp"]] == 1
            if not is_same_second and not (line["status"].startswith("3") and _leads_back(sealed.path, line, is_alone)):
                yield line


def _leads_back(path: Path, line: dict[str, str], is_alone: bool) -> bool:
    """Whether a redirect leads to its own address, or one with a slash more unless it ``is_alone`` with its key."""
    with path.open("rb") as stream:
        stream.seek(int(line["offset"]))
        record = next(iter(ArchiveIterator(stream)))
    location = record.http_headers.get_header("Location") if record.http_headers else None
    target = urljoin(line["url"], location) if location is not None else None
    return target == line["url"] or (not is_alone and target == line["url"] + "/")


@pytest.mark.timeout(1800)
@pytest.mark.skipif("PYWB" not in os.environ, reason="PYWB does not name the folder that holds pywb's wayback program")
def test_pywb_replays_every_capture(every: list[Sealed], tmp_path: Path) -> None:
    stores = sorted({sealed.store for sealed in every})
    collections = {f"c{number}": [each for each in every if each.store == store] for number, store in enumerate(stores)}
    wrong, shown = [], 0
    with _wayback(Path(os.environ["PYWB"]), tmp_path, collections) as port:
        for name, warcs in collections.items():
            for line in (line for line in _replayable(warcs) if len(line["url"]) <= LONGEST_URL):
                wrong.append(_replay(port, name, line))
                shown += 1
    assert [what for what in wrong if what is not None] == []
    assert shown

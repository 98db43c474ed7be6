"""Serves the large site of :mod:`tests.sites.large` from memory, gzipped beforehand, in a process of its own.

So the site's share of a benchmark is one system call a page, on another process's account.
"""

import argparse
import asyncio
import gzip
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path

from tests.sites.large import BASE

_ROOT = Path(__file__).parents[2]
_TYPES = {
    ".html": "text/html; charset=UTF-8",
    ".xml": "application/xml; charset=UTF-8",
    ".txt": "text/plain; charset=UTF-8",
    ".css": "text/css; charset=UTF-8",
    ".gz": "application/gzip",
}


@contextmanager
def serve_folder(folder: Path, port: int = 0) -> Iterator[str]:
    """The address (no last slash) under which another process serves what ``build(folder)`` wrote.

    That process ends with the block, or with this process if it is killed. Raises RuntimeError where it cannot start.
    """
    command = [sys.executable, "-m", "tests.sites.static", str(folder), "--port", str(port), "--until-eof"]
    with subprocess.Popen(command, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin and child.stdout
        try:
            url = child.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"the server of {folder} did not start: see its message above")
            yield url
        finally:
            child.stdin.close()


@dataclass(frozen=True, slots=True)
class Answers:
    """The bytes to send for one file: as they are, gzipped, and when the client has them already."""

    plain: bytes
    gzipped: bytes
    not_modified: bytes
    etag: bytes


def load(site: Path, base: str) -> dict[bytes, Answers]:
    """All files below a folder by their address's path, with the real address put in."""
    return {_address(path, site): _answers(path, base) for path in site.rglob("*") if path.is_file()}


def _address(path: Path, site: Path) -> bytes:
    return ("/" + path.relative_to(site).as_posix()).removesuffix("index.html").encode()


def _answers(path: Path, base: str) -> Answers:
    body = path.read_bytes()
    if path.suffix == ".gz":
        body = gzip.compress(_with_base(gzip.decompress(body), base), mtime=0)
        squeezed, coding = body, b""
    else:
        body = _with_base(body, base)
        squeezed, coding = gzip.compress(body, 6, mtime=0), b"Content-Encoding: gzip\r\n"
    etag = f'"{sha1(body).hexdigest()[:16]}"'.encode()
    common = b"Content-Type: %b\r\nVary: Accept-Encoding\r\nETag: %b\r\n" % (
        _TYPES[path.suffix].encode(),
        etag,
    )
    return Answers(
        _message(b"200 OK", common, body),
        _message(b"200 OK", common + coding, squeezed),
        b"HTTP/1.1 304 Not Modified\r\n%b\r\n" % common,
        etag,
    )


def _with_base(body: bytes, base: str) -> bytes:
    """JSON-LD spells slashes as ``\\/``, so its addresses are replaced too."""
    escaped = body.replace(BASE.replace("/", "\\/").encode(), base.replace("/", "\\/").encode())
    return escaped.replace(BASE.encode(), base.encode())


def _message(status: bytes, headers: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 %b\r\n%bContent-Length: %d\r\n\r\n%b" % (status, headers, len(body), body)


_MISSING = _message(b"404 Not Found", b"Content-Type: text/plain\r\n", b"no such page\n")


class _Connection(asyncio.Protocol):
    """One client: answers each request head at once; a GET has no body to wait for."""

    def __init__(self, files: Mapping[bytes, Answers]) -> None:
        self._files = files
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        *heads, self._received = (self._received + data).split(b"\r\n\r\n")
        for head in heads:
            self._transport.write(self._answer(head))

    def _answer(self, head: bytes) -> bytes:
        method, target, _ = head.split(b" ", 2)
        answers = self._files.get(target.partition(b"?")[0])
        message = _MISSING if answers is None else _chosen(answers, head)
        return message.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if method == b"HEAD" else message


def _chosen(answers: Answers, head: bytes) -> bytes:
    lines = head.lower().split(b"\r\n")
    if any(line.startswith(b"if-none-match:") and answers.etag in line for line in lines):
        return answers.not_modified
    wants_gzip = any(line.startswith(b"accept-encoding:") and b"gzip" in line for line in lines)
    return answers.gzipped if wants_gzip else answers.plain


async def _run(folder: Path, port: int, until_eof: bool) -> None:
    files: dict[bytes, Answers] = {}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(files), "127.0.0.1", port, backlog=512)
    base = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    files.update(load(folder / "site", base))
    sys.stdout.write(base + "\n")
    sys.stdout.flush()
    ended = asyncio.Event()
    if until_eof:
        loop.add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    server.close()


def main() -> None:
    """Serve a folder until Ctrl-C, or until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m tests.sites.static", description="Serve the large site.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--until-eof", action="store_true", help="stop when standard input is closed")
    options = parser.parse_args()
    asyncio.run(_run(options.folder, options.port, options.until_eof))


if __name__ == "__main__":
    main()

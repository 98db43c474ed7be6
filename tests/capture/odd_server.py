"""A server on sockets that answers with just the bytes it is told, and notes all that it receives and sends."""

import re
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_PAUSE = 0.15  # seconds between two parts, and before a reset: what was sent has been read by then


class End(Enum):
    """What becomes of the connection after an answer."""

    KEEP = "goes on"
    CLOSE = "closed in order"
    RESET = "reset"
    HANG = "silent until the client goes"
    DEAF = "closed when the next request has come"


@dataclass(frozen=True, slots=True)
class Answer:
    """Bytes to send, in parts that reach the client apart from each other."""

    parts: tuple[bytes, ...]
    end: End = End.KEEP


_MISSING = (Answer((b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",)),)


@dataclass(slots=True)
class Wire:
    """One exchange as the server saw it; ``sent`` is empty where it did not answer."""

    connection: int
    request: bytes
    sent: bytes = b""

    @property
    def target(self) -> str:
        """The path asked for."""
        return self.request.split(b" ", 2)[1].decode()


@dataclass
class OddServer:
    """Answers by path. Of several answers each request gets the next, and the last one for ever."""

    answers: Mapping[str, tuple[Answer, ...]]
    tls: ssl.SSLContext | None = None
    log: list[Wire] = field(default_factory=list)
    port: int = 0
    _asked: Counter[str] = field(default_factory=Counter)

    @property
    def url(self) -> str:
        """The address, without a last slash."""
        return f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}"

    def wires(self, path: str) -> list[Wire]:
        """The answered exchanges of a path, in their order."""
        return [wire for wire in self.log if wire.target == path and wire.sent]

    def talk(self, connection: socket.socket, number: int) -> None:
        """Serve one connection to its end."""
        with suppress(OSError, EOFError), connection:
            deaf = False
            while True:
                wire = Wire(number, _read_request(connection))
                self.log.append(wire)
                if deaf or not self._answer(connection, wire):
                    return
                deaf = self._last(wire).end is End.DEAF

    def _last(self, wire: Wire) -> Answer:
        given = self.answers.get(wire.target, _MISSING)
        return given[min(self._asked[wire.target], len(given)) - 1]

    def _answer(self, connection: socket.socket, wire: Wire) -> bool:
        """Send the answer; whether the connection goes on."""
        self._asked[wire.target] += 1
        answer = self._last(wire)
        for number, part in enumerate(answer.parts):
            time.sleep(_PAUSE if number else 0)
            wire.sent += part
            connection.sendall(part)
        return _end(connection, answer.end)


def _end(connection: socket.socket, end: End) -> bool:
    if end is End.RESET:
        time.sleep(_PAUSE)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    elif end is End.HANG:
        while connection.recv(1 << 16):
            pass
    elif end is End.CLOSE and isinstance(connection, ssl.SSLSocket):
        connection.unwrap()
    return end in (End.KEEP, End.DEAF)


def _read_request(connection: socket.socket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection)
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", data)
    whole = data.index(b"\r\n\r\n") + 4 + (int(length.group(1)) if length else 0)
    while len(data) < whole:
        data += _receive(connection)
    return data


def _receive(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise EOFError
    return data


@contextmanager
def serve(answers: Mapping[str, tuple[Answer, ...]], tls: ssl.SSLContext | None = None) -> Iterator[OddServer]:
    """A running server on 127.0.0.1."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = OddServer(answers, tls, port=listener.getsockname()[1])
        threading.Thread(target=_accept, args=(listener, server), daemon=True).start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _accept(listener: socket.socket, server: OddServer) -> None:
    number = 0
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            connection.settimeout(60)
            number += 1
            threading.Thread(target=_greet, args=(server, connection, number), daemon=True).start()


def _greet(server: OddServer, connection: socket.socket, number: int) -> None:
    with suppress(OSError):
        if server.tls:
            connection = server.tls.wrap_socket(connection, server_side=True)
        server.talk(connection, number)


def make_certificate(folder: Path, name: str, *, host: str = "127.0.0.1", days: int = 1) -> Path:
    """A self-signed certificate with its key in one file, valid from ten days ago until in so many days."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    begins = datetime.now(UTC) - timedelta(days=10)
    alternative = x509.DNSName(host) if host[-1].isalpha() else x509.IPAddress(IPv4Address(host))
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(datetime.now(UTC) + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / f"{name}.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def tls_with(certificate: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    """A server's context that shows this certificate and speaks this version alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.minimum_version = context.maximum_version = version
    return context

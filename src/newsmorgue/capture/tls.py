"""What a TLS connection was: version, cipher suite, and whether its certificate holds."""

import re
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from typing import Any

from OpenSSL import SSL
from OpenSSL.crypto import X509Store, X509StoreContext, X509StoreContextError
from service_identity.exceptions import CertificateError, VerificationError
from service_identity.pyopenssl import verify_hostname, verify_ip_address

VALID = "valid"
_SUITE = re.compile(
    r"(?:(?P<exchange>(?:EC)?DHE-(?:RSA|ECDSA|DSS))-)?"
    r"(?:AES(?P<bits>128|256)-(?P<mode>GCM-)?(?P<hash>SHA(?:256|384)?)|(?P<chacha>CHACHA20-POLY1305))"
)


@dataclass(frozen=True, slots=True)
class Tls:
    """``version`` as WARC-Protocol has it (``tls/1.3``), ``cipher`` by its IANA name, None where that is not known.

    ``certificate`` is :data:`VALID`, or why the peer's certificate would not pass for that host: Scrapy goes on
    all the same, unless told otherwise.
    """

    version: str
    cipher: str | None
    certificate: str


def describe(connection: Any, host: str) -> Tls:
    """An OpenSSL connection whose handshake is done; ``host`` is whom it was meant to reach."""
    version = connection.get_protocol_version_name().lower().replace("tlsv", "tls/")
    cipher = iana_name(connection.get_cipher_name() or "")
    return Tls("tls/1.0" if version == "tls/1" else version, cipher, _judge(connection, host))


def iana_name(openssl: str) -> str | None:
    """IANA's name of a cipher suite; those of TLS 1.3 are the same in OpenSSL.

    >>> iana_name("ECDHE-RSA-AES128-GCM-SHA256"), iana_name("AES256-SHA"), iana_name("TLS_AES_256_GCM_SHA384")
    ('TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256', 'TLS_RSA_WITH_AES_256_CBC_SHA', 'TLS_AES_256_GCM_SHA384')
    """
    if openssl.startswith("TLS_"):
        return openssl
    parts = _SUITE.fullmatch(openssl)
    if not parts:
        return None
    exchange = (parts["exchange"] or "RSA").replace("-", "_")
    if parts["chacha"]:
        return f"TLS_{exchange}_WITH_CHACHA20_POLY1305_SHA256"
    return f"TLS_{exchange}_WITH_AES_{parts['bits']}_{'GCM' if parts['mode'] else 'CBC'}_{parts['hash']}"


def _judge(connection: Any, host: str) -> str:
    """Verify as a browser would (RFC 5280 against this machine's authorities, RFC 9525), only to tell the outcome."""
    chain = connection.get_peer_cert_chain()
    if not chain:
        return "none was shown"
    try:
        X509StoreContext(_authorities(), chain[0], chain[1:]).verify_certificate()
        (verify_ip_address if _is_address(host) else verify_hostname)(connection, host)
    except X509StoreContextError as error:
        return str(error)
    except VerificationError:
        return "made out to another host"
    except (CertificateError, ValueError):
        return "names no host"
    return VALID


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@cache
def _context() -> SSL.Context:
    """Has the authorities that this machine trusts; ``SSL_CERT_FILE`` and ``SSL_CERT_DIR`` name others.

    It must outlive its store, which pyOpenSSL does not see to.
    """
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_default_verify_paths()
    return context


def _authorities() -> X509Store:
    store = _context().get_cert_store()
    assert store is not None  # a context is made with one
    return store

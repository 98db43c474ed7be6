"""SURT: the key under which web archives file a URL, so that a site's pages stand together in a sorted index.

Sort-friendly URI Reordering Transform after the Internet Archive's canonicalisation, as pywb and cdxj-indexer
use it: scheme, user, default port, fragment, ``www.`` and session ids go; host labels are reversed; the rest
is in lower case, with escapes undone as far as they go and made anew; query arguments are sorted. The rules
are ``AggressiveIACanonicalizerRules`` and ``BasicURLCanonicalizer`` of the IIPC's webarchive-commons.

Where it differs from PyPI's ``surt``, on purpose (``tests/archive/test_surt.py`` has the list): every string
has a key, also a bad port, a lone surrogate and blanks; ``HOST:PORT/PATH`` without a scheme is a host and a
port; ``HTTP:HOST`` is read as ``http:HOST`` is; bytes of a host that are not UTF-8 are escaped, not dropped;
every run of dots in a host is one dot; an octal address is octal however many parts it has.
"""

import re
from collections import deque
from functools import lru_cache
from urllib.parse import unquote_to_bytes

_BLANK = "-"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):(.*)", re.I | re.S)
_HOST_AND_PORT = re.compile(r"[a-z0-9.-]+:\d+(?:[/?#]|$)", re.I)
_DEFAULT_PORTS = {"http": 80, "https": 443}
# A name escaped more often than this is no name; an attacker's million levels would take quadratic time.
_MOST_LEVELS = 50
_WWW = re.compile(r"^www\d*\.")
_IPV4 = re.compile(r"[1-9]\d{0,19}(?:\.\d{1,20}){0,3}|0[0-7]{0,20}(?:\.[0-7]{1,20}){0,3}")
# ASP.NET's session ids in a path, /(S(…))/ and /(…)/, count only before an .aspx page.
_PATH_SESSIONS = (
    re.compile(r"(?<=/)\((?:[a-z]\([0-9a-z]{24}\))+\)/"),
    re.compile(r"(?<=/)\([0-9a-z]{24}\)/"),
)
_QUERY_SESSIONS = (
    re.compile(r"jsessionid=[0-9a-z]{32}(?:&|$)"),
    re.compile(r"phpsessid=[0-9a-z]{32}(?:&|$)"),
    re.compile(r"sid=[0-9a-z]{32}(?:&|$)"),
    re.compile(r"aspsessionid[a-z]{8}=[a-z]{24}(?:&|$)"),
    # Looks no farther than the next "cfid=", lest many of them take quadratic time.
    re.compile(r"cfid=(?:(?!cfid=)[^&])++&cftoken=[^&]++(?:&|$)"),
)


@lru_cache(maxsize=256)
def surt(url: str) -> str:
    """The key of a URL, made of visible ASCII characters, for any string. Without a scheme, it is ``http``.

    >>> surt("https://www.Example.org:443/News/?b=2&a=1#top")
    'org,example)/news?a=1&b=2'
    >>> surt("http://user@example.org:8080")
    'org,example:8080)/'
    """
    text = re.sub("[\t\n\r]", "", url.strip(" \t\n\r"))
    if not text:
        return _BLANK
    scheme, rest = _split_scheme(text)
    rest, _, _ = rest.partition("#")
    rest, _, query = rest.partition("?")
    if not rest.startswith("//"):
        return f"{scheme}:{_path(rest)}{_query(query)}"
    authority, slash, path = rest[2:].partition("/")
    return f"{_authority(authority, scheme)}){_path(slash + path) or '/'}{_query(query)}"


def _split_scheme(text: str) -> tuple[str, str]:
    """The scheme in lower case, and what follows its colon: with ``//`` where a host comes next."""
    found = _SCHEME.fullmatch(text)
    if found is None or _HOST_AND_PORT.match(text):
        return "http", "//" + text.lstrip("/")
    scheme, rest = found[1].lower(), found[2]
    return scheme, "//" + rest.lstrip("/") if scheme in _DEFAULT_PORTS else rest


def _authority(authority: str, scheme: str) -> str:
    host_and_port = authority.rpartition("@")[2]
    host, port = _split_port(host_and_port)
    return _reversed_host(host) + _port(port, scheme)


def _split_port(text: str) -> tuple[str, str]:
    """Host without an IPv6 address's brackets, and what follows the colon."""
    address = re.fullmatch(r"\[([^]]*)\](?::(.*))?", text, re.S)
    if address:
        return address[1], address[2] or ""
    host, _, port = text.partition(":")
    return host, port


def _port(port: str, scheme: str) -> str:
    if re.fullmatch(r"[0-9]{1,9}", port):
        number = int(port)
        return f":{number}" if number and number != _DEFAULT_PORTS.get(scheme) else ""
    return ":" + _escaped(port.encode("utf-8", "surrogatepass")) if port else ""


def _reversed_host(host: str) -> str:
    name = re.sub(r"\.{2,}", ".", _ascii_host(host)).strip(".")
    name = _WWW.sub("", _ipv4(name) or name)
    return ",".join(reversed(name.split(".")))


def _ascii_host(host: str) -> str:
    """International names in Punycode (IDNA 2003, as the peers do); what that cannot spell is escaped."""
    data = _unescaped(host)
    try:
        return _escaped(data.decode().encode("idna"))
    except UnicodeError:
        return _escaped(data)


def _ipv4(host: str) -> str | None:
    """An IPv4 address in four parts, if the host is one as inet_aton(3) reads it, but for hexadecimal."""
    if not _IPV4.fullmatch(host):
        return None
    base = 8 if host.startswith("0") else 10
    *first, last = (int(part, base) for part in host.split("."))
    if any(part > 255 for part in first) or (first and last >= 256 ** (4 - len(first))):
        return None
    octets = [*first, *(last % 2**32).to_bytes(4, "big")[len(first) :]]
    return ".".join(map(str, octets))


def _path(path: str) -> str:
    path = _escaped(_without_dots(_unescaped(path)))
    for pattern in _PATH_SESSIONS:
        path = _cut_last(pattern, path, path.rfind(".aspx") - 1)
    return path.removesuffix("/")


def _without_dots(path: bytes) -> bytes:
    """Without empty, ``.`` and ``..`` segments; a ``..`` above the root stays, as with the peers."""
    if not path.startswith(b"/"):
        return path
    kept: list[bytes] = []
    for segment in path[1:].split(b"/"):
        if segment == b".." and kept:
            kept.pop()
        elif segment != b".":
            kept.append(segment)
    return b"/" + b"/".join([*filter(None, kept[:-1]), *kept[-1:]])


def _query(query: str) -> str:
    query = _escaped(_unescaped(query))
    for pattern in _QUERY_SESSIONS:
        query = _cut_last(pattern, query, len(query))
    pairs = [argument.partition("=") for argument in query.split("&")]
    sorted_query = "&".join(name + equals + value for name, equals, value in sorted(pairs))
    return f"?{sorted_query}" if sorted_query else ""


def _cut_last(pattern: re.Pattern[str], text: str, end: int) -> str:
    last = deque(pattern.finditer(text, 0, max(0, end)), maxlen=1)
    return text[: last[0].start()] + text[last[0].end() :] if last else text


def _unescaped(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    for _ in range(_MOST_LEVELS):
        decoded = unquote_to_bytes(data)
        if decoded == data:
            break
        data = decoded
    return data


def _escaped(data: bytes) -> str:
    """In lower case, as all of a key; escaped are ``#``, ``%`` and what is not a visible ASCII character."""
    escaped = re.sub(rb"[^!-~]|[#%]", lambda match: b"%%%02x" % match[0][0], data)
    return escaped.decode("ascii").lower()

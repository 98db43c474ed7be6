"""URLs: what two spellings of one address have in common, and which parameters only track the reader."""

import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote_to_bytes, urlsplit, urlunsplit

if TYPE_CHECKING:
    from tldextract import TLDExtract

_DEFAULT_PORTS = {"http": 80, "https": 443}
# Parameters that name where the reader came from, never what is read: the lists of the ClearURLs and Brave
# "query filter" projects, as far as they are not bound to one site.
_TRACKING = re.compile(
    r"(?:utm_\w+|mtm_\w+|pk_(?:campaign|kwd|source|medium|content)|at_(?:campaign|medium|custom\d|link_\w+|bbc_team|ptr_name|format)"
    r"|hsa_\w+|vero_(?:id|conv)|oly_(?:enc|anon)_id|mkt_tok|mc_[ce]id|_hs(?:enc|mi)|__s|__twitter_impression"
    r"|fbclid|gclid|gclsrc|dclid|gbraid|wbraid|msclkid|yclid|ysclid|twclid|ttclid|igshid|igsh|li_fat_id|epik|wickedid"
    r"|xtor|ns_(?:campaign|mchannel|source|linkname|fee)|cmpid|ocid|ncid|sr_share|ito|ref_src|ref_url|guccounter|guce_\w+)",
    re.I,
)
_UNRESERVED = "!$&'()*+,-./:;=@_~"


def without_tracking(url: str) -> str:
    """The same address without fragment and tracking parameters; what remains is spelled as it was.

    >>> without_tracking("https://example.org/a?id=7&utm_source=rss#top")
    'https://example.org/a?id=7'
    """
    parts = urlsplit(url)
    kept = [pair for pair in parts.query.split("&") if pair and not _TRACKING.fullmatch(pair.partition("=")[0])]
    return urlunsplit(parts._replace(query="&".join(kept), fragment=""))


@lru_cache(maxsize=4096)
def address_key(url: str) -> str:
    """What the spellings of one address share: no scheme, ``www.``, default port, fragment, tracking or last slash.

    Letter case of path and query is kept (it distinguishes pages on many sites), escapes are normalised as in
    RFC 3986 §6.2.2. A URL without a scheme gives the key of the same URL with one.

    >>> address_key("HTTP://www.Example.org:80/A%2db/?utm_source=rss&x=1#y") == address_key("example.org/A-b?x=1")
    True
    """
    parts = urlsplit(url if "://" in url else "http://" + url)
    host = (parts.hostname or "").rstrip(".").removeprefix("www.")
    port = f":{parts.port}" if parts.port and parts.port != _DEFAULT_PORTS.get(parts.scheme) else ""
    query = urlsplit(without_tracking(urlunsplit(parts))).query
    path = _normal_escapes(parts.path).rstrip("/")
    return f"{host}{port}{path or '/'}" + (f"?{_normal_escapes(query, '?/%')}" if query else "")


def _normal_escapes(text: str, also: str = "%") -> str:
    """Percent-escapes in capitals, unreserved characters unescaped; reserved escapes stay escaped."""
    escapes_apart = re.split(r"(%[0-9A-Fa-f]{2})", text)  # every second piece is an escape
    plain = (quote(piece, safe=_UNRESERVED + also, errors="replace") for piece in escapes_apart[::2])
    escapes = (_one_escape(escape) for escape in (*escapes_apart[1::2], ""))
    return "".join(piece + escape for piece, escape in zip(plain, escapes, strict=True))


def _one_escape(escape: str) -> str:
    character = unquote_to_bytes(escape)
    return character.decode() if re.fullmatch(rb"[A-Za-z0-9._~-]", character) else escape.upper()


def host_and_port(url: str) -> tuple[str, int]:
    """Host in lower case and the port the scheme means when none is written. Raises ValueError for a bad port."""
    parts = urlsplit(url)
    return (parts.hostname or "").rstrip("."), parts.port or _DEFAULT_PORTS.get(parts.scheme, 0)


@lru_cache(maxsize=4096)
def registrable_domain(host: str) -> str:
    """The part of a host that one owner registered (``example.co.uk``); an address or a single label is its own.

    >>> registrable_domain("news.example.co.uk"), registrable_domain("127.0.0.1")
    ('example.co.uk', '127.0.0.1')
    """
    return _suffixes()(host).top_domain_under_public_suffix or host


@cache
def _suffixes() -> "TLDExtract":
    """Without network: the snapshot of the Public Suffix List that the package ships.

    Its private part too: two names under github.io have two owners.
    """
    from tldextract import TLDExtract  # late: with requests, which it loads, a tenth of what a command's start costs

    return TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)


def is_loopback(host: str) -> bool:
    """Whether a host names this machine by itself: ``localhost``, ``127.0.0.0/8`` or ``::1``."""
    return host in ("localhost", "::1") or host.endswith(".localhost") or bool(re.fullmatch(r"127(\.\d{1,3}){3}", host))

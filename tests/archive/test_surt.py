"""Our SURT against the rules of the field, and against PyPI's ``surt``, which pywb and cdxj-indexer use."""

import importlib
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsmorgue.archive.surt import surt

# Under the AGPL: a test tool only, never imported by the package.
peer = importlib.import_module("surt")

ID32 = "0a1b2c3d4e5f60718293a4b5c6d7e8f9"
ID24 = "a1b2c3d4e5f6g7h8i9j0k1l2"

KEYS = [
    ("http://example.org/", "org,example)/"),
    ("http://example.org", "org,example)/"),
    ("https://News.Example.co.uk/Politics/", "uk,co,example,news)/politics"),
    ("http://www.example.org/a", "org,example)/a"),
    ("http://www12.example.org/a", "org,example)/a"),
    ("http://www12example.org/a", "org,www12example)/a"),
    ("http://example.org:80/a", "org,example)/a"),
    ("https://example.org:443/a", "org,example)/a"),
    ("https://example.org:80/a", "org,example:80)/a"),
    ("http://user:secret@example.org/a", "org,example)/a"),
    ("http://example.org/a/?", "org,example)/a"),
    ("http://example.org/a/?b", "org,example)/a?b"),
    ("http://example.org/a?b=2&a=2&a=1&c", "org,example)/a?a=1&a=2&b=2&c"),
    ("http://example.org/a#part", "org,example)/a"),
    ("http://example.org/a/./b/../c//d", "org,example)/a/c/d"),
    ("http://example.org/%7Ea%2525", "org,example)/~a%25"),
    ("http://example.org/Zürich", "org,example)/z%c3%bcrich"),
    ("http://example.org/Z%FCrich", "org,example)/z%fcrich"),
    ("http://zürich.example/", "example,xn--zrich-kva)/"),
    ("http://192.0.2.7:8080/a", "7,2,0,192:8080)/a"),
    ("http://[2001:db8::7]/a", "2001:db8::7)/a"),
    (f"http://example.org/a?jsessionid={ID32}&b=1", "org,example)/a?b=1"),
    (f"http://example.org/a?PHPSESSID={ID32}", "org,example)/a"),
    ("http://example.org/a?CFID=14&CFTOKEN=72&b=1", "org,example)/a?b=1"),
    (f"http://example.org/(S({ID24}))/a.aspx", "org,example)/a.aspx"),
    ("mailto:Editor@example.org", "mailto:editor@example.org"),
]

SAME_AS_PEER = [
    *(url for url, _ in KEYS),
    "example.org/a",
    "//example.org/a",
    "http:/example.org/a",
    "https:////example.org/a",
    "http:example.org/a",
    "  http://example.org/a ",
    "http://exa\tmple.org/a\nb",
    "http://www2.www3.example.org/",
    "http://www.com/",
    "http://www/",
    "http://a@b@example.org/",
    "http://example.org:/",
    "http://example.org:0080/",
    "http://example.org./",
    "http://.example..org/",
    "http://%65xample.org/",
    "http://exa mple.org/",
    "http://ex_ample.org/",
    "http://EX。COM/",
    "http://ｅxample.org/",
    "http://faß.example/",
    f"http://{'ü' * 70}.example/",
    "http://017.0.0.1/",
    "http://3221225991/",
    "http://192.0.519/",
    "http://1/",
    "http://256.1.1.1/",
    "http://08.1.1.1/",
    "http://0x7f.1/",
    "http://[::ffff:192.0.2.7]/",
    "ftp://www.example.org:21/a",
    "ws://example.org/a",
    "urn:pageinfo:http://www.example.org/?b&a",
    "data:text/plain,Hello",
    "about:blank",
    "http://example.org/..",
    "http://example.org/../../a",
    "http://example.org/a/..",
    "http://example.org/a//..//b",
    "http://example.org/%2E%2E/a",
    "http://example.org///",
    "http://example.org/a%2Fb%3Fc%23d",
    "http://example.org/%%34%31",
    "http://example.org/%2525252541",
    "http://example.org/%zz%",
    "http://example.org/a b",
    "http://example.org/a\x00b\x7f",
    "http://example.org/\u2028\u3000\ufeff",
    "http://example.org/İ?İ",
    "http://example.org/%ED%A0%80",
    'http://example.org/|{}<>"^`?|{}<>"^`',
    "http://example.org\\a\\b",
    "http://example.org?a",
    "http://example.org/??a?",
    "http://example.org/?&&b&a&",
    "http://example.org/?a=b=c&a=b&a=&a",
    "http://example.org/?q=%26b=1&%3D",
    "http://example.org/?q=A%2BB+C%20D",
    f"http://example.org/a?x=1&jsessionid={ID32}",
    f"http://example.org/a?mysid={ID32}&b=1",
    f"http://example.org/a?sid={ID32}&sid={ID32[::-1]}",
    f"http://example.org/a?sid={ID32}0",
    "http://example.org/a?ASPSESSIONIDAQBSDSRT=EOHBLBDDPFCLHKPGGKLILNAM&b",
    "http://example.org/a?b=1&CFID=1&x=1&CFTOKEN=2",
    "http://example.org/a?cfid=1&cftoken=",
    f"http://example.org/a;jsessionid={ID32}?b",
    f"http://example.org/({ID24})/a.aspx",
    f"http://example.org/b/(a({ID24})F({ID24}))/a.aspx/?c",
    f"http://example.org/({ID24})/({ID24})/a.aspx",
    f"http://example.org/(S({ID24}))/a.html",
    f"http://example.org/a.aspx/(S({ID24}))/b",
]

# What the peer raises on, or where it makes one key of what are two pages (or two keys of what is one).
OURS = [
    ("", "-"),
    (" \n", "-"),
    ("http://", ")/"),
    ("http://example.org:port/", "org,example:port)/"),
    ("http://example.org:99999/", "org,example:99999)/"),
    ("http://example.org:80:80/", "org,example:80:80)/"),
    ("http://example.org/\ud800", "org,example)/%ed%a0%80"),
    ("localhost:8000/A", "localhost:8000)/a"),
    ("HTTP:example.org", "org,example)/"),
    ("http://%E9xample.org/", "org,%e9xample)/"),
    ("dns:WWW.example.org", "dns:www.example.org"),
    ("DNS:www.example.org", "dns:www.example.org"),
    ("http://www...example...org/", "org,example)/"),
    ("http://020/", "16,0,0,0)/"),
]


@pytest.mark.parametrize(("url", "key"), KEYS)
def test_key(url: str, key: str) -> None:
    assert surt(url) == key


@pytest.mark.parametrize("url", SAME_AS_PEER)
def test_same_key_as_the_indexers_of_other_archives(url: str) -> None:
    assert surt(url) == peer.surt(url)


@pytest.mark.parametrize(("url", "key"), OURS)
def test_every_string_has_a_key(url: str, key: str) -> None:
    assert surt(url) == key


hosts = st.from_regex(r"(www\d?\.)?[A-Za-z0-9-]{1,8}(\.[A-Za-zü]{2,6}){1,2}", fullmatch=True)
pieces = st.text(st.sampled_from("aZ0.-_~%25é/=;:@ +&'()"), max_size=12)


@given(st.sampled_from(["http", "https"]), hosts, st.sampled_from(["", ":80", ":443", ":8080"]), pieces, pieces)
def test_same_key_for_any_ordinary_url(scheme: str, host: str, port: str, path: str, query: str) -> None:
    url = f"{scheme}://{host}{port}/{path}?{query}"
    assert surt(url) == peer.surt(url)


@given(st.text() | st.builds("http://{}/{}?{}".format, st.text(), st.text(), st.text()))
def test_a_key_is_visible_ascii_whatever_comes(url: str) -> None:
    assert re.fullmatch(r"[!-~]+", surt(url))


@given(st.text())
def test_spaces_around_a_url_do_not_count(url: str) -> None:
    assert surt(f" {url}\n") == surt(url)


@pytest.mark.parametrize(
    "unit",
    ["%25", "25", "cfid=", f"/({ID24})", "../", "a/", "&", "www.", "%%32%35", "1.", f"sid={ID32}&", "ü."],
)
def test_a_long_url_takes_no_long_time(unit: str) -> None:
    started = time.process_time()
    surt(f"http://example.org/.aspx/{unit * 20_000}?{unit * 20_000}")
    surt(f"http://{unit * 20_000}")
    assert time.process_time() - started < 5

"""The fuzzer of ``clean``, for a bounded time, from a seed corpus of the pages that the tests are made of."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cleaning.fuzz_clean import target

_ROOT = Path(__file__).parents[2]
_PAGE = """<html><head><meta charset=utf-8><title>A ferry</title><script type='application/ld+json'>
{"@context":"https://schema.org","@graph":[{"@type":"NewsArticle","headline":"A ferry","author":{"name":"Ann Lee"},
"datePublished":"2026-03-01T08:00:00+01:00"}]}</script></head><body><article><h1>A ferry</h1><p>The council met on
Tuesday, and voted.</p><ul><li>One</li><li>Two</li></ul><blockquote>Yes</blockquote><table><tr><td>a<td>b<tr><td>c
<td>d</table><figure><img src=x><figcaption>Quay</figcaption></figure><p>Read on</p></article></body></html>"""
_BYLINE = "<p itemprop=author>Zoé</p><time datetime=2026-03-01>1er mars 2026</time><p>L’été."
_CHOICES = (0, 1, 29, 200)
_SECONDS = 120


def _seeds() -> Iterator[bytes]:
    odd = [
        _PAGE.encode(),
        _BYLINE.encode("cp1252"),
        "<p>The ferry\0 sails".encode("utf-16"),
        b"<div>" * 3000 + b"<p>deep",
        b"<!DOCTYPE html><p>" + b"<b><i>" * 40 + b"&amp;&#x41;&bogus;</i>",
    ]
    pages = [page.read_bytes() for page in sorted((_ROOT / "tests/fixtures").rglob("page.html"))]
    for number, page in enumerate((*odd, *pages)):
        yield bytes([_CHOICES[number % len(_CHOICES)]]) + page


def test_the_seeds_themselves_are_read() -> None:
    one_input = target()
    for seed in _seeds():
        for choice in _CHOICES:
            one_input(bytes([choice]) + seed[1:])


@pytest.mark.nightly
def test_no_bytes_make_it_fail_otherwise(tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris has no wheel for this Python or system")
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seed in enumerate(_seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    limits = ("-timeout=10", "-rss_limit_mb=1024", "-max_len=65536", f"-artifact_prefix={tmp_path}/")
    command = [sys.executable, "-m", "tests.cleaning.fuzz_clean", str(corpus), *limits, f"-max_total_time={_SECONDS}"]
    ended = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS + 120)
    assert ended.returncode == 0, ended.stderr[-4000:]
    assert "INITED" in ended.stderr, "the fuzzer had begun"

"""What no page may do to the crawl, through the real worker processes.

Each gets an answer or a failure with its reason, and the next page is read all the same.
"""

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.crawl import idle
from tests.processes import wait_until

from newsmorgue.cleaning import Article
from newsmorgue.errors import CleaningFailed, CleaningStopped
from newsmorgue.pipelines import clean as stage
from newsmorgue.pipelines import worker
from newsmorgue.pipelines.clean import CleaningPool

URL = "https://example.org/2026/a"
STORY = (
    "Six weeks without a boat were enough: the ferry will sail again on Saturday, with the first tide of the day, and "
    "whoever has a ticket of the old kind may still use it until the end of the summer."
)
OTHER = "Déjà vu : l’équipage avait préparé dès l’été un « plan B », resté dans un tiroir à Noël."
PLAIN = f"<html><body><article><h1>The ferry</h1><p>{STORY}</p></article></body></html>".encode()


@pytest.fixture(scope="module")
def pool() -> Iterator[CleaningPool]:
    """Whose pages have the time that they need on a slow machine: it is not what these tests are about."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "SECONDS", 120.0)
        pool = CleaningPool(1)
        yield pool
        pool.close()


def read(pool: CleaningPool, page: bytes, charset: str | None = None) -> Article:
    return asyncio.run(pool.clean(page, None, charset, URL))


def attributes(number: int) -> bytes:
    named = " ".join(f'data-a{each}="{each}"' for each in range(number))
    return f"<html><body><article><p {named}>{STORY}</p><p>{OTHER}</p></article></body></html>".encode()


@pytest.mark.parametrize(
    ("page", "charset"),
    [
        (f"<p>{STORY}</p>{'<div>' * 5000}<p>{OTHER}</p>{'</div>' * 5000}".encode(), "utf-8"),
        (f"<p>{STORY}</p>{'<span>' * 5000}{OTHER}".encode(), None),
        (f"{'<table><tr><td>' * 1500}<p>{STORY}</p><p>{OTHER}</p>".encode(), None),
        ((f"<p>{STORY}</p><p>" + "\0".join(OTHER) + "</p>").encode(), None),
        (f"<p>{STORY}</p><p>{OTHER}</p>\0\0\0".encode(), "utf-8"),
        (f"<html><body><article><p>{STORY}</p><p>{OTHER}".encode(), None),
        (f'<html><body><article><p>{STORY}</p><p>{OTHER}</p><a href="/wh'.encode(), None),
        (f"<meta charset=utf-8><p>{STORY}</p><p>{OTHER}</p>".encode("cp1252"), "utf-8"),
        (f"<meta charset=iso-8859-1><p>{STORY}</p><p>{OTHER}</p>".encode(), "iso-8859-1"),
        (f"<p>{STORY}</p><p>{OTHER}</p>".encode("utf-16"), "utf-8"),
        (attributes(4_000), None),
    ],
    ids=(
        "divisions too deep",
        "spans too deep",
        "tables too deep",
        "NUL bytes inside",
        "NUL bytes behind",
        "cut in the text",
        "cut in a tag",
        "cp1252 called utf-8",
        "utf-8 called latin-1",
        "utf-16 called utf-8",
        "thousands of attributes",
    ),
)
def test_the_whole_text_is_read(pool: CleaningPool, page: bytes, charset: str | None) -> None:
    article = read(pool, page, charset)
    assert STORY in article.text
    assert OTHER in article.text.replace("\xa0", " ")


def test_text_too_deep_for_the_parser_is_kept_in_its_paragraphs_and_noticed(pool: CleaningPool) -> None:
    article = read(pool, f"<p>{STORY}</p>{'<div>' * 5000}<p>{OTHER}</p><p>{STORY[::-1]}</p>".encode())
    assert article.text.split("\n\n") == [STORY, OTHER, STORY[::-1]]
    assert [warning for warning in article.warnings if "too deep" in warning]


@pytest.mark.parametrize("opened", ["<!-- advert", "<script>var a = 1;", "<style>p {}", "<title>The ferry"])
def test_what_never_ends_and_hides_the_story_is_noticed(pool: CleaningPool, opened: str) -> None:
    article = read(pool, f"<html><body><p>{OTHER}</p>{opened}<p>{STORY}</p></body></html>".encode())
    assert STORY in article.text or [warning for warning in article.warnings if "never ends" in warning]
    assert not [warning for warning in read(pool, PLAIN).warnings if "never ends" in warning]


def test_a_text_in_one_piece_is_read_and_never_passed_over(pool: CleaningPool) -> None:
    words = " ".join(f"word{number}" for number in range(200_000))
    assert words in read(pool, f"<article><h1>The ferry</h1><p>{words}</p></article>".encode()).text
    assert read(pool, b"<article><p>" + b"x" * 3_000_000 + b"</p></article>").text == "x" * 3_000_000


def test_a_page_that_takes_too_long_fails_and_the_next_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(Path(__file__).parents[2])  # for the workers, which look there for what they are to do
    pool = CleaningPool(1)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(stage, "SECONDS", 1.0)
            patch.setattr(worker, "read_page", idle.read_page)
            with pytest.raises(CleaningStopped, match="took more than 1 s on a busy machine"):
                read(pool, PLAIN)
            patch.setattr(stage, "SECONDS", 100.0)
            patch.setattr(stage, "OWN_SHARE", 0.01)
            patch.setattr(worker, "read_page", idle.read_light_page)
            with pytest.raises(CleaningFailed, match=r"took more than 100 s$"):
                read(pool, idle.HEAVY)
        assert STORY in read(pool, PLAIN).text
    finally:
        pool.close()


def test_a_page_that_takes_too_much_memory_fails_and_the_next_is_read(pool: CleaningPool) -> None:
    with pytest.raises(CleaningFailed, match="needed more memory than it may have"):
        read(pool, b"<i>" + b"<p>a" * 10_000_000)
    assert STORY in read(pool, PLAIN).text


def test_workers_that_are_killed_while_they_have_nothing_to_do_are_started_anew(pool: CleaningPool) -> None:
    assert STORY in read(pool, PLAIN).text
    assert pool._pool is not None
    for process in list(pool._pool._pool_manager.worker_manager.workers):
        os.kill(process, signal.SIGKILL)
    broken = pool._pool
    wait_until(lambda: not broken.active)
    assert STORY in read(pool, PLAIN).text


# -- in full ---------------------------------------------------------------------------------------------------------

_HUGE = {
    "40,000 attributes": attributes(40_000),
    "80,000 attributes": attributes(80_000),
    "50 MB of words": b"<article><p>" + b"word and more. " * (50_000_000 // 15) + b"</p></article>",
    "50 MB of one word": b"<article><p>" + b"x" * 50_000_000 + b"</p></article>",
    "50 MB of paragraphs": b"<article>" + f"<p>{STORY}</p>".encode() * (50_000_000 // 200) + b"</article>",
    "a million spans": f"<p>{STORY}</p>{'<span>' * 1_000_000}{OTHER}".encode(),
    "a million comments": b"<!--a-->" * 1_000_000 + f"<p>{STORY}</p><p>{OTHER}</p>".encode(),
    "300,000 links": b"<a href=x>word</a> " * 300_000,
    "20,000 tables": b"<table><tr><td>" * 20_000 + STORY.encode(),
    "5,000,000 entities": b"<p>" + b"&amp;" * 5_000_000,
    "NUL bytes alone": b"\0" * 50_000_000,
}


@pytest.mark.nightly
@pytest.mark.parametrize("name", _HUGE)
def test_huge_pages(pool: CleaningPool, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer with the text of the page, or a failure with its reason; and the next page is read."""
    monkeypatch.setattr(stage, "SECONDS", 10.0)
    page = _HUGE[name]
    try:
        article = read(pool, page)
    except CleaningFailed as refusal:
        assert any(reason in str(refusal) for reason in ("took more than", "more memory", "in one piece", "empty")), (
            refusal
        )
    else:
        for text in (STORY, OTHER):
            if text.encode() in page:
                assert text in article.text or article.warnings
        if b"word and more" in page:
            assert len(article.text) > 49_000_000
    assert STORY in read(pool, PLAIN).text

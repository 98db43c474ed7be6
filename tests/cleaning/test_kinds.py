"""What a page is, told from its address, its data and its text."""

import pytest

from newsmorgue.cleaning import STORY_KINDS, PageKind, clean

PROSE = (
    "<p>The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate.</p>"
)


def kind(url: str, head: str, body: str) -> PageKind:
    return clean(f"<html><head>{head}</head><body>{body}</body></html>".encode(), url).kind


def typed(name: str) -> str:
    data = f'{{"@type":"{name}","headline":"A ferry","datePublished":"2024-06-11"}}'
    return f'<script type="application/ld+json">{data}</script>'


@pytest.mark.parametrize(
    "url, head, body, expected",
    [
        ("https://x.example/news/a", typed("NewsArticle"), PROSE, PageKind.ARTICLE),
        ("https://x.example/news/a", '<meta property="og:type" content="article">', PROSE, PageKind.ARTICLE),
        (
            "https://x.example/news/a",
            "",
            f"<h1>A ferry</h1><p>By Jane Okafor</p><p>11 June 2024</p>{PROSE * 2}",
            PageKind.ARTICLE,
        ),
        ("https://x.example/news/a", typed("LiveBlogPosting"), PROSE, PageKind.LIVE_BLOG),
        ("https://x.example/news/live/storm", typed("NewsArticle"), PROSE, PageKind.LIVE_BLOG),
        ("https://x.example/galleries/boats", typed("NewsArticle"), "<p>Ten boats.</p>", PageKind.GALLERY),
        ("https://x.example/x", typed("VideoObject"), "<p>A boat sails.</p>", PageKind.VIDEO),
        ("https://x.example/", typed("NewsArticle"), PROSE * 5, PageKind.LISTING),
        ("https://x.example/tag/ferry", "", PROSE, PageKind.LISTING),
        ("https://x.example/x", "<title>404 Not Found</title>", "<h1>404</h1><p>Nothing here.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Page introuvable</title>", "<p>Cette page a été déplacée.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Seite nicht gefunden</title>", "<p>Leider nichts.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Just a moment...</title>", "<p>Checking your browser</p>", PageKind.WALL),
        (
            "https://x.example/x",
            "<title>x.example</title>",
            "<p>Please enable JS and disable any ad blocker</p>",
            PageKind.WALL,
        ),
        ("https://x.example/contact", "<title>Contact</title>", "<p>Write to us.</p>", PageKind.OTHER),
    ],
)
def test_kinds(url: str, head: str, body: str, expected: PageKind) -> None:
    assert kind(url, head, body) is expected


def test_an_article_about_errors_is_an_article() -> None:
    head = typed("NewsArticle").replace("A ferry", "Page not found: how links die")
    assert kind("https://x.example/news/a", head, PROSE) is PageKind.ARTICLE


def test_only_stories_are_stories() -> None:
    assert {PageKind.ERROR, PageKind.WALL, PageKind.LISTING, PageKind.OTHER}.isdisjoint(STORY_KINDS)

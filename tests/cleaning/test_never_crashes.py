"""Whatever the bytes: an Article, or CleaningFailed with a reason. Nothing else, and no text lost unnoticed."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsmorgue.cleaning import Article, Memory, Sample, article_from_json, article_to_json, clean, learn
from newsmorgue.errors import CleaningFailed

_TAGS = (
    "p div span a table tr td ul li ol dl dt h1 h2 blockquote figure figcaption article main body html head title meta "
    "script style br img iframe form section aside nav svg math template noscript b i em strong select option frameset"
)
_tag = st.sampled_from(_TAGS.split())
_name = st.sampled_from(
    ["comments", "related", "article-body", "share", "lead", "caption", "author", "ad", "hidden", "a b"]
)
_text = st.text(max_size=40)
_piece = st.one_of(
    _text,
    _tag.map("<{}>".format),
    _tag.map("</{}>".format),
    st.builds('<{} class="{}" id={}>'.format, _tag, _name, _text),
    st.builds('<a href="{}">{}</a>'.format, _text, _text),
    st.builds(
        '<meta property="{}" content="{}">'.format, st.sampled_from(["og:title", "author", "date", "og:url"]), _text
    ),
    st.builds('<script type="application/ld+json">{}</script>'.format, _text),
    st.sampled_from(
        ["<!--", "-->", "<![CDATA[", "]]>", "&#0;", "&#xD800;", "&nbsp;", "<", ">", "\0", "\x1b$B", "\ufffe"]
    ),
    st.just("The council voted on Tuesday to keep the ferry for six more years. "),
)
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _text,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["@type", "@graph", "@id", "author", "name", "headline", "datePublished", "image", "keywords", "url"]
            ),
            inner | st.sampled_from(["NewsArticle", "Person"]),
            max_size=6,
        )
    ),
    max_leaves=12,
)


def read(html: bytes, url: str = "https://example.org/a", charset: str | None = None) -> Article | None:
    """The article, held to what every article must hold; None where the page was refused."""
    try:
        article = clean(html, url, charset=charset)
    except CleaningFailed as refusal:
        assert str(refusal)
        return None
    assert article_from_json(json.loads(json.dumps(article_to_json(article)))) == article
    assert "" not in (article.headline, article.summary, article.published, article.section, article.canonical)
    assert all(block.text or block.url for block in article.body)
    article.text.encode()
    return article


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=600),
    st.none() | st.sampled_from(["utf-8", "latin-1", "utf-16", "gbk", "nonsense", "", "hex", "idna"]),
)
def test_any_bytes(html: bytes, charset: str | None) -> None:
    read(html, charset=charset)


@settings(max_examples=500, deadline=None)
@given(st.lists(_piece, max_size=40).map("".join), _text)
def test_any_markup_at_any_url(html: str, url: str) -> None:
    read(html.encode("utf-8", "replace"), url)


@settings(max_examples=100, deadline=None)
@given(st.lists(_piece, max_size=40).map("".join))
def test_a_memory_of_any_page_takes_whole_lines_and_keeps_the_rest(html: str) -> None:
    page = html.encode("utf-8", "replace")
    plain = read(page)
    if plain is not None:
        samples = [Sample(str(number), None, None, plain.body) for number in range(3)]
        memory = learn(Memory("any"), samples)
        known = clean(page, "https://example.org/a", memory=memory)
        assert sorted([*(block.text for block in known.body), *known.repeated]) == sorted(
            block.text for block in plain.body
        )
        assert known.text or not plain.text


@settings(max_examples=200, deadline=None)
@given(_json)
def test_any_linked_data(value: object) -> None:
    data = json.dumps(value).replace("</", "<\\/")
    read(f'<h1>x</h1><script type="application/ld+json">{data}</script><p>Text of some kind.'.encode())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 900))
def test_a_page_cut_anywhere(length: int) -> None:
    page = (
        '<html lang=fr><head><meta charset=utf-8><title>Le bac reprend</title><script type="application/ld+json">'
        '{"@type":"NewsArticle","headline":"Le bac reprend","author":[{"name":"Zoé Le Gall"}]}</script></head><body>'
        "<h1>Le bac reprend</h1><p>Six semaines d’arrêt auront suffi : le bac reprendra la mer samedi "
        "matin, dès l’aube.</p>"
        "<ul><li>Un</li><li>Deux</li></ul><table><tr><td>a<td>b<tr><td>c<td>d</table></body></html>"
    ).encode()
    read(page[:length])


@pytest.mark.parametrize("html", [b"", b" \r\n\t ", b"<!-- nothing -->", b"\xef\xbb\xbf", b"\0\0\0\0"])
def test_nothing_is_refused_with_a_reason(html: bytes) -> None:
    with pytest.raises(CleaningFailed, match=r"empty|parsed"):
        clean(html, "https://example.org/")


STORY = "Six weeks without a boat were enough: the ferry will sail again on Saturday, with the first tide of the day."


@pytest.mark.parametrize("depth", [300, 1500])
def test_text_deep_in_the_tree_is_kept(depth: int) -> None:
    article = read(f"<body>{'<div>' * depth}<p>{STORY}</p>{'</div>' * depth}</body>".encode())
    assert article is not None
    assert article.text == STORY


@pytest.mark.parametrize("depth", [300, 1500])
def test_a_paragraph_far_deeper_than_its_neighbours_is_kept(depth: int) -> None:
    deep = f"{'<div class=part>' * depth}<p>{STORY}</p>{'</div>' * depth}"
    before, after = STORY.replace("Saturday", "Friday"), STORY.replace("Saturday", "Sunday")
    article = read(f"<body><article><h1>Boats</h1><p>{before}</p>{deep}<p>{after}</p></article>".encode())
    assert article is not None
    assert article.text == f"{before}\n\n{STORY}\n\n{after}"


def test_text_too_deep_for_the_parser_is_noticed() -> None:
    article = read(f"<body><p>{STORY}</p>{'<div>' * 5000}<p>lost</p>".encode())
    assert article is not None
    assert any("depth" in warning for warning in article.warnings)


def test_nul_bytes_take_no_text_with_them() -> None:
    article = read(f"<p>{STORY[:20]}\0{STORY[20:]}</p>".encode())
    assert article is not None
    assert article.text == STORY


@pytest.mark.parametrize("element", ["article", "main", "section", "div", "news-story"])
def test_a_page_without_head_and_body_tags_is_whole(element: str) -> None:
    article = read(f"<!doctype html><title>A ferry</title><meta charset=utf-8><{element}><p>{STORY}</p>".encode())
    assert article is not None
    assert (article.text, article.headline) == (STORY, "A ferry")


def test_a_cut_page_is_noticed() -> None:
    article = read(f"<html><body><p>{STORY}</p><p>And then the".encode())
    assert article is not None
    assert "markup: the page ends before its body does" in article.warnings


@pytest.mark.parametrize(
    "url", ["", "http://[", "not a url", "http://example.org:99999/", "data:,x", "http://\ud800/", "//"]
)
def test_a_bad_url_is_no_failure(url: str) -> None:
    article = read(f"<body><h1>Title of it</h1><p>{STORY} <a href='/x'>link</a></p><img src=x></body>".encode(), url)
    assert article is not None
    assert STORY in article.text


def test_many_attributes_and_a_huge_word() -> None:
    attributes = " ".join(f"a{number}=1" for number in range(2000))
    assert read(f"<p {attributes}>{STORY}</p><p>{'x' * 1_000_000}</p>".encode()) is not None

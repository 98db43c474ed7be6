"""One story in seventeen languages, on pages as WordPress, Drupal and a house's own system make them.

The story, and what such pages print around it, were written for this in each language (``languages/*.json``). All of
the story must be there, in its order, and nothing else.
"""

import json
from html import escape
from pathlib import Path
from typing import Any

import pytest

from newsmorgue.cleaning import Article, BlockKind, PageKind, clean

URL = "https://news.example/artikel/story-123"
LANGUAGES = sorted(path.stem for path in (Path(__file__).parent / "languages").glob("*.json"))
RIGHT_TO_LEFT = frozenset({"ar", "he"})

Words = dict[str, Any]


def words_of(language: str) -> tuple[Words, Words]:
    data = json.loads((Path(__file__).parent / "languages" / f"{language}.json").read_text("utf-8"))
    return data["story"], data["page"]


def linked(texts: list[str], item: str) -> str:
    return "".join(item.format(number=number, text=text) for number, text in enumerate(texts))


def read_also(page: Words, number: int, markup: str) -> str:
    """ "Read also: TITLE", the title a link."""
    label, rest = page["read_also"][number].split("{t}")
    link = f'<a href="/t{number}">{page["teasers"][number]}</a>{rest}'
    return markup.format(label=label, link=link)


def entries(story: Words) -> str:
    return f"<ul>{''.join(f'<li>{entry}</li>' for entry in story['entries'])}</ul>"


def wordpress(language: str, story: Words, page: Words, *, with_data: bool = True) -> str:
    first, second = story["authors"]
    people = page["byline"].format(
        a=f'<a rel="author" href="/a">{first}</a>', b=f'<a rel="author" href="/b">{second}</a>'
    )
    data = {
        "@context": "https://schema.org",
        "@graph": [
            {
                "@type": "NewsArticle",
                "headline": story["headline"],
                "datePublished": "2024-05-03T18:05:00+02:00",
                "dateModified": "2024-05-04T09:12:00+02:00",
                "author": [{"@type": "Person", "name": name} for name in story["authors"]],
            },
            {"@type": "WebPage", "name": story["headline"]},
        ],
    }
    head = (
        f'<script type="application/ld+json">{json.dumps(data)}</script>'
        f'<meta property="og:title" content="{escape(story["headline"])}">'
        f'<meta property="og:site_name" content="{escape(story["site"])}">'
    )
    p = [f"<p>{text}</p>" for text in story["paragraphs"]]
    share = f'<div class="share-buttons"><span>{page["share"][0]}</span> <a href="#">{page["share"][1]}</a></div>'
    thread = linked(page["readers"], '<li class="comment"><footer>u{number}</footer><p>{text}</p></li>')
    form = "".join(f"<p>{text}</p>" for text in page["comment_form"][1:])
    return f"""<!DOCTYPE html><html lang="{language}"{' dir="rtl"' if language in RIGHT_TO_LEFT else ""}><head>
<meta charset="utf-8"><title>{story["headline"]} - {story["site"]}</title>{head if with_data else ""}</head>
<body class="single single-post"><header id="masthead"><a href="/">{story["site"]}</a><nav><ul><li><a href="/a">
{story["section"]}</a></li><li><a href="/b">Sport</a></li></ul></nav></header><main>
<article class="post type-post hentry"><header class="entry-header"><h1 class="entry-title">{story["headline"]}</h1>
<h2 class="entry-sub-title">{story["standfirst"]}</h2><div class="entry-meta"><span class="byline">{people}</span>
<span class="posted-on">{page["published"]}</span> <span class="updated">{page["updated"]}</span>
<span class="reading-time">{page["reading_time"]}</span></div></header>{share}<div class="entry-content">{p[0]}
<div class="stream-item">{page["advert"]}</div>{p[1]}{read_also(page, 0, "<p><strong>{label}</strong>{link}</p>")}
<h2>{story["heading"]}</h2>{p[2]}<figure class="wp-block-image"><img src="/a.jpg"><figcaption>{story["caption"]}
({page["credit"]})</figcaption></figure>{entries(story)}{p[3]}<div class="newsletter-box">
<h4>{page["newsletter"][0]}</h4><p>{page["newsletter"][1]}</p></div><blockquote><p>{story["quote"]}</p></blockquote>{p[4]}{p[5]}
{read_also(page, 1, "<p>{label}{link}</p>")}</div><div class="post-tags">{page["tags"]} <a href="/tag/1">
{story["section"]}</a></div>{share}<div class="about-author"><h4>{page["about_author"]}</h4>
<p>{page["biography"].format(a=first)}</p></div></article><div id="related-posts"><h3>{page["related"]}</h3><ul>
{linked(page["teasers"], '<li><a href="/t{number}">{text}</a></li>')}</ul></div>
<div id="comments"><h3>{page["comments"]}</h3><ol class="comment-list">{thread}</ol>
<div id="respond"><h3>{page["comment_form"][0]}</h3>{form}</div></div></main>
<a id="go-to-top" href="#">{page["back_to_top"]}</a><div id="cookie-notice">{page["consent"]}</div></body></html>"""


def wordpress_without_data(language: str, story: Words, page: Words) -> str:
    return wordpress(language, story, page, with_data=False)


def drupal(language: str, story: Words, page: Words) -> str:
    people = page["byline"].format(a=story["authors"][0], b=story["authors"][1])
    p = [f"<p>{text}</p>" for text in story["paragraphs"]]
    thread = linked(page["readers"], '<article class="comment"><footer>u{number}</footer><p>{text}</p></article>')
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">
<title>{story["headline"]} | {story["site"]}</title></head><body class="path-node">
<header role="banner"><a href="/">{story["site"]}</a>
<nav role="navigation"><ul><li><a href="/a">{story["section"]}</a></li></ul></nav></header>
<main role="main"><h1 class="page-title"><span>{story["headline"]}</span></h1><article class="node node--type-article">
<div class="node__content"><div class="field field--name-field-lead">{story["standfirst"]}</div><div class="node__meta">
<span class="field--name-field-author">{people}</span> <span class="node__submitted">{page["published"]}</span><br>
<span>{page["updated"]}</span></div><div class="field field--name-body">{p[0]}{p[1]}
<div class="block-ad"><span>{page["advert"]}</span></div><h3>{story["heading"]}</h3>{p[2]}
{read_also(page, 0, "<p><em>{label}</em> {link}</p>")}{entries(story)}{p[3]}<blockquote>{story["quote"]}</blockquote>
{p[4]}{p[5]}</div><div class="field field--name-field-tags"><div class="field__label">{page["tags"]}</div>
<a href="/tag/1">{story["section"]}</a></div><section class="comment-wrapper"><h2>{page["comments"]}</h2>{thread}
<h2>{page["comment_form"][0]}</h2><form><p>{page["comment_form"][1]}</p></form></section></div></article>
<div class="block"><h2>{page["related"]}</h2>{linked(page["teasers"], '<h3><a href="/t{number}">{text}</a></h3>')}</div>
</main><footer role="contentinfo"><p>{page["newsletter"][0]}</p><p>{page["consent"]}</p>
<a href="#">{page["back_to_top"]}</a></footer></body></html>"""


def nameless(language: str, story: Words, page: Words) -> str:
    """All in one column, without data and without a name on anything."""
    people = page["byline"].format(a=story["authors"][0], b=story["authors"][1])
    p = [f"<p>{text}</p>" for text in story["paragraphs"]]
    form = "".join(f"<p>{text}</p>" for text in page["comment_form"][1:])
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">
<title>{story["headline"]} – {story["site"]}</title></head><body><div><a href="/">{story["site"]}</a>
<a href="/a">{story["section"]}</a> <a href="/b">Sport</a></div><div><h1>{story["headline"]}</h1>
<p><b>{story["standfirst"]}</b></p><p>{people}</p><p>{page["published"]}</p><p>{page["updated"]}</p>
<p>{page["reading_time"]}</p><p><a href="#">{page["share"][0]}</a> <a href="#">{page["share"][1]}</a></p>{p[0]}{p[1]}
<p>{page["advert"]}</p><h2>{story["heading"]}</h2>{p[2]}{read_also(page, 0, "<p>{label}{link}</p>")}
{entries(story)}{p[3]}<blockquote>{story["quote"]}</blockquote>{p[4]}{p[5]}<p>{page["credit"]}</p><p>{page["newsletter"][0]}</p>
<p>{page["tags"]} <a href="/tag/1">{story["section"]}</a></p><p><a href="#">{page["back_to_top"]}</a></p>
<p>{page["about_author"]}</p><p>{page["biography"].format(a=story["authors"][0])}</p><h3>{page["related"]}</h3><ul>
{linked(page["teasers"], '<li><a href="/t{number}">{text}</a></li>')}</ul><h3>{page["comments"]}</h3>
{linked(page["readers"], "<p>{text}</p>")}<h3>{page["comment_form"][0]}</h3>{form}</div>
<div>{page["consent"]}</div></body></html>"""


def lines_of(article: Article) -> list[str]:
    """The summary, and the lines of the text, entries of lists each a line."""
    text = [line.removeprefix("- ") for line in article.text.split("\n") if line]
    return [article.summary, *text] if article.summary else text


@pytest.mark.parametrize("made", [wordpress, wordpress_without_data, drupal, nameless], ids=lambda made: made.__name__)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_story_is_whole_and_nothing_else_is_there(language: str, made: Any) -> None:
    story, page = words_of(language)
    article = clean(made(language, story, page).encode(), URL)
    p = story["paragraphs"]
    told = [story["standfirst"], *p[:2], story["heading"], p[2], *story["entries"], p[3], story["quote"], *p[4:]]
    assert lines_of(article) == told
    assert (article.headline, list(article.authors)) == (story["headline"], story["authors"])
    assert article.published is not None and article.published.startswith("2024-05-03T18:05")
    assert article.modified is not None and article.modified.startswith("2024-05-04T09:12")
    assert (article.kind, article.language, article.warnings) == (PageKind.ARTICLE, language, ())
    captions = [block.text for block in article.body if block.kind is BlockKind.CAPTION]
    assert all(caption.startswith(story["caption"]) for caption in captions)
    assert len(captions) == (1 if made in (wordpress, wordpress_without_data) else 0)


STANDFIRSTS = [
    "<h2>{}</h2>", '<h4 class="dek">{}</h4>', '<p class="lead">{}</p>', '<div class="intro">{}</div>', "<p>{}</p>",
    "<p><strong>{}</strong></p>", "<p><em>{}</em></p>", "<b>{}</b><br><br>",
    '<aside class="standfirst"><p>{}</p></aside>',
    '<span class="subtitle">{}</span>', "<div><div>{}</div></div>", '<ul class="summary"><li>{}</li></ul>',
    '<blockquote class="intro">{}</blockquote>', '<p itemprop="description">{}</p>',
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_standfirst_is_the_summary_or_a_line_of_the_text_however_it_is_marked_up(language: str) -> None:
    story, _ = words_of(language)
    body = "".join(f"<p>{text}</p>" for text in story["paragraphs"])
    for markup in STANDFIRSTS:
        top = f"<h1>{story['headline']}</h1>{markup.format(story['standfirst'])}"
        page = f'<html lang="{language}"><article><div>{top}</div><div>{body}</div></article><footer>©</footer></html>'
        assert lines_of(clean(page.encode(), URL)) == [story["standfirst"], *story["paragraphs"]], markup


@pytest.mark.parametrize("language", LANGUAGES)
def test_readers_comments_under_a_heading_are_none_of_the_story(language: str) -> None:
    story, page = words_of(language)
    body = "".join(f"<p>{text}</p>" for text in story["paragraphs"])
    said = "".join(
        f"<div><b>user{number}</b> <span>0{number + 1}.05.2024</span><p>{text}</p><a href=#>+1</a></div>"
        for number, text in enumerate(page["readers"] * 4)
    )
    for thread in (f"<h3>{page['comments']}</h3><div>{said}</div>", f"<div><h2>{page['comments']}</h2>{said}</div>"):
        markup = f"<main><h1>{story['headline']}</h1><div>{body}</div>{thread}</main>"
        assert lines_of(clean(f'<html lang="{language}">{markup}</html>'.encode(), URL)) == story["paragraphs"]

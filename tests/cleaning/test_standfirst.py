"""The standfirst: what a reader sees between headline and body, and what is not one."""

import pytest

from newsmorgue.cleaning import clean
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.metadata import read_metadata
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.standfirst import read_standfirst

BODY = "".join(
    f"<p>Paragraph {number} of the story says a good deal more than a line about the harbour and its pilots.</p>"
    for number in range(4)
)
LEAD = "The port authority wants to talk, but not before the tide turns on Friday."


URL = "https://www.courier.example/news/a"


def page_of(between: str, head: str = "", body: str = BODY) -> bytes:
    page = (
        f"<html><head>{head}</head><body><article><h1>Harbour pilots walk out</h1>{between}<div>{body}</div></article>"
    )
    return f"{page}</body></html>".encode()


def summary_of(between: str, head: str = "", body: str = BODY) -> str | None:
    root, _ = parse(decode(page_of(between, head, body), None))
    found = read_standfirst(root, None, read_metadata(root, URL))
    return found[0] if found else None


@pytest.mark.parametrize(
    "markup",
    [
        f'<p class="article-standfirst">{LEAD}</p>',
        f'<div class="c-lead__text"><p>{LEAD}</p></div>',
        f'<div class="byline-share-box"><p class="strapline">{LEAD}</p></div>',
        f'<h2 class="sub-headline">{LEAD}</h2>',
        f"<h2>{LEAD}</h2><p>By Jane Okafor</p>",
        f"<p>{LEAD}</p>",
        f"<p>By Jane Okafor</p><p>11 June 2024, 10:15</p><p>{LEAD}</p>",
        f'<p class="intro">{LEAD.replace("talk", "<a href=/x>talk</a>")}</p>',
    ],
)
def test_a_standfirst_is_found(markup: str) -> None:
    assert summary_of(markup) == LEAD


@pytest.mark.parametrize("markup", [f'<p class="standfirst">{LEAD}</p>', f"<h2>{LEAD}</h2>", f"<p>{LEAD}</p>"])
def test_it_is_the_summary_or_the_texts_first_line_and_never_both(markup: str) -> None:
    article = clean(page_of(markup), URL)
    named = "class" in markup
    assert (article.summary, LEAD in article.text) in ([(LEAD, False)] if named else [(LEAD, False), (None, True)])


@pytest.mark.parametrize(
    "markup",
    [
        "<p>By Samya Kullab and Vasilisa Stepanenko The Associated Press</p>",
        "<p>Published November 18, 2024 9:26pm Updated November 19, 2024 4:23pm</p>",
        "<p>Jane Okafor is a freelance reporter in London.</p>",
        '<figure><img src="a.jpg"><figcaption>Pilots at the gate on Monday morning.</figcaption></figure>',
        '<div><img src="a.jpg"><p>Pilots at the gate of the harbour on Monday morning.</p></div>',
        '<div class="related"><p class="intro">Another story about the harbour and its tugs.</p></div>',
        '<p><a href="/live">Follow the strike live with our reporters at the gate.</a></p>',
        "<p><em>This story was first told in our newsletter for subscribers.</em></p>",
        '<p class="author-description">Harbour and shipping columnist</p>',
        "",
    ],
)
def test_what_is_no_standfirst(markup: str) -> None:
    head = '<meta name="author" content="Jane Okafor">'
    assert summary_of(markup, head) is None


def test_the_first_of_a_row_of_paragraphs_is_the_body() -> None:
    head = '<meta name="description" content="Paragraph 0 of the story says a good deal more than a line about the">'
    assert summary_of("", head) is None


def test_a_post_of_a_live_blog_is_no_standfirst() -> None:
    posts = "<div><h2>09:14 Trains halted</h2><div><p>All trains north of the bridge have been halted.</p></div></div>"
    assert summary_of(posts * 3, body="") is None


def test_the_title_said_again_is_no_standfirst() -> None:
    head = '<meta property="og:title" content="Pilots strike: harbour pilots walk out over night shifts and pay">'
    assert summary_of("<p>Pilots strike: harbour pilots walk out over night shifts and pay</p>", head) is None


def test_a_story_of_one_paragraph_is_a_body_without_standfirst() -> None:
    page = f"<article><h1>Harbour pilots walk out</h1><p>{LEAD}</p></article><footer>The Courier</footer>"
    article = clean(page.encode(), "https://www.courier.example/news/a")
    assert (article.summary, article.text) == (None, LEAD)


@pytest.mark.parametrize("name", ["intro", "lead", "excerpt"])
def test_an_opening_is_the_summary_or_the_texts_first_line_and_never_both(name: str) -> None:
    apart = clean(page_of(f'<p class="{name}">{LEAD}</p>'), URL)
    within = clean(page_of("", body=f'<p class="story-body__{name}">{LEAD}</p>{BODY}'), URL)
    for article in (apart, within):
        assert (article.summary == LEAD) != article.text.startswith(LEAD)


def test_a_standfirst_over_short_chinese_paragraphs_is_kept() -> None:
    lead, story = (
        "停航两个冬天之后，渡轮将从周六起恢复夜间航行。",
        "航运公司周一确认，夜间航线将重新开通。该航线自码头火灾后一直停航。",
    )
    head = f'<h1>港口恢复夜间渡轮</h1><h2 class="sub-title">{lead}</h2>'
    page = f"<article>{head}<p>{story}</p><p>{story[:-1]}多日。</p></article>"
    assert clean(page.encode(), URL).summary == lead


@pytest.mark.parametrize("lead", ["By May all ships will sail again.", "Των Αθηνών η αγορά ανοίγει πάλι."])
def test_a_sentence_that_begins_like_a_byline_is_a_standfirst(lead: str) -> None:
    assert summary_of(f"<h2>{lead}</h2>") == lead
    assert summary_of("<h2>By Ann Doe and Joe Roe of the Courier</h2>") is None

"""Typed blocks, plain text and Markdown that holds nothing live."""

import pytest

from newsmorgue.cleaning import Block, BlockKind, clean
from newsmorgue.cleaning.blocks import blocks_of
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.lines import survey
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.render import markdown_of_blocks, text_of_blocks

URL = "https://courier.example/news/a"


def blocks(markup: str) -> tuple[Block, ...]:
    root, _ = parse(decode(f"<body><p>Before.</p>{markup}<p>After.</p></body>".encode(), None))
    return blocks_of(survey(root).lines, URL)[1:-1]


@pytest.mark.parametrize(
    "markup, expected",
    [
        ("<p>One\n line <b>of</b> text.</p>", [("paragraph", "One line of text.")]),
        (
            "bare text<p>and a paragraph</p>tail",
            [("paragraph", "bare text"), ("paragraph", "and a paragraph"), ("paragraph", "tail")],
        ),
        ("<p>one<br>line</p>", [("paragraph", "one line")]),
        ("<p>one<br><br>two</p>", [("paragraph", "one"), ("paragraph", "two")]),
        ("<h2>Head</h2><p>Text</p>", [("heading", "Head"), ("paragraph", "Text")]),
        ("<blockquote><p>Said</p><p>more</p></blockquote>", [("quote", "Said"), ("quote", "more")]),
        ("<figure><img><figcaption>Seen</figcaption></figure>", [("caption", "Seen")]),
        ('<div class="wp-caption"><p class="wp-caption-text">Seen</p></div>', [("caption", "Seen")]),
        ("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", [("list", "a\nb\nc")]),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", [("table", "a\tb\nc\td")]),
        ("<table><tr><td><p>Laid out in a table</p></td></tr></table>", [("paragraph", "Laid out in a table")]),
        ("<span><div>block in inline</div></span>", [("paragraph", "block in inline")]),
        ("<p>twice</p><p>twice</p>", [("paragraph", "twice")]),
        ("<p>  </p><script>x</script><style>y</style>", []),
        ("<p>«&nbsp;Oui&nbsp;»</p>", [("paragraph", "«\xa0Oui\xa0»")]),
    ],
)
def test_blocks(markup: str, expected: list[tuple[str, str]]) -> None:
    assert [(block.kind.value, block.text) for block in blocks(markup)] == expected


def test_embeds_are_kept_apart_from_the_text() -> None:
    found = blocks(
        '<p>See:</p><iframe src="//video.example/1" title="A boat"></iframe>'
        '<blockquote class="twitter-tweet"><p>Hello</p><a href="https://social.example/1">May 3</a></blockquote>'
    )
    assert [(block.kind, block.url) for block in found[1:]] == [
        (BlockKind.EMBED, "https://video.example/1"),
        (BlockKind.EMBED, "https://social.example/1"),
    ]
    assert text_of_blocks(found) == "See:"


def test_the_text_parts_blocks_by_an_empty_line_and_leaves_captions_out() -> None:
    found = blocks("<h2>Head</h2><p>One</p><figure><figcaption>Seen</figcaption></figure><ol><li>a</li><li>b</li></ol>")
    assert text_of_blocks(found) == "Head\n\nOne\n\n- a\n- b"


def test_markdown_of_each_kind() -> None:
    markup = (
        '<h2>Head</h2><p>See <a href="/x">the '
        "<em>plan</em></a>.</p><ol><li>a</li><li><b>b</b></li></ol><blockquote>Said</blockquote>"
        "<table><tr><th>a|b<th>c<tr><td>1<td>2</table>"
    )
    assert markdown_of_blocks(blocks(markup)) == (
        "## Head\n\nSee [the *plan*](https://courier.example/x).\n\n1. a\n2. **b**\n\n> Said\n\n"
        "| a\\|b | c |\n| --- | --- |\n| 1 | 2 |"
    )


@pytest.mark.parametrize(
    "address",
    [
        "javascript:alert(1)",
        " JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "#top",
    ],
)
def test_links_that_run_or_lead_nowhere_are_words_only(address: str) -> None:
    found = blocks(f'<p>Press <a href="{address}">here</a> now</p>')
    assert markdown_of_blocks(found) == "Press here now"


@pytest.mark.parametrize(
    "text, markdown",
    [
        ("&lt;script&gt;x&lt;/script&gt;", r"\<script\>x\</script\>"),
        ("a * b _ c ` d [e](f)", r"a \* b \_ c \` d \[e\](f)"),
        ("# no heading", r"\# no heading"),
        ("- no list", r"\- no list"),
        ("1. no list", r"1\. no list"),
        ("&amp;lt;b&amp;gt;", "&amp;lt;b&amp;gt;"),
        ("AT&amp;T", "AT&T"),
    ],
)
def test_text_that_looks_like_markup_stays_text(text: str, markdown: str) -> None:
    assert markdown_of_blocks(blocks(f"<p>{text}</p>")) == markdown


def test_an_address_cannot_leave_its_link() -> None:
    found = blocks('<p>Go <a href="https://x.example/a)<b>(c">there</a></p>')
    assert "<b>" not in markdown_of_blocks(found)
    assert ")<" not in markdown_of_blocks(found)


def test_references_to_control_characters_make_none() -> None:
    story = "".join(f"<p>The {word} ferry sails again on Saturday, with the first tide.</p>" for word in ("old", "new"))
    page = clean(
        f"<title>A &#27;[2Jtitle</title><h1>A &#27;[2Jtitle</h1>{story}<p>It&#146;s &#27;[31mred&#155;2J &#127;now and"
        " stays so for the day.</p>".encode(),
        "https://courier.example/a",
    )
    assert page.headline == "A [2Jtitle"
    assert page.text.endswith("\n\nIt’s [31mred›2J now and stays so for the day.")


@pytest.mark.parametrize(
    "markup, markdown",
    [
        ("<ul><li># one<li>- two<li>3. three<li>&gt; four</ul>", "- \\# one\n- \\- two\n- 3\\. three\n- \\> four"),
        (
            "<ul><li># <b>one</b> word<li>1) <a href=/x>two</a></ul>",
            "- \\# **one** word\n- 1\\) [two](https://courier.example/x)",
        ),
        ("<h2>What is C #</h2>", "## What is C \\#"),
        ("<h2>What is C#</h2>", "## What is C#"),
        ("<figure><figcaption><b>Left:</b> the pier *</figcaption></figure>", "_**Left:** the pier \\*_"),
        ("<figure><figcaption>The pier</figcaption></figure>", "*The pier*"),
    ],
)
def test_no_character_of_the_page_begins_or_ends_anything_in_markdown(markup: str, markdown: str) -> None:
    assert markdown_of_blocks(blocks(markup)) == markdown

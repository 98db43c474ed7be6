"""Where the story stands: by the worth of its text, with names of classes or without."""

import pytest
from lxml import html

from newsmorgue.cleaning.finder import find_story

PROSE = "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate. "


def place(body: str) -> str | None:
    found = find_story(html.document_fromstring(f"<html><body>{body}</body></html>"))
    return found.element.get("data-here") if found else None


def story(count: int = 6) -> str:
    return "".join(f"<p>{PROSE}{number}</p>" for number in range(count))


MENU = "<ul>" + '<li><a href="/x">Some section of the site</a></li>' * 30 + "</ul>"
TEASERS = '<div class="teasers">' + f"<div><h3><a href=/t>Another story</a></h3><p>{PROSE}</p></div>" * 4 + "</div>"
THREAD = '<section id="comments">' + f"<div><b>islander</b><p>{PROSE * 2}</p></div>" * 10 + "</section>"
CONSENT = f'<div id="cookie-consent"><p>{PROSE * 8}</p></div>'


@pytest.mark.parametrize("around", [MENU, TEASERS, THREAD, CONSENT, MENU + TEASERS + THREAD + CONSENT])
def test_the_story_is_found_among_the_rest(around: str) -> None:
    assert place(f"{around}<div data-here=story><h1>Title</h1>{story()}</div>{around}") == "story"


def test_the_innermost_element_that_holds_all_is_taken() -> None:
    assert place(f"<div data-here=outer><div data-here=inner>{story()}</div></div>") == "inner"


def test_a_story_in_several_parts_is_taken_whole() -> None:
    parts = f"<div>{story(3)}</div>" * 3
    assert place(f"{MENU}<div data-here=whole>{parts}</div>{MENU}") == "whole"


def test_names_over_the_whole_story_are_not_believed() -> None:
    assert place(f'<div class="sidebar promo" data-here=story><h1>Title</h1>{story()}</div>') == "story"
    assert place("<div data-here=story>" + f'<p class="paywall">{PROSE}</p>' * 6 + "</div>") == "story"


def test_a_page_without_prose_has_no_story() -> None:
    assert place(MENU) is None
    assert find_story(html.document_fromstring("<html></html>")) is None

"""Where the story stands: told line by line, with names of classes or without."""

import pytest

from newsmorgue.cleaning import clean
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.features import Hints
from newsmorgue.cleaning.finder import find_story
from newsmorgue.cleaning.lines import survey
from newsmorgue.cleaning.model import load_model, shipped_model, shipped_name
from newsmorgue.cleaning.parse import parse

SENTENCES = (
    "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate.",
    "Opponents had asked for a cheaper bus over the new bridge, which the harbour trust says will open in 2027.",
    "“We heard from nurses and from bakers,” said the mayor. “Tonight they won, and so did the islands.”",
    "The service loses about £400,000 a year, and the council will cover half of that from next April on.",
    "Boats leave the old town every forty minutes until two in the morning, and every hour at weekends.",
    "A report on the state of the two boats, the youngest of them from 1988, is due before the summer.",
)


def chosen(body: str) -> list[str]:
    root, _ = parse(decode(f"<html><body>{body}</body></html>".encode(), None))
    found = find_story(survey(root), Hints(titles=frozenset({"theferrystays"})), shipped_model())
    return [line.text for line in found.lines] if found else []


STORY = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
MENU = "<ul>" + '<li><a href="/x">Some section of the site</a></li>' * 30 + "</ul>"
TEASERS = (
    '<div class="related"><h3>More stories</h3>'
    + "<div><h4><a href=/t>Another story of the town</a></h4><p>It was a long night in the district.</p></div>" * 4
    + "</div>"
)
THREAD = '<section id="comments"><h3>10 comments</h3>' + "<div><b>islander</b><p>I for one will not pay.</p></div>" * 10
CONSENT = '<div id="cookie-consent"><p>We and our partners use cookies to store data on your device.</p></div>'


@pytest.mark.parametrize("around", [MENU, TEASERS, THREAD + "</section>", CONSENT])
def test_the_story_is_found_among_the_rest(around: str) -> None:
    assert chosen(f"{around}<article><h1>The ferry stays</h1>{STORY}</article>{around}")[-6:] == list(SENTENCES)


def test_a_story_in_several_parts_is_taken_whole() -> None:
    parts = "".join(f"<div><div><p>{sentence}</p></div></div>" for sentence in SENTENCES)
    assert chosen(f"{MENU}<h1>The ferry stays</h1><div>{parts}</div>{MENU}") == list(SENTENCES)


def test_a_story_without_any_name_or_paragraph_is_found() -> None:
    lines = "<br><br>".join(SENTENCES)
    rows = f"<tr><td><b>The ferry stays</b></td></tr><tr><td>{lines}</td></tr>"
    page = f"<title>The ferry stays</title>{MENU}<table>{rows}</table>"
    assert clean(page.encode(), "").text == "\n\n".join(SENTENCES)


def test_names_over_the_whole_story_are_not_believed() -> None:
    assert chosen(f'<div class="sidebar promo"><h1>The ferry stays</h1>{STORY}</div>') == list(SENTENCES)


def test_where_there_is_no_story_what_stands_in_its_place_is_read() -> None:
    assert chosen("<h1>Sorry</h1><p>Please log in.</p>") == ["Sorry", "Please log in."]
    assert chosen("") == []


def test_a_list_and_a_table_between_paragraphs_are_kept() -> None:
    aside = "<ol><li>First boat at 5.10am.</li><li>Last boat at 2am.</li></ol>"
    table = "<table><tr><th>Boat</th><th>Built</th></tr><tr><td>Merrin</td><td>1988</td></tr></table>"
    text = clean(
        f"<article><h1>The ferry stays</h1>{STORY}{aside}{STORY[:300]}</p>{table}{STORY}</article>".encode(), ""
    )
    assert "- First boat at 5.10am.\n- Last boat at 2am." in text.text
    assert "Boat\tBuilt\nMerrin\t1988" in text.text


def test_what_no_reader_sees_is_left_out_and_a_hidden_story_is_not() -> None:
    hidden = f'<div style="display: none">{STORY}</div>'
    more = "<p hidden>The council voted to hide this sentence from everybody who reads this page with eyes.</p>"
    assert chosen(f"<h1>The ferry stays</h1>{hidden}") == list(SENTENCES)
    assert chosen(f"<article><h1>The ferry stays</h1>{STORY}{more}</article>") == list(SENTENCES)


def test_a_page_of_more_lines_than_any_story_has_is_read_whole() -> None:
    many = "".join(
        f"<p>Line {number} of a very long register of ships and what they carried.</p>" for number in range(20_500)
    )
    assert len(chosen(f"<article>{many}</article>")) == 20_500


def test_a_model_for_other_features_is_refused() -> None:
    with pytest.raises(ValueError, match="the model old was trained on other features"):
        load_model(b'{"name": "old", "features": ["words"]}')


def test_the_shipped_model_has_a_name() -> None:
    assert shipped_name().startswith("model-")


def text_of(body: str) -> str:
    return clean(f"<html><body>{body}</body></html>".encode(), "https://courier.example/news/ferry").text


@pytest.mark.parametrize("tag", ["nav", "footer"])
def test_navigation_goes_but_not_a_story_in_an_element_that_was_never_closed(tag: str) -> None:
    menu = (
        f"<{tag}><p>The ferry desk is open from nine to five on working days, and on Saturdays till noon.</p></{tag}>"
    )
    assert text_of(f"{menu}<article><h1>The ferry stays</h1>{STORY}</article>{menu}") == "\n\n".join(SENTENCES)
    assert text_of(f"<{tag}><ul><li><a href=/>Home</a></ul><h1>The ferry stays</h1>{STORY}") == "\n\n".join(SENTENCES)


def test_a_footer_of_the_story_itself_is_read_with_it() -> None:
    note = "<footer><p>This story was corrected on Wednesday: the boats are from 1988, not from 1998.</p></footer>"
    assert "corrected on Wednesday" in " ".join(
        chosen(f"<article><h1>The ferry stays</h1>{STORY}{note}{STORY}</article>")
    )


def test_a_line_between_two_of_the_storys_is_the_storys() -> None:
    odd = '<div class="slide"><h2 class="slide-title">Boat two</h2></div>'
    assert "Boat two" in chosen(f"<article><h1>The ferry stays</h1>{STORY}{odd}{STORY}</article>")


def test_a_table_of_players_is_no_media_player() -> None:
    rows = "".join(
        f'<tr><td class="player-{number}">Ada Vane {number}</td><td class="player-{number}">{number} goals</td></tr>'
        for number in range(6)
    )
    assert "Ada Vane 5\t5 goals" in text_of(
        f"<article><h1>The ferry stays</h1>{STORY}<table>{rows}</table>{STORY}</article>"
    )


@pytest.mark.parametrize(
    "note",
    [
        "Correction 1: an earlier version misstated a figure.",
        "Rectificatif : le bateau date de 1988.",
        "Korrektur: Das Boot ist von 1988.",
        "訂正：船は1988年製。",
    ],
)
def test_what_a_story_says_of_its_correction_is_kept(note: str) -> None:
    assert chosen(f"<article><h1>The ferry stays</h1>{STORY}<p>{note}</p></article>{TEASERS}")[-1] == note

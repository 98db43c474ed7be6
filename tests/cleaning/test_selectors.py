"""What an operator says of a page goes before what is found without."""

import pytest

from newsmorgue.cleaning import READING, Article, PageKind, Selectors, clean, reading
from newsmorgue.cleaning.choosing import check

URL = "https://odd.example/2026/05/12/ferry"
PROSE = "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate. "
PAGE = f"""<html><head><title>Odd Example</title></head><body>
<h1>Odd Example</h1>
<div class="t">The ferry stays</div>
<div class="l">Six more years, says the council.</div>
<div class="x">{"".join(f"<p>A reader writes {number}: {PROSE}</p>" for number in range(9))}</div>
<section class="part"><p>First part. {PROSE}</p><div class="box"><p>Advertisement of the week. {PROSE}</p></div>
 after the box</section>
<section class="part"><p>Second part. {PROSE}</p></section>
</body></html>"""


def read(selectors: Selectors | None = None, page: str = PAGE) -> Article:
    return clean(page.encode(), URL, selectors=selectors)


def test_the_page_is_one_that_needs_them() -> None:
    article = read()
    assert "A reader writes 0" in article.text
    assert article.headline != "The ferry stays"


def test_the_body_is_what_was_chosen_in_the_order_of_the_page() -> None:
    article = read(Selectors(body="section.part", remove=(".box",)))
    assert article.text == f"First part. {PROSE.strip()}\n\nafter the box\n\nSecond part. {PROSE.strip()}"
    assert (article.kind, article.warnings) == (PageKind.ARTICLE, ())


def test_headline_and_summary() -> None:
    article = read(Selectors(headline=".nothing, .t", summary="div.l"))
    assert (article.headline, article.summary) == ("The ferry stays", "Six more years, says the council.")
    assert (article.found["headline"].how, article.found["summary"].how) == ("selector", "selector")


def test_what_is_removed_leaves_its_surroundings() -> None:
    article = read(Selectors(remove=("div.x", ".box")))
    assert "A reader writes" not in article.text
    assert "Advertisement" not in article.text
    assert "First part" in article.text
    assert "Second part" in article.text


def test_a_part_within_a_part_is_there_once() -> None:
    article = read(Selectors(body="section.part, section.part p"))
    assert article.text.count("Second part") == 1


def test_a_page_that_has_nothing_of_it_is_read_as_usual_and_says_so() -> None:
    told = read(Selectors(body="article", headline="h9", summary="h8"))
    assert told.text == read().text
    missing = ("headline", "summary", "body")
    assert told.warnings == tuple(f"selectors: nothing on this page is its {name}" for name in missing)
    empty = read(Selectors(body=".e"), PAGE.replace("</body>", '<div class="e"> </div></body>'))
    assert empty.text == read().text


def test_scripts_and_controls_are_no_text_even_there() -> None:
    page = PAGE.replace("Second part.", "Second part.<script>x()</script><select><option>Pick</option></select>")
    assert read(Selectors(body="section.part"), page).text.count("Pick") == 0
    assert "x()" not in read(Selectors(body="section.part"), page).text


def test_each_selection_is_a_reading_of_its_own() -> None:
    some = (Selectors(body="a"), Selectors(headline="a"), Selectors(remove=("a",)), Selectors(remove=("a", "b")))
    names = [reading(None, selectors) for selectors in (None, *some)]
    assert len(set(names)) == 5
    assert names[0] == reading(None, Selectors()) == READING
    assert all(name.startswith(READING) for name in names)
    assert reading(None, Selectors(body="a")) == reading(None, Selectors(body="a"))


@pytest.mark.parametrize("wrong", ["", " ", "div >", "p::text", "a:nonsense", "p:nth-child(x)", "[a=", "ns|div"])
def test_what_is_no_selector(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        check(wrong)


@pytest.mark.parametrize("right", ["p", "div > p.a:not(.b)", "P, LI", "[data-x='1']", "p:has(a)", "p:nth-child(2n+1)"])
def test_what_is_one(right: str) -> None:
    check(right)

"""The boilerplate rules, one role at a time, on fragments as themes of many languages print them."""

import pytest
from bs4 import BeautifulSoup
from bs4.element import Tag

from newsmorgue.cleaning import clean
from newsmorgue.cleaning.bylines import is_byline
from newsmorgue.cleaning.labels import role_of_label
from newsmorgue.cleaning.roles import role_of_name
from newsmorgue.cleaning.rules import Context, strip_boilerplate

STORY = (
    "<p>The night ferry will go on running until two in the morning, the council decided on Tuesday "
    "after a long sitting.</p>"
    "<p>Councillors voted by eleven to nine to renew the contract for a further six years, and a "
    "protest outside was noisy.</p>"
)
LAST = (
    "<p>The service loses money every year, and half of that will be paid by the harbour trust from "
    "next July onwards.</p>"
)
PLAIN = BeautifulSoup(STORY + LAST, "lxml").get_text(" ", strip=True)


def left_of(boilerplate: str, context: Context | None = None) -> str:
    """The text that is left of a story with ``boilerplate`` in its middle."""
    root = BeautifulSoup(f"<div>{STORY}{boilerplate}{LAST}</div>", "lxml", multi_valued_attributes=None).find("div")
    assert isinstance(root, Tag)
    strip_boilerplate(root, context or Context())
    return root.get_text(" ", strip=True)


@pytest.mark.parametrize(
    "boilerplate",
    [
        '<div class="relatedPosts"><p>A teaser of another story that has some words in it.</p></div>',
        '<section id="comments"><p>I was there and it was nothing like that, believe me.</p></section>',
        '<div class="social-share"><span>Share this story</span></div>',
        '<div class="newsletter-signup"><p>The best of the week, every Friday, straight to you.</p></div>',
        '<div role="complementary"><p>Something complementary, in some words.</p></div>',
        '<div class="ad-slot">Buy two boilers and get one boiler free</div>',
        "<nav><a href=/>Home</a> and so on and on</nav>",
        "<form><p>Your name and your address</p><button>Send</button></form>",
        '<p style="display: none">Hidden words that nobody sees</p>',
        "<p hidden>Hidden words that nobody sees</p>",
        '<span class="screen-reader-text">Opens in a new window</span>',
        (
            "<div><h3>Related articles</h3><ul><li><a href=/1>A storm closed the pier</a></li><li><a "
            "href=/2>Ten walks</a></li></ul></div>"
        ),
        "<h3>Articles similaires</h3><ul><li><a href=/1>Le phare rallumé</a></li><li><a href=/2>La criée</a></li></ul>",
        "<div><p>Das könnte Sie auch interessieren</p><a href=/1>Werft rettet den letzten Kutter</a></div>",
        "<p>Read more: <a href=/1>Who pays for the boats?</a></p>",
        "<p><strong>LIRE AUSSI :</strong> <a href=/1>Le récit d’une nuit à Port-Clair</a></p>",
        "<p><b>A lire aussi</b> <a href=/1>Le récit d’une nuit à Port-Clair</a></p>",
        "<p>Lesen Sie auch: <a href=/1>Warum die Krabben ausbleiben</a></p>",
        "<p>Lee también: <a href=/1>La playa sin arena</a></p>",
        "<p>Читайте также: <a href=/1>Порт закрыт до весны</a></p>",
        "<p>Leggi anche: <a href=/1>Il porto chiuso fino a primavera</a></p>",
        "<p>Advertisement</p>",
        "<p>— Publicité —</p>",
        "<div>Anzeige</div>",
        "<p>La suite après cette publicité</p>",
        "<p>Story continues below advertisement</p>",
        "<p>4 min read</p>",
        "<p>Temps de lecture : 4 minutes</p>",
        "<p>12 Kommentare</p>",
        "<a href=#top>Back to top</a>",
        "<p>Bouton retour en haut de la page</p>",
        "<p>Votre adresse e-mail ne sera pas publiée. Les champs obligatoires sont indiqués avec *</p>",
        "<p>© 2024 Harbour Courier. All rights reserved.</p>",
        "<p>Sign up for our morning newsletter</p>",
        "<p>Share</p><p>Tweet</p><p>WhatsApp</p>",
        "<p>Follow us on Facebook</p>",
        "<p>We may earn a commission from links on this page.</p>",
        "<ul><li><a href=/t/1>Ferries</a></li><li><a href=/t/2>Council</a></li></ul>",
        "<p><a href=/1>A storm closed the pier for good</a></p>",
        "<p>Published: 11 June 2024, 11:40 pm</p>",
        "<p>Mis à jour le 5 mars 2024 à 11h02</p>",
        "<div>Mittwoch, 5. März 2024</div>",
    ],
)
def test_boilerplate_goes_and_the_story_stays(boilerplate: str) -> None:
    assert left_of(boilerplate) == PLAIN


@pytest.mark.parametrize(
    "text",
    [
        "<p>Share prices fell on Tuesday.</p>",
        "<p>Read more books, she said, and write fewer letters to the council.</p>",
        "<p>Comments by the mayor were met with silence.</p>",
        "<p>“No.”</p>",
        "<p>The report is <a href=/r>here</a> and the reply is <a href=/s>there</a>.</p>",
        "<p>He died on 3 May 2024 at the age of ninety.</p>",
        '<p>The <span class="ad">word</span> stays in its sentence here.</p>',
        '<p>An <a class="related-link" href=/x>old contract</a> is still in force today.</p>',
        "<h2>What it costs</h2><p>About £400,000 a year.</p>",
        "<ul><li>First boat at five.</li><li>Last boat at two.</li></ul>",
        "<blockquote>We heard from nurses.</blockquote>",
        "<p>Lire, aussi, est un droit.</p>",
        "<p>Related to nobody on the council, he won.</p>",
        "<p>Publicité mensongère, répond l’opposition.</p>",
    ],
)
def test_the_storys_own_words_stay(text: str) -> None:
    plain = BeautifulSoup(text, "lxml").get_text(" ", strip=True)
    assert plain in left_of(text)


def test_a_named_part_that_holds_most_of_the_text_is_believed_to_be_text() -> None:
    root = BeautifulSoup(f'<div><div class="promo">{STORY}{LAST}</div><p>End of it.</p></div>', "lxml").find("div")
    assert isinstance(root, Tag)
    strip_boilerplate(root, Context())
    assert "eleven to nine" in root.get_text()


def test_the_headline_and_what_stands_over_it_go() -> None:
    context = Context(titles=frozenset({"ferrystays", "news"}))
    assert left_of("", context) == PLAIN
    root = BeautifulSoup(f"<div><p>Transport</p><h1>Ferry stays</h1>{STORY}<p>News</p>{LAST}</div>", "lxml").find("div")
    assert isinstance(root, Tag)
    strip_boilerplate(root, context)
    assert root.get_text(" ", strip=True) == PLAIN


def test_the_byline_and_the_authors_biography_go() -> None:
    context = Context(authors=("Jane Okafor",))
    assert left_of("<p>By Jane Okafor, Staff Writer</p>", context) == PLAIN
    assert left_of("<p>Jane Okafor is the Courier’s local government reporter.</p>", context) == PLAIN
    assert "Okafor" in left_of("<p>By the time Jane Okafor arrived, the boat had left.</p>", context)


def test_a_heading_over_nothing_goes() -> None:
    root = BeautifulSoup(f"<div>{STORY}<h2>What it costs</h2></div>", "lxml").find("div")
    assert isinstance(root, Tag)
    strip_boilerplate(root, Context())
    assert "costs" not in root.get_text()


@pytest.mark.parametrize(
    "name, role",
    [
        ("comments-area", "comments"),
        ("wp-block-jetpack-relatedPosts", "related"),
        ("td-share-bar", "sharing"),
        ("c-newsletter__form", "newsletter"),
        ("about-author", "author box"),
        ("AdSlot", "advert"),
        ("entry-content", "story"),
        ("header", None),
        ("adidas", None),
        ("shared", None),
        ("uncommented", None),
        ("has-sidebar", None),
        ("comments-open", None),
        ("sc-4df7a8a0", None),
        ("", None),
    ],
)
def test_names_speak_of_roles_as_whole_words(name: str, role: str | None) -> None:
    assert role_of_name(name) == role


@pytest.mark.parametrize(
    "line, role",
    [
        ("Lire aussi", "related"),
        ("A LIRE AUSSI :", "related"),
        ("Voir Aussi", "related"),
        ("Read more", "related"),
        ("İlgili haberler", "related"),
        ("関連記事", "related"),
        ("Laisser un commentaire", "comments"),
        ("3 commentaires", "comments"),
        ("5-minute read", "reading time"),
        ("Partager sur Facebook", "sharing"),
        ("Fermer", "interface"),
        ("→", "interface"),
        ("The vote", None),
        ("Les plus belles plages", None),
        ("Read my lips", None),
    ],
)
def test_labels(line: str, role: str | None) -> None:
    assert role_of_label(line) == role


@pytest.mark.parametrize(
    "line, expected",
    [
        ("By Jane Okafor", True),
        ("Jane Okafor · 11 June 2024", True),
        ("Updated 11 June 2024 at 23:40 BST", True),
        ("Publié le 5 mars 2024 à 06h30", True),
        ("Stand: 05.03.2024, 06:30 Uhr", True),
        ("On 11 June 2024 the council voted.", False),
        ("Jane Okafor won.", False),
        ("2024", False),
        ("Eleven to nine", False),
    ],
)
def test_bylines(line: str, expected: bool) -> None:
    assert is_byline(line, ("Jane Okafor",)) is expected


def test_a_page_of_nothing_but_links_to_shops_is_not_emptied() -> None:
    offers = "".join(
        f"<p><a href=/{number}>Kettle number {number} of the shop around the corner</a> sold here</p>"
        for number in range(9)
    )
    intro = "<p>Nine kettles that we like a lot this year.</p>"
    page = f'<h1>Nine kettles</h1><div itemprop="articleBody">{intro}{offers}</div>'
    assert "Kettle number 3" in clean(page.encode(), "https://courier.example/kettles").text

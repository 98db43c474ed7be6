"""Metadata: where each value is taken from, and in what form."""

import json

import pytest

from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.metadata import Metadata, read_metadata
from newsmorgue.cleaning.metadata.dates import day_in_url, read_date
from newsmorgue.cleaning.metadata.names import read_names
from newsmorgue.cleaning.parse import parse

URL = "https://www.courier.example/news/a"


def read(head: str, body: str = "", url: str = URL) -> Metadata:
    root, _ = parse(decode(f"<html><head>{head}</head><body>{body}<p>.</p></body></html>".encode()))
    return read_metadata(root, url)


def linked(value: object) -> str:
    return f'<script type="application/ld+json">{json.dumps(value)}</script>'


@pytest.mark.parametrize(
    "written, iso",
    [
        ("2024-03-05T06:30:00+01:00", "2024-03-05T06:30:00+01:00"),
        ("2024-03-05T06:30:00.123Z", "2024-03-05T06:30:00+00:00"),
        ("2024-03-05T06:30:00-0500", "2024-03-05T06:30:00-05:00"),
        ("2024-03-05 06:30", "2024-03-05T06:30:00"),
        ("20240305T063000Z", "2024-03-05T06:30:00+00:00"),
        ("20240305", "2024-03-05"),
        ("Tue, 05 Mar 2024 06:30:00 GMT", "2024-03-05T06:30:00+00:00"),
        ("1709620200", "2024-03-05T06:30:00+00:00"),
        ("1709620200000", "2024-03-05T06:30:00+00:00"),
        ("March 5, 2024 at 6:30 p.m.", "2024-03-05T18:30:00"),
        ("5th March 2024", "2024-03-05"),
        ("Publié le 1er août 2023 à 7h05", "2023-08-01T07:05:00"),
        ("5. März 2024, 06:30 Uhr", "2024-03-05T06:30:00"),
        ("5 de marzo de 2024", "2024-03-05"),
        ("5 марта 2024", "2024-03-05"),
        ("2024年3月5日", "2024-03-05"),
        ("2024년 3월 5일", "2024-03-05"),
        ("05.03.2024", "2024-03-05"),
        ("05/03/2024", "2024-03-05"),
        ("03/25/2024", "2024-03-25"),
        ("31 February 2024", None),
        ("2024-13-45", None),
        ("page 12 of 2024", None),
        ("", None),
    ],
)
def test_dates_are_read_as_written(written: str, iso: str | None) -> None:
    assert read_date(written) == iso


def test_a_month_may_come_first() -> None:
    assert read_date("03/05/2024", month_first=True) == "2024-03-05"


@pytest.mark.parametrize(
    "url, day",
    [
        ("https://x.example/2024/03/05/title.html", "2024-03-05"),
        ("https://x.example/news/title-2024-3-5", "2024-03-05"),
        ("https://x.example/20240305/title", "2024-03-05"),
        ("https://x.example/2024/99/05/title", None),
        ("https://x.example/item/1234567890", None),
    ],
)
def test_days_in_urls(url: str, day: str | None) -> None:
    assert day_in_url(url) == day


@pytest.mark.parametrize(
    "byline, names",
    [
        ("By Jane Okafor", ["Jane Okafor"]),
        ("Par Maëlle Tanguy et Yann Kervella", ["Maëlle Tanguy", "Yann Kervella"]),
        ("Von Klaas Böhme und Jürgen Groß", ["Klaas Böhme", "Jürgen Groß"]),
        ("Por María José Ruiz, Juan Pérez y Ana Gil", ["María José Ruiz", "Juan Pérez", "Ana Gil"]),
        ("Jane Okafor, Staff Writer", ["Jane Okafor"]),
        ("Jane Okafor | The Harbour Courier", ["Jane Okafor"]),
        ("JANE OKAFOR", ["Jane Okafor"]),
        ("Zoé Le Gall (avec AFP)", ["Zoé Le Gall"]),
        ("https://www.facebook.com/courier", []),
        ("jane@courier.example", []),
        ("Newsroom", []),
        ("AFP", []),
        ("View all posts by Jane Okafor", ["Jane Okafor"]),
        ("Ludwig van der Linden", ["Ludwig van der Linden"]),
        ("", []),
    ],
)
def test_names_only(byline: str, names: list[str]) -> None:
    assert read_names(byline) == names


def test_the_publisher_is_no_author() -> None:
    assert read_names("Harbour Courier and Jane Okafor", "Harbour Courier") == ["Jane Okafor"]


def test_linked_data_in_a_graph_with_references() -> None:
    page = read(
        linked(
            {
                "@graph": [
                    {"@type": "Organization", "@id": "#o", "name": "The Courier"},
                    {"@type": "Person", "@id": "#p", "name": "Jane Okafor"},
                    {
                        "@type": "NewsArticle",
                        "headline": "A ferry",
                        "author": {"@id": "#p"},
                        "publisher": {"@id": "#o"},
                    },
                ]
            }
        )
    )
    assert (page.headline, page.authors, page.site_name) == ("A ferry", ("Jane Okafor",), "The Courier")


def test_of_two_articles_the_one_with_the_pages_title_is_the_story() -> None:
    data = [
        {
            "@type": "NewsArticle",
            "headline": "Another story altogether",
            "datePublished": "2020-01-01",
            "author": "Not Me",
        },
        {"@type": "NewsArticle", "headline": "The night ferry stays", "datePublished": "2024-06-11"},
    ]
    assert read(linked(data), "<h1>The night ferry stays</h1>").published == "2024-06-11"


@pytest.mark.parametrize(
    "broken",
    [
        '{"@type":"NewsArticle","headline":"A\nferry","datePublished":"2024-06-11",}',
        '<!-- {"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11"} -->',
        '{"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11","x":"unquoted "quote""}',
        '//<![CDATA[\n{"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11"};\n//]]>',
    ],
)
def test_linked_data_that_is_not_quite_json(broken: str) -> None:
    page = read(f'<script type="application/ld+json">{broken}</script>')
    assert (page.headline, page.published) == ("A ferry", "2024-06-11")


def test_the_first_canonical_link_counts_then_og_url() -> None:
    links = (
        '<link rel=canonical href="/first"><link rel=canonical href="/second"><meta property="og:url" content="/third">'
    )
    assert read(links).canonical == "https://www.courier.example/first"
    assert (
        read('<meta property="og:url" content="https://courier.example/third">').canonical
        == "https://courier.example/third"
    )
    assert read(linked({"@type": "NewsArticle", "url": "https://courier.example/other"})).canonical is None


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "http://[", "ftp://x.example/"])
def test_only_web_addresses_are_addresses(address: str) -> None:
    page = read(f'<link rel="canonical" href="{address}"><meta property="og:image" content="{address}">')
    assert (page.canonical, page.image) == (None, None)


@pytest.mark.parametrize(
    "title",
    [
        "Council votes to keep the night ferry - The Courier",
        "Council votes to keep the night ferry | The Courier",
        "Council votes to keep the night ferry | News | The Courier",
        "Council votes to keep the night ferry – courier.example",
        "The Courier: Council votes to keep the night ferry".replace(":", " :"),
    ],
)
def test_the_sites_name_is_no_part_of_the_headline(title: str) -> None:
    head = f'<title>{title}</title><meta property="og:site_name" content="The Courier">'
    assert (
        read(head, "<h1>Council votes to keep the night ferry</h1>").headline == "Council votes to keep the night ferry"
    )
    assert read(head).headline in (
        "Council votes to keep the night ferry",
        "Council votes to keep the night ferry | News",
    )


def test_a_dash_inside_the_headline_stays() -> None:
    head = (
        '<title>Ferry stays - but fares rise | The Courier</title><meta property="og:site_name" content="The Courier">'
    )
    assert read(head).headline == "Ferry stays - but fares rise"


def test_a_headline_cut_by_a_quotation_mark_is_taken_whole() -> None:
    head = '<meta property="og:title" content="Mayor Lindqvist calls vote "reckless" again">'
    assert (
        read(head, '<h1>Mayor Lindqvist calls vote "reckless" again</h1>').headline
        == 'Mayor Lindqvist calls vote "reckless" again'
    )


def test_microdata_and_visible_byline_serve_where_data_are_missing() -> None:
    body = '<h1>A title of it</h1><div itemprop="author"><span itemprop="name">Jane Okafor</span></div>'
    page = read("", body + '<time itemprop="datePublished" datetime="2024-06-11T23:40:00+01:00">Tuesday</time>')
    assert (page.authors, page.published) == (("Jane Okafor",), "2024-06-11T23:40:00+01:00")
    assert read("", "<h1>A title</h1><p>By Jane Okafor</p><p>11 June 2024</p>").authors == ("Jane Okafor",)
    assert read("", "<h1>A title</h1><p>By Jane Okafor</p><p>11 June 2024</p>").published == "2024-06-11"


def test_where_each_value_was_found_is_told() -> None:
    page = read('<meta name="author" content="By Jane Okafor"><meta property="og:title" content="A ferry">')
    assert (page.found["authors"].how, page.found["authors"].raw) == ("meta", "By Jane Okafor")
    assert page.found["headline"].how == "og"


@pytest.mark.parametrize(
    "value, free", [(True, True), ("False", False), ("http://schema.org/True", True), (None, None), ("?", None)]
)
def test_whether_it_is_free(value: object, free: bool | None) -> None:
    assert read(linked({"@type": "NewsArticle", "isAccessibleForFree": value})).is_accessible_for_free is free


@pytest.mark.parametrize(
    "markup, tag",
    [
        ('<html lang="fr_FR">', "fr-FR"),
        ('<html lang="EN">', "en"),
        ('<html lang="{{ x }}">', None),
        ('<html xml:lang="de-CH">', "de-CH"),
    ],
)
def test_the_language(markup: str, tag: str | None) -> None:
    root, _ = parse(decode(f"{markup}<body><p>x</p>".encode()))
    assert read_metadata(root, URL).language == tag


def test_og_locale_serves_where_html_has_no_language() -> None:
    assert read('<meta property="og:locale" content="pt_BR">').language == "pt-BR"


def test_the_day_of_reading_is_not_the_day_of_publication() -> None:
    body = '<div class="topbar-today-date">Monday, 3 June 2030</div><h1>A ferry</h1><p>Some text without a date.</p>'
    assert read("", body).published is None
    assert read("", f'{body}<span class="post-date">11 June 2024</span>').published == "2024-06-11"

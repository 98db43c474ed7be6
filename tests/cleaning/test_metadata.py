"""Metadata: where each value is taken from, and in what form."""

import json
from datetime import datetime

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
        ("Δημοσιεύτηκε: 3 Μαΐου 2024, 18:05", "2024-05-03T18:05:00"),
        ("Παρασκευή 3 Μαΐου 2024 6:05 μμ", "2024-05-03T18:05:00"),
        ("15 KASIM 2024", "2024-11-15"),
        ("פורסם: 3 במאי 2024, 18:05", "2024-05-03T18:05:00"),
        ("الجمعة 3 مايو 2024 6:05 م", "2024-05-03T18:05:00"),
        ("٣ أيار/مايو ٢٠٢٤", "2024-05-03"),
        ("प्रकाशित: 3 फ़रवरी 2024, 18:05", "2024-02-03T18:05:00"),
        ("২০ মে ২০২৪", "2024-05-20"),
        ("เผยแพร่ 3 พฤษภาคม 2567 18:05 น.", "2024-05-03T18:05:00"),
        ("3 พ.ค. 2567", "2024-05-03"),
        ("2024年5月3日 午後6時05分", "2024-05-03T18:05:00"),
        ("2024年5月3日 18時05分", "2024-05-03T18:05:00"),
        ("2024. 5. 3. 오후 6:05", "2024-05-03T18:05:00"),
        ("입력 2024.05.03 18:05", "2024-05-03T18:05:00"),
        ("2024. május 3., 18:05", "2024-05-03T18:05:00"),
        ("3 maja 2024 r., godz. 18.05", "2024-05-03T18:05:00"),
        ("3 tháng 5, 2024", "2024-05-03"),
        ("3/5/2024, 18:05 (GMT+7)", "2024-05-03T18:05:00+07:00"),
        ("May 3, 2024 6:05 PM EDT", "2024-05-03T18:05:00-04:00"),
        ("May 3, 2024 6:05 PM IST", "2024-05-03T18:05:00"),
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
        ("https://x.example/meldung-25-03-2024", "2024-03-25"),
        ("https://x.example/03-04-2024", None),
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
        ("Text und Interview: Klaas Böhme", ["Klaas Böhme"]),
        ("Zeige alle Beiträge von Klaas Böhme", ["Klaas Böhme"]),
        ("Voir tous les articles par Zoé Le Gall", ["Zoé Le Gall"]),
        ("Text von Klaas Böhme Fotos von Jürgen Groß", ["Klaas Böhme"]),
        ("By Jane Okafor Feb 8, 2020 5 min read", ["Jane Okafor"]),
        ("Von Klaas Böhme, 07 Dezember, 2022", ["Klaas Böhme"]),
        ("Jane Okafor Staff Writer", ["Jane Okafor"]),
        ("Jane Okafor The Associated Press", ["Jane Okafor"]),
        ("Okafor, Jane; Menon, Ravi", ["Jane Okafor", "Ravi Menon"]),
        ("Jane Okafor, MD, PhD", ["Jane Okafor"]),
        ("jokafor", []),
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
        '/* data */ {"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11"}',
        '\ufeff{"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11"}}',
        '{"@type":"Organization"},{"@type":"NewsArticle","headline":"A ferry","datePublished":"2024-06-11"}',
        '{"@type":"NewsArticle","headline":"A ferry","x":"\\o","keywords":,"y":undefined,"datePublished":"2024-06-11"}',
    ],
)
def test_linked_data_that_is_not_quite_json(broken: str) -> None:
    page = read(f'<script type="application/ld+json">{broken}</script>')
    assert (page.headline, page.published) == ("A ferry", "2024-06-11")


def test_json_that_was_cut_still_names_all_authors() -> None:
    authors = '"author":[{"@type":"Person","name":"Jos\\u00e9 Roe"},{"@type":"Person","name":"Ann Doe"}]'
    page = read(f'<script type="application/ld+json">{{"@type":"NewsArticle",{authors},"keywords":"sea, po</script>')
    assert page.authors == ("José Roe", "Ann Doe")


def test_no_escape_in_linked_data_makes_what_no_database_or_terminal_may_get() -> None:
    data = (
        r'{"@type":"NewsArticle","headline":"Half \ud83d a \ud83d\ude00 pair","articleSection":"a\u0000b",'
        r'"author":"Jane\u001b[2J Roe\udc00","keywords":["x\b\u009b2Jy"],"datePublished":"2024-06-11\ud800"}'
    )
    page = read(f'<script type="application/ld+json">{data}</script>')
    assert (page.headline, page.section, page.tags) == ("Half \ufffd a 😀 pair", "a b", ("x 2Jy",))
    said = f"{page.authors}{page.found}"
    assert "\\x1b" not in said and said.encode()


def test_names_in_two_parts_and_pictures_by_reference() -> None:
    page = read(
        linked(
            {
                "@graph": [
                    {
                        "@type": "NewsArticle",
                        "author": {"@type": "Person", "givenName": "Ann", "familyName": "Doe"},
                        "image": {"@id": "#lead"},
                        "hasPart": {"@type": "WebPageElement", "isAccessibleForFree": "False", "cssSelector": ".rest"},
                    },
                    {"@type": "ImageObject", "@id": "#lead", "url": "/lead.jpg"},
                ]
            }
        )
    )
    assert (page.authors, page.image) == (("Ann Doe",), "https://www.courier.example/lead.jpg")
    assert page.is_accessible_for_free is False


@pytest.mark.parametrize(
    "language, line, names",
    [
        ("el", "Των Μαρία Παπαδάκη και Νίκος Αντωνίου", ("Μαρία Παπαδάκη", "Νίκος Αντωνίου")),
        ("he", "מאת נועה ברק ואיתן שלו", ("נועה ברק", "איתן שלו")),
        ("he", "מאת: דני וייס", ("דני וייס",)),
        ("ar", "بقلم: ليلى حداد وسامي الخوري", ("ليلى حداد", "سامي الخوري")),
        ("ar", "بقلم محمد علي وليد حسن", ("محمد علي وليد حسن",)),
        ("hi", "लेखक: सुनीता शर्मा, राहुल वर्मा", ("सुनीता शर्मा", "राहुल वर्मा")),
        ("th", "โดย สมหญิง ใจดี, วิชัย ทองสุข", ("สมหญิง ใจดี", "วิชัย ทองสุข")),
        ("zh", "本报记者 王晓梅 李建国", ("王晓梅", "李建国")),
        ("ja", "文：佐藤美咲、高橋健一", ("佐藤美咲", "高橋健一")),
        ("ko", "김지은 기자, 박성호 기자", ("김지은", "박성호")),
        ("ko", "김지은 기자 kim@courier.example", ("김지은",)),
        ("tr", "Haber: Elif Demir, Can Aksoy", ("Elif Demir", "Can Aksoy")),
        ("ru", "Авторы: Анна Соколова, Игорь Мельников", ("Анна Соколова", "Игорь Мельников")),
        ("it", "Di Giulia Ferretti e Marco De Santis", ("Giulia Ferretti", "Marco De Santis")),
        ("it", "Di Maria torna a casa", ()),
        ("en", "By Ann Doe ann@courier.example, Joe Roe joe@courier.example", ("Ann Doe", "Joe Roe")),
        ("th", "โดยไม่มีผู้บาดเจ็บ", ()),
        ("el", "Της κυβέρνησης η απόφαση", ()),
    ],
)
def test_bylines_of_many_languages(language: str, line: str, names: tuple[str, ...]) -> None:
    """In a line of its own under the headline, and nothing else says who wrote it."""
    head = f'<meta http-equiv="content-language" content="{language}">'
    assert read(head, f"<h1>The night ferry stays</h1><p>{line}</p>").authors == names


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


NEWS = {"@type": "NewsArticle", "headline": "Harbour pilots walk out over night shifts"}


@pytest.mark.parametrize(
    "head, body, headline",
    [
        # A window title worded for search engines, on a breadcrumb's h1; the story's own heading is an h2.
        (
            "<title>Pilots strike: what we know | The Courier</title>" + linked(NEWS),
            "<h1>Pilots strike: what we know</h1><h2>Harbour pilots walk out over night shifts</h2>",
            "Harbour pilots walk out over night shifts",
        ),
        # An h1 that is the site's name.
        (
            "<title>Harbour pilots walk out | The Courier</title>",
            '<h1><a href="/">The Courier</a></h1><h2>Harbour pilots walk out</h2>',
            "Harbour pilots walk out",
        ),
        # An h1 printed over the story, another wording for search engines in the head.
        (
            "<title>Strike news - The Courier</title><meta property='og:title' content='Strike news - The Courier'>",
            "<h1>Why the harbour pilots walk out</h1>",
            "Why the harbour pilots walk out",
        ),
        # An h1 in pieces is read whole.
        ("", "<h1>Captain of the <em>Night Ferry</em> retires</h1>", "Captain of the Night Ferry retires"),
        # A kicker before it in the same h1.
        (
            linked(NEWS),
            "<h1><span>Strike</span> Harbour pilots walk out over night shifts</h1>",
            "Harbour pilots walk out over night shifts",
        ),
        # A menu's h1 before the story's.
        (
            "<title>Harbour pilots walk out</title>",
            "<h1>Main navigation</h1><h1>Harbour pilots walk out</h1>",
            "Harbour pilots walk out",
        ),
        # A title cut by a length limit.
        (
            "<title>Harbour pilots walk out over night shifts and low pa... - The Courier</title>",
            "<h1>Harbour pilots walk out over night shifts and low pay</h1>",
            "Harbour pilots walk out over night shifts and low pay",
        ),
    ],
)
def test_the_headline_is_what_is_printed_and_confirmed(head: str, body: str, headline: str) -> None:
    page = read(f'{head}<meta property="og:site_name" content="The Courier">', body)
    assert page.headline == headline


@pytest.mark.parametrize(
    "author, authors",
    [
        ({"@type": "Organization", "name": "The Associated Press"}, ("The Associated Press",)),
        ({"@type": "Person", "name": "Courier Staff"}, ("Courier Staff",)),
        ([{"@type": "Person", "name": "Ana Gil"}, {"@type": "Organization", "name": "AP"}], ("Ana Gil", "AP")),
        ({"@type": "Person", "name": "Ana Gil and Juan Pérez, Staff Writers"}, ("Ana Gil", "Juan Pérez")),
        ({"@type": "Person", "name": "The Courier"}, ("The Courier",)),
        ({"@type": "Person", "name": "admin"}, ()),
        ({"@type": "Person", "name": ["Ana Gil", "Juan Pérez"]}, ("Ana Gil", "Juan Pérez")),
    ],
)
def test_an_agency_or_the_publisher_is_the_author_where_no_person_is(author: object, authors: tuple[str, ...]) -> None:
    head = '<meta property="og:site_name" content="The Courier">' + linked({**NEWS, "author": author})
    assert read(head).authors == authors


def test_a_person_in_print_goes_before_an_organisation_in_the_data() -> None:
    head = linked({**NEWS, "author": {"@type": "Organization", "name": "The Courier"}})
    page = read(head, '<h1>Harbour pilots walk out</h1><p class="post-byline">By Jane Okafor | 11 June 2024</p>')
    assert page.authors == ("Jane Okafor",)


@pytest.mark.parametrize(
    "byline, authors",
    [
        ("<p>By Jane Okafor and Ravi Menon</p>", ("Jane Okafor", "Ravi Menon")),
        ("<div><span>By</span> <a href='/staff/jane'>Jane Okafor</a></div>", ("Jane Okafor",)),
        ("<a href='/author/jane-okafor/'>Jane Okafor</a>", ("Jane Okafor",)),
        ("<p>By <a rel='author' href='/a'>Jane Okafor</a>, Ravi Menon</p>", ("Jane Okafor", "Ravi Menon")),
        ("<div class='storyAuthor'><b>Jane Okafor</b> <i>Senior Reporter</i></div>", ("Jane Okafor",)),
        ("<p class='autorenzeile'>Von Klaas Böhme, Rostock</p>", ("Klaas Böhme",)),
        ("<p>Jane Okafor | Senior Writer | July 2, 2024</p>", ("Jane Okafor",)),
        ("<p class='byline'>June 11, 2024 Jane Okafor</p>", ("Jane Okafor",)),
        ("<p>By the river a crowd had gathered</p>", ()),
        ("<div class='comment'><span class='author'>Kim Lo</span></div>", ()),
        ("<figure><figcaption><a href='/author/kim-lo'>Kim Lo</a></figcaption></figure>", ()),
        ("<div class='author-bio'>Kim Lo</div>", ()),
    ],
)
def test_bylines_in_print(byline: str, authors: tuple[str, ...]) -> None:
    assert read("", f"<h1>Harbour pilots walk out</h1>{byline}").authors == authors


def test_an_authors_mark_far_from_the_headline_is_found_but_not_in_comments() -> None:
    body = "<h1>A title</h1>" + "<p>Some words of the story.</p>" * 400
    comments = "<div class='comments'><b itemprop='author'>Kim Lo</b></div>"
    assert read("", f"{body}{comments}<a rel='author' href='/x'>Jane Okafor</a>").authors == ("Jane Okafor",)


def test_a_label_beside_its_value_names_the_author() -> None:
    head = '<meta name="twitter:label1" content="{}"><meta name="twitter:data1" content="{}">'
    assert read(head.format("Written by", "Jane Okafor")).authors == ("Jane Okafor",)
    assert read(head.format("Est. reading time", "Three Minutes")).authors == ()


@pytest.mark.parametrize(
    "url, published, printed, day, value",
    [
        # 18:30 UTC is the next morning in Sydney, and the page says so.
        (
            URL,
            "2023-12-22T18:30:00Z",
            '<time datetime="2023-12-23T05:30:00+11:00">5.30am</time>',
            "2023-12-23",
            "+11:00",
        ),
        (URL, "2023-12-24T01:06:51Z", "<p>Dec 23, 2023 5:06pm PT</p>", "2023-12-23", "-08:00"),
        # The day in the address is the publisher's, though no offset is known.
        ("https://x.example/2020/02/17/a", "2020-02-18T02:18:11Z", "", "2020-02-17", "+00:00"),
        # No place on Earth has another day than UTC by that much.
        ("https://x.example/2020/02/15/a", "2020-02-18T02:18:11Z", "", "2020-02-18", "+00:00"),
        # A later update is not the publication.
        (URL, "2023-12-22T18:30:00Z", "<p>Updated December 23, 2023 9:30 am</p>", "2023-12-22", "+00:00"),
    ],
)
def test_the_day_is_the_one_that_readers_see(url: str, published: str, printed: str, day: str, value: str) -> None:
    page = read(linked({**NEWS, "datePublished": published}), f"<h1>A title</h1>{printed}", url)
    assert page.published is not None
    assert (page.published_on or page.published[:10], page.published[-6:]) == (day, value)
    assert datetime.fromisoformat(page.published) == datetime.fromisoformat(published)


def test_what_is_printed_as_an_update_is_not_the_publication() -> None:
    body = "<h1>A title</h1><p>Updated on 3 July 2024</p><p>Published on 11 June 2024</p>"
    assert read("", body).published == "2024-06-11"


@pytest.mark.parametrize(
    "body",
    [
        "<p>ROSTOCK, 11. Juni 2024 – Die Lotsen im Hafen legen in der Nacht zum Mittwoch die Arbeit nieder.</p>",
        "<ul><li><b>Datum</b> 11.06.2024</li></ul>",
        "<figure><figcaption>Der Hafen am 3. Mai 2024</figcaption></figure><p>11.06.2024</p>",
    ],
)
def test_days_in_print_without_any_mark(body: str) -> None:
    assert read("", f"<h1>Lotsen legen die Arbeit nieder</h1>{body}").published == "2024-06-11"


def test_a_meta_element_and_a_printed_time_outvote_json_ld() -> None:
    head = linked({**NEWS, "datePublished": "2023-12-06T10:55:00-06:00"})
    head += '<meta name="parsely-pub-date" content="2023-12-22T09:42:00-0600">'
    body = '<h1>A title</h1><time datetime="2023-12-22T09:42:00-06:00">Dec 22, 2023</time>'
    assert read(head, body).published == "2023-12-22T09:42:00-06:00"


def test_masses_of_data_are_passed_over() -> None:
    huge = json.dumps({"@type": "NewsArticle", "headline": "x" * 3_000_000})
    metas = '<meta name="author" content="Kim Lo">' * 30_000
    page = read(f"<title>Harbour pilots walk out</title>{metas}<script type='application/ld+json'>{huge}</script>")
    assert (page.headline, page.authors) == ("Harbour pilots walk out", ("Kim Lo",))


def test_a_time_that_names_its_offset_is_preferred_to_the_same_without() -> None:
    printed = '<time datetime="2026-03-10T09:00:00+01:00">10 March 2026 at 9:00</time>'
    body = f'<h1>The valley that counted itself</h1><div class="entry-meta">Published on {printed}</div>'
    assert read("", body).published == "2026-03-10T09:00:00+01:00"


def test_a_readers_comment_does_not_date_a_story() -> None:
    thread = "".join(
        f'<li class="comment"><footer>{when}</footer><p>At last!</p></li>'
        for when in ('<time datetime="2024-05-05T10:00:00+02:00">5 May</time>', "5 May 2024 at 10:00")
    )
    page = read("", f"<h1>The night ferry stays</h1><p>It will sail again.</p><ol id=comments>{thread}</ol>")
    assert page.published is None


def test_when_a_story_was_changed_is_read_from_print() -> None:
    one = read("", "<h1>The night ferry stays</h1><p>Published 3 May 2024, 18:05 | Updated 4 May 2024, 09:12</p>")
    other = read("", "<h1>The night ferry stays</h1><p>Mis à jour : 4 mai 2024, 9h12, publié le 3 mai 2024 à 18h05</p>")
    for page in (one, other):
        assert (page.published, page.modified) == ("2024-05-03T18:05:00", "2024-05-04T09:12:00")
    times = (
        '<time class="entry-date published" datetime="2024-05-03T18:05:00+02:00">3 May</time>'
        '<time class="updated" datetime="2024-05-04T09:12:00+02:00">4 May</time>'
    )
    head = '<meta property="article:published_time" content="2024-05-03T18:05:00+02:00">'
    assert read(head, f"<h1>The night ferry stays</h1>{times}").modified == "2024-05-04T09:12:00+02:00"
    assert read("", f"<h1>The night ferry stays</h1>{times}").published == "2024-05-03T18:05:00+02:00"


def test_a_change_before_the_publication_is_none() -> None:
    page = read("", "<h1>The night ferry stays</h1><p>Published 3 May 2024</p><p>Updated 4 May 2021</p>")
    assert (page.published, page.modified) == ("2024-05-03", None)


def test_what_only_readers_are_told_of_section_tags_and_picture() -> None:
    body = (
        '<aside><a rel="category" href=/x>Elsewhere</a><a rel=tag href=/y>other</a></aside>'
        '<nav class="breadcrumbs"><a href=/>Home</a> › <a href=/sea>Sea</a> › The night ferry stays</nav>'
        '<article><h1>The night ferry stays</h1><img class="avatar" src=/face.jpg><img src=/sign.png width=20>'
        '<figure><img src="data:image/gif;base64,R0" data-src="lead.jpg" width=1200></figure>'
        "<p><a rel=tag href=/t/1>Port</a> <a rel=tag href=/t/2>#Ferry</a></p></article>"
    )
    page = read('<base href="https://www.courier.example/2024/">', body)
    assert (page.section, page.tags) == ("Sea", ("Port", "Ferry"))
    assert page.image == "https://www.courier.example/2024/lead.jpg"
    assert (
        read("", body.replace("<a rel=tag", '<a rel="category tag" href=/s>Shipping</a> <a rel=tag', 2)).section
        == "Shipping"
    )


def test_addresses_are_relative_to_the_pages_base() -> None:
    head = '<base href="/archive/"><link rel=canonical href="a b"><meta property="og:image" content="i.jpg">'
    page = read(head)
    assert page.canonical == "https://www.courier.example/archive/a%20b"
    assert page.image == "https://www.courier.example/archive/i.jpg"
    assert read('<base href="javascript:x"><link rel=canonical href="/a">').canonical == "https://www.courier.example/a"


def test_microdata_and_tiers_of_content() -> None:
    body = (
        '<meta itemprop="articleSection" content="Sea"><meta itemprop="isAccessibleForFree" content="False">'
        '<link itemprop="image" href="/m.jpg">'
    )
    page = read("", body)
    assert (page.section, page.is_accessible_for_free) == ("Sea", False)
    assert page.image == "https://www.courier.example/m.jpg"
    tiers = {"locked": False, "metered": False, "free": True}
    for tier, free in tiers.items():
        assert read(f'<meta property="article:content_tier" content="{tier}">').is_accessible_for_free is free


def test_two_surnames_of_one_person_and_names_in_capitals() -> None:
    assert read_names("María de la Cruz y Gómez") == ["María de la Cruz y Gómez"]
    assert read_names("Lucía Ferrer y Andrés Molina") == ["Lucía Ferrer", "Andrés Molina"]
    assert read_names("JANE HARROW AND TOM OKAFOR") == ["Jane Harrow", "Tom Okafor"]


def test_every_value_says_where_it_was_found_and_what_stood_there() -> None:
    data = {
        "@type": "NewsArticle", "headline": "The night ferry stays", "datePublished": "2024-05-03",
        "dateModified": "2024-05-04", "author": {"name": "Ann Doe"}, "articleSection": "Sea", "keywords": "port; ferry",
        "image": "/i.jpg", "isAccessibleForFree": "False", "publisher": {"name": "The Courier"},
    }  # fmt: skip
    head = linked(data) + '<meta property="og:locale" content="en_GB"><link rel=canonical href="/a">'
    page = read(head, "<h1>The night ferry stays</h1>")
    assert {name: (origin.how, origin.raw) for name, origin in page.found.items()} == {
        "headline": ("h1", "The night ferry stays"),
        "authors": ("json-ld", "Ann Doe"),
        "published": ("json-ld", "2024-05-03"),
        "modified": ("json-ld", "2024-05-04"),
        "section": ("json-ld", "Sea"),
        "tags": ("json-ld", "port; ferry"),
        "language": ("og", "en_GB"),
        "canonical": ("link", "/a"),
        "image": ("json-ld", "/i.jpg"),
        "is_accessible_for_free": ("json-ld", "False"),
        "site_name": ("json-ld", "The Courier"),
    }

"""Which files a story's page needs, by hand-made pages and style sheets."""

import time

import pytest

from newsmorgue.archive.capture import Assets
from newsmorgue.cleaning import Article
from newsmorgue.cleaning.article import PageKind
from newsmorgue.spiders.requisites import css_requisites, page_requisites
from newsmorgue.spiders.srcset import chosen, media_holds, slot_width
from newsmorgue.spiders.stylesheets import Use, references

URL = "https://news.example/2026/bridge"
FIRST = "The old bridge over the Linn was closed on Monday after engineers had found cracks in two of its piers."
LAST = "Whoever wants to cross the river must now take the ferry, which runs twice an hour until ten at night."
PAGE = f"""<!doctype html><html><head>
<title>The bridge</title>
<link rel="stylesheet" href="/css/main.css?v=3">
<link rel="alternate stylesheet" href="/css/contrast.css" title="Contrast">
<link rel="stylesheet" media="print" href="/css/print.css">
<link rel="stylesheet" media="print" onload="this.media='all'" href="//cdn.example/late.css#x">
<link rel="preload" as="style" href="early.css">
<link rel="preload" as="font" href="/fonts/serif.woff2" crossorigin>
<link rel="icon" href="/favicon.ico"><link rel="canonical" href="/canonical">
<style>@import "imported.css"; .hero {{ background: url('/hero.jpg') }}
.x {{ background: url(data:image/png;base64,AA==) }}
</style>
<script src="/js/app.js"></script><script>var text = "<img src=/never.jpg>";</script>
</head><body>
<header><img src="/logo.svg" width="180"></header>
<nav><img src="/menu.png"></nav>
<article><img src="/portrait.jpg" width="48" height="48" alt="the author">
<h1>The bridge is closed</h1>
<picture><source media="(max-width: 600px)" srcset="/small.webp"><source type="image/webp" srcset="/wide.webp 1300w">
<img src="/bridge.jpg" alt=""></picture>
<p>{FIRST}</p>
<figure><img src="data:image/gif;base64,R0lGOD" data-src="/cracks.jpg"></figure>
<img src=""><img src="#"><img src="mailto:a@b"><img src="//[broken">
<aside><img src="/advert.jpg"></aside>
<p>{LAST}</p>
<video poster="/film.jpg" src="/film.mp4"></video>
</article>
<section><h2>More</h2><img srcset="/more-400.jpg 400w, /more-1400.jpg 1400w" src="/more.jpg"></section>
<div style="background-image:url(&quot;/strip.png&quot;)"></div>
</body></html>""".encode()


def article(image: str | None = None, text: str = f"{FIRST}\n\n{LAST}") -> Article:
    """What cleaning reads in the page."""
    return Article(URL, PageKind.ARTICLE, headline="The bridge is closed", text=text, image=image)


def paths(urls: tuple[str, ...]) -> list[str]:
    """Addresses of the page's own site as paths."""
    return [url.removeprefix("https://news.example") for url in urls]


SHEETS = ["/css/main.css?v=3", "https://cdn.example/late.css", "/2026/early.css", "/2026/imported.css"]
LEAD = [*SHEETS, "https://cdn.example/social.jpg", "/wide.webp", "/bridge.jpg"]


def test_nothing_is_taken_where_nothing_is_wanted() -> None:
    assert page_requisites(PAGE, URL, article("https://cdn.example/social.jpg"), Assets.NONE) == ()


def test_lead_takes_the_style_sheets_and_the_picture_the_story_leads_with() -> None:
    assert paths(page_requisites(PAGE, URL, article("https://cdn.example/social.jpg"), Assets.LEAD)) == LEAD


def test_images_takes_the_pictures_of_the_story_and_of_nothing_beside_it() -> None:
    found = paths(page_requisites(PAGE, URL, article("https://cdn.example/social.jpg"), Assets.IMAGES))
    assert found == [*LEAD, "/cracks.jpg"]


def test_all_takes_what_the_page_loads_but_no_film() -> None:
    found = paths(page_requisites(PAGE, URL, article("https://cdn.example/social.jpg"), Assets.ALL))
    assert found[:8] == [*LEAD, "/cracks.jpg"]
    assert set(found[8:]) == {
        "/fonts/serif.woff2",
        "/hero.jpg",
        "/logo.svg",
        "/menu.png",
        "/portrait.jpg",
        "/advert.jpg",
        "/film.jpg",
        "/more-1400.jpg",
        "/more.jpg",
        "/strip.png",
        "/favicon.ico",
        "/js/app.js",
    }


def test_addresses_start_from_the_page_s_base() -> None:
    page = f'<head><base href="https://cdn.example/x/"><link rel=stylesheet href=a.css></head><p>{FIRST}</p>'.encode()
    assert page_requisites(page, URL, article(), Assets.LEAD) == ("https://cdn.example/x/a.css",)


def test_a_story_without_an_article_element_begins_at_its_heading() -> None:
    page = f"<body><img src=/logo.png><h1>The bridge</h1><img src=/a.jpg><p>{FIRST}</p><img src=/b.jpg><p>{LAST}</p>"
    page += "<h2>Related stories of this week</h2><img src=/c.jpg>"
    assert paths(page_requisites(page.encode(), URL, article(), Assets.IMAGES)) == ["/a.jpg", "/b.jpg"]


def test_a_page_whose_text_is_nowhere_has_its_named_picture_alone() -> None:
    page = b"<body><img src=/a.jpg><p>Something else that is long enough to be told apart</p></body>"
    assert paths(page_requisites(page, URL, article("https://news.example/n.jpg"), Assets.IMAGES)) == ["/n.jpg"]


def test_a_page_s_requisites_are_bounded_and_style_sheets_come_first() -> None:
    images = "".join(f"<img src=/{number}.jpg>" for number in range(300))
    page = f"<body><article><p>{FIRST}</p>{images}<p>{LAST}</p></article><link rel=stylesheet href=/late.css>"
    found = paths(page_requisites(page.encode(), URL, article(), Assets.ALL))
    assert len(found) == 100
    assert found[:2] == ["/late.css", "/0.jpg"]


def test_a_page_in_another_encoding_is_read_as_cleaning_read_it() -> None:
    text = "Die alte Brücke über die Linn wurde am Montag gesperrt, weil Risse gefunden wurden."
    page = f"<body><h1>Brücke</h1><img src=/brücke.jpg><p>{text}</p>".encode("latin-1")
    read = Article(URL, PageKind.ARTICLE, text=text, charset="cp1252")
    assert paths(page_requisites(page, URL, read, Assets.IMAGES)) == ["/br%C3%BCcke.jpg"]


CSS = b"""@charset "utf-8"; @namespace svg url(http://www.w3.org/2000/svg);
@import url("print.css") print; @import 'theme.css';
/* url(commented.png) */
@font-face { font-family: S; src: url(s.eot); src: url('s.eot?#iefix') format("embedded-opentype"),
  url(s.woff2) format("woff2"), url(s.ttf) }
@media screen { .a { background: URL( ../a.png ) } .b::after { content: "url(no.png)"; } }
.c { mask: url(#clip); background: url("b\\20 c.png"), url(data:image/png;base64,AA==) }
.d { src: url(broken"""


def test_a_style_sheet_s_imports_fonts_and_pictures() -> None:
    sheet = "https://cdn.example/css/main.css"
    imports = ("https://cdn.example/css/print.css", "https://cdn.example/css/theme.css")
    assert css_requisites(CSS, sheet, Assets.LEAD) == imports
    assert css_requisites(CSS, sheet, Assets.IMAGES) == imports
    assert css_requisites(CSS, sheet, Assets.ALL) == (
        *imports,
        "https://cdn.example/css/s.woff2",
        "https://cdn.example/a.png",
        "https://cdn.example/css/b%20c.png",
    )


def test_a_font_in_old_formats_alone_is_taken_in_all_of_them() -> None:
    found = list(references("@font-face{src:url(a.woff),url(a.ttf)} p{background:url(b.png)}"))
    assert [(one.raw, one.use) for one in found] == [
        ("a.woff", Use.FONT),
        ("a.ttf", Use.FONT),
        ("b.png", Use.PICTURE),
    ]


@pytest.mark.parametrize(
    "piece", ["/*", '"\\"', "'", 'url("', "url(\\", "url(" + " " * 50, "@import ", "@font-face{url(a)", "\\"]
)
def test_a_hostile_style_sheet_costs_no_more_than_its_length(piece: str) -> None:
    began = time.process_time()
    css_requisites((piece * (400_000 // len(piece))).encode(), URL, Assets.ALL)
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    ("srcset", "sizes", "expected"),
    [
        ("a.jpg 320w, b.jpg 1280w, c.jpg 2560w", None, "b.jpg"),
        ("a.jpg 320w, b.jpg 1280w", "(min-width: 1000px) 300px, 100vw", "a.jpg"),
        ("a.jpg 320w, b.jpg 640w", "100vw", "b.jpg"),
        ("b.jpg 2x, a.jpg 1x", None, "a.jpg"),
        ("a.jpg", None, "a.jpg"),
        ("https://i.example/w_400,c_fill/a.jpg 400w,https://i.example/w_1300,c_fill/a.jpg 1300w", None,
         "https://i.example/w_1300,c_fill/a.jpg"),
        ("a.jpg,b.jpg 3x", None, "a.jpg,b.jpg"),
        ("a.jpg, b.jpg 3x", None, "a.jpg"),
        ("a.jpg 0x7", None, None),
        (" , ,", None, None),
        ("", None, None),
    ],
)  # fmt: skip
def test_the_candidate_a_page_would_load(srcset: str, sizes: str | None, expected: str | None) -> None:
    assert chosen(srcset, sizes) == expected


def test_what_is_no_length_is_the_whole_width() -> None:
    assert slot_width("auto") == slot_width("calc(100vw - 2rem)") == 1280
    assert slot_width("(min-width: 1300px) 10px, (min-width: 20em) 50vw, 5px") == 640


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (None, True),
        ("screen and (min-width:600px)", True),
        ("only screen and (max-width: 79.9em)", False),
        ("print, screen", True),
        ("(prefers-color-scheme: dark)", False),
        ("(orientation: landscape)", True),
        ("not all", False),
    ],
)
def test_media_on_a_desk(query: str | None, expected: bool) -> None:
    assert media_holds(query) is expected

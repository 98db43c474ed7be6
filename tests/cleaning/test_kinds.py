"""What a page is, told from its address, its data and its text."""

import pytest

from newsmorgue.cleaning import STORY_KINDS, PageKind, clean

PROSE = (
    "<p>The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate.</p>"
)


def kind(url: str, head: str, body: str) -> PageKind:
    return clean(f"<html><head>{head}</head><body>{body}</body></html>".encode(), url).kind


def typed(name: str) -> str:
    data = f'{{"@type":"{name}","headline":"A ferry","datePublished":"2024-06-11"}}'
    return f'<script type="application/ld+json">{data}</script>'


@pytest.mark.parametrize(
    "url, head, body, expected",
    [
        ("https://x.example/news/a", typed("NewsArticle"), PROSE, PageKind.ARTICLE),
        ("https://x.example/news/a", '<meta property="og:type" content="article">', PROSE, PageKind.ARTICLE),
        (
            "https://x.example/news/a",
            "",
            f"<h1>A ferry</h1><p>By Jane Okafor</p><p>11 June 2024</p>{PROSE * 2}",
            PageKind.ARTICLE,
        ),
        ("https://x.example/news/a", typed("LiveBlogPosting"), PROSE, PageKind.LIVE_BLOG),
        ("https://x.example/news/live/storm", typed("NewsArticle"), PROSE, PageKind.LIVE_BLOG),
        ("https://x.example/galleries/boats", typed("NewsArticle"), "<p>Ten boats.</p>", PageKind.GALLERY),
        ("https://x.example/x", typed("VideoObject"), "<p>A boat sails.</p>", PageKind.VIDEO),
        ("https://x.example/", typed("NewsArticle"), PROSE * 5, PageKind.LISTING),
        ("https://x.example/tag/ferry", "", PROSE, PageKind.LISTING),
        ("https://x.example/x", "<title>404 Not Found</title>", "<h1>404</h1><p>Nothing here.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Page introuvable</title>", "<p>Cette page a été déplacée.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Seite nicht gefunden</title>", "<p>Leider nichts.</p>", PageKind.ERROR),
        ("https://x.example/x", "<title>Just a moment...</title>", "<p>Checking your browser</p>", PageKind.WALL),
        (
            "https://x.example/x",
            "<title>x.example</title>",
            "<p>Please enable JS and disable any ad blocker</p>",
            PageKind.WALL,
        ),
        ("https://x.example/contact", "<title>Contact</title>", "<p>Write to us.</p>", PageKind.OTHER),
    ],
)
def test_kinds(url: str, head: str, body: str, expected: PageKind) -> None:
    assert kind(url, head, body) is expected


def test_an_article_about_errors_is_an_article() -> None:
    head = typed("NewsArticle").replace("A ferry", "Page not found: how links die")
    assert kind("https://x.example/news/a", head, PROSE) is PageKind.ARTICLE


def test_only_stories_are_stories() -> None:
    assert {PageKind.ERROR, PageKind.WALL, PageKind.LISTING, PageKind.OTHER}.isdisjoint(STORY_KINDS)


LONG = "".join(
    f"<p>In district {number} the council voted on day {number + 3} to keep its ferry.</p>" for number in range(9)
)


# -- errors and walls of many languages, sent with status 200 -------------------------------------------------------

SORRY = "<p>Nous sommes désolés. / Es tut uns leid. / We are sorry.</p><p><a href=/>Home</a></p>"
ERRORS = [
    "404", "404 | The Gazette", "Error 404", "404 - Page not found", "Page not found – The Gazette", "Not Found",
    "The page you requested could not be found", "Sorry, this page isn’t available",
    "This article is no longer available",
    "We can’t find that page", "Oops! That page can’t be found.", "410 Gone", "503 Service Temporarily Unavailable",
    "Erreur 404 - Le Fanal", "Page introuvable | Le Fanal", "Cette page n’existe plus", "Oups !",
    "Seite nicht gefunden", "Fehler 404", "Diese Seite existiert nicht", "Artikel nicht gefunden",
    "Página no encontrada", "La página solicitada no existe", "Página não encontrada", "Erro 404",
    "Pagina non trovata", "Errore 404 - La Gazzetta", "Pagina niet gevonden", "Sidan hittades inte",
    "Siden finnes ikke",
    "Siden blev ikke fundet", "Sivua ei löytynyt", "Strona nie istnieje", "Nie znaleziono strony", "Stránka nenalezena",
    "Stránka sa nenašla", "Az oldal nem található", "Pagina nu a fost găsită", "Sayfa bulunamadı",
    "Страница не найдена",
    "Ошибка 404", "Сторінку не знайдено", "Η σελίδα δεν βρέθηκε", "Страницата не е намерена", "Stranica nije pronađena",
    "ページが見つかりません", "お探しのページは見つかりませんでした", "页面不存在", "找不到頁面",
    "페이지를 찾을 수 없습니다",
    "الصفحة غير موجودة", "הדף לא נמצא", "صفحه مورد نظر یافت نشد", "पेज नहीं मिला", "Halaman tidak ditemukan",
    "Không tìm thấy trang", "ไม่พบหน้าที่คุณต้องการ",
    "¡Vaya! No se ha podido encontrar esa página.", "Ops! Essa página não pode ser encontrada.",
    "Oops! La pagina non può essere trovata.", "Ups! Nie znaleziono tej strony.", "Ουπς! Η σελίδα αυτή δεν βρέθηκε.",
    "Hay aksi! Bu sayfa bulunamıyor.", "عفوا! تعذر العثور على هذه الصفحة.", "אופס! העמוד הזה לא נמצא.",
]  # fmt: skip
WALLS = [
    "Just a moment...", "Attention Required! | Cloudflare", "Access denied", "Are you a robot?", "Captcha",
    "Pardon Our Interruption", "Before you continue to Google", "We value your privacy", "Your privacy choices",
    "Votre vie privée", "Avant de continuer", "Ihre Privatsphäre", "Zustimmung erforderlich", "Valoramos tu privacidad",
    "DPG Media Privacy Gate", "Log in", "Sign in to continue reading | The Gazette", "Login – The Gazette",
    "Se connecter", "Connexion | Le Fanal", "Anmelden", "Bitte melden Sie sich an", "Iniciar sesión", "Accedi",
    "Entrar",
    "Inloggen", "Logga in", "Zaloguj się", "Войти", "Giriş yap", "ログイン", "登录", "로그인", "تسجيل الدخول",
    "लॉग इन करें",
]  # fmt: skip


@pytest.mark.parametrize("title", ERRORS)
def test_an_error_sent_as_a_page(title: str) -> None:
    assert kind("https://x.example/2024/x", f"<title>{title}</title>", f"<h1>{title}</h1>{SORRY}") is PageKind.ERROR
    declared = '<meta property="og:type" content="article">'  # some sites' templates say so of every page
    assert kind("https://x.example/2024/x", declared, f"<h1>{title}</h1>") is PageKind.ERROR


@pytest.mark.parametrize("title", WALLS)
def test_a_wall_before_the_story(title: str) -> None:
    page = kind("https://x.example/2024/x", f"<title>{title}</title>", f"<h1>{title}</h1>{SORRY}")
    assert page in (PageKind.WALL, PageKind.ERROR)
    assert page is PageKind.WALL or title == "Access denied"


@pytest.mark.parametrize(
    "text",
    [
        "We and our 142 partners store and access information on your device.",
        "Wir und unsere Partner speichern und verarbeiten Informationen auf Ihrem Gerät.",
        "Nous et nos partenaires stockons des informations sur votre appareil.",
        "Nós e os nossos parceiros armazenamos informações num dispositivo, como cookies.",
        "My i nasi partnerzy przechowujemy informacje na urządzeniu, np. pliki cookie.",
        "Εμείς και οι συνεργάτες μας αποθηκεύουμε πληροφορίες σε μια συσκευή, όπως cookies.",
        "Biz ve ortaklarımız, bir cihazda çerezler gibi bilgileri saklıyoruz.",
        "Мы и наши партнёры храним информацию на устройстве, например файлы cookie.",
        "Wij en onze partners slaan informatie op een apparaat op, zoals cookies.",
        "当社とパートナーは、クッキーなどの情報をデバイスに保存します。",
        "Please enable JS and disable any ad blocker.",
        "Our systems have detected unusual traffic from your network.",
    ],
)
def test_a_wall_tells_itself_by_its_text(text: str) -> None:
    assert kind("https://x.example/2024/x", "<title>x.example</title>", f"<p>{text}</p>") is PageKind.WALL


# -- what must not be lost -------------------------------------------------------------------------------------------

SHORT = "<p>The council voted on Tuesday to keep the night ferry.</p>"
DATED = '<meta property="article:published_time" content="2024-06-11T08:00:00Z">'


@pytest.mark.parametrize(
    "headline",
    [
        "500 people march for the ferry", "404 homes without power after storm", "503 jobs to go at the yard",
        "Page not found: how links die", "Just a moment with the captain of the ferry",
        "Access denied to ferry papers, judge rules",
        "Login data of 3,000 travellers stolen", "Captcha inventor honoured", "Your privacy is for sale, says watchdog",
        "Entrar na universidade ficou mais difícil", "Вход в музей подорожал", "Consent bill passes",
        "Oops, he did it again",
        "Not found guilty: ferry captain walks free", "Fehler im System", "Anmeldung zur Fähre beginnt",
    ],
)  # fmt: skip
def test_a_dated_story_whose_headline_sounds_like_an_error_or_a_wall(headline: str) -> None:
    page = f"<h1>{headline}</h1><p>By Jane Okafor</p>{PROSE * 2}"
    for head in (typed("NewsArticle").replace("A ferry", headline), f"<title>{headline}</title>{DATED}"):
        assert kind("https://x.example/news/a-ferry-and-its-captain", head, page) is PageKind.ARTICLE


@pytest.mark.parametrize(
    "headline",
    ["500 people march for the ferry", "404 homes without power after storm", "Just a moment with the captain"],
)
def test_an_undated_short_story_too(headline: str) -> None:
    page = f"<h1>{headline}</h1>{LONG}"
    assert (
        kind("https://x.example/news/the-captain-of-the-ferry", f"<title>{headline}</title>", page) is PageKind.ARTICLE
    )


def test_a_story_behind_a_pay_wall_is_a_story() -> None:
    page = f"<h1>A ferry</h1>{SHORT}<p>Please enable cookies to log in.</p><p>Subscribe to continue reading.</p>"
    assert kind("https://x.example/news/a", typed("NewsArticle"), page) is PageKind.ARTICLE


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/themen/verkehr/warum-die-faehre-nachts-faehrt",
        "https://x.example/topics/the-night-ferry-stays-for-years",
        "https://x.example/archive/2025/12/night_ferry.html",
        "https://x.example/archives/2025/12/16/ferry",
        "https://x.example/?p=2895",
        "https://x.example/?article_id=81",
        "https://x.example/thema/verkehr/497533355",
        "https://x.example/themen/die-faehre-nachts-fahren-lassen/",
    ],
)
def test_a_story_at_an_address_that_sounds_like_a_list(url: str) -> None:
    for head in (typed("NewsArticle"), DATED):
        assert kind(url, head, f"<h1>A ferry</h1>{LONG}") is PageKind.ARTICLE


@pytest.mark.parametrize("url", ["", "not an address", "http://["])
def test_a_story_at_no_address(url: str) -> None:
    assert kind(url, typed("NewsArticle"), f"<h1>A ferry</h1>{LONG}") is PageKind.ARTICLE


# -- lists -----------------------------------------------------------------------------------------------------------

TEASERS = "".join(
    f'<div class="item"><h2><a href="/2024/06/story-number-{number}">The council of district {number} votes</a></h2>'
    f"<p>It was a long night in district {number}, and not everybody stayed until the end of it.</p></div>"
    for number in range(12)
)


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/",
        "https://x.example",
        "https://x.example/?utm_source=feed",
        "https://x.example/tag/night-ferry-and-its-many-friends",
        "https://x.example/de/autor/jane-okafor",
        "https://x.example/politics/page/3",
        "https://x.example/thema/verkehr",
        "https://x.example/search?q=ferry",
        "https://x.example/politics",
        "https://x.example/world/asia/",
    ],
)
def test_lists_of_stories(url: str) -> None:
    page = kind(url, "<title>Politics</title>", f"<h1>Politics</h1><main>{TEASERS}</main>")
    assert page not in STORY_KINDS

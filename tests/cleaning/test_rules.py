"""The boilerplate rules, one role at a time, on fragments as themes of many languages print them."""

import pytest
from bs4 import BeautifulSoup

from newsmorgue.cleaning import clean
from newsmorgue.cleaning.box_rules import Context
from newsmorgue.cleaning.bylines import is_byline
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.finder import all_lines
from newsmorgue.cleaning.labels import role_of_label
from newsmorgue.cleaning.lines import survey
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.roles import role_of_name
from newsmorgue.cleaning.rules import strip_all

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
    return left(f"<div>{STORY}{boilerplate}{LAST}</div>", context)


def left(markup: str, context: Context | None = None) -> str:
    """The text that is left of an element that was taken whole."""
    root, _ = parse(decode(f"<body>{markup}</body>".encode(), None))
    story = all_lines(survey(root))
    assert story is not None
    return " ".join(line.text for line in strip_all(story.lines, context or Context()))


@pytest.mark.parametrize(
    "boilerplate",
    [
        '<div class="relatedPosts"><p>A teaser of another story that has some words in it.</p></div>',
        '<section id="comments"><p>I was there and it was nothing like that, believe me.</p></section>',
        '<div class="social-share"><span>Share this story</span></div>',
        '<section class="accountDeactivated"><h3>Account closed</h3><p>Your account was closed for good.</p></section>',
        '<div class="login-form"><p>Please sign in with the address that you gave us to write a comment.</p></div>',
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
        "<p>延伸阅读：<a href=/1>市议会通过学校预算</a></p>",
        "<p>Ayrıca okuyun: <a href=/1>Balıkçılık müzesi haziranda açılıyor</a></p>",
        "<p>Διαβάστε επίσης: <a href=/1>Η λαϊκή αλλάζει ωράριο</a></p>",
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
    plain = BeautifulSoup(text, "lxml").get_text(" ")
    assert "".join(plain.split()) in "".join(left_of(text).split())


def test_characters_that_only_shape_others_are_no_line_of_the_story() -> None:
    # Editors of pages put them into empty paragraphs. In Malayalam one may end a word, and one joins emoji.
    assert left_of("<p>&zwj;</p><p>&zwnj;&nbsp;&zwj;</p><p>&#xfe0f;</p><p>&#x2800;</p>") == PLAIN
    assert "അവന്\u200d 👩\u200d🚒" in left_of("<p>അവന്&zwj;</p><p>👩&zwj;🚒</p>")


@pytest.mark.parametrize("words", ["Sign up", "Harbour Courier", "Read more", "Share"])
def test_no_rule_takes_words_out_of_a_sentence(words: str) -> None:
    context = Context(titles=frozenset({"harbourcourier"}))
    sentence = f"He told readers of <a href=/x>{words}</a> that <b>{words}</b> was all he had to say on Tuesday."
    assert f"He told readers of {words} that {words} was all he had to say on Tuesday." in left_of(
        f"<p>{sentence}</p>", context
    )


def test_a_named_part_that_holds_most_of_the_text_is_believed_to_be_text() -> None:
    assert "eleven to nine" in left(f'<div><div class="promo">{STORY}{LAST}</div><p>End of it.</p></div>')


def test_the_headline_and_what_stands_over_it_go() -> None:
    context = Context(titles=frozenset({"ferrystays", "news"}))
    assert left_of("", context) == PLAIN
    assert left(f"<div><p>Transport</p><h1>Ferry stays</h1>{STORY}<p>News</p>{LAST}</div>", context) == PLAIN


def test_the_byline_and_the_authors_biography_go() -> None:
    context = Context(authors=("Jane Okafor",))
    assert left_of("<p>By Jane Okafor, Staff Writer</p>", context) == PLAIN
    assert left_of("<p>Jane Okafor is the Courier’s local government reporter.</p>", context) == PLAIN
    assert "Okafor" in left_of("<p>By the time Jane Okafor arrived, the boat had left.</p>", context)


def test_a_heading_over_nothing_goes() -> None:
    assert "costs" not in left(f"<div>{STORY}<h2>What it costs</h2></div>")


@pytest.mark.parametrize(
    "name, role",
    [
        ("comments-area", "comments"),
        ("wp-block-jetpack-relatedPosts", "related"),
        ("td-share-bar", "sharing"),
        ("c-newsletter__form", "newsletter"),
        ("resetPasswordSuccess", "account"),
        ("has-login", None),
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
        # Laid out for something else.
        ("main-with-sidebar", None),
        ("sidebar-layout__content", None),
        ("enableCommentsCount", None),
        # Anchors that say what a heading says.
        ("how-popular-are-meditation-and-mindfulness", None),
        ("step_1_how_to_purchase_a_subscription", None),
        # The categories and tags of a post.
        ("post-7 type-post status-publish hentry category-newsletter tag-advertising", None),
        ("tag-list", "tags"),
        # Utility classes: what is set for some widths, and what is hidden on narrow screens alone.
        ("lg-nav:px-4 lg:mr-[--sidebar-width]", None),
        ("d-none d-md-block", None),
        ("hidden", "hidden"),
        # Components of a content system, and boxes for consent.
        ("cmp-container cmp-text", None),
        ("cmp-banner", "consent"),
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


# What sites print, as WordPress and Drupal translate it, in the order: comments, comment form, notice of the form,
# related stories, sharing, newsletter, consent, back to top, advert, reading time, tags, author box, credit.
_PRINTED = {
    "el": "3 σχόλια|Αφήστε ένα σχόλιο|Η ηλ. διεύθυνση σας δεν δημοσιεύεται. Τα υποχρεωτικά πεδία σημειώνονται με *"
    "|Σχετικά άρθρα|Κοινοποίηση|Εγγραφείτε στο newsletter μας|Χρησιμοποιούμε cookies για να βελτιώσουμε τον ιστότοπο."
    "|Επιστροφή στην κορυφή|Διαφήμιση|Χρόνος ανάγνωσης: 3 λεπτά|Ετικέτες:|Σχετικά με τον συντάκτη|Φωτογραφία: ΑΠΕ",
    "ru": "3 комментария|Добавить комментарий|Ваш адрес email не будет опубликован. Обязательные поля помечены *"
    "|Похожие статьи|Поделиться в Telegram|Подпишитесь на нашу рассылку|Мы используем файлы cookie на этом сайте."
    "|Наверх|Реклама|Время чтения: 3 минуты|Теги:|Об авторе|Фото: ТАСС",
    "ar": "3 تعليقات|اترك تعليقاً|لن يتم نشر عنوان بريدك الإلكتروني. الحقول الإلزامية مشار إليها بـ *|مقالات ذات صلة"
    "|شارك المقال|اشترك في نشرتنا البريدية|نستخدم ملفات تعريف الارتباط لتحسين تجربتك.|العودة إلى الأعلى|إعلان"
    "|مدة القراءة: 3 دقائق|الوسوم:|عن الكاتب|الصورة: وكالة الأنباء",
    "he": "3 תגובות|כתיבת תגובה|האימייל לא יוצג באתר. שדות החובה מסומנים *|כתבות נוספות|שתפו בפייסבוק"
    "|הירשמו לניוזלטר שלנו|אנו משתמשים בעוגיות כדי לשפר את החוויה שלך.|חזרה למעלה|פרסומת|זמן קריאה: 3 דקות|תגיות:"
    "|על הכותב|צילום: רויטרס",
    "hi": "3 टिप्पणियाँ|टिप्पणी करें|आपका ईमेल पता प्रकाशित नहीं किया जाएगा. आवश्यक फ़ील्ड चिह्नित हैं *|संबंधित खबरें"
    "|फेसबुक पर शेयर करें|हमारे न्यूज़लेटर की सदस्यता लें|हम आपके अनुभव के लिए कुकीज़ का उपयोग करते हैं।|ऊपर जाएं|विज्ञापन"
    "|पढ़ने का समय: 3 मिनट|टैग:|लेखक के बारे में|फोटो: पीटीआई",
    "th": "3 ความคิดเห็น|แสดงความคิดเห็น|อีเมลของคุณจะไม่แสดงให้คนอื่นเห็น ช่องข้อมูลจำเป็นถูกทำเครื่องหมาย *"
    "|ข่าวที่เกี่ยวข้อง|แชร์บน Facebook|สมัครรับจดหมายข่าวของเรา|เว็บไซต์นี้ใช้คุกกี้เพื่อปรับปรุงประสบการณ์ของคุณ"
    "|กลับขึ้นด้านบน|โฆษณา|ใช้เวลาอ่าน 3 นาที|แท็ก:|เกี่ยวกับผู้เขียน|ภาพ: รอยเตอร์",
    "zh": "3条评论|发表评论|您的邮箱地址不会被公开。必填项已用 * 标注|相关文章|分享到微信|订阅我们的新闻邮件"
    "|我们使用 Cookie 来改善您的体验。|返回顶部|广告|阅读时间：3分钟|标签：|关于作者|图片来源：新华社",
    "ja": "3件のコメント|コメントを残す|メールアドレスが公開されることはありません。|関連記事|シェアする"
    "|メールマガジンに登録する|当サイトではクッキーを使用しています。|ページの先頭へ戻る|広告|この記事は3分で読めます"
    "|タグ：|この記事を書いた人|写真：共同通信",
    "ko": "댓글 3개|댓글 남기기|이메일 주소는 공개되지 않습니다. 필수 필드는 *로 표시됩니다|관련 기사|공유하기"
    "|뉴스레터를 구독하세요|더 나은 서비스를 위해 쿠키를 사용합니다.|맨 위로|광고|읽는 시간 3분"
    "|태그:|기자 소개|사진: 연합뉴스",
    "tr": "3 yorum|Bir yanıt yazın|E-posta adresiniz yayınlanmayacak. Gerekli alanlar * ile işaretlenmişlerdir"
    "|İlgili Haberler|Facebook'ta paylaş|Bültenimize abone olun|Deneyiminiz için çerezleri kullanıyoruz.|Yukarı çık"
    "|Reklam|Okuma süresi: 3 dakika|Etiketler:|Yazar hakkında|Fotoğraf: AA",
    "pl": "3 komentarze|Dodaj komentarz|Twój adres e-mail nie zostanie opublikowany. Wymagane pola są oznaczone *"
    "|Podobne artykuły|Udostępnij na Facebooku|Zapisz się na nasz newsletter|Używamy plików cookie na tej stronie."
    "|Do góry|Reklama|Czas czytania: 3 minuty|Tagi:|O autorze|Fot. PAP",
    "it": "3 commenti|Lascia un commento|Il tuo indirizzo email non sarà pubblicato. I campi obbligatori sono *"
    "|Articoli correlati|Condividi su Facebook|Iscriviti alla nostra newsletter|Utilizziamo i cookie su questo sito."
    "|Torna su|Pubblicità|Tempo di lettura: 3 minuti|Argomenti:|Informazioni sull’autore|Foto: Ansa",
    "nl": "3 reacties|Geef een reactie|Je e-mailadres wordt niet gepubliceerd. Vereiste velden zijn gemarkeerd met *"
    "|Gerelateerde artikelen|Lees ook|Delen|Deel dit artikel|Schrijf je in voor onze nieuwsbrief"
    "|Wij gebruiken cookies om uw ervaring te verbeteren.|Terug naar boven|Advertentie|Leestijd: 3 minuten"
    "|Trefwoorden:|Over de auteur|Foto: ANP",
    "sv": "3 kommentarer|Lämna ett svar|Din e-postadress kommer inte publiceras. Obligatoriska fält är märkta *"
    "|Relaterade artiklar|Läs också|Läs mer|Dela|Dela på Facebook|Prenumerera på vårt nyhetsbrev"
    "|Vi använder cookies för att förbättra din upplevelse.|Till toppen|Annons|Lästid: 3 minuter|Taggar:"
    "|Om författaren|Foto: TT",
    "da": "3 kommentarer|Skriv et svar|Din e-mailadresse vil ikke blive publiceret. Krævede felter er markeret med *"
    "|Relaterede artikler|Læs også|Del|Del på Facebook|Tilmeld dig vores nyhedsbrev"
    "|Vi bruger cookies til at forbedre din oplevelse.|Til toppen|Annonce|Læsetid: 3 minutter|Emner:"
    "|Om forfatteren|Foto: Ritzau",
    "no": "3 kommentarer|Legg igjen en kommentar"
    "|Din e-postadresse vil ikke bli publisert. Obligatoriske felt er merket med *|Relaterte artikler|Les også"
    "|Del|Meld deg på vårt nyhetsbrev|Vi bruker informasjonskapsler.|Til toppen|Annonse|Lesetid: 3 minutter"
    "|Emner:|Om forfatteren|Foto: NTB",
    "fi": "3 kommenttia|Vastaa|Sähköpostiosoitettasi ei julkaista. Pakolliset kentät on merkitty *|Lue myös|Jaa"
    "|Jaa Facebookissa|Tilaa uutiskirje|Käytämme evästeitä.|Takaisin ylös|Mainos|Lukuaika: 3 minuuttia"
    "|Avainsanat:|Kirjoittajasta|Kuva: Lehtikuva",
    "cs": "3 komentáře|Napsat komentář|Vaše e-mailová adresa nebude zveřejněna. Vyžadované informace jsou označeny *"
    "|Související články|Čtěte také|Sdílet|Přihlaste se k odběru newsletteru|Používáme soubory cookie.|Nahoru"
    "|Reklama|Doba čtení: 3 minuty|Štítky:|O autorovi|Foto: ČTK",
    "ro": "3 comentarii|Lasă un răspuns"
    "|Adresa ta de email nu va fi publicată. Câmpurile obligatorii sunt marcate cu *|Articole similare"
    "|Citește și|Distribuie|Abonează-te la newsletter|Folosim cookie-uri.|Înapoi sus|Publicitate"
    "|Timp de citire: 3 minute|Etichete:|Despre autor|Foto: Agerpres",
    "hu": "3 hozzászólás|Hozzászólás írása"
    "|Az e-mail címet nem tesszük közzé. A kötelező mezőket * karakterrel jelöltük|Kapcsolódó cikkek"
    "|Olvassa el ezt is|Megosztás|Iratkozzon fel hírlevelünkre|Az oldal sütiket használ.|Vissza a tetejére"
    "|Hirdetés|Olvasási idő: 3 perc|Címkék:|A szerzőről|Fotó: MTI",
    "uk": "3 коментарі|Залишити коментар|Ваша e-mail адреса не оприлюднюватиметься. Обов’язкові поля позначені *"
    "|Схожі статті|Читайте також|Поширити|Підпишіться на нашу розсилку|Ми використовуємо файли cookie.|Вгору"
    "|Реклама|Час читання: 3 хвилини|Теги:|Про автора|Фото: Укрінформ",
    "id": "3 komentar|Tinggalkan Balasan|Alamat email Anda tidak akan dipublikasikan. Ruas yang wajib ditandai *"
    "|Artikel Terkait|Baca Juga|Bagikan|Berlangganan newsletter kami|Kami menggunakan cookie.|Kembali ke atas"
    "|Iklan|Waktu baca: 3 menit|Tag:|Tentang Penulis|Foto: Antara",
    "vi": "3 bình luận|Để lại một bình luận"
    "|Email của bạn sẽ không được hiển thị công khai. Các trường bắt buộc được đánh dấu *|Bài viết liên quan"
    "|Xem thêm|Chia sẻ|Đăng ký nhận bản tin|Chúng tôi sử dụng cookie.|Lên đầu trang|Quảng cáo"
    "|Thời gian đọc: 3 phút|Từ khóa:|Về tác giả|Ảnh: TTXVN",
    "fa": "۳ دیدگاه|دیدگاهتان را بنویسید|نشانی ایمیل شما منتشر نخواهد شد. بخش‌های موردنیاز علامت‌گذاری شده‌اند *"
    "|مطالب مرتبط|بیشتر بخوانید|اشتراک گذاری|عضویت در خبرنامه|ما از کوکی‌ها استفاده می‌کنیم.|بازگشت به بالا"
    "|آگهی|زمان مطالعه: ۳ دقیقه|برچسب‌ها:|درباره نویسنده|عکس: ایرنا",
}


@pytest.mark.parametrize("language", _PRINTED)
def test_what_sites_print_around_stories_in_many_languages(language: str) -> None:
    assert [line for line in _PRINTED[language].split("|") if role_of_label(line) is None] == []


@pytest.mark.parametrize(
    "line",
    [
        "Απάντηση έδωσε ο υπουργός χθες το βράδυ.",
        "Комментарий министра ждут к вечеру.",
        "Поделиться правами регион не готов.",
        "شارك الوزير في افتتاح الميناء",
        "תגובת השר תתפרסם מחר.",
        "टिप्पणी करने से मंत्री ने इनकार किया।",
        "ความเห็นของรัฐมนตรีจะออกวันพุธ",
        "分享经验的老师走上讲台。",
        "同社は無断転載を認めた。",
        "무단 배포 혐의로 기소됐다.",
        "评论员说，这是最后一刻达成的协议。",
        "Yorum yapmak istemeyen bakan ayrıldı.",
        "Vastaa ei saatu illan aikana.",
        "Del på utgiftene, ber kommunen naboene sine.",
        "Kuvassa näkyy laituri ennen paloa.",
        "Responder a la pregunta llevó dos años.",
        "Do góry rzeki statek nie popłynie.",
    ],
)
def test_sentences_that_begin_like_labels_are_none(line: str) -> None:
    assert role_of_label(line) is None


def test_a_row_of_links_that_are_labels_goes_and_one_that_says_something_stays() -> None:
    assert left_of("<p><a href=#>Share this</a> <a href=#>Share on Facebook</a></p>") == PLAIN
    said = left_of("<p><a href=/a>The contract</a> <a href=/b>The reply</a> say so.</p>")
    assert "The contract The reply say so." in said


def test_a_caption_that_names_its_photographer_is_kept() -> None:
    caption = "The terminal on Sunday evening (Photo: Ann Doe)"
    figure = f"<figure><img src=a><figcaption>{caption}</figcaption></figure>"
    page = f"<article><h1>The ferry stays</h1>{STORY}{figure}{LAST}</article>"
    article = clean(page.encode(), "https://courier.example/a")
    assert [block.text for block in article.body if block.kind == "caption"] == [caption]

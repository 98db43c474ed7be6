"""What errors and walls say of themselves, in many languages. Looked for in pages that have little text."""

import re

# A title of its own ends there, or at what parts it from the site's name.
_END = r"\W*(?:$|\s[|–—·•:-]\s|\s?[|•])"
_ERROR = r"(?:error|erreur|fehler|errore|erro|ошибка|błąd|chyba|hata|hiba|virhe|eroare|σφάλμα|fel|feil|fejl|fout)"


def _joined(pattern: str) -> re.Pattern[str]:
    """An expression written over several lines; a line's end and indentation are not part of it."""
    return re.compile(re.sub(r"\n\s*", "", pattern).replace("{END}", _END).replace("{ERROR}", _ERROR), re.I)


ERROR_TITLE = _joined(
    r"""
    ^\W*(?:http )?(?:{ERROR}\W*)?(?:404|410|403|429|500|502|503|504){END}
    |^\W*(?:http )?{ERROR} (?:code )?[45]\d\d\b
    |^\W*(?:404|410|403|429|500|502|503|504)\W{1,3}(?:error|not found|page|gone|forbidden|bad gateway|internal|service
    |too many|nicht gefunden|introuvable|non trouvée)
    |^\W*(?:{ERROR}|not found|access denied|forbidden|bad gateway|bad request){END}
    |\b(?:404|410)(?: error| not found)|service (?:temporarily )?unavailable|internal server error|gateway time-?out
    |too many requests|(?:down|closed) for maintenance
    |(?:page|content|article|story|document) (?:was |could )?(?:not (?:be )?found|unavailable|has been removed
    |(?:is )?no longer (?:available|exists)|does(?:n[’']t| not) exist|is(?:n[’']t| not) available)
    |(?:page|article|story) (?:that )?you .{1,30} (?:could not|couldn[’']t|cannot|can[’']t) be found
    |(?:can[’']t|cannot|couldn[’']t|could not|unable to) find (?:that|this|the) page
    |^\W*(?:oops|whoops|uh[- ]oh|oups|hoppla|ups|vaya){END}
    |^\W*(?:oops|oups)\b.{0,30}(?:page|wrong|erreur)
    |page (?:introuvable|non trouvée|inexistante)|(?:cette|la) page (?:demandée )?n[’'](?:existe|est) (?:pas|plus)
    |(?:contenu|article) introuvable
    |(?:seite|inhalt|artikel|beitrag) (?:wurde |konnte )?nicht (?:gefunden|vorhanden|verfügbar)
    |(?:seite|artikel) existiert nicht|(?:diese|die) seite gibt es nicht
    |(?:página|contenido|artículo) no (?:encontrad[oa]|disponible|existe)
    |no (?:se )?(?:ha )?encontr(?:ó|ado|amos) la página|la página (?:solicitada |que buscas )?no (?:existe|está)
    |(?:página|conteúdo) não (?:encontrad[oa]|existe|disponível)
    |pagina (?:non (?:trovata|esiste|disponibile)|inesistente)
    |pagina (?:bestaat niet|niet (?:gevonden|beschikbaar))|pagina (?:nu (?:a fost găsită|există)|negăsită)
    |sidan (?:hittades|finns|kunde) inte|siden (?:findes|finnes|finst|blev|ble|kunne) ikke
    |fant ikke siden|kunne ikke finde siden
    |sivua ei (?:löyt|ole)|síðan fannst ekki|lehekülge ei leitud|lapa nav atrasta|puslapis nerastas
    |stron[ay] nie (?:istnieje|została znaleziona|znaleziono)|nie znaleziono strony
    |stránk[ay] (?:nenalezena|neexistuje|nebyla nalezena|sa nenašla|nebola nájdená)|az oldal nem található
    |stranica nije (?:pronađena|nađena)|strani ni (?:mogoče najti|bilo)|faqja nuk u gjet|sayfa bulunamadı
    |страниц\w+ не (?:найдена|существует|е намерена|съществува)|сторінк\w+ не (?:знайден|існу)\w+
    |страница није пронађена|η σελίδα δεν (?:βρέθηκε|υπάρχει)
    |ページ(?:が|は)(?:見つかりません|存在しません)|お探しのページ
    |页面(?:不存在|未找到|找不到)|找不到(?:该|您要的|此)?页面|頁面不存在|找不到(?:該|您要的|此)?(?:頁面|網頁)
    |페이지를 찾을 수 없|존재하지 않는 페이지
    |الصفحة (?:غير موجودة|المطلوبة غير)|لم يتم العثور على الصفحة|(?:הדף|העמוד) (?:לא נמצא|אינו קיים)
    |صفحه (?:مورد نظر )?(?:یافت|پیدا) نشد|(?:पृष्ठ|पेज) नहीं मिला|পৃষ্ঠা(?:টি)? (?:খুঁজে )?পাওয়া যায়নি
    |no se ha podido encontrar esa página|ess[ae] página não (?:pode|pôde|foi)|la pagina non può essere trovata
    |nie znaleziono tej strony|σελίδα αυτή δεν βρέθηκε|sayfa bulunamıyor|تعذر العثور على (?:هذه )?الصفحة
    |(?:הדף|העמוד) הזה לא נמצא
    |halaman (?:yang anda cari )?tidak (?:ditemukan|tersedia)|không tìm thấy trang|trang không tồn tại|ไม่พบหน้า
    """
)
WALL_TITLE = _joined(
    r"""
    ^\W*(?:just a moment|one moment,? please|attention required|are you (?:a )?(?:robot|human)|you have been blocked
    |access (?:to this page )?(?:has been )?denied|security check|verify(?:ing)? you are .{0,20}|please verify.{0,30}
    |checking your browser.{0,30}|un instant|nur einen moment|un momento|(?:human|bot) verification|(?:re)?captcha
    |pardon our interruption|please wait
    |before you continue(?: to .{1,30})?|avant de continuer.{0,30}|bevor sie fortfahren.{0,30}
    |antes de (?:continuar|ir a).{0,30}|prima di continuare.{0,30}|voordat je verdergaat.{0,30}
    |we (?:value|care about|respect) your privacy|your privacy(?: choices| matters)?
    |cookie (?:consent|settings|preferences)|privacy (?:gate|wall|settings)|dpg media privacy gate|consent
    |(?:cookie-?)?zustimmung.{0,30}|cookie-?hinweis
    |(?:wir respektieren )?ihre privatsphäre.{0,20}|datenschutzeinstellungen
    |(?:nous respectons )?votre vie privée.{0,20}|gestion des cookies|valoramos tu privacidad
    |(?:la )?tua privacy.{0,20}|a sua privacidade.{0,20}
    |(?:please )?(?:log|sign) ?in(?: (?:to|or) .{1,40})?|login|register|create an account
    |subscribe to (?:continue|read).{0,30}
    |(?:se )?connecte[rz](?:-vous)?|connexion|identifiez-vous|abonnez-vous pour .{1,40}
    |anmeld(?:en|ung)|einloggen|bitte (?:melden sie sich an|anmelden)|registrieren
    |inici(?:ar|a) sesión|accede|regístrate|accedi|registrati|entrar|iniciar sessão|fazer login
    |inloggen|logga in|logg inn|log ind|kirjaudu(?: sisään)?|zaloguj(?: się)?|logowanie|přihlášení|prihlásenie
    |bejelentkezés|autentificare|giriş(?: yap)?|вход|войти|авторизация|увійти|вхід|είσοδος|σύνδεση
    |ログイン|登录|登入|로그인|تسجيل الدخول|התחברות|ورود|masuk|đăng nhập|เข้าสู่ระบบ|लॉग ?इन(?: करें)?){END}
    """
)
WALL_TEXT = _joined(
    r"""
    enable (?:javascript|js) and (?:disable|cookies)|verify (?:that )?you are (?:a )?human
    |unusual (?:traffic|activity)|checking if the site connection is secure|why have i been blocked
    |press (?:&|and) hold|our systems have detected
    |(?:you need to|please) enable (?:javascript|cookies)|bitte aktivieren sie (?:javascript|cookies)
    |activez (?:le )?(?:javascript|les cookies)|activa (?:javascript|las cookies)|attiva(?:re)? (?:javascript|i cookie)
    |включите (?:javascript|cookies)
    |\b(?:we|our partners|wir und unsere partner|nous et nos partenaires|nosotros y nuestros socios
    |noi e i nostri partner)\b.{0,60}\b
    (?:stor(?:e|ing)|process|speichern|verarbeiten|stockons|traitons|almacen|tratamos|archiviamo|trattiamo)
    |\b(?:nós e os nossos parceiros|my i nasi partnerzy|εμείς και οι συνεργάτες μας|biz ve ortaklarımız
    |мы и наши партн[её]ры|wij en onze partners|vi och våra partner|vi og vores partnere|当社とパートナー).{0,80}
    (?:armazen|przechowuj|αποθηκεύ|sakl|хран|opslaan|slaan|lagra|lagrer|opbevar|gemmer|保存)
    """
)

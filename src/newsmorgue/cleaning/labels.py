"""What a line that stands alone is for, told by its wording, in many languages.

The labels are what sites print over boxes ("Related articles") and beside the story ("3 min read"). Other scripts than
Latin have a list of their own (:mod:`newsmorgue.cleaning.script_labels`).
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from newsmorgue.cleaning.script_labels import is_of_script, role_in_script
from newsmorgue.cleaning.wording import visible

# Labels over boxes and lines that stand alone. Matched against a whole short text, without its final colon.
_LABELS: dict[str, str] = {
    "comments": r"""
        (?:\d+ )?comments?(?: \(?\d+\)?)?|leave a (?:reply|comment)|post a comment|add a comment
        |join the (?:conversation|discussion)|reader comments|view (?:\d+ )?comments?|show comments
        |write a comment|what do you think\??|laisser un commentaire
        |(?:\d+ )?commentaires?(?: \(?\d+\)?)?|ajouter un commentaire|poster un commentaire
        |vos commentaires|réagir|voir les commentaires|annuler la réponse
        |votre adresse e-?mail ne sera pas publiée.*|(?:\d+ )?kommentare?(?: \(?\d+\)?)?
        |kommentar (?:schreiben|verfassen|hinterlassen)|schreibe einen kommentar
        |diskutieren sie mit.*|(?:\d+ )?comentarios?(?: \(?\d+\)?)?|deja (?:un|tu) comentario
        |deja una respuesta|escribe un comentario|(?:\d+ )?comentários?|deixe (?:um|seu) comentário
        |deixe uma resposta|(?:\d+ )?commenti|lascia un commento|(?:\d+ )?reacties?
        |plaats een reactie|geef een reactie|kommentarer|dodaj komentarz|komentarze|yorumlar
        |yorum yap|комментарии|комментарии \d+|коментарі|コメント|评论|댓글|التعليقات|اترك تعليقا
        |your email address will not be published.*|required fields are marked.*
        |les champs obligatoires.*
        |(?:deine|ihre) e-mail-adresse wird nicht veröffentlicht.*|erforderliche felder sind.*
        |meinen namen, meine e-mail.*
        |(?:tu|su) dirección de correo electrónico no será publicada.*|los campos (?:obligatorios|necesarios) .*
        |guarda mi nombre, .*|o (?:seu|teu) endereço de e-?mail não será publicado.*|campos obrigatórios são .*
        |salvar meus dados neste .*|il tuo indirizzo e-?mail non sarà pubblicato.*|i campi obbligatori .*
        |salva il mio nome, .*
        |(?:\d+ )?komentarz(?:e|y)?(?: \(?\d+\)?)?|dodaj odpowiedź|zostaw komentarz|twój adres e-?mail nie zostanie .*
        |wymagane pola są .*|(?:\d+ )?yorum(?: \(?\d+\)?)?|bir (?:yanıt|cevap) yazın
        |e-?posta ad(?:resiniz|resin) yayınlanmayacak.*
        |gerekli alanlar .*|(?:daha sonraki|bir dahaki sefere) yorum.*|(?:\d+ )?komentář(?:e|ů)?|napsat komentář
        |(?:\d+ )?comentarii|lasă un (?:comentariu|răspuns)|(?:\d+ )?hozzászólás|(?:\d+ )?bình luận|(?:\d+ )?komentar
        |je e-mailadres wordt niet gepubliceerd.*|vereiste velden zijn .*|(?:\d+ )(?:kommentarer|kommenttia)
        |lämna ett svar
        |din e-?post-?adress(?:e)? (?:kommer inte|vil ikke) .*|din e-mailadresse vil ikke .*|obligatoriska fält är .*
        |obligatoriske felt er .*|krævede felter er .*|skriv et svar|legg igjen en kommentar|vastaa|kommentoi
        |sähköpostiosoitettasi ei julkaista.*|pakolliset kentät on .*|vaše e-mailová adresa nebude .*
        |vyžadované informace .*
        |adresa ta de e-?mail nu va fi .*|câmpurile obligatorii .*|az e-?mail címet nem .*|a kötelező mezőket .*
        |hozzászólás írása|tinggalkan balasan|alamat email anda tidak .*|ruas yang wajib .*|để lại một bình luận
        |email của bạn sẽ không .*|các trường bắt buộc .*|laisser une réponse|signaler un (?:abus|commentaire)
        |kommentar abschicken|antworten|dejar un comentario|responder|rispondi
    """,
    "related": r"""
        |(?:related|similar|recommended|more|other|latest|recent|popular|trending|top|must[- ]read
        |suggested) (?:articles?|stor(?:y|ies)|posts?|news|reading|content|links?|coverage|topics?|videos?
        |reads?)(?: .{0,30})?
        |related|recommended(?: for you| reading| videos?)?
        |you (?:may|might) (?:also |be )?(?:like|enjoy|interested in|want to read).{0,20}
        |read (?:more|also|next|now|this next|on)(?: (?:about|from|on|in) .{0,40})?|see also
        |also read|also see|don[’']t miss|must reads?|more (?:from|on|in|about) .{1,60}
        |more like this|editors?[’']? picks?|what to read next|up next
        |most (?:read|popular|viewed|shared)|trending(?: now)?|further reading|keep reading
        |continue reading|next article|previous article|next post|previous post|in this story
        |explore more|popular now|featured(?: stories| articles| posts)?|the latest|latest
        |dig deeper|go deeper|top stories|happening now|watch (?:now|next|more)
        |promoted(?: stories| content| links)?|around the web
        |from (?:the|our) (?:web|partners|archives?)|you may like
        |articles? (?:similaires?|liés?|connexes?|associés?|récents?|recommandés?)
        |(?:à )?lire (?:aussi|également|plus|la suite|ensuite)|à lire(?: .{0,40})?
        |à voir(?: aussi| également)?|voir (?:aussi|également|plus)|sur le même (?:sujet|thème)
        |dans la même (?:rubrique|catégorie)|dans la rubrique|pour aller plus loin|en savoir plus
        |notre sélection|nos autres articles|les plus lus|à ne pas manquer|vous aimerez aussi
        |ça pourrait vous intéresser|cela pourrait (?:aussi |également )?vous intéresser
        |à découvrir(?: aussi)?|contenus? (?:sponsorisés?|associés?)|plus d[’']articles?
        |recommandé(?:s)? pour vous|ailleurs sur le web|article (?:suivant|précédent)
        |les articles liés|retrouvez aussi|le dossier|nos derniers articles|à la une
        |l[’']actu en continu|dernières actualités|en continu
        |(?:das könnte (?:sie|dich) auch|auch) interess(?:ant|ieren).*
        |das könnte (?:sie|dich|ihnen|dir).{0,30}
        |mehr (?:zum thema|dazu|lesen|artikel|aus|von|über|zu).{0,50}
        |lesen sie (?:auch|mehr|hier|dazu).{0,60}|lies auch|weiterlesen|zum thema
        |verwandte (?:artikel|themen|beiträge)|ähnliche (?:artikel|beiträge|themen)
        |weitere (?:artikel|themen|meldungen|nachrichten|beiträge|informationen|infos).{0,30}
        |meistgelesen(?:e artikel)?|top[- ]themen|empfehlungen(?: der redaktion)?|auch lesenswert
        |passend dazu|mehr aus .{1,30}|neueste artikel
        |aktuelle (?:nachrichten|themen|beiträge|meldungen)|siehe auch|links zum thema
        |zur startseite|zurück zur startseite
        |(?:noticias|artículos|contenidos?|notas|enlaces|temas) (?:relacionad[oa]s|recomendad[oa]s|similares
        |destacad[oa]s)
        |te puede(?:n)? interesar|también te puede interesar|le puede interesar|te recomendamos
        |lee (?:también|además|más).*|leer (?:más|también)|lea (?:también|además|más).*|ver más
        |ver también|más (?:información|noticias|leíd[oa]s|en .{1,30}|sobre .{1,40})
        |lo más (?:leído|visto)|recomendados?|sigue leyendo|no te pierdas
        |leia (?:também|mais)(?: .{0,50})?|veja (?:também|mais)|saiba mais|notícias relacionadas
        |mais lidas|relacionadas|leggi anche(?: .{0,60})?|potrebbe interessarti(?: anche)?
        |ti potrebbe interessare|articoli correlati|correlati|approfondisci|vedi anche|guarda anche
        |lees (?:ook|meer|verder|hier)(?: .{0,40})?|meer (?:over|nieuws|van|artikelen).{0,40}
        |gerelateerde? (?:artikelen|berichten|artikel)|läs (?:också|mer|även)(?: .{0,40})?
        |relaterade artiklar|les (?:også|mer|mere)(?: .{0,40})?|læs (?:også|mere)(?: .{0,40})?
        |lue (?:myös|lisää)(?: .{0,40})?|czytaj (?:także|też|więcej|również)
        |zobacz (?:także|też|również|więcej)|przeczytaj (?:także|też)|čtěte také
        |související(?: články)?|kapcsolódó(?: cikkek)?|ilgili haberler|ayrıca bakınız
        |önerilen haberler|citește și|citeste si|читайте (?:также|ещ[её]|по теме)(?: .{0,40})?
        |по теме|похожие (?:статьи|новости|материалы)|читайте також|смотрите также|материалы по теме
        |baca juga|artikel terkait|berita terkait|関連記事|相关阅读|相关新闻|延伸阅读
        |관련기사|관련 기사|اقرأ أيضا|إقرأ أيضا
        |مواضيع ذات صلة|קראו גם|διαβάστε (?:επίσης|ακόμα|ακόμη)|δείτε (?:επίσης|ακόμα)
        |ayrıca okuyun|ilginizi çekebilir|bunlar da ilginizi çekebilir|ilgili (?:içerikler|yazılar)
        |benzer (?:haberler|yazılar)
        |(?:önceki|sonraki) haber|çok okunanlar|devamını oku|podobne (?:artykuły|wpisy|tematy)
        |powiązane(?: artykuły| tematy)?
        |polecane(?: artykuły)?|najczęściej czytane|podobné články|nejčtenější|articole similare|citește mai mult
        |cikkajánló|olvassa el ezt is|(?:bài viết|tin) liên quan|xem thêm|đọc thêm
        |relaterede artikler|relaterte (?:artikler|saker)|læs mere|les mer|aiheesta lisää|kapcsolódó (?:cikkek|cikk)
        |baca selengkapnya|leggi (?:di più|tutto)
    """,
    "sharing": r"""
        share(?: (?:this|on|via|with|the|article|story|post|now))?(?: .{0,40})?|share on .{2,20}
        |tweet(?: this)?|pin it|follow us(?: .{0,50})?
        |follow .{1,40} on (?:twitter|x|facebook|instagram|threads|bluesky|linkedin|google news|social media).{0,40}
        |print(?: this)?(?: article| page)?|copy link|link copied!?|copy
        |email(?: this)?(?: article)?|facebook|twitter|x|whatsapp|linkedin|pinterest|reddit|telegram
        |flipboard|messenger|instagram|bluesky|threads|save(?: for later| article| story)?
        |gift(?: this)? article|listen(?: to (?:this )?article)?(?: \d+ min(?:utes)?)?|like this
        |(?:\d+ )?shares?|partage[rz]?(?: .{0,40})?|imprimer|suivez[- ]nous(?: .{0,50})?
        |envoyer par e-?mail|copier le lien|enregistrer|écouter(?: l[’']article)?|j[’']aime ça
        |teilen|artikel (?:teilen|drucken|versenden|empfehlen|vorlesen|anhören|merken)|drucken|merken
        |folgen sie uns.{0,50}|compartir(?: en .{0,20})?|comparte.{0,30}|síguenos.{0,40}|imprimir
        |guardar|compartilhe?(?:ar)?(?: .{0,30})?|condividi(?: .{0,20})?|stampa|seguici.{0,40}|delen
        |deel(?: dit)?(?: artikel)?|dela(?: artikeln?)?|del|jaa|udostępnij|paylaş|поделиться
        |поделись.{0,20}|bagikan|シェア|分享|공유
        |udostępnij(?: na .{1,20})?|drukuj|condividi(?: su .{1,30})?|paylaş(?: .{1,20})?
        |.{1,14}['’]?(?:ta|te|da|de) paylaş|yazdır
        |sdílet(?: na .{1,20})?|distribuie|megosztás|chia sẻ|partilhar(?: (?:no|na|via) .{1,20})?
        |(?:dela|del) på .{2,20}|jaa .{2,20}ssa|siga-nos(?: .{0,30})?
    """,
    "newsletter": r"""
        |(?:sign up|subscribe|register)(?: now| today| here| free)?(?:(?: to| for
        | and)? .{0,120}newsletter.{0,80}|(?: to| for) .{1,60}(?:alerts?|updates?|emails?|briefing
        |digest).{0,40}|)[.!]?
        |get .{1,60}(?:in your inbox|newsletter|to your inbox).{0,60}
        |newsletters?|sign up|subscribe(?: now)?|log ?in
        |already (?:a subscriber|have an account)\??.{0,20}|abonnez[- ]vous.{0,80}
        |inscrivez[- ]vous.{0,80}|s[’']abonner|s[’']inscrire|je m[’']abonne|je m[’']inscris
        |recevez .{0,80}(?:newsletter|boîte mail|e-?mail|infolettre).{0,40}
        |la newsletter(?: .{0,40})?|se connecter|déjà abonné ?\??.{0,20}
        |(?:jetzt )?(?:newsletter )?abonnieren|jetzt (?:anmelden|registrieren|abonnieren|testen)
        |anmelden|melden sie sich .{0,60}newsletter.{0,40}|suscríb(?:ete|ase).{0,80}|suscribirse
        |suscribirme|inscreva-se.{0,60}|assine.{0,60}|iscriviti.{0,80}|schrijf je in.{0,60}
        |meld je aan.{0,60}|prenumerera.{0,40}|подпи(?:сывайтесь|шитесь|саться).{0,80}
        |zapisz się .{0,40}newsletter.{0,20}|otrzymuj .{1,40} na swoj[ąa] .{1,20}
        |ricevi .{1,50}(?:newsletter|e-?mail|casella).{0,20}
        |bültenimize (?:abone|kayıt) ol.{0,10}|haberleri .{1,30}e-?posta .{1,20}
        |recibe .{1,40}(?:correo|e-?mail|boletín).{0,30}
        |receba .{1,50}(?:e-?mail|newsletter).{0,30}
        |(?:tilmeld dig|meld deg på) .{0,30}nyhets?(?:brev|bre).{0,20}|tilmeld dig .{0,30}nyhedsbrev.{0,20}
        |tilaa uutiskirje.{0,30}
        |přihlaste se k odběru .{0,30}|abonează-te .{0,40}|iratkozzon fel .{0,40}|berlangganan .{0,30}
        |đăng ký nhận (?:bản )?tin.{0,30}
        |newsletter bestellen|s[’']abonner (?:à la |au )?.{1,40}
    """,
    "consent": r"""
        (?:we|this (?:site|website)) uses? cookies.*|accept (?:all )?cookies?
        |(?:nous utilisons|ce site utilise) des cookies.*|tout accepter|accepter et continuer
        |(?:wir verwenden|diese (?:web)?seite verwendet) cookies.*|alle akzeptieren
        |este sitio utiliza cookies.*
        |an dieser stelle (?:finden sie|findest du) einen .{0,60}externen inhalt.*
        |empfohlener (?:externer|redaktioneller) inhalt
        |ich bin (?:damit )?einverstanden, dass mir .{0,60}(?:inhalte?|angezeigt).*
        |j[’']accepte (?:l[’']affichage|d[’']afficher) .{0,60}contenus? .{0,60}
        |externer inhalt|externen inhalt anzeigen
        |contenu (?:externe|bloqué).{0,40}
        |(?:utilizziamo|questo sito utilizza) (?:i )?cookie.*|utilizamos cookies.*
        |(?:używamy|ta strona używa) (?:plików )?cookies?.*
        |.{1,40} çerez(?:leri)? kullan(?:ıyoruz|ır|maktadır).{0,40}
        |wij gebruiken cookies.*|we gebruiken cookies.*
        |vi (?:använder|bruger|bruker) (?:cookies|informasjonskapsler).*|käytämme evästeitä.*
        |používáme (?:soubory )?cookie.*|folosim cookie.*|az oldal (?:sütiket|cookie).*|kami menggunakan cookie.*
        |chúng tôi sử dụng cookie.*|gérer (?:les|mes) cookies|politique de confidentialité
        |política de (?:cookies|privacidad)
        |datenschutzeinstellungen|cookie-einstellungen
    """,
    "back to top": r"""
        (?:back|return|scroll) to (?:the )?top(?: .{0,20})?|top of page|go to top
        |(?:bouton )?retour en haut(?: .{0,20})?|haut de (?:la )?page|nach oben|zum seitenanfang
        |seitenanfang|volver arriba|ir arriba|torna su|voltar ao topo|naar boven|до вверх|наверх
        |skip to (?:main )?content|aller au contenu|zum inhalt springen|saltar al contenido
        |yukarı çık|başa dön|do góry|wróć na górę|nahoru|înapoi sus
        |terug naar boven|(?:tillbaka )?till toppen|(?:tilbage )?til toppen|takaisin ylös|vissza a tetejére
        |kembali ke atas
        |lên đầu trang|topo(?: da página)?|torna all[’']inizio
    """,
    "advert": r"""
        advertisements?|advertisement - .{0,40}|ad|ads|sponsored(?: content| by .{1,40}| post)?
        |paid (?:content|post|partnership)|promoted|story continues below(?: advertisement)?
        |article continues (?:after|below)(?: (?:this |the )?(?:ad|advertisement|advertising|video
        |sponsored message))?
        |continue reading below.{0,20}|scroll (?:down )?to continue.{0,20}|advertising
        |loading\.{0,3}|publicités?|la suite après (?:la |cette )?publicité
        |suite de l[’']article.{0,30}|contenu sponsorisé|annonces?|anzeigen?|werbung|- ?anzeige ?-
        |publicidad|publicidade|continua após a publicidade|pubblicità|continua a leggere.{0,30}
        |advertentie|annons|annonse|annonce|mainos|reklama|reklam|реклама|広告|广告|광고|إعلان|iklan
        |advertisement scroll.{0,30}
        |publicitate|hirdetés|quảng cáo
    """,
    "reading time": r"""
        (?:\d+|one|two|three|four|five) ?(?:-| )?min(?:ute)?s?\.?(?: read(?:ing time)?)?
        |(?:estimated )?(?:reading time|read time|time to read)\b.{0,30}|temps de lecture.{0,30}
        |lecture ?:? ?\d+ ?min.{0,10}|lesezeit.{0,30}|\d+ min(?:uten)? lesezeit
        |tiempo de lectura.{0,30}|lectura de \d+ min.{0,10}|tempo (?:de leitura|di lettura).{0,30}
        |leestijd.{0,30}|czas czytania.{0,20}|время чтения.{0,20}|okuma süresi.{0,20}
        |lästid ?:? ?\d+.{0,10}|(?:læse|lese)tid ?:? ?\d+.{0,12}|lukuaika ?:? ?\d+.{0,12}|doba čtení ?:? ?\d+.{0,10}
        |timp de citire ?:? ?\d+.{0,10}|olvasási idő ?:? ?\d+.{0,8}|waktu baca ?:? ?\d+.{0,8}
        |thời gian đọc ?:? ?\d+.{0,8}
    """,
    "tags": r"""
        |(?:tags?|tagged|topics?|keywords?|filed under|categories|in this article|more about|mots[- ]clés
        |étiquettes?|sujets?|thèmes?|rubriques?|schlagwörter|schlagworte|themen|stichworte|etiquetas|temas
        |palabras clave|categorías|argomenti|tag|onderwerpen|ämnen|emner|теги|темы|метки|etiketler|タグ|标签
        |태그)(?: ?[:：].*)?
        |(?:tagi|słowa kluczowe|štítky|etichete)(?: ?:.*)?
        |(?:trefwoorden|taggar|avainsanat|asiasanat|címkék|từ khóa|assuntos|archivado en)(?: ?:.*)?
    """,
    "copyright": r"""
        (?:©|\(c\)|copyright\b).{0,200}|all rights reserved.*|tous droits réservés.*
        |alle rechte vorbehalten.*|todos los derechos reservados.*|tutti i diritti riservati.*
        |toute reproduction.{0,100}|this material may not be published, broadcast.*
        |©? ?riproduzione riservata
    """,
    "author box": r"""
        about the (?:author|writer)s?|written by|à propos de l[’']auteur.{0,3}|l[’']auteur
        |über den autor|über die autorin|zur person|sobre el autor|sobre o autor|sull[’']autore
        |over de auteur|author|view all posts.*|more by .{1,40}|contact the author.*
        |informazioni sull[’']autore|(?:chi è )?l[’']autore|o autorze|o autorce|yazar hakkında|o autorovi|despre autor
        |om (?:författaren|forfatteren|skribenten)|kirjoittajasta|a szerzőről|tentang penulis|về tác giả|écrit par
    """,
    "feedback": r"""
        was this (?:article|page|helpful).{0,40}
        |report (?:a |an )?(?:typo|error|issue|mistake|correction).{0,40}|suggest a correction
        |rate this.{0,30}|signaler (?:une )?(?:erreur|faute|contenu).{0,30}
        |cet article vous a-t-il.{0,40}|fehler gefunden\??.{0,40}|war dieser artikel.{0,40}
        |correct this.{0,20}|have (?:a tip|something to say).{0,60}|got a (?:tip|story).{0,60}
        |do you have a (?:story|tip).{0,100}|submit a (?:letter|tip).{0,60}
    """,
    "credit": r"""
        (?:crédits?(?: photos?)?|photos?|fotos?|photo credit|foto\s?©|bild|bildquelle|picture|fotografia|fotografía
        |imagen
        |fotoğraf|zdjęcie|kuva|fotó|ảnh|foto di|image|image credit|fot) ?[:©/] ?.{2,40}|fot\. .{2,30}|(?:photo
        |foto) (?:dr|afp|ap|epa|ansa|dpa|apa|efe|lusa|reuters|getty(?: images)?)
    """,
    "markup": r"""
        (?:<|&lt;)?(?:a|iframe|script|img|div|ins) (?:href|src|class|id|style)=.*
    """,
    "disclosure": r"""
        if you (?:purchase|buy|click|make a purchase|shop) .{0,200}(?:commission|compensation|compensated).{0,120}
        |(?:this (?:article|story) )?(?:was )?originally (?:published|appeared) (?:on|in|at) .{2,60}
    """,
    "interface": r"""
        close|fermer|schließen|cerrar|chiudi|sluiten|fechar|open|menu|search|rechercher|suche|play
        |pause|next|previous|show more|show less|load more|view (?:gallery|more|all|image)
        |this (?:slideshow|video|content|site) requires javascript.{0,40}
        |(?:\d+|\d+ of \d+|\d+ ?/ ?\d+)|image \d+ of \d+|enlarge(?: image)?|expand|toggle|photos?
        |videos?|image|slideshow|view comments|hide caption|toggle caption|caption
        |(?:click|tap) (?:here )?to .{3,40}|afficher plus|voir toutes? les .{3,20}|mehr anzeigen
        |bild vergrößern|zoom|watch|watch:.{0,80}|listen|live|video|exclusive|opinion|breaking
    """,
}
# What a line says somewhere in it: the role, words of which it must have one (only then is the pattern asked, for it is
# dear), and the pattern for the whole line.
_PHRASES: tuple[tuple[str, tuple[str, ...], str], ...] = (
    (
        "newsletter",
        ("newsletter",),
        r".{0,40}\bnewsletters?\b.{0,30}(?:sign up|subscribe|abonnieren|s[’']inscrire|inbox).{0,30}",
    ),
    ("newsletter", ("your inbox",), r".{0,160}\b(?:delivered|sent|straight|right)\b.{0,30}\byour inbox\b.{0,40}"),
    (
        "newsletter",
        ("sign in", "log in", "create an account", "register"),
        r".{0,60}(?:sign in|log in|create an account|register)\b.{0,40}"
        r"\bto (?:continue|keep|unlock|read more)\b.{0,60}",
    ),
    (
        "consent",
        ("cookie", "akzeptieren sie"),
        r".{0,80}(?:accept cookies|akzeptieren sie|accepter les cookies|cookie settings).{0,80}",
    ),
    (
        "consent",
        ("external content",),
        r".{0,40}(?:agree|consent) to (?:the display of )?external content.{0,80}",
    ),
    ("consent", ("personenbezogene daten",), r".{0,60}personenbezogene daten an drittplattformen.*"),
    ("copyright", ("may not be published",), r".{0,60}may not be published, broadcast, rewritten.*"),
    (
        "credit",
        ("(",),
        r".{0,300}\((?:image|images|photo|photos|picture|pictures|credit|foto|fotos|bild|crédit|crédits|crédit photo"
        r"|photo credit) ?: ?[^()]{2,60}",
    ),
    (
        "disclosure",
        ("commission", "compensation"),
        r".{0,160}(?:we|us) (?:may|might|could|will|can) (?:earn|receive|get|make)\b.{0,40}"
        r"(?:commission|compensation).{0,160}",
    ),
    (
        "disclosure",
        ("independently by our editors",),
        r".{0,60}(?:chosen|selected|reviewed|picked) independently by our editors.{0,200}",
    ),
    ("disclosure", ("affiliate",), r".{0,120}affiliate (?:links?|commission).{0,200}|.{0,120}affiliate-links?.{0,120}"),
    ("disclosure", ("une commission",), r".{0,80}(?:touchons?|percevons|perçoit) une commission.{0,120}"),
    ("disclosure", ("provision",), r".{0,120}provision.{0,20}(?:händler|link|verkauf).{0,100}"),
)
# What a link or a button under a reader's comment says.
_REPLY = r"""
    reply(?: to (?:this comment|.{1,40}))?|répondre(?: à .{1,40})?|antworten|auf .{1,30} antworten|antwort schreiben
    |responder(?: a .{1,40})?|rispondi(?: a .{1,40})?|beantwoorden|reageer|reageren|antwoord(?:en)?|svara|svar|besvar
    |vastaa|odpowiedz|odpovědět|reagovat|odpovedať|yanıtla|cevapla|cevap ver|răspunde|válasz|balas|trả lời|respon
    |ответить|відповісти|отговор|одговори|απάντηση|השב|הגב|رد|الرد|پاسخ|जवाब दें|उत्तर दें|ตอบกลับ|返信(?:する)?|回复|回覆
    |答复|답글(?: ?(?:쓰기|달기))?
"""
_ACCENTS = re.compile("[\u0300-\u036f]")
_LINE_BREAK = re.compile(r"\n *")


def _folded(text: str) -> str:
    """Lower case without accents: capitals often lose theirs ("A LIRE AUSSI")."""
    text = text.lower()
    return text if text.isascii() else _ACCENTS.sub("", unicodedata.normalize("NFD", text))


def _compiled(roles: Iterable[str]) -> re.Pattern[str]:
    """One pattern over all roles, on lower-case text: alternatives that begin with a letter are passed over quickly."""
    groups = (_folded(_LINE_BREAK.sub("", _LABELS[role])) for role in roles)
    return re.compile("|".join(f"({group})" for group in groups))


_ROLES = tuple(_LABELS)
_LONG_ROLES = ("comments", "newsletter", "consent", "copyright", "markup", "disclosure")
_LABEL, _LONG_LABEL = _compiled(_ROLES), _compiled(_LONG_ROLES)
_WITHIN = tuple(
    (needle, role, re.compile(_folded(pattern))) for role, needles, pattern in _PHRASES for needle in needles
)
_ANSWERING = re.compile(_folded(_LINE_BREAK.sub("", _REPLY)))
_MOST_WORDS, _FEWEST_OF_SENTENCE = 16, 3
_SHORTEST_PHRASE, _LONGEST_LABEL = 12, 400  # characters
_EDGES = ' :;.…!»«›‹>→↩↪↓↑▼▲►|•·-–—*+[]()"“”#'

# These labels head a section: what follows them up to the end of their box belongs to it.
HEADS_SECTION = frozenset({"comments", "related", "newsletter", "tags", "author box"})


@lru_cache(maxsize=8192)
def role_of_label(text: str) -> str | None:
    """The role of a line that stands alone, or None where it says something of its own.

    >>> role_of_label("Articles similaires"), role_of_label("LIRE AUSSI :"), role_of_label("The vote")
    ('related', 'related', None)
    """
    if len(text) > _LONGEST_LABEL:
        return None
    line = _folded(visible(text).strip(_EDGES))
    if not line:
        return "interface"
    # A full stop after some words ends a sentence of the story, unless it is one of those that sites print.
    short = line.count(" ") < (_MOST_WORDS if text.rstrip()[-1] not in ".…" else _FEWEST_OF_SENTENCE)
    match = (_LABEL if short else _LONG_LABEL).fullmatch(line)
    if match and match.lastindex:
        return (_ROLES if short else _LONG_ROLES)[match.lastindex - 1]
    if len(line) >= _SHORTEST_PHRASE:
        for needle, role, pattern in _WITHIN:
            if needle in line and pattern.fullmatch(line):
                return role
    return role_in_script(text) if not text.isascii() and is_of_script(text) else None


@lru_cache(maxsize=1024)
def is_reply(text: str) -> bool:
    """Whether a link or a button says that one may answer a reader's comment there.

    >>> is_reply("↩ Répondre"), is_reply("Reply to Ann"), is_reply("The reply")
    (True, True, False)
    """
    return _ANSWERING.fullmatch(_folded(visible(text)).strip(_EDGES)) is not None

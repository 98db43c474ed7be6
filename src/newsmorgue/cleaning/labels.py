"""What a line that stands alone is for, told by its wording, in many languages.

The labels are what sites print over boxes ("Related articles") and beside the story ("3 min read").
"""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

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
    """,
    "newsletter": r"""
        |(?:sign up|subscribe|register)(?: now| today| here| free)?(?:(?: to| for
        | and)? .{0,120}newsletter.{0,80}|(?: to| for) .{1,60}(?:alerts?|updates?|emails?|briefing
        |digest).{0,40}|)[.!]?
        |get .{1,60}(?:in your inbox|newsletter|to your inbox).{0,60}
        |.{0,40}\bnewsletters?\b.{0,30}(?:sign up|subscribe|abonnieren|s[’']inscrire|inbox).{0,30}
        |newsletters?|sign up|subscribe(?: now)?|log ?in
        |already (?:a subscriber|have an account)\??.{0,20}|abonnez[- ]vous.{0,80}
        |inscrivez[- ]vous.{0,80}|s[’']abonner|s[’']inscrire|je m[’']abonne|je m[’']inscris
        |recevez .{0,80}(?:newsletter|boîte mail|e-?mail|infolettre).{0,40}
        |la newsletter(?: .{0,40})?|se connecter|déjà abonné ?\??.{0,20}
        |(?:jetzt )?(?:newsletter )?abonnieren|jetzt (?:anmelden|registrieren|abonnieren|testen)
        |anmelden|melden sie sich .{0,60}newsletter.{0,40}|suscríb(?:ete|ase).{0,80}|suscribirse
        |suscribirme|inscreva-se.{0,60}|assine.{0,60}|iscriviti.{0,80}|schrijf je in.{0,60}
        |meld je aan.{0,60}|prenumerera.{0,40}|подпи(?:сывайтесь|шитесь|саться).{0,80}
    """,
    "consent": r"""
        (?:we|this (?:site|website)) uses? cookies.*|accept (?:all )?cookies?
        |(?:nous utilisons|ce site utilise) des cookies.*|tout accepter|accepter et continuer
        |(?:wir verwenden|diese (?:web)?seite verwendet) cookies.*|alle akzeptieren
        |este sitio utiliza cookies.*
        |.{0,80}(?:accept cookies|akzeptieren sie|accepter les cookies|cookie settings).{0,80}
        |an dieser stelle finden sie einen externen inhalt.*|empfohlener externer inhalt
        |externer inhalt|externen inhalt anzeigen
        |.{0,60}personenbezogene daten an drittplattformen.*|contenu (?:externe|bloqué).{0,40}
    """,
    "back to top": r"""
        (?:back|return|scroll) to (?:the )?top(?: .{0,20})?|top of page|go to top
        |(?:bouton )?retour en haut(?: .{0,20})?|haut de (?:la )?page|nach oben|zum seitenanfang
        |seitenanfang|volver arriba|ir arriba|torna su|voltar ao topo|naar boven|до вверх|наверх
        |skip to (?:main )?content|aller au contenu|zum inhalt springen|saltar al contenido
    """,
    "advert": r"""
        advertisements?|advertisement - .{0,40}|ad|ads|sponsored(?: content| by .{1,40}| post)?
        |paid (?:content|post|partnership)|promoted|story continues below(?: advertisement)?
        |article continues (?:after|below)(?: (?:this |the )?(?:ad|advertisement|advertising|video|sponsored message))?
        |continue reading below.{0,20}|scroll (?:down )?to continue.{0,20}|advertising
        |loading\.{0,3}|publicités?|la suite après (?:la |cette )?publicité
        |suite de l[’']article.{0,30}|contenu sponsorisé|annonces?|anzeigen?|werbung|- ?anzeige ?-
        |publicidad|publicidade|continua após a publicidade|pubblicità|continua a leggere.{0,30}
        |advertentie|annons|annonse|annonce|mainos|reklama|reklam|реклама|広告|广告|광고|إعلان|iklan
        |advertisement scroll.{0,30}
    """,
    "reading time": r"""
        (?:\d+|one|two|three|four|five) ?(?:-| )?min(?:ute)?s?\.?(?: read(?:ing time)?)?
        |(?:estimated )?(?:reading time|read time|time to read)\b.{0,30}|temps de lecture.{0,30}
        |lecture ?:? ?\d+ ?min.{0,10}|lesezeit.{0,30}|\d+ min(?:uten)? lesezeit
        |tiempo de lectura.{0,30}|lectura de \d+ min.{0,10}|tempo (?:de leitura|di lettura).{0,30}
        |leestijd.{0,30}|czas czytania.{0,20}|время чтения.{0,20}|okuma süresi.{0,20}
    """,
    "tags": r"""
        |(?:tags?|tagged|topics?|keywords?|filed under|categories|in this article|more about|mots[- ]clés
        |étiquettes?|sujets?|thèmes?|rubriques?|schlagwörter|schlagworte|themen|stichworte|etiquetas|temas
        |palabras clave|categorías|argomenti|tag|onderwerpen|ämnen|emner|теги|темы|метки|etiketler|タグ|标签
        |태그)(?: ?[:：].*)?
    """,
    "copyright": r"""
        (?:©|\(c\)|copyright\b).{0,200}|all rights reserved.*|tous droits réservés.*
        |alle rechte vorbehalten.*|todos los derechos reservados.*|tutti i diritti riservati.*
        |toute reproduction.{0,100}|this material may not be published, broadcast.*
        |.{0,60}may not be published, broadcast, rewritten.*
    """,
    "author box": r"""
        about the (?:author|writer)s?|written by|à propos de l[’']auteur.{0,3}|l[’']auteur
        |über den autor|über die autorin|zur person|sobre el autor|sobre o autor|sull[’']autore
        |over de auteur|author|view all posts.*|more by .{1,40}|contact the author.*
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
        .{0,300}\((?:image|images|photo|photos|picture|pictures|credit|foto|fotos|bild|crédit|crédits|crédit photo
        |photo credit) ?: ?[^()]{2,60}
    """,
    "markup": r"""
        (?:<|&lt;)?(?:a|iframe|script|img|div|ins) (?:href|src|class|id|style)=.*
    """,
    "disclosure": r"""
        if you (?:purchase|buy|click|make a purchase|shop) .{0,200}(?:commission|compensation|compensated).{0,120}
        |.{0,160}(?:we|us) (?:may|might|could|will|can) (?:earn|receive|get|make)\b.{0,40}
        (?:commission|compensation).{0,160}
        |.{0,60}(?:chosen|selected|reviewed|picked) independently by our editors.{0,200}
        |.{0,120}affiliate (?:links?|commission).{0,200}
        |.{0,80}(?:touchons?|percevons|perçoit) une commission.{0,120}|.{0,120}affiliate-links?.{0,120}
        |.{0,120}provision.{0,20}(?:händler|link|verkauf).{0,100}
        |(?:this (?:article|story) )?(?:was )?originally (?:published|appeared) (?:on|in|at) .{2,60}
    """,
    "interface": r"""
        close|fermer|schließen|cerrar|chiudi|sluiten|fechar|open|menu|search|rechercher|suche|play
        |pause|next|previous|show more|show less|load more|view (?:gallery|more|all|image)
        |(?:\d+|\d+ of \d+|\d+ ?/ ?\d+)|image \d+ of \d+|enlarge(?: image)?|expand|toggle|photos?
        |videos?|image|slideshow|view comments|hide caption|toggle caption|caption
        |(?:click|tap) (?:here )?to .{3,40}|afficher plus|voir toutes? les .{3,20}|mehr anzeigen
        |bild vergrößern|zoom|watch|watch:.{0,80}|listen|live|video|exclusive|opinion|breaking
    """,
}
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
_LONG_ROLES = ("comments", "newsletter", "consent", "copyright", "credit", "markup", "disclosure")
_LABEL, _LONG_LABEL = _compiled(_ROLES), _compiled(_LONG_ROLES)
_MOST_WORDS, _FEWEST_OF_SENTENCE, _LONGEST_LABEL = 16, 3, 400
_EDGES = ' :;.…!»«›‹>→↓↑▼▲►|•·-–—*+[]()"“”#'

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
    return (_ROLES if short else _LONG_ROLES)[match.lastindex - 1] if match and match.lastindex else None

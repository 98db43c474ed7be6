"""Authors' names out of bylines: names only, one each, without "By", roles, places, addresses or the publisher."""

import re

from newsmorgue.cleaning.wording import letters, plain, word_set

_BY_WORDS = (
    r"by|par|von|vom|por|di|door|av|af|tekst|oleh|autor(?:in|es)?|auteur|autore|author|pod[lľ]a|przez|from|a cura di"
    r"|penulis|yazan"
)
_DONE = (
    r"written|posted|published|reported|story|words|article|report|text|texte|propos recueillis|texto|testo|publié"
    r"|écrit|rédigé|escrito|publicado|geschrieben|verfasst|veröffentlicht|view all posts|skrevet|skriven"
    r"|more (?:posts|stories|articles)|all posts|created|reviewed|scritto|pubblicato|geschreven"
    r"|photos? and story|story and photos?|words and photos?|analysis|review|opinion|commentary"
    r"|ein kommentar|eine analyse|ein gastbeitrag|entrevista|rezept|interview|text und interview"
    # WordPress's link to an author's other posts, as it is translated.
    r"|zeige alle (?:beiträge|artikel)|alle (?:beiträge|artikel)|voir tous les articles|toutes les publications"
    r"|ver todas las entradas|todas las entradas|vedi tutti gli articoli|bekijk alle berichten|ver todos os posts"
)
_BY = re.compile(
    rf"^(?:(?:{_DONE})\s+)?(?:{_BY_WORDS})\s*[:\-–]?\s+"
    r"|^(?:(?:text (?:und|and|&) )?interview"
    r"|text|texte|autor(?:in|es)?|auteurs?|authors?|by|words|redaktion|автор|yazar|reporter|testo|texto"
    r"|kirjoittaja|written by|story by|geschreven door|de|foto|journalist|autorzy|autork[ai]|autorky|haber|muhabir"
    r"|yazarlar|авторы|автори|текст|корреспондент|συντάκτης|κείμενο|ρεπορτάζ|كتبت?|الكاتب|लेखक|रिपोर्ट|संवाददाता"
    r"|ผู้เขียน|เรื่อง|作者|撰文|文|取材|執筆|著者|글)\s*[:：/／]\s*"
    # Words for "by" of other scripts; Greek has them in the genitive of an article, Hindi behind the name.
    r"|^(?:[Α-Ω]\w+ )?(?-i:Του|Της|Των|Από τ(?:ον|ην)|Γράφ(?:ει|ουν)(?: [οη])?)\s+(?=(?-i:[Α-ΩΆ-Ώ]))"
    r"|^(?:מאת|(?:بقلم|إعداد|تحرير)|(?:เขียน)?โดย)\s*[:：]?\s+|^(?:本报|本報|新华社)?(?:记者|記者)\s*[:：/]?\s*(?=\S)",
    re.I,
)
# "De", "da" and "di" begin names too, so that they count as "by" only where something is said to be done.
_BY_LINE = re.compile(
    rf"^(?:(?:{_DONE})\s+)?(?:by|par|von|por|door|av|af|oleh|written by)\s*[:\-–]?\s+(?=(?-i:[^\W\d_a-zà-ÿ]))"
    rf"|^(?:{_DONE})\s+(?:{_BY_WORDS})\s*:?\s+(?=(?-i:[^\W\d_a-zà-ÿ]))|^(?:text|texte|autor(?:in|es)?|auteurs?|authors?|автор|yazar|testo"
    r"|texto|kirjoittaja|words|reporter|autorzy|autorka|haber|muhabir|yazarlar|авторы|автори|συντάκτης|كتبت?|लेखक"
    r"|ผู้เขียน|作者|撰文|文|取材|執筆|著者|글)\s*[:：]\s*\S"
    r"|^(?-i:Του|Της|Των|Γράφει [οη])\s+(?=(?-i:[Α-ΩΆ-Ώ]))|^(?:מאת|بقلم)\s*[:：]?\s*\S|^โดย\s*[:：]?\s+\S"
    r"|^(?:本报|本報|新华社)?(?:记者|記者)\s*[:：/ ]\s*\S|^\S{2,5}\s(?:기자|특파원)(?=[,·\s]|$)",
    re.I,
)
_ONLY_BY = re.compile(
    rf"(?:(?:{_DONE})\s+)?(?:by|par|von|por|door|av|af|oleh)|(?:written|posted|published|geschrieben|verfasst|écrit"
    r"|escrito|scritto|geschreven|skrevet|skriven|napisane|autor(?:in|es)?|auteurs?|authors?|author name|автор|yazar"
    r"|verfasser(?:in)?|geschreven door|beitrags-autor|skrevet av|autorzy|autorka|авторы|автори|συντάκτης|מאת|بقلم"
    r"|الكاتب|लेखक|โดย|ผู้เขียน|作者|文|执笔|執筆|著者|글쓴이)",
    re.I,
)
_PARTS = re.compile(
    r"\s*[,;|•·\n\t、，；،؛／]\s*|\s+[/–—-]\s+"
    r"|\s+(?:and|und|et|och|og|en|e|&|with|avec|mit|con|ve|ja|и|та|i|και|और|และ)\s+(?=[^\W\d_])"
    # Between one person's two surnames stands a "y" too: "García y Gómez".
    r"|\s+y\s+(?=[^\W\d_]\S*\s+[^\W\d_])"
    r"|\s+(?:AND|UND|ET|WITH|AVEC|MIT)\s+(?=[^\W\d_])"
    r"|\s*/\s*"
)
# An address of mail behind a name of some words, and what stands between it and the next name.
_MAIL = re.compile(
    r"((?:^|[,;|、،])\s*[^\s,;|、،@]+(?:\s+[^\s,;|、،@]+){0,4})\s+\(?[\w.+-]+@[\w-]+(?:\.[\w-]+)+[^,;|、،]*"
)
# "김지은 기자", "佐藤美咲記者", "सुनीता शर्मा द्वारा".
_BEHIND_NAME = re.compile(r"(?:\s*(?:기자|특파원|논설위원|記者)|\s+द्वारा)$")
_REPORTERS = re.compile(r"^(?:本报|本報|新华社)?(?:记者|記者)\s|\s기자$")
_SHORT_NAMES = re.compile("[\u3400-\u9fff\uac00-\ud7af]{2,4}(?:\\s+[\u3400-\u9fff\uac00-\ud7af]{2,4})+")
# Names that begin with the letter that is "and" in Hebrew and Arabic.
_BEGIN_WITH_AND = word_set(
    "ורד ויקטור ולדימיר ולרי ויקי ורוניקה ויויאן ויטלי وليد وائل وسام وسيم وفاء وفيق ورد وجدي وحيد وديع وداد وهيب وهبة"
    " وضاح ولاء وصفي وردة وجيه"
)
_NO_NAME_ELSEWHERE = re.compile(
    r"редакци|пресс-служб|агентство|συντακτικ|σύνταξη|التحرير|وكالة|وكالات|المصدر|编辑部|編集部|新闻社|通信社|편집국|뉴스|연합"
    r"|กองบรรณาธิการ|ทีมข่าว|डेस्क|ब्यूरो|न्यूज|न्यूज़|haber merkezi|מערכת"
)
_ADDRESS = re.compile(r"https?:|www\.|@|\.(?:com|org|net|de|fr|co|html?)\b", re.I)
_TAIL = re.compile(
    r"\s*(?:\(.*?\)|\[.*?\]|<.*|\bfor\s+(?:the\s+)?[A-Z].*|\bpour\s+[A-Z].*|\bfür\s+.*|\bin\s+[A-Z]\w+\s*$"
    r"|\b(?:[Uu]pdated|[Pp]ublished|[Pp]osted|[Mm]is à jour|[Pp]ublié|[Ll]e \d|[Oo]n \d|am \d|at \d|\d{1,2}[./: ]\d).*"
    r"|\b(?:[Ii]llustration(?:en|s)?|[Ff]otos?|[Pp]hotos?|[Bb]ilder|[Pp]hotograph(?:s|y)?)\s*(?:von|by|par|de|:).*"
    r"|\b(?:[Oo]n|[Aa]t)\s+(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*\b.*)$"
)
_WEEKDAY = (
    r"(?:(?i:mon|tue|wed|thu|fri|sat|sun|lun|mar|mer|jeu|ven|sam|dim|die|mit|don|fre|son|mié|jue|vie|sáb|dom|seg|ter|qua"
    r"|qui|sex|gio|maa|din|woe|vri|zat|zon)[^\W\d_]{0,8}[.,]*\s+)?"
)
_DATE = re.compile(
    rf"[\s|,•·–—-]*\b{_WEEKDAY}(?:[^\W\d_]{{3,12}}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?,?(?:\s+\d{{4}})?(?=\W|$)"
    r"|\d{1,2}(?:st|nd|rd|th)?\.?\s+(?:de\s+)?[^\W\d_]{3,12}\.?,?\s+(?:de\s+)?\d{4})"
)
# What someone is, or an agency, named after a person without anything between: "Jane Doe The Associated Press".
_ROLE_TAIL = re.compile(
    r"(?<=\w)\s+(?:of\s+)?(?:the\s+)?(?:associated press|canadian press|ap|reuters|afp|agence france-presse"
    r"|press association|(?:(?:senior|staff|contributing|chief|managing|associate|deputy|political|guest|freelance|news"
    r"|sports|lead|content|features?|technology|science|health|business)\s+)*(?:writers?|editors?|reporters?"
    r"|correspondents?|contributors?|journalists?|columnists?|founder|producer|redakteur(?:in)?|autor(?:in)?"
    r"|reporter(?:in)?|journaliste|redactora?|periodista|rd|rdn|rn|md|phd))$",
    re.I,
)
_NO_NAME = re.compile(
    r"\b(?:admin(?:istrator)?|staff|editors?|editorial|editorial team|newsroom|news ?desk|web ?desk|desk"
    r"|reporters?|correspondents?|writers?|contributors?"
    r"|contributing|columnists?|bureau|agency|agencies|agence|agentur|agencia|ajansı|wire|wires|service|services"
    r"|press release|team|équipe|rédaction|redaktion|redacción|redazione|redactie|redaksi|redação"
    r"|redakcja|journaliste|journalist|reporterin|korrespondent(?:in)?|fotograf|photographer"
    r"|photos?|video|producer|chief|senior|associate|director|manager|founder|reviewer|specialist|strategist"
    r"|guest|anonymous|unknown|undefined|null|none|author|auteur|web|online|digital|media|news|magazine?|stiftung|verlag|zeitung"
    r"|times|post|limited|ltd|inc|gmbh|llc|university|institute|school|college|department|ministry|committee"
    r"|journal|gazette|herald|tribune|chronicle|press|guardian|telegraph|associated|nachrichten|sponsored"
    r"|welle|verband|wikimedia|foundation|archiv|follow|share|email|twitter|facebook|updated?|published"
    r"|posted|minutes?|read|reading|comments?|today|yesterday|ago|editorial board|posts?|more|view|all|blog"
    r"|written|marketing|publisher|coordinator|sources?|credits?|contact|about|home|subscribe|category)\b",
    re.I,
)
_JUNK = re.compile(
    r"^(?:(?:web|site|super|wp|blog)?-?_?admin(?:istrator)?\d*|undefined|null|none|unknown|n/?a|no author"
    r"|author|auteur|test|user\d*|.* mon profil.*|zeige alle .*|rezept von"
    r"|by|posted|written|published|share|follow|editor|view (?:all|more) posts?|view profile|read more|contributor"
    r"|guest|anonymous|default|root|webmaster|super user)$",
    re.I,
)
_AGENCIES = word_set(
    "afp ap reuters dpa efe ansa apa sda ats belga tass ria pti ani ians xinhua upi cp aap bbc cnn spiegel zeit sid kna"
    " epd ntb tt ritzau stt anp pap mti lusa aa tanjug wbez npr pa rtr dts"
)
_CREDENTIALS = word_set(
    "md phd do dds jd mba cfp esq jr sr rd rn rdn msc ms ma ba bsc np pa-c mph pharmd dvm lcsw lmft cpa cscs faap facs"
    " fomas dabom foma e-ryt rdh psyd edd cnm dnp aprn"
)
_NO_FIRST_WORD = word_set(
    "by par von por di door av af the in at on to from text story words photo foto und and et for about our your this"
    " is are how why what when all more view read see"
)
_PARTICLES = word_set(
    "de del della di da do dos das la le el al van von der den ter ten zu zum bin ibn ben af av y e i und d' du des st"
    " o' mac"
)
_LONGEST, _MOST_WORDS, _MOST_AUTHORS = 60, 6, 12
_UNCASED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def read_names(raw: str, publisher: str | None = None, *, persons: bool = True) -> list[str]:
    """The persons named in a byline or an author field, in order, each once.

    With ``persons=False`` also agencies, desks and organisations, as one name if nothing parts them.

    >>> read_names("By Jane Q. Doe and John Roe, Staff Writers"), read_names("Par Zoé Le Gall (avec AFP)")
    (['Jane Q. Doe', 'John Roe'], ['Zoé Le Gall'])
    >>> read_names("記者 王曉梅 李建國"), read_names("김지은 기자, 박성호 기자"), read_names("מאת נועה ברק ואיתן שלו")
    (['王曉梅', '李建國'], ['김지은', '박성호'], ['נועה ברק', 'איתן שלו'])
    >>> read_names("By The Associated Press"), read_names("By The Associated Press", persons=False)
    ([], ['The Associated Press'])
    """
    if _ADDRESS.match(raw.strip()[:500]):
        return []
    whole = _MAIL.sub(r"\1 ", _without_date(plain(raw[:1000]))).strip(" :-–|,•·")
    text = _BY.sub("", whole)
    found: dict[str, str] = {}
    for part in _parts(_TAIL.sub("", text), are_reporters=bool(_REPORTERS.search(whole))):
        name = _BEHIND_NAME.sub("", _BY.sub("", _TAIL.sub("", part)).strip(' .:-–—"“”*'))
        name = _without_role(name) if persons else name
        if is_name(name, publisher) if persons else _is_called(name, publisher):
            found.setdefault(letters(name), _unshouted(name))
    return list(found.values())[:_MOST_AUTHORS]


def _without_date(text: str) -> str:
    """A byline without a date before or behind the names."""
    match = _DATE.search(text)
    if match is None:
        return text
    return text[: match.start()] if match.start() > 2 else text[match.end() :]


def _without_role(name: str) -> str:
    shorter = _ROLE_TAIL.sub("", name)
    return shorter if len(shorter.split()) > 1 else name


def _parts(text: str, *, are_reporters: bool) -> list[str]:
    """The names of a byline apart; "Doe, Jane; Roe, John" are two, and so are "记者 王晓梅 李建国"."""
    listed = [part.split(",") for part in text.split(";") if part.strip()]
    if len(listed) > 1 and all(len(pair) == 2 for pair in listed):
        return [f"{first.strip()} {last.strip()}" for last, first in listed]
    parts = _PARTS.split(text)
    if text.isascii():
        return parts
    return [name for part in parts for name in _parts_elsewhere(part, are_reporters)]


def _parts_elsewhere(part: str, are_reporters: bool) -> list[str]:
    """Names that nothing but a space parts, or a letter that is "and" (Hebrew and Arabic)."""
    plain_part = _BEHIND_NAME.sub("", part)
    if are_reporters and _SHORT_NAMES.fullmatch(plain_part):
        return plain_part.split()
    words = part.split()
    for at in range(2, len(words) - 1):
        word = words[at]
        if word[0] in "וو" and len(word) > 2 and word not in _BEGIN_WITH_AND:
            return [" ".join(words[:at]), *_parts_elsewhere(" ".join([word[1:], *words[at + 1 :]]), are_reporters)]
    return [part]


def is_by(text: str) -> bool:
    """Whether a line says that what follows is the author.

    >>> is_by("By Jane Doe"), is_by("Geschrieben von Jane Doe"), is_by("By the river")
    (True, True, False)
    """
    return bool(_BY_LINE.match(text))


def speaks_of_author(label: str) -> bool:
    """Whether a label says that the author is named beside it.

    >>> speaks_of_author("Written by"), speaks_of_author("Verfasst von"), speaks_of_author("Est. reading time")
    (True, True, False)
    """
    return bool(_ONLY_BY.fullmatch(label.strip(" :：-–")))


def is_name(text: str, publisher: str | None = None) -> bool:
    """Whether ``text`` can be a person's name (or a pen name): short, no address, no role, not the publisher.

    >>> is_name("Ana María López"), is_name("https://facebook.com/x"), is_name("Staff Reporter")
    (True, False, False)
    """
    return (
        _is_called(text, publisher)
        and text.split()[0].casefold() not in _NO_FIRST_WORD
        # One word without a capital is the name of an account.
        and not (text.islower() and text.isascii() and " " not in text)
        and not (_NO_NAME.search(text) or _NO_NAME_ELSEWHERE.search(text))
        and text.casefold() not in _AGENCIES
        and not re.search(r"\d", text)
    )


def looks_like_person(name: str) -> bool:
    """Whether a name is written as persons' names are: some words, all with a capital but for particles.

    >>> looks_like_person("Ludwig van der Linden"), looks_like_person("advanced tools"), looks_like_person("Politics")
    (True, False, False)
    """
    words = name.split()
    if len(words) < 2:
        return bool(_UNCASED.search(name)) and len(name) <= 12
    return len(words) <= _MOST_WORDS and all(
        not word[0].islower() or word.casefold() in _PARTICLES or word[:2] in ("d’", "d'") for word in words
    )


def _is_called(text: str, publisher: str | None) -> bool:
    """Whether ``text`` can name anyone at all, a person or not."""
    if not 2 <= len(text) <= _LONGEST or len(text.split()) > _MOST_WORDS or _ADDRESS.search(text):
        return False
    if publisher and letters(text) == letters(publisher):
        return False
    return (
        not re.search(r"\d{5}|[:=(){}<>?!]", text)
        and not _JUNK.match(text)
        and text.casefold().strip(".").replace(".", "") not in _CREDENTIALS
        and any(map(str.isalpha, text))
    )


def _unshouted(name: str) -> str:
    """JANE DOE as Jane Doe; initials and short names stay."""
    shouted = name.isupper() and len(name) > 5 and " " in name
    return (
        re.sub(r"[^\W\d_]+", lambda word: word[0].capitalize() if len(word[0]) > 1 else word[0], name)
        if shouted
        else name
    )

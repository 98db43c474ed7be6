"""Authors' names out of bylines: names only, one each, without "By", roles, places, addresses or the publisher."""

import re

from newsmorgue.cleaning.wording import letters, plain

_BY = re.compile(
    r"^(?:(?:written|posted|published|reported|story|words|article|report|text|texte|propos recueillis"
    r"|texto|testo|publié|écrit|rédigé|escrito"
    r"|publicado|geschrieben|verfasst|veröffentlicht|view all posts|more (?:posts|stories|articles)"
    r"|all posts|skrevet|skriven)\s+)?(?:by|par|von|por|di|door|av|af|tekst|oleh|autor(?:in)?|auteur|author"
    r"|pod[lľ]a|przez|från)"
    r"\s*[:\-–]?\s+|^(?:text|texte|autor(?:in)?|auteur|author|by|words|redaktion|автор|yazar|reporter|testo"
    r"|texto|kirjoittaja)\s*[:：]\s*",
    re.I,
)
_PARTS = re.compile(
    r"\s*[,;|•·\n\t]\s*|\s+[/–—-]\s+|\s+(?:and|und|et|och|og|en|y|&|with|avec|mit)\s+(?=[^\W\d_])|\s*/\s*"
)
_ADDRESS = re.compile(r"https?:|www\.|@|\.(?:com|org|net|de|fr|co|html?)\b", re.I)
_TAIL = re.compile(
    r"\s*(?:\(.*?\)|\[.*?\]|<.*|\bfor\s+(?:the\s+)?[A-Z].*|\bpour\s+[A-Z].*|\bfür\s+.*"
    r"|\b(?:updated|published|posted|mis à jour|publié|le \d|on \d|am \d|\d{1,2}[./: ]\d).*)$"
)
_NO_NAME = re.compile(
    r"\b(?:admin(?:istrator)?|staff|editors?|editorial|editorial team|newsroom|news ?desk|web ?desk|desk"
    r"|reporters?|correspondents?|writers?|contributors?"
    r"|contributing|columnists?|bureau|agency|agencies|agence|wire|wires|service|services|press release"
    r"|team|équipe|rédaction|redaktion|redacción|redazione|redactie|redaksi"
    r"|redakcja|redação|journaliste|journalist|reporterin|korrespondent(?:in)?|fotograf|photographer"
    r"|photos?|video|producer|chief|senior|associate|director|manager"
    r"|guest|anonymous|unknown|undefined|null|none|author|auteur|web|online|digital|media|news|magazine"
    r"|times|post|limited|ltd|inc|gmbh|llc|university|institute"
    r"|journal|gazette|herald|tribune|chronicle|press|guardian|telegraph|associated|nachrichten|sponsored"
    r"|welle|verband|wikimedia|foundation|archiv|follow|share|email|twitter|facebook|updated?|published"
    r"|posted|minutes?|read|reading|comments?|today|yesterday|ago|editorial board)\b",
    re.I,
)
_AGENCIES = frozenset(
    [
        "afp",
        "ap",
        "reuters",
        "dpa",
        "efe",
        "ansa",
        "apa",
        "sda",
        "ats",
        "belga",
        "tass",
        "ria",
        "pti",
        "ani",
        "ians",
        "xinhua",
        "upi",
        "cp",
        "aap",
        "bbc",
        "cnn",
        "upi",
        "spiegel",
        "zeit",
    ]
)
_NO_FIRST_WORD = frozenset(
    [
        "by",
        "par",
        "von",
        "por",
        "di",
        "door",
        "av",
        "af",
        "the",
        "in",
        "at",
        "on",
        "to",
        "from",
        "text",
        "story",
        "words",
        "photo",
        "foto",
        "und",
        "and",
        "et",
    ]
)
_LONGEST, _MOST_WORDS, _MOST_AUTHORS = 60, 6, 12


def read_names(raw: str, publisher: str | None = None) -> list[str]:
    """The persons named in a byline or an author field, in order, each once.

    >>> read_names("By Jane Q. Doe and John Roe, Staff Writers"), read_names("Par Zoé Le Gall (avec AFP)")
    (['Jane Q. Doe', 'John Roe'], ['Zoé Le Gall'])
    """
    if _ADDRESS.match(raw.strip()):
        return []
    text = _BY.sub("", plain(raw).strip(" :-–|,"))
    found: dict[str, str] = {}
    for part in _PARTS.split(_TAIL.sub("", text)):
        name = _BY.sub("", _TAIL.sub("", part)).strip(' .:-–—"“”*')
        if is_name(name, publisher):
            found.setdefault(letters(name), _unshouted(name))
    return list(found.values())[:_MOST_AUTHORS]


def is_name(text: str, publisher: str | None = None) -> bool:
    """Whether ``text`` can be a person's name (or a pen name): short, no address, no role, not the publisher.

    >>> is_name("Ana María López"), is_name("https://facebook.com/x"), is_name("Staff Reporter")
    (True, False, False)
    """
    if not 2 <= len(text) <= _LONGEST or len(text.split()) > _MOST_WORDS or _ADDRESS.search(text):
        return False
    if publisher and letters(text) == letters(publisher):
        return False
    if text.split()[0].casefold() in _NO_FIRST_WORD:
        return False
    return (
        not re.search(r"\d|[:=(){}<>?!]", text)
        and not _NO_NAME.search(text)
        and text.casefold() not in _AGENCIES
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

"""Lines that say who wrote a story and when, and nothing of the story."""

import re

from newsmorgue.cleaning.metadata.dates import read_date
from newsmorgue.cleaning.wording import letters

# For lower case.
_STAMP = re.compile(
    r"(?:first |last |originally )?(?:published|updated|posted|modified|created|publi[ée]e?|mise? à jour|modifié|créé"
    r"|veröffentlicht|aktualisiert|publiziert|stand|erstellt|publicado|actualizado|atualizado|pubblicato|aggiornato"
    r"|gepubliceerd|bijgewerkt|publicerad|uppdaterad|publisert|oppdatert|opdateret|julkaistu|päivitetty"
    r"|опубликовано|обновлено|güncelleme|yayınlan\w+|opublikowano|aktualizacja|опубліковано|оновлено|публикувано"
    r"|δημοσι(?:εύτηκε|εύθηκε|ευση)|ενημερώθηκε|ενημέρωση|פורסם|עודכן|تاريخ النشر|نشر"
    r"|آخر تحديث|تحديث|प्रकाशित|अपडेटेड|अपडेट"
    r"|เผยแพร่|อัปเดต|ปรับปรุงล่าสุด|发布时间|发布于|发布|發布|更新时间|更新於|更新于|更新|公開日?|配信|投稿日?|입력|수정|등록|업데이트)",
)
_DATE_WORDS = re.compile(
    r"\d{1,2}(?:st|nd|rd|th|er|º)?\.?\s*(?:de )?[^\W\d_]{3,10}\.?,?\s*(?:de )?\d{4}"
    r"|[^\W\d_]{3,10}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{4}[年년]\s?\d+[月월]\s?\d+[日일]"
    # Vowel signs are no letters to Python.
    r"|\d{1,2} [\u0590-\u0eff]{2,14} \d{4}|\d{1,2}\s?[時时시点點]\s?(?:\d{1,2}\s?[分분])?"
)
_BETWEEN = re.compile(
    r"\b(?:at|on|by|the|le|la|à|a|am|um|uhr|pm|a\.m\.|p\.m\.|[cepm][ds]?t|gmt|utc|ist|bst|cest|cet|ago|and"
    r"|et|und|il y a|vor"
    r"|hace|of|de|del|di|in|von|par|por|da|h|min|minutes?|hours?|heures?|stunden|days?|jours?|mon|tue|wed"
    r"|thu|fri|sat|sun"
    r"|\w{3,6}day|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|montag|dienstag|mittwoch|donnerstag"
    r"|freitag|samstag|il|el|las|alle|às|em|på|kl|klo|godz|г|в|и|από|του|της|των|και|στις|בשעה|מאת|بقلم|و|في|الساعة"
    r"|autor(?:in|es|ka|zy|i)?|auteurs?|authors?|haber|muhabir|yazan|saat|автор|авторы|автори|текст|di|e|y|i|ve|och|og"
    r"|sonntag|lunes|martes|miércoles|jueves|viernes|sábado|domingo|staff|senior|writer|reporter|editor|correspondent"
    r"|contributor|news|with|avec|for|lesedauer|lesezeit|read|lecture)\b|लेखक|โดย|เวลา|น\.|作者|记者|記者|文|기자|특파원|오전|오후|[：、，\d:.,/|•·–—()\-]",
)
_BIOGRAPHY = re.compile(
    r"\s*(?:,|\(|is\b|was\b|has\b|covers?\b|writes?\b|reports?\b|joined\b|works?\b|can be reached|est\b"
    r"|couvre\b|écrit\b|ist\b"
    r"|arbeitet\b|schreibt\b|berichtet\b|es\b|escribe\b|è\b|scrive\b|é\b|escreve\b)",
    re.I,
)
_DIGIT = re.compile(r"\d")
_MOST_LETTERS_LEFT = 2
_MOST_SPACES = 20


def is_byline(line: str, authors: tuple[str, ...] = ()) -> bool:
    """Whether a line holds nothing but names of ``authors``, a date and the words around them.

    >>> is_byline("By Jane Doe | Published 3 May 2024, 10:15 am", ("Jane Doe",)), is_byline("He died on 3 May 2024.")
    (True, False)
    """
    rest = line.lower()  # for which the patterns are written: to match in either case takes many times as long
    named = False
    for author in map(str.lower, authors):
        if author in rest:
            rest, named = rest.replace(author, " ", 1), True
    if not named:
        if not _DIGIT.search(line) or line.count(" ") > _MOST_SPACES:
            return False
        if not (_STAMP.search(rest) or read_date(line)):
            return False
    rest = _BETWEEN.sub(" ", _STAMP.sub(" ", _DATE_WORDS.sub(" ", rest)))
    return len(letters(rest)) <= _MOST_LETTERS_LEFT


def is_biography(line: str, authors: tuple[str, ...]) -> bool:
    """Whether a line begins as what one of the ``authors`` is or does.

    >>> is_biography("Jane Doe is a reporter in Paris.", ("Jane Doe",)), is_biography("Doe is ill.", ("Jane Doe",))
    (True, False)
    """
    return any(line.startswith(author) and _BIOGRAPHY.match(line, len(author)) for author in authors)

"""The boilerplate rules: what is inside the story's element and is not the story.

Each rule strips parts of one role, told by its name (class, id), its tag, its label or its shape, never by the site it
is on. A part that holds much of the fragment's text is not believed to be what its name says.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bs4.element import NavigableString, Tag

from newsmorgue.cleaning.fragment import Amounts, amounts
from newsmorgue.cleaning.metadata.dates import read_date
from newsmorgue.cleaning.roles import HEADS_SECTION, names_story, role_of_attribute, role_of_label, role_of_name
from newsmorgue.cleaning.wording import letters, visible, word_count

BLOCKS = (
    "p", "h1", "h2", "h3", "h4", "h5", "h6", "li", "div", "section", "td", "th", "dt", "dd", "blockquote", "header", "span", "strong",
    "figcaption", "summary", "pre", "center", "a", "em", "b", "time", "small", "label", "article",
)  # fmt: skip
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_BOXES = ("ul", "ol", "div", "section", "table", "dl", "article", "details", "header", "p")
_MOST_SHARE = 0.35
_BELIEVED = {"comments": 0.9, "related": 0.6, "hidden": 0.3, "meta": 0.2, "credit": 0.15, "player": 0.15, "feedback": 0.2, "tags": 0.25}
_LONGEST_LABEL_WORDS = 25
_LINK_BOX = 0.7


@dataclass(slots=True)
class Context:
    """What the rules know of the page: its titles, its authors, and the amounts of text measured at the start."""

    root: Tag
    titles: frozenset[str] = frozenset()
    authors: tuple[str, ...] = ()
    measured: Amounts = field(default_factory=dict)

    def share(self, tag: Tag) -> float:
        """The share of the fragment's words outside links that ``tag`` has."""
        whole, part = self.measured[id(self.root)], self.measured[id(tag)]
        return (part.words - part.linked) / max(1, whole.words - whole.linked)


def strip_boilerplate(root: Tag, titles: frozenset[str] = frozenset(), authors: tuple[str, ...] = ()) -> None:
    """Apply every rule to ``root`` in place. ``titles`` are the page's titles as :func:`letters` spells them."""
    context = Context(root, titles, authors)
    for rule in RULES:
        context.measured = amounts(root)
        rule(context)


def strip_hidden(context: Context) -> None:
    """Role *hidden*: what no reader sees. Large hidden parts stay, for walls hide the story they fade out."""
    for tag in _living(context.root.find_all(True)):
        style = str(tag.get("style") or "").replace(" ", "").lower()
        concealed = tag.has_attr("hidden") or "display:none" in style or "visibility:hidden" in style
        if concealed and context.share(tag) <= _BELIEVED["hidden"]:
            tag.decompose()


def strip_named(context: Context) -> None:
    """Any role that a class, id or ARIA role names: comment threads, share bars, related stories, adverts, tags, …"""
    for tag in _living(context.root.find_all(True)):
        role = _named_role(tag)
        if role and tag is not context.root and context.share(tag) <= _BELIEVED.get(role, _MOST_SHARE):
            if not (tag.name in ("em", "strong", "b", "i") or _carries_sentence(tag, role)):
                tag.decompose()


def strip_tags(context: Context) -> None:
    """Roles *navigation*, *form*, *footer* and *aside*, by the HTML element that stands for them."""
    for tag in _living(context.root.find_all(["nav", "footer", "form", "aside", "menu", "address", "fieldset"])):
        if context.share(tag) <= _MOST_SHARE:
            tag.decompose()


def strip_labelled_sections(context: Context) -> None:
    """Sections under a label ("Related articles", "Comments", "Newsletter"): the box, or the list that follows."""
    for tag in _living(context.root.find_all(BLOCKS)):
        if context.measured[id(tag)].words > _LONGEST_LABEL_WORDS or not tag.parent:
            continue
        role = role_of_label(_own_line(tag))
        if role in HEADS_SECTION:
            _strip_section(tag, role, context)


def strip_labelled_lines(context: Context) -> None:
    """Lines "Read also: TITLE", "Lire aussi : …": a related story's label, and a link or little else behind it."""
    for tag in _living(context.root.find_all(["p", "div", "li", "h2", "h3", "h4", "h5", "h6", "blockquote", "span", "strong", "figure"])):
        amount = context.measured[id(tag)]
        if not 2 <= amount.words <= 60 or not amount.links:
            continue
        text = visible(tag.get_text(" "))
        label, colon, _ = text.partition(":") if ":" in text[:60] else (_before_link(tag), "", "")
        if role_of_label(label) in HEADS_SECTION and label.strip() and (amount.link_share >= 0.4 or (colon and amount.words <= 30)):
            tag.decompose()


def strip_lines(context: Context) -> None:
    """Lines that are nothing but a label: "Advertisement", "3 min read", "12 comments", "Back to top", "Close"."""
    for tag in _living(context.root.find_all(BLOCKS)):
        amount = context.measured[id(tag)]
        if 0 < amount.words <= _LONGEST_LABEL_WORDS and _is_line(tag) and role_of_label(_own_line(tag)):
            tag.decompose()


def strip_link_boxes(context: Context) -> None:
    """Roles *related*, *tags* and *navigation* by shape: lists and boxes that are links and hardly anything else."""
    for tag in _living(context.root.find_all(_BOXES)):
        amount = context.measured[id(tag)]
        if amount.links and amount.words and tag is not context.root and amount.link_share >= _LINK_BOX and not _in_sentence(tag):
            if amount.links > 1 or (amount.link_share > 0.9 and amount.words > 2):
                tag.decompose()


def strip_repeated_title(context: Context) -> None:
    """The headline again, over the text or in a breadcrumb."""
    for tag in _living(context.root.find_all(BLOCKS)):
        if 0 < context.measured[id(tag)].words < 60 and letters(tag.get_text(" ")) in context.titles:
            tag.decompose()


def strip_bylines(context: Context) -> None:
    """Role *meta*: lines that hold only who wrote the story and when it was published or updated."""
    for tag in _living(context.root.find_all(["p", "div", "span", "time", "li", "section", "header", "h4", "h5", "h6", "small", "a", "strong", "em"])):
        if 0 < context.measured[id(tag)].words <= 30 and _is_line(tag) and is_byline(_own_line(tag), context.authors):
            tag.decompose()


def strip_hanging_headings(context: Context) -> None:
    """Headings that nothing follows: what they headed has gone."""
    for heading in reversed(context.root.find_all(_HEADINGS)):
        if heading.decomposed:
            continue
        following = _next_text(heading, context.root)
        if following is None:
            heading.decompose()


RULES: tuple[Callable[[Context], None], ...] = (
    strip_hidden,
    strip_tags,
    strip_named,
    strip_labelled_sections,
    strip_labelled_lines,
    strip_lines,
    strip_link_boxes,
    strip_repeated_title,
    strip_bylines,
    strip_hanging_headings,
)

_STAMP = re.compile(
    r"(?:first |last |originally )?(?:published|updated|posted|modified|created|publi[ée]e?|mis à jour|mise à jour|modifié|créé|veröffentlicht|aktualisiert"
    r"|stand|erstellt|publicado|actualizado|atualizado|pubblicato|aggiornato|gepubliceerd|bijgewerkt|publicerad|uppdaterad|publisert|oppdatert"
    r"|опубликовано|обновлено|güncelleme|yayınlan\w+|opublikowano|aktualizacja)",
    re.I,
)
_CLOCK_WORDS = re.compile(
    r"\b(?:at|on|by|the|le|la|à|a|am|um|uhr|pm|a\.m\.|p\.m\.|[cepm][ds]?t|gmt|utc|ist|bst|cest|cet|ago|and|et|und|il y a|vor|hace|of|de|del|di|in|von|par|por|h|min|minutes?"
    r"|hours?|heures?|stunden|days?|jours?|mon|tue|wed|thu|fri|sat|sun|\w{3,6}day|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|montag|dienstag|mittwoch|donnerstag"
    r"|freitag|samstag|sonntag|lunes|martes|miércoles|jueves|viernes|sábado|domingo|staff|writer|reporter|editor|correspondent|news|with|avec|for)\b|[\d:.,/|•·–—()\-]",
    re.I,
)


def is_byline(line: str, authors: tuple[str, ...] = ()) -> bool:
    """Whether a line holds nothing but names of ``authors``, a date and the words around them.

    >>> is_byline("By Jane Doe | Published 3 May 2024, 10:15 am", ("Jane Doe",)), is_byline("He died on 3 May 2024.")
    (True, False)
    """
    rest = line
    named = [author for author in authors if author.casefold() in rest.casefold()]
    for author in named:
        rest = re.sub(re.escape(author), " ", rest, flags=re.I)
    dated = bool(re.search(r"\d", rest)) and read_date(rest) is not None
    stamped = bool(_STAMP.search(rest)) and bool(re.search(r"\d", rest))
    if not (named or dated or stamped):
        return False
    rest = _STAMP.sub(" ", _DATE_WORDS.sub(" ", rest))
    return len(letters(_CLOCK_WORDS.sub(" ", rest))) <= 3


_DATE_WORDS = re.compile(r"\d{1,2}(?:st|nd|rd|th|er|º)?\.?\s*(?:de )?[^\W\d_]{3,10}\.?,?\s*(?:de )?\d{4}|[^\W\d_]{3,10}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{4}年\d+月\d+日")


def _living(tags: list[Tag]) -> Iterator[Tag]:
    """The tags that no earlier removal took along."""
    return (tag for tag in tags if not tag.decomposed)


def _named_role(tag: Tag) -> str | None:
    classes = tag.get("class") or ()
    names = " ".join(classes if not isinstance(classes, str) else (classes,)) + " " + str(tag.get("id") or "")
    if len(names) > 1 and not names_story(names) and (role := role_of_name(names)):
        return role
    return role_of_attribute(str(tag.get("role") or ""))


def _carries_sentence(tag: Tag, role: str) -> bool:
    """Links and spans inside a sentence are part of it, whatever their class."""
    return tag.name in ("a", "span") and role != "hidden" and _in_sentence(tag)


def _in_sentence(tag: Tag) -> bool:
    for sibling in (tag.previous_sibling, tag.next_sibling):
        if isinstance(sibling, NavigableString) and word_count(sibling) > 1:
            return True
    return False


def _own_line(tag: Tag) -> str:
    return visible(tag.get_text(" "))


def _is_line(tag: Tag) -> bool:
    """Whether a tag stands on a line of its own: a block, or an inline element with no text beside it."""
    if tag.name not in ("span", "strong", "a", "em", "b", "time", "small", "label"):
        return True
    parent = tag.parent
    return parent is not None and visible(parent.get_text(" ")) == _own_line(tag)


def _before_link(tag: Tag) -> str:
    first = tag.find("a")
    pieces: list[str] = []
    for node in tag.descendants:
        if node is first:
            break
        if type(node) is NavigableString:
            pieces.append(node)
    return visible(" ".join(pieces))


def _strip_section(label: Tag, role: str, context: Context) -> None:
    box = _labelled_box(label, role, context)
    if box is not None:
        box.decompose()
        return
    following = [sibling for sibling in label.find_next_siblings() if isinstance(sibling, Tag)]
    for sibling in following:
        amount = context.measured.get(id(sibling))
        prose = amount.words - amount.linked if amount else 0
        if (role != "comments" or sibling.name in _HEADINGS) and (prose > 12 or sibling.name in _HEADINGS) and not _is_linked_list(sibling, context):
            break
        sibling.decompose()
    label.decompose()


def _is_linked_list(tag: Tag, context: Context) -> bool:
    amount = context.measured.get(id(tag))
    return amount is not None and amount.links > 1 and amount.link_share > 0.5


def _labelled_box(label: Tag, role: str, context: Context) -> Tag | None:
    """The outermost element that begins with the label and has little prose of its own."""
    start, box = _own_line(label), None
    parent = label.parent
    while parent is not None and parent is not context.root:
        amount = context.measured[id(parent)]
        prose = amount.words - amount.linked
        if not visible(parent.get_text(" ")).startswith(start):
            break
        if amount.words > word_count(start) and (prose <= 60 or amount.link_share > 0.5 or (role == "comments" and context.share(parent) <= 0.9)):
            box = parent
        parent = parent.parent
    return box


def _next_text(heading: Tag, root: Tag) -> NavigableString | None:
    """The first text after the heading, inside the fragment."""
    within = set(map(id, heading.descendants))
    for node in heading.next_elements:
        if id(node) in within:
            continue
        if root not in node.parents:
            return None
        if type(node) is NavigableString and visible(node):
            return node
    return None

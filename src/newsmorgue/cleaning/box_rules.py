"""The rules for boxes: parts of the story's element that are something else, with all that is in them.

Each rule strips parts of one role, told by its name (class, id), its tag, its label or its shape, never by the site it
is on. A part that holds much of the fragment's text is not believed to be what its name says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bs4.element import PageElement, Tag

from newsmorgue.cleaning.fragment import ROLE, Fragment, Part
from newsmorgue.cleaning.labels import HEADS_SECTION, role_of_label
from newsmorgue.cleaning.lines import HEADINGS
from newsmorgue.cleaning.roles import ROLES
from newsmorgue.cleaning.tree import INLINE
from newsmorgue.cleaning.wording import letters

_TITLES = frozenset({"h1", "h2"})
_SECTIONING = frozenset({"nav", "footer", "form", "aside", "menu", "address", "fieldset"})
_BOXES = frozenset({"ul", "ol", "div", "section", "table", "dl", "article", "details", "header", "p"})

# Shares of the fragment's prose, up to which a part is believed to be what its name says.
_BELIEVED = {
    "comments": 0.9,
    "consent": 0.9,
    "related": 0.6,
    "hidden": 0.3,
    "meta": 0.2,
    "credit": 0.15,
    "player": 0.15,
    "paywall": 0.1,
}
_BELIEVED_ELSE = 0.35
SURE_ROLES = frozenset(
    [
        "comments",
        "consent",
        "newsletter",
        "overlay",
        "account",
        "tags",
        "meta",
        "player",
        "credit",
        "author box",
        "advert",
        "hidden",
    ]
)
_ANY_ROLE = frozenset([*ROLES, "hidden"])
LONGEST_SECTION_LABEL = 12  # words
_LONGEST_KICKER = 20  # words
_LINK_BOX = 0.7
# Prose that a box under a label like "Related" may hold beside its links: teasers' first lines.
_MOST_TEASER_WORDS = 60


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules know of the page: its titles (as :func:`letters` spells them) and its authors."""

    titles: frozenset[str] = frozenset()
    authors: tuple[str, ...] = ()


BoxRule = Callable[[Fragment, Context], None]


def strip_sectioning(fragment: Fragment, _: Context) -> None:
    """Roles *navigation*, *form*, *footer* and *aside*, by the HTML element that stands for them."""
    for part in fragment.parts(_SECTIONING):
        if fragment.share(part) <= _BELIEVED_ELSE:
            fragment.drop(part)


def strip_named(fragment: Fragment, _: Context) -> None:
    """Any role that a class, id or ARIA role names: comment threads, share bars, related stories, adverts, tags, …"""
    _strip_named(fragment, _ANY_ROLE)


def strip_surely_named(fragment: Fragment, _: Context) -> None:
    """As :func:`strip_named`, only roles whose names seldom stand over a story's own lines."""
    _strip_named(fragment, SURE_ROLES)


def _strip_named(fragment: Fragment, roles: frozenset[str]) -> None:
    named = [
        (part, role, str(part.tag.attrs.get("class", "")))
        for part in fragment.parts()
        if (role := part.tag.attrs.get(ROLE)) in roles
    ]
    shares: dict[str, float] = {}
    for part, _role, names in named:
        shares[names] = shares.get(names, 0.0) + fragment.share(part)
    for part, role, names in named:
        if shares[names] <= _BELIEVED.get(str(role), _BELIEVED_ELSE) and part.present:
            fragment.drop(part)


def strip_labelled_sections(fragment: Fragment, _: Context) -> None:
    """Sections under a label ("Related articles", "Comments", "About the author"): their box, or what follows it."""
    for part in fragment.short_parts(LONGEST_SECTION_LABEL):
        if _is_line(part, fragment) and (role := role_of_label(fragment.line(part))) in HEADS_SECTION:
            _strip_section(part, str(role), fragment)


def strip_link_boxes(fragment: Fragment, _: Context) -> None:
    """Roles *related*, *tags* and *navigation* by shape: lists and boxes that are links and hardly anything else."""
    for part in fragment.parts(_BOXES):
        if (
            part.links
            and part.link_share >= _LINK_BOX
            and (part.links > 1 or (part.link_share > 0.9 and part.words > 2))
        ):
            fragment.drop(part)


def strip_above_headline(fragment: Fragment, context: Context) -> None:
    """Kickers, sections and breadcrumbs: short lines that stand before the headline."""
    before: list[Part] = []
    for part in fragment.parts():
        if part.tag.name in _TITLES and letters(fragment.line(part)) in context.titles:
            around = {id(above.tag) for above in fragment.above(part)}
            for earlier in before:
                if earlier.present and id(earlier.tag) not in around and earlier.words <= _LONGEST_KICKER:
                    fragment.drop(earlier)
            return
        before.append(part)


# After the model has chosen the story's lines. The other rules would take more of the story than they strip of anything
# else (measured: docs/cleaning.md).
BOX_RULES_FOR_CHOSEN: tuple[BoxRule, ...] = (strip_surely_named, strip_labelled_sections)

BOX_RULES: tuple[BoxRule, ...] = (
    strip_sectioning,
    strip_named,
    strip_labelled_sections,
    strip_link_boxes,
    strip_above_headline,
)


def _is_line(part: Part, fragment: Fragment) -> bool:
    """Whether a part stands on a line of its own: a block, or an inline element with no text beside it."""
    if part.tag.name not in INLINE:
        return True
    if fragment.part(part.tag.parent or part.tag).words == part.words:
        return True
    return _ends_line(part.tag.previous_siblings) and _ends_line(part.tag.next_siblings)


def _ends_line(siblings: Iterator[PageElement]) -> bool:
    beside = next((node for node in siblings if isinstance(node, Tag) or str(node).strip()), None)
    return beside is None or (isinstance(beside, Tag) and beside.name not in INLINE)


def _strip_section(label: Part, role: str, fragment: Fragment) -> None:
    box = _labelled_box(label, role, fragment)
    if box is not None:
        fragment.drop(box)
        return
    while label.tag.name in INLINE and label.tag.parent is not fragment.root and _is_line(label, fragment):
        label = next(fragment.above(label))
    whole = role == "comments" and label.tag.name in HEADINGS
    for sibling in [fragment.part(node) for node in label.tag.next_siblings if isinstance(node, Tag)]:
        if not (whole or _belongs(sibling, role)):
            break
        fragment.drop(sibling)
    fragment.drop(label)


def _belongs(part: Part, role: str) -> bool:
    """Whether what follows a label in the same element is of its section."""
    if role == "comments":
        return part.tag.name == "form" or part.tag.find("form") is not None
    if role == "author box":
        return part.tag.name not in HEADINGS and part.words <= 120
    return not part.words or (part.links > 0 and (part.link_share >= 0.4 or part.prose <= 8))


def _labelled_box(label: Part, role: str, fragment: Fragment) -> Part | None:
    """The outermost element that begins with the label and has little prose of its own."""
    start, box = fragment.line(label), None
    # "12 comments" over the story counts them; a heading or an invitation is over the comments themselves.
    thread = role == "comments" and (label.tag.name in HEADINGS or not start[0].isdigit())
    for above in fragment.above(label):
        if above.tag is fragment.root or not fragment.line(above).startswith(start):
            break
        little = above.prose - label.words <= _MOST_TEASER_WORDS or above.link_share > 0.5
        if above.words > label.words and (little or (thread and fragment.share(above) <= _BELIEVED["comments"])):
            box = above
    return box

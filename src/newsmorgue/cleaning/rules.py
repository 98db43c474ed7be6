"""The boilerplate rules: what is inside the story's element and is not the story.

Each rule strips parts of one role, told by its name (class, id), its tag, its label or its shape, never by the site it
is on. A part that holds much of the fragment's text is not believed to be what its name says.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from bs4.element import NavigableString, PageElement, Tag

from newsmorgue.cleaning.bylines import is_biography, is_byline
from newsmorgue.cleaning.fragment import Fragment, Part
from newsmorgue.cleaning.labels import HEADS_SECTION, role_of_label
from newsmorgue.cleaning.roles import ROLES, STORY, role_of_attribute, role_of_name
from newsmorgue.cleaning.tree import INLINE
from newsmorgue.cleaning.wording import letters, visible, word_count

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_TITLES = frozenset({"h1", "h2"})
_SECTIONING = frozenset({"nav", "footer", "form", "aside", "menu", "address", "fieldset"})
_BOXES = frozenset({"ul", "ol", "div", "section", "table", "dl", "article", "details", "header", "p"})
_TEXT_BLOCKS = frozenset({"p", "div", "li", "em"})
_CELLS = frozenset({"td", "th"})
_EMPHASIS = frozenset({"em", "strong", "b", "i"})

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
_BELIEVED_ELSE, _BELIEVED_HIDDEN = 0.35, 0.6
_SURE_ROLES = frozenset(
    [
        "comments",
        "consent",
        "newsletter",
        "overlay",
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
_LONGEST_LABEL_WORDS, _LONGEST_SECTION_LABEL, _LONGEST_KICKER = 60, 12, 20
_LINK_BOX = 0.7
# Prose that a box under a label like "Related" may hold beside its links: teasers' first lines.
_MOST_TEASER_WORDS = 60


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules know of the page: its titles (as :func:`letters` spells them) and its authors."""

    titles: frozenset[str] = frozenset()
    authors: tuple[str, ...] = ()


Rule = Callable[["Fragment", Context], None]


def strip_boilerplate(root: Tag, context: Context, rules: tuple[Rule, ...] | None = None) -> None:
    """Apply the rules (all of them, if none are given) to ``root`` in place."""
    fragment = Fragment(root)
    for rule in RULES if rules is None else rules:
        rule(fragment, context)


def strip_hidden(fragment: Fragment, _: Context) -> None:
    """Role *hidden*: what no reader sees. Where that is much of the text it stays, for walls hide the story."""
    concealed = [part for part in fragment.parts() if _is_concealed(part.tag)]
    tags = {id(part.tag) for part in concealed}
    outermost = [part for part in concealed if not any(id(above.tag) in tags for above in fragment.above(part))]
    if sum(map(fragment.share, outermost)) <= _BELIEVED_HIDDEN:
        for part in outermost:
            if fragment.share(part) <= _BELIEVED["hidden"]:
                fragment.drop(part)


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
    _strip_named(fragment, _SURE_ROLES)


def _strip_named(fragment: Fragment, roles: frozenset[str]) -> None:
    named = [
        (part, role, names)
        for part in fragment.parts()
        if (role := _named_role(part.tag, names := _names(part.tag))) in roles
    ]
    shares: dict[str, float] = {}
    for part, _role, names in named:
        shares[names] = shares.get(names, 0.0) + fragment.share(part)
    for part, role, names in named:
        if shares[names] <= _BELIEVED.get(role, _BELIEVED_ELSE) and part.present and not _is_wording(part, role):
            fragment.drop(part)


def strip_labelled_sections(fragment: Fragment, _: Context) -> None:
    """Sections under a label ("Related articles", "Comments", "About the author"): their box, or what follows it."""
    for part in fragment.short_parts(_LONGEST_SECTION_LABEL):
        if _is_line(part, fragment) and (role := role_of_label(fragment.line(part))) in HEADS_SECTION:
            _strip_section(part, str(role), fragment)


def strip_labelled_lines(fragment: Fragment, _: Context) -> None:
    """Lines "Read also: TITLE", "Lire aussi : …": a label, and a link or little else behind it."""
    for part in fragment.short_parts(60):
        if not part.links or not _is_line(part, fragment):
            continue
        label, colon = _leading_label(part, fragment)
        if (
            label
            and role_of_label(label) in ("related", "newsletter")
            and (part.link_share >= 0.4 or (colon and part.words <= 30))
        ):
            fragment.drop(part)


def strip_lines(fragment: Fragment, _: Context) -> None:
    """Lines that are nothing but a label: "Advertisement", "3 min read", "12 comments", "Back to top", "Close"."""
    for part in fragment.short_parts(_LONGEST_LABEL_WORDS):
        if part.tag.name not in _CELLS and _is_line(part, fragment) and _is_label(fragment.line(part)):
            fragment.drop(part)


def _is_label(line: str) -> bool:
    """Whether a line is a label, labels between bars, or a row of networks to share on ("Facebook WhatsApp Print")."""
    if role_of_label(line) or ("|" in line and all(map(role_of_label, line.split("|")))):
        return True
    return all(role_of_label(word) == "sharing" for word in line.split())


def strip_link_boxes(fragment: Fragment, _: Context) -> None:
    """Roles *related*, *tags* and *navigation* by shape: lists and boxes that are links and hardly anything else."""
    for part in fragment.parts(_BOXES):
        if (
            part.links
            and part.link_share >= _LINK_BOX
            and (part.links > 1 or (part.link_share > 0.9 and part.words > 2))
        ):
            fragment.drop(part)


def strip_repeated_title(fragment: Fragment, context: Context) -> None:
    """The headline again, over the text or in a breadcrumb; the section's or the site's name on a line of its own."""
    for part in fragment.short_parts(60):
        if letters(fragment.line(part)) in context.titles:
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


def strip_bylines(fragment: Fragment, context: Context) -> None:
    """Role *meta*: lines that hold only who wrote the story and when it was published or updated."""
    for part in fragment.short_parts(30):
        if _is_line(part, fragment) and is_byline(fragment.line(part), context.authors):
            fragment.drop(part)


def strip_biography(fragment: Fragment, context: Context) -> None:
    """Role *author box* by its text: a last paragraph "NAME is a reporter …" of one of the authors."""
    for part in list(islice(fragment.last_parts(_TEXT_BLOCKS), 12)):
        if 0 < part.words <= 90 and part.present and is_biography(fragment.line(part), context.authors):
            fragment.drop(part)


def strip_hanging_headings(fragment: Fragment, _: Context) -> None:
    """Headings that nothing follows: what they headed has gone."""
    for part in fragment.last_parts(_HEADINGS):
        if not _text_follows(part.tag, fragment.root):
            fragment.drop(part)


# After the model has chosen the story's lines. The other rules would take more of the story than they strip of anything
# else (measured: docs/cleaning.md).
RULES_FOR_CHOSEN: tuple[Rule, ...] = (
    strip_surely_named,
    strip_labelled_sections,
    strip_labelled_lines,
    strip_lines,
    strip_repeated_title,
    strip_bylines,
    strip_biography,
)

# The rules that go by what a line says, not by what a box is called or how many links it has.
CAUTIOUS_RULES: tuple[Rule, ...] = (strip_lines, strip_repeated_title, strip_bylines)

RULES: tuple[Rule, ...] = (
    strip_hidden,
    strip_sectioning,
    strip_named,
    strip_labelled_sections,
    strip_labelled_lines,
    strip_lines,
    strip_link_boxes,
    strip_above_headline,
    strip_repeated_title,
    strip_bylines,
    strip_biography,
    strip_hanging_headings,
)


def _is_concealed(tag: Tag) -> bool:
    style = str(tag.attrs.get("style") or "").replace(" ", "").lower()
    return "hidden" in tag.attrs or "display:none" in style or "visibility:hidden" in style


def _names(tag: Tag) -> str:
    return f"{tag.attrs.get('class', '')} {tag.attrs.get('id', '')}".strip()


def _named_role(tag: Tag, names: str) -> str | None:
    role = role_of_name(names) if names else None
    return role if role and role != STORY else role_of_attribute(str(tag.attrs.get("role") or ""))


def _is_wording(part: Part, role: str) -> bool:
    """Emphasis, and links and spans inside a sentence, are part of the text whatever their class."""
    if part.tag.name in _EMPHASIS:
        return True
    if role in ("hidden", "credit"):
        return False
    beside = (part.tag.previous_sibling, part.tag.next_sibling)
    return part.tag.name in INLINE and any(
        isinstance(text, NavigableString) and word_count(text) > 1 for text in beside
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


def _leading_label(part: Part, fragment: Fragment) -> tuple[str, bool]:
    """What stands before a line's first colon, or else before its first link; and whether there is a colon."""
    text = fragment.line(part)
    if ":" in text[:60]:
        return text.partition(":")[0], True
    first, pieces = part.tag.find("a"), []
    for node in part.tag.descendants:
        if node is first:
            break
        if type(node) is NavigableString:
            pieces.append(node)
    return visible(" ".join(pieces)), False


def _strip_section(label: Part, role: str, fragment: Fragment) -> None:
    box = _labelled_box(label, role, fragment)
    if box is not None:
        fragment.drop(box)
        return
    while label.tag.name in INLINE and label.tag.parent is not fragment.root and _is_line(label, fragment):
        label = next(fragment.above(label))
    whole = role == "comments" and label.tag.name in _HEADINGS
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
        return part.tag.name not in _HEADINGS and part.words <= 120
    return not part.words or (part.links > 0 and (part.link_share >= 0.4 or part.prose <= 8))


def _labelled_box(label: Part, role: str, fragment: Fragment) -> Part | None:
    """The outermost element that begins with the label and has little prose of its own."""
    start, box = fragment.line(label), None
    # "12 comments" over the story counts them; a heading or an invitation is over the comments themselves.
    thread = role == "comments" and (label.tag.name in _HEADINGS or not start[0].isdigit())
    for above in fragment.above(label):
        if above.tag is fragment.root or not fragment.line(above).startswith(start):
            break
        little = above.prose - label.words <= _MOST_TEASER_WORDS or above.link_share > 0.5
        if above.words > label.words and (little or (thread and fragment.share(above) <= _BELIEVED["comments"])):
            box = above
    return box


def _text_follows(heading: Tag, root: Tag) -> bool:
    last: PageElement = next(reversed(list(heading.descendants)), heading)
    node = last.next_element
    while node is not None and root in node.parents:
        if type(node) is NavigableString and visible(node):
            return True
        node = node.next_element
    return False

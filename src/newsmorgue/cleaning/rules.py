"""The boilerplate rules: what is inside the story's element and is not the story.

Each rule strips parts of one role, told by its name (class, id), its tag, its label or its shape, never by the site it
is on. A part that holds much of the fragment's text is not believed to be what its name says.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bs4.element import NavigableString, Tag

from newsmorgue.cleaning.bylines import is_biography, is_byline
from newsmorgue.cleaning.fragment import Fragment
from newsmorgue.cleaning.labels import HEADS_SECTION, role_of_label
from newsmorgue.cleaning.roles import names_story, role_of_attribute, role_of_name
from newsmorgue.cleaning.wording import letters, visible, word_count

_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_INLINE = frozenset({"span", "strong", "a", "em", "b", "i", "u", "time", "small", "label", "font", "code", "sup", "sub", "mark"})
_SECTIONING = frozenset({"nav", "footer", "form", "aside", "menu", "address", "fieldset"})
_BOXES = frozenset({"ul", "ol", "div", "section", "table", "dl", "article", "details", "header", "p"})
_EMPHASIS = frozenset({"em", "strong", "b", "i"})

# Shares of the fragment's prose, up to which a part is believed to be what its name says.
_BELIEVED = {"comments": 0.9, "consent": 0.9, "related": 0.6, "hidden": 0.3, "meta": 0.2, "credit": 0.15, "player": 0.15, "paywall": 0.1}
_BELIEVED_ELSE = 0.35
_LONGEST_LABEL_WORDS = 60
_LINK_BOX = 0.7
# Prose that a box under a label like "Related" may hold beside its links: teasers' first lines.
_MOST_TEASER_WORDS = 60


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules know of the page: its titles (as :func:`letters` spells them) and its authors."""

    titles: frozenset[str] = frozenset()
    authors: tuple[str, ...] = ()


def strip_boilerplate(root: Tag, context: Context) -> None:
    """Apply every rule to ``root`` in place."""
    fragment = Fragment(root)
    for rule in RULES:
        rule(fragment, context)


def strip_hidden(fragment: Fragment, _: Context) -> None:
    """Role *hidden*: what no reader sees. Large hidden parts stay, for walls hide the story they fade out."""
    for tag in fragment.tags():
        style = str(tag.get("style") or "").replace(" ", "").lower()
        concealed = "hidden" in tag.attrs or "display:none" in style or "visibility:hidden" in style
        if concealed and fragment.share(tag) <= _BELIEVED["hidden"]:
            fragment.drop(tag)


def strip_sectioning(fragment: Fragment, _: Context) -> None:
    """Roles *navigation*, *form*, *footer* and *aside*, by the HTML element that stands for them."""
    for tag in fragment.tags(_SECTIONING):
        if fragment.share(tag) <= _BELIEVED_ELSE:
            fragment.drop(tag)


def strip_named(fragment: Fragment, _: Context) -> None:
    """Any role that a class, id or ARIA role names: comment threads, share bars, related stories, adverts, tags, …"""
    named = [(tag, role, names) for tag in fragment.tags() if (role := _named_role(tag, names := _names(tag)))]
    shares: dict[str, float] = {}
    for tag, _role, names in named:
        shares[names] = shares.get(names, 0.0) + fragment.share(tag)
    for tag, role, names in named:
        if shares[names] <= _BELIEVED.get(role, _BELIEVED_ELSE) and tag.name not in _EMPHASIS and fragment.holds(tag):
            if not (tag.name in _INLINE and role != "hidden" and _in_sentence(tag)):
                fragment.drop(tag)


def strip_labelled_sections(fragment: Fragment, _: Context) -> None:
    """Sections under a label ("Related articles", "Comments", "About the author"): their box, or what follows it."""
    for tag in fragment.tags():
        if 0 < fragment.amount(tag).words <= 12 and (role := role_of_label(fragment.line(tag))) in HEADS_SECTION:
            _strip_section(tag, str(role), fragment)


def strip_labelled_lines(fragment: Fragment, _: Context) -> None:
    """Lines "Read also: TITLE", "Lire aussi : …": a label, and a link or little else behind it."""
    for tag in fragment.tags():
        amount = fragment.amount(tag)
        if not 2 <= amount.words <= 60 or not amount.links or not _is_line(tag, fragment):
            continue
        label, colon = _leading_label(tag, fragment)
        if label and role_of_label(label) in HEADS_SECTION and (amount.link_share >= 0.4 or (colon and amount.words <= 30)):
            fragment.drop(tag)


def strip_lines(fragment: Fragment, _: Context) -> None:
    """Lines that are nothing but a label: "Advertisement", "3 min read", "12 comments", "Back to top", "Close"."""
    for tag in fragment.tags():
        if 0 < fragment.amount(tag).words <= _LONGEST_LABEL_WORDS and _is_line(tag, fragment) and role_of_label(fragment.line(tag)):
            fragment.drop(tag)


def strip_link_boxes(fragment: Fragment, _: Context) -> None:
    """Roles *related*, *tags* and *navigation* by shape: lists and boxes that are links and hardly anything else."""
    for tag in fragment.tags(_BOXES):
        amount = fragment.amount(tag)
        if amount.links and amount.link_share >= _LINK_BOX and (amount.links > 1 or (amount.link_share > 0.9 and amount.words > 2)):
            fragment.drop(tag)


def strip_repeated_title(fragment: Fragment, context: Context) -> None:
    """The headline again, over the text or in a breadcrumb."""
    for tag in fragment.tags():
        if 0 < fragment.amount(tag).words < 60 and letters(fragment.line(tag)) in context.titles:
            fragment.drop(tag)


def strip_bylines(fragment: Fragment, context: Context) -> None:
    """Role *meta*: lines that hold only who wrote the story and when it was published or updated."""
    for tag in fragment.tags():
        if 0 < fragment.amount(tag).words <= 30 and _is_line(tag, fragment) and is_byline(fragment.line(tag), context.authors):
            fragment.drop(tag)


def strip_biography(fragment: Fragment, context: Context) -> None:
    """Role *author box* by its text: a last paragraph "NAME is a reporter …" of one of the authors."""
    for tag in list(fragment.reversed_tags(frozenset({"p", "div", "li", "em"})))[:12]:
        amount = fragment.amount(tag)
        if 0 < amount.words <= 90 and _is_line(tag, fragment) and is_biography(fragment.line(tag), context.authors):
            if fragment.holds(tag):
                fragment.drop(tag)


def strip_hanging_headings(fragment: Fragment, _: Context) -> None:
    """Headings that nothing follows: what they headed has gone."""
    for heading in fragment.reversed_tags(_HEADINGS):
        if not _text_follows(heading, fragment.root):
            fragment.drop(heading)


RULES: tuple[Callable[[Fragment, Context], None], ...] = (
    strip_hidden,
    strip_sectioning,
    strip_named,
    strip_labelled_sections,
    strip_labelled_lines,
    strip_lines,
    strip_link_boxes,
    strip_repeated_title,
    strip_bylines,
    strip_biography,
    strip_hanging_headings,
)


def _names(tag: Tag) -> str:
    classes = tag.get("class") or ""
    return f"{classes if isinstance(classes, str) else ' '.join(classes)} {tag.get('id') or ''}".strip()


def _named_role(tag: Tag, names: str) -> str | None:
    if names and not names_story(names) and (role := role_of_name(names)):
        return role
    return role_of_attribute(str(tag.get("role") or ""))


def _in_sentence(tag: Tag) -> bool:
    """Links and spans inside a sentence are part of it, whatever their class."""
    return any(isinstance(beside, NavigableString) and word_count(beside) > 1 for beside in (tag.previous_sibling, tag.next_sibling))


def _is_line(tag: Tag, fragment: Fragment) -> bool:
    """Whether a tag stands on a line of its own: a block, or an inline element with no text beside it."""
    if tag.name not in _INLINE:
        return True
    return tag.parent is not None and fragment.amount(tag.parent).words == fragment.amount(tag).words


def _leading_label(tag: Tag, fragment: Fragment) -> tuple[str, bool]:
    """What stands before a line's first colon, or else before its first link; and whether there is a colon."""
    text = fragment.line(tag)
    if ":" in text[:60]:
        return text.partition(":")[0], True
    first, pieces = tag.find("a"), []
    for node in tag.descendants:
        if node is first:
            break
        if type(node) is NavigableString:
            pieces.append(node)
    return visible(" ".join(pieces)), False


def _strip_section(label: Tag, role: str, fragment: Fragment) -> None:
    box = _labelled_box(label, role, fragment)
    if box is not None:
        fragment.drop(box)
        return
    while label.name in _INLINE and label.parent is not None and label.parent is not fragment.root and _is_line(label, fragment):
        label = label.parent
    for sibling in [node for node in label.next_siblings if isinstance(node, Tag)]:
        if not _belongs(sibling, role, fragment):
            break
        fragment.drop(sibling)
    fragment.drop(label)


def _belongs(sibling: Tag, role: str, fragment: Fragment) -> bool:
    """Whether what follows a label in the same element is of its section."""
    amount = fragment.amount(sibling)
    if role == "comments":
        return True
    if role == "author box":
        return sibling.name not in _HEADINGS and amount.words <= 120
    return not amount.words or (amount.links > 0 and (amount.link_share >= 0.4 or amount.prose <= 8))


def _labelled_box(label: Tag, role: str, fragment: Fragment) -> Tag | None:
    """The outermost element that begins with the label and has little prose of its own."""
    own, start, box = fragment.amount(label).words, fragment.line(label), None
    for above in fragment.above(label):
        if above is fragment.root or not fragment.line(above).startswith(start):
            break
        amount = fragment.amount(above)
        little = amount.prose - own <= _MOST_TEASER_WORDS or amount.link_share > 0.5
        if amount.words > own and (little or (role == "comments" and fragment.share(above) <= _BELIEVED["comments"])):
            box = above
    return box


def _text_follows(heading: Tag, root: Tag) -> bool:
    inside, last = heading, heading
    for last in heading.descendants:
        inside = last
    node = inside.next_element
    while node is not None and (node is root or root in node.parents):
        if type(node) is NavigableString and visible(node):
            return True
        node = node.next_element
    return False

"""Where the story stands: of all elements of the page, the one that holds its text and least of anything else.

Each block of text gets a worth: its words where it reads like prose, less than nothing where it is a link, a label or
lies in a part whose name says it is something else. The story is the element whose blocks together are worth most
(the maximum-sum idea of Pasternack and Roth, "Extracting Article Text from the Web with Maximum Subsequence
Segmentation", WWW 2009, on the tree instead of the token sequence). Adverts, menus and teasers around it can change
without moving that maximum, and text added within it only raises it.

:func:`find_story` is the only entrance: a trained model can take its place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from newsmorgue.cleaning.roles import STORY, role_of_attribute, role_of_name
from newsmorgue.cleaning.tree import INLINE
from newsmorgue.cleaning.wording import word_count

# Never shown.
_DROPPED = ("script", "style", "noscript", "template", "head", "link", "meta", "input", "datalist", "map")
# Never text, unless markup left open made them swallow the page.
_CONTROLS = (
    "svg", "canvas", "button", "select", "option", "textarea", "object", "applet", "math", "dialog", "label",
)  # fmt: skip
_MOST_IN_CONTROL = 100
_NOT_PROSE = frozenset({"nav", "footer", "form", "aside", "menu", "figcaption", "address", "fieldset", "legend"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CONTAINERS = frozenset(
    {"body", "div", "article", "section", "main", "td", "table", "center", "form", "span", "blockquote", "ul", "ol"}
)

# Worths, in words of prose; found by trying, on saved news pages of many sites.
_LINK_BLOCK, _LABEL, _OTHER_ROLE = -6.0, -1.0, -3.0
_SHORTEST_PROSE = 6
_WORST = -60.0
_STORY_NAMED, _STORY_TAGGED, _DESPITE = 1.6, 1.4, 0.5
# The share of the page's prose up to which a part is what its name says.
_BELIEVED = {
    "comments": 0.9,
    "consent": 0.95,
    "overlay": 0.9,
    "related": 0.6,
    "nav": 0.6,
    "footer": 0.6,
    "paywall": 0.1,
}
_BELIEVED_ELSE, _BELIEVED_IN_ALL = 0.35, 0.7


@dataclass(frozen=True, slots=True)
class Place:
    """The element that holds the story, its worth in words, and how it was found."""

    element: etree._Element
    worth: float
    how: str


def find_story(root: etree._Element) -> Place | None:
    """Find the story's element in a parsed page. Takes what can be no text (scripts, forms' fields) out of ``root``.

    None where the page has no prose at all.
    """
    body = next(root.iter("body"), root)
    drop_controls(body)
    survey = _Survey(body)
    best = survey.best()
    return None if best is None else Place(survey.elements[best], survey.sums[best], "worth")


def drop_controls(body: etree._Element) -> None:
    """Take out of an element what is never shown, and what can be no text of a story."""
    etree.strip_elements(body, *_DROPPED, with_tail=False)
    for control in list(body.iter(*_CONTROLS)):
        if sum(word_count(str(text)) for text in control.itertext()) > _MOST_IN_CONTROL:
            control.tag = "div"
    etree.strip_elements(body, *_CONTROLS, with_tail=False)


def _role(element: etree._Element) -> str | None:
    if element.tag in _NOT_PROSE:
        return str(element.tag)
    get = element.get
    names, role = f"{get('class', '')} {get('id', '')}", None
    if len(names) > 1 and element.tag != "body":
        role = role_of_name(names)
    return role or role_of_attribute(get("role", ""))


def _key(element: etree._Element) -> tuple[str, str]:
    return str(element.tag), element.get("class") or element.get("id") or ""


class _Survey:
    """The page's elements in document order, and for each what its own text is worth."""

    def __init__(self, body: etree._Element) -> None:
        self.elements = list(body.iter(etree.Element))
        index = {element: number for number, element in enumerate(self.elements)}
        self.parents = [
            -1 if (above := element.getparent()) is None else index.get(above, -1) for element in self.elements
        ]
        self.parents[0] = -1
        self._read_words()
        self.prose = self._summed([self._prose(number) for number in range(len(self.elements))])
        self._read_roles()
        worths = [self._worth(number) for number in range(len(self.elements))]
        self.gains = self._summed([max(worth, 0.0) for worth in worths])
        self.sums = self._summed(worths)

    def _read_words(self) -> None:
        count = len(self.elements)
        self.words, self.linked = [0] * count, [0] * count
        block, link = [0] * count, [False] * count
        for number, element in enumerate(self.elements):
            parent = self.parents[number]
            block[number] = block[parent] if (element.tag in INLINE or element.tag == "br") and parent >= 0 else number
            link[number] = element.tag == "a" or (parent >= 0 and link[parent])
            self._count(element.text, block[number], link[number])
            if parent >= 0:
                self._count(element.tail, block[parent], link[parent])

    def _count(self, text: str | None, block: int, in_link: bool) -> None:
        if text and (words := word_count(text)):
            self.words[block] += words
            if in_link:
                self.linked[block] += words

    def _prose(self, number: int) -> float:
        words = self.words[number]
        return float(words) if words >= _SHORTEST_PROSE and self.linked[number] <= words / 2 else 0.0

    def _read_roles(self) -> None:
        """Which elements lie in a part that is something else.

        Not believed: a name over most of the page's prose (all elements of one name, or of one role, taken together),
        and any name over the headline.
        """
        self.roles = [_role(element) for element in self.elements]
        shares, whole = self._shares_of_names(), self.prose[0] or 1.0
        titled = self._above(number for number, element in enumerate(self.elements) if element.tag == "h1")
        self.other = [False] * len(self.elements)
        for number, role in enumerate(self.roles):
            if number and self.other[self.parents[number]]:
                self.other[number] = True
            elif role and role != STORY and number not in titled:
                most = _BELIEVED.get(role, _BELIEVED_ELSE) * whole
                in_all = max(most, _BELIEVED_IN_ALL * whole)
                self.other[number] = shares[_key(self.elements[number])] <= most and shares[role] <= in_all

    def _shares_of_names(self) -> dict[object, float]:
        """The prose under each name and each role; what lies in a part of the same role is counted once."""
        under: dict[object, float] = {}
        within: list[frozenset[str]] = []
        for number, role in enumerate(self.roles):
            above = within[self.parents[number]] if number else frozenset()
            if role and role != STORY:
                key = _key(self.elements[number])
                under[key] = under.get(key, 0.0) + self.prose[number]
                under[role] = under.get(role, 0.0) + (0.0 if role in above else self.prose[number])
                above = above | {role}
            within.append(above)
        return under

    def _above(self, numbers: Iterator[int]) -> set[int]:
        above: set[int] = set()
        for number in numbers:
            while number >= 0 and number not in above:
                above.add(number)
                number = self.parents[number]
        return above

    def _worth(self, number: int) -> float:
        words = self.words[number]
        if not words:
            return 0.0
        if self.linked[number] > words / 2:
            return _LINK_BLOCK
        if self.other[number]:
            return _OTHER_ROLE
        if self.elements[number].tag in _HEADINGS:
            return 0.0
        return float(words - self.linked[number]) if words >= _SHORTEST_PROSE else _LABEL

    def _summed(self, values: list[float]) -> list[float]:
        """Sums over subtrees; a menu of a thousand links takes no more from what it stands in than one of ten."""
        for number in range(len(values) - 1, 0, -1):
            values[self.parents[number]] += max(values[number], _WORST)
        return values

    def best(self) -> int | None:
        """The number of the element worth most; of equals the innermost."""
        best, most = None, 0.0
        for number, element in enumerate(self.elements):
            worth = self._claim(number)
            if worth >= most and worth > 0 and element.tag in _CONTAINERS:
                best, most = number, worth
        return best

    def _claim(self, number: int) -> float:
        """An element's worth as the story's, more where it bears the story's own marks: then what stands in between its
        paragraphs counts for less."""
        element = self.elements[number]
        if self.roles[number] == STORY or element.get("itemprop") == "articleBody":
            return max(self.sums[number], _DESPITE * self.gains[number]) * _STORY_NAMED
        return self.sums[number] * (_STORY_TAGGED if element.tag in ("article", "main") else 1.0)

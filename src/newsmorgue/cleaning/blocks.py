"""The cleaned fragment as typed blocks in document order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from bs4.element import NavigableString, Tag

from newsmorgue.cleaning.article import Block, BlockKind
from newsmorgue.cleaning.metadata.facts import absolute
from newsmorgue.cleaning.render import escaped, safe_address
from newsmorgue.cleaning.tree import INLINE, POST
from newsmorgue.cleaning.wording import typeset, visible, word_count

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_EMPHASIS = {"em": "*", "i": "*", "strong": "**", "b": "**"}
_UNSHOWN = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "head",
        "title",
        "button",
        "input",
        "select",
        "textarea",
        "iframe",
        "video",
        "audio",
        "object",
        "embed",
    ]
)
_CAPTION = re.compile(
    r"(?<![a-z])(?:caption|legend|legende|bildunterschrift|bildtext|pie-?foto|didascalia)(?![a-z])", re.I
)
_LONGEST_CAPTION, _LONGEST_CELL = 120, 60


class Step(Enum):
    """A step of the walk through the fragment."""

    OPEN = 1
    TEXT = 2
    CLOSE = 3


def walk(root: Tag) -> Iterator[tuple[Step, Tag | NavigableString]]:
    """Every node below ``root`` in document order, elements when they open and when they close.

    Not recursive: pages nest deeper than Python's stack.
    """
    open_tags, rest = [root], [iter(root.contents)]
    while rest:
        node = next(rest[-1], None)
        if node is None:
            rest.pop()
            yield Step.CLOSE, open_tags.pop()
        elif isinstance(node, Tag):
            if node.name in _UNSHOWN and node.name not in ("iframe", "video"):
                continue
            yield Step.OPEN, node
            open_tags.append(node)
            rest.append(iter(node.contents))
        elif type(node) is NavigableString:
            yield Step.TEXT, node


def blocks_of(root: Tag, url: str) -> tuple[Block, ...]:
    """The typed blocks of a fragment in document order; addresses are made absolute against ``url``."""
    writer = _Writer(url)
    for step, node in walk(root):
        if step is Step.TEXT:
            writer.text(str(node))
        elif isinstance(node, Tag):
            (writer.open if step is Step.OPEN else writer.close)(node)
    writer.flush()
    return tuple(_without_echoes(writer.blocks))


def _without_echoes(blocks: list[Block]) -> Iterator[Block]:
    """A block that repeats the one before it is a second rendering for other screens."""
    last: Block | None = None
    for block in blocks:
        if last is None or (block.kind, block.text, block.items) != (last.kind, last.text, last.items):
            yield block
        last = block


@dataclass(slots=True)
class _Span:
    """Text of one open inline element (or of the block itself), plain and as Markdown."""

    tag: Tag | None = None
    text: list[str] = field(default_factory=list)
    markdown: list[str] = field(default_factory=list)


class _Writer:
    """Collects inline text until a block ends, then writes it as the kind of block that is open."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.blocks: list[Block] = []
        self._spans = [_Span()]
        self._breaks = 0
        self._quotes: list[Tag] = []
        self._captions: list[Tag] = []
        self._figures: list[Tag] = []
        self._embeds: list[Tag] = []
        self._embed_texts: list[str] = []
        self._headings: list[Tag] = []
        self._lists: list[tuple[Tag, list[tuple[str, str]]]] = []
        self._tables: list[Tag] = []
        self._rows: list[list[str]] = []

    def text(self, text: str) -> None:
        if text.strip():
            if self._breaks > 1:
                self.flush()
            self._breaks = 0
        self._spans[-1].text.append(text)
        self._spans[-1].markdown.append(escaped(text))

    def open(self, tag: Tag) -> None:
        if tag.name == "br":
            self._breaks += 1
            self._spans[-1].text.append(" ")
            self._spans[-1].markdown.append(" ")
        elif tag.name in ("iframe", "video"):
            self._embed(tag, str(tag.get("src") or tag.get("data-src") or ""))
        elif tag.name in INLINE and not (_is_caption(tag) and self._figures):
            self._spans.append(_Span(tag))
        else:
            self._open_block(tag)

    def _open_block(self, tag: Tag) -> None:
        self.flush()
        if tag.name == "blockquote" or tag.name == "q":
            (self._embeds if POST.search(_names(tag)) else self._quotes).append(tag)
        elif tag.name in _HEADINGS:
            self._headings.append(tag)
        elif tag.name in ("ul", "ol"):
            self._lists.append((tag, []))
        elif tag.name == "figure":
            self._figures.append(tag)
        elif tag.name == "table" and not self._tables and is_data_table(tag):
            self._tables.append(tag)
        elif tag.name == "tr" and self._tables:
            self._rows.append([])
        elif tag.name == "figcaption" or _is_caption(tag):
            self._captions.append(tag)

    def close(self, tag: Tag) -> None:
        if tag.name == "br":
            return
        if tag.name in INLINE:
            self._close_span(tag)
        if tag.name in INLINE and not (self._captions and self._captions[-1] is tag):
            return
        self.flush()
        for stack in (self._quotes, self._captions, self._figures, self._headings):
            if stack and stack[-1] is tag:
                stack.pop()
        if self._embeds and self._embeds[-1] is tag:
            self._close_embed(tag)
        if self._lists and self._lists[-1][0] is tag:
            self._close_list()
        if self._tables and self._tables[-1] is tag:
            self._close_table()

    def flush(self) -> None:
        """End the running text; what there is becomes a block, a list's entry or a table's cell."""
        while len(self._spans) > 1:
            self._close_span(self._spans[-1].tag)
        span, self._spans, self._breaks = self._spans[0], [_Span()], 0
        text, markdown = typeset("".join(span.text)), typeset("".join(span.markdown))
        if text:
            self._write(text, markdown)

    def _close_span(self, tag: Tag | None) -> None:
        if len(self._spans) < 2 or self._spans[-1].tag is not tag:
            return
        span = self._spans.pop()
        self._spans[-1].text += span.text
        self._spans[-1].markdown.append(self._marked_up(span))

    def _marked_up(self, span: _Span) -> str:
        inner = "".join(span.markdown)
        core = inner.strip()
        if not core or span.tag is None:
            return inner
        before, after = inner[: len(inner) - len(inner.lstrip())], inner[len(inner.rstrip()) :]
        if mark := _EMPHASIS.get(span.tag.name):
            core = core if core.startswith("*") or self._headings else f"{mark}{core}{mark}"
        elif span.tag.name == "a" and "](" not in core and (address := self._address(span.tag)):
            core = f"[{core}]({safe_address(address)})"
        return f"{before}{core}{after}"

    def _address(self, tag: Tag) -> str | None:
        href = str(tag.get("href") or "").strip()
        if re.fullmatch(r"mailto:[\w.+-]+@[\w.-]+", href):
            return href
        return None if href.startswith("#") else absolute(self.url, href)

    def _write(self, text: str, markdown: str) -> None:
        richer = markdown if markdown != escaped(text) else None
        if self._embeds:
            self._embed_texts.append(text)
        elif self._tables:
            self._cell(text)
        elif self._captions or (self._figures and not self._quotes and not self._lists):
            self.blocks.append(Block(BlockKind.CAPTION, text, markdown=richer))
        elif self._headings:
            self.blocks.append(
                Block(BlockKind.HEADING, text, level=_HEADINGS[self._headings[-1].name], markdown=richer)
            )
        elif self._lists:
            self._lists[-1][1].append((text, markdown))
        elif self._quotes:
            self.blocks.append(Block(BlockKind.QUOTE, text, markdown=richer))
        else:
            self.blocks.append(Block(BlockKind.PARAGRAPH, text, markdown=richer))

    def _cell(self, text: str) -> None:
        if not self._rows:
            self._rows.append([])
        self._rows[-1].append(text.replace("\t", " "))

    def _close_list(self) -> None:
        tag, entries = self._lists.pop()
        if self._lists:
            self._lists[-1][1].extend(entries)
        elif entries:
            self.blocks.append(_list_block(entries, tag.name == "ol"))

    def _close_table(self) -> None:
        self._tables.pop()
        rows = tuple("\t".join(row) for row in self._rows if row)
        self._rows = []
        if rows:
            self.blocks.append(Block(BlockKind.TABLE, "\n".join(rows), items=rows))

    def _embed(self, tag: Tag, source: str) -> None:
        self.flush()
        if address := absolute(self.url, source):
            self.blocks.append(Block(BlockKind.EMBED, visible(str(tag.get("title") or "")), url=address))

    def _close_embed(self, tag: Tag) -> None:
        self._embeds.pop()
        links = [address for link in tag.find_all("a") if (address := absolute(self.url, str(link.get("href") or "")))]
        text, self._embed_texts = " ".join(self._embed_texts), []
        if text or links:
            self.blocks.append(Block(BlockKind.EMBED, text, url=links[-1] if links else None))


def _list_block(entries: list[tuple[str, str]], ordered: bool) -> Block:
    items = tuple(text for text, _ in entries)
    lines = [f"{f'{number}.' if ordered else '-'} {markdown}" for number, (_, markdown) in enumerate(entries, 1)]
    richer = any(markdown != escaped(text) for text, markdown in entries)
    return Block(
        BlockKind.LIST, "\n".join(items), items=items, ordered=ordered, markdown="\n".join(lines) if richer else None
    )


def is_data_table(table: Tag) -> bool:
    """Whether a table holds data, not the page's layout: two columns or more, short cells, no blocks in them."""
    cells = table.find_all(["td", "th"])
    rows = table.find_all("tr")
    if table.find("table") or len(cells) < 4 or len(cells) < 2 * len(rows):
        return False
    return all(word_count(cell.get_text(" ")) <= _LONGEST_CELL for cell in cells)


def _names(tag: Tag) -> str:
    return str(tag.attrs.get("class", ""))


def _is_caption(tag: Tag) -> bool:
    if tag.name == "figcaption":
        return True
    names = _names(tag)
    return bool(names) and bool(_CAPTION.search(names)) and word_count(tag.get_text(" ")) <= _LONGEST_CAPTION

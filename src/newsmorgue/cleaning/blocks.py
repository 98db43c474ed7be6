"""The story's lines as typed blocks in document order."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from newsmorgue.cleaning.article import Block, BlockKind
from newsmorgue.cleaning.lines import HEADINGS, TAG_MARK, Box, Line, Piece, common_box
from newsmorgue.cleaning.metadata.facts import absolute
from newsmorgue.cleaning.render import escaped, line_start, safe_address
from newsmorgue.cleaning.tree import POST
from newsmorgue.cleaning.wording import typeset, visible

_CAPTION = re.compile(
    r"(?<![a-z])(?:caption|legend|legende|bildunterschrift|bildtext|pie-?foto|didascalia)(?![a-z])", re.I
)
_MAIL = re.compile(r"mailto:[\w.+-]+@[\w.-]+")
_LONGEST_CAPTION = 120  # words
LONGEST_CELL = 60  # words: longer cells lay out a page
_FEWEST_CELLS, _FEWEST_COLUMNS = 4, 2
_CELLS = frozenset({"td", "th"})
_TYPED = sum(map(TAG_MARK.__getitem__, ("blockquote", "figure", "figcaption", "table", "ul", "ol")))


@dataclass(frozen=True, slots=True)
class _Place:
    """What a box is in, below the box that holds the whole story; each the one that counts, or None."""

    post: Box | None = None
    table: Box | None = None
    caption: Box | None = None
    figure: Box | None = None
    heading: Box | None = None
    listed: Box | None = None
    quote: Box | None = None

    def kind(self) -> tuple[BlockKind, Box | None]:
        """The kind of a line here; and the box whose lines are one block together, if there is such a box."""
        if self.post is not None:
            return BlockKind.EMBED, self.post
        if self.table is not None:
            return BlockKind.TABLE, self.table
        if self.caption is not None or (self.figure is not None and self.quote is None and self.listed is None):
            return BlockKind.CAPTION, None
        if self.heading is not None:
            return BlockKind.HEADING, None
        if self.listed is not None:
            return BlockKind.LIST, self.listed
        return (BlockKind.QUOTE if self.quote is not None else BlockKind.PARAGRAPH), None


_PLAIN = _Place()


def blocks_of(lines: Sequence[Line], url: str) -> tuple[Block, ...]:
    """The typed blocks of lines, which stand in the page's order; addresses are made absolute against ``url``."""
    if not lines:
        return ()
    places = _Places(lines)
    blocks: list[Block] = []
    for (kind, whole), run in groupby(lines, lambda line: _kind(line, places)):
        if kind is BlockKind.TABLE:
            blocks.append(_table(list(run)))
        elif kind is BlockKind.LIST and whole is not None:
            blocks.append(_list(list(run), whole, url))
        elif kind is BlockKind.EMBED:
            blocks += _embeds(list(run), whole, url)
        else:
            blocks += (_block(line, kind, places, url) for line in run)
    return tuple(_without_echoes(blocks))


def _kind(line: Line, places: "_Places") -> tuple[BlockKind, Box | None]:
    return (BlockKind.EMBED, None) if line.embed is not None else places.of(line.box).kind()


class _Places:
    """The places of a story's boxes."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._top = common_box(lines)
        self._known: dict[int, _Place] = {}
        self._data = data_tables(lines, self._top)

    def of(self, box: Box) -> _Place:
        """Where ``box`` is."""
        if box is self._top:
            return self._own(box, _PLAIN) if box.tag in HEADINGS else _PLAIN
        # Not recursive: pages nest deeper than Python's stack.
        chain: list[Box] = []
        place = _PLAIN
        for above in box.above():
            if above is self._top:
                break
            if above.number in self._known:
                place = self._known[above.number]
                break
            chain.append(above)
        for inner in reversed(chain):
            place = self._known[inner.number] = self._own(inner, place)
        return place

    def _own(self, box: Box, around: _Place) -> _Place:
        tag = box.tag
        if tag in HEADINGS:
            return replace(around, heading=box)
        if tag == "figcaption" or (box.names and box.words <= _LONGEST_CAPTION and _CAPTION.search(box.names)):
            return replace(around, caption=box)
        if not box.marks & _TYPED:
            return around
        if tag == "figure":
            return replace(around, figure=box)
        if tag in ("ul", "ol"):
            return around if around.listed else replace(around, listed=box)
        if tag == "table" and box.number in self._data and around.table is None:
            return replace(around, table=box)
        if tag == "blockquote":
            if POST.search(box.names):
                return around if around.post else replace(around, post=box)
            return replace(around, quote=box)
        return around


def data_tables(lines: Sequence[Line], top: Box) -> set[int]:
    """The numbers of tables that hold data and no layout: two columns or more, short cells, no inner table."""
    cells: dict[int, tuple[set[int], set[int]]] = {}
    refused: set[int] = set()
    for line in lines:
        if not line.box.marks & TAG_MARK["table"]:
            continue
        row: Box | None = None
        cell: Box | None = None
        is_inner = False
        for box in line.box.above():
            if box is top:
                break
            if box.tag in _CELLS:
                cell = cell or box
            elif box.tag == "tr":
                row = row or box
            elif box.tag == "table":
                if is_inner or (cell is not None and cell.words > LONGEST_CELL):
                    refused.add(box.number)
                seen = cells.setdefault(box.number, (set(), set()))
                if cell is not None and not is_inner:
                    seen[0].add(cell.number)
                    seen[1].add(row.number if row is not None else 0)
                is_inner = True
    return {
        number
        for number, (in_cells, in_rows) in cells.items()
        if number not in refused and len(in_cells) >= max(_FEWEST_CELLS, _FEWEST_COLUMNS * len(in_rows))
    }


def _block(line: Line, kind: BlockKind, places: _Places, url: str) -> Block:
    heading = places.of(line.box).heading if kind is BlockKind.HEADING else None
    markdown = _markdown(line.pieces, url, is_heading=heading is not None)
    return Block(
        kind,
        line.text,
        level=HEADINGS[heading.tag] if heading is not None else 0,
        markdown=None if markdown is None or markdown == escaped(line.text) else markdown,
    )


def _list(lines: list[Line], box: Box, url: str) -> Block:
    items = tuple(line.text for line in lines)
    plain = [escaped(item) for item in items]
    marked = [_markdown(line.pieces, url) or text for line, text in zip(lines, plain, strict=True)]
    is_ordered = box.tag == "ol"
    markdown = "\n".join(
        f"{f'{number}.' if is_ordered else '-'} {line_start(item)}" for number, item in enumerate(marked, 1)
    )
    return Block(
        BlockKind.LIST,
        "\n".join(items),
        items=items,
        ordered=is_ordered,
        markdown=markdown if marked != plain else None,
    )


def _table(lines: list[Line]) -> Block:
    rows: list[str] = []
    for _, row in groupby(lines, lambda line: _nearest(line.box, "tr")):
        # Lines of one cell are one, but paragraphs in it are not: these have boxes of their own.
        cells = (" ".join(line.text for line in cell) for _, cell in groupby(row, lambda line: line.box.number))
        rows.append("\t".join(cell.replace("\t", " ") for cell in cells))
    return Block(BlockKind.TABLE, "\n".join(rows), items=tuple(rows))


def _nearest(box: Box, tag: str) -> int | None:
    return next((above.number for above in box.above() if above.tag == tag), None)


def _embeds(lines: list[Line], post: Box | None, url: str) -> Iterator[Block]:
    if post is not None:
        hrefs = [href for line in lines for _, href, _ in line.pieces if href]
        links = [address for href in hrefs if (address := absolute(url, href))]
        yield Block(BlockKind.EMBED, " ".join(line.text for line in lines), url=links[-1] if links else None)
        return
    for line in lines:
        element = line.embed
        source = (element.get("src") or element.get("data-src") or "") if element is not None else ""
        if element is not None and (address := absolute(url, source)):
            yield Block(BlockKind.EMBED, visible(element.get("title") or ""), url=address)


def _markdown(pieces: list[Piece], url: str, *, is_heading: bool = False) -> str | None:
    """Pieces with their links and emphasis as Markdown; None where there are neither."""
    if all(href is None and not mark for _, href, mark in pieces):
        return None
    written = []
    for href, linked in groupby(pieces, lambda piece: piece[1]):
        inner = "".join(_emphasized(text, "" if is_heading else mark) for text, mark in _alike(linked))
        address = _address(href, url) if href is not None else None
        written.append(_around(inner, "[", f"]({safe_address(address)})") if address else inner)
    return typeset("".join(written))


def _alike(pieces: Iterator[Piece]) -> Iterator[tuple[str, str]]:
    for mark, texts in groupby(pieces, lambda piece: piece[2]):
        yield escaped("".join(text for text, _, _ in texts)), mark


def _emphasized(text: str, mark: str) -> str:
    return _around(text, mark, mark) if mark else text


def _around(inner: str, before: str, after: str) -> str:
    """``inner`` between marks, the white space at its ends outside of them."""
    core = inner.strip()
    if not core:
        return inner
    start = inner.index(core[0])
    return f"{inner[:start]}{before}{core}{after}{inner[start + len(core) :]}"


def _address(href: str, url: str) -> str | None:
    href = href.strip()
    if _MAIL.fullmatch(href):
        return href
    return None if href.startswith("#") else absolute(url, href)


def _without_echoes(blocks: list[Block]) -> Iterator[Block]:
    """A block that repeats the one before it is a second rendering for other screens."""
    last: Block | None = None
    for block in blocks:
        if last is None or (block.kind, block.text, block.items) != (last.kind, last.text, last.items):
            yield block
        last = block

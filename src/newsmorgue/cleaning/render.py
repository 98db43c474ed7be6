"""Typed blocks as plain text and as Markdown in which nothing is live."""

import re

from newsmorgue.cleaning.article import Block, BlockKind

_IN_TEXT = frozenset({BlockKind.PARAGRAPH, BlockKind.HEADING, BlockKind.LIST, BlockKind.QUOTE, BlockKind.TABLE})


def text_of_blocks(blocks: tuple[Block, ...]) -> str:
    """Plain text: the blocks that are the story's text, parted by an empty line."""
    return "\n\n".join(text for block in blocks if block.kind in _IN_TEXT and (text := _plain(block)))


def markdown_of_blocks(blocks: tuple[Block, ...]) -> str:
    """CommonMark without raw HTML; links lead to http(s) and mailto addresses only."""
    return "\n\n".join(_markdown(block) for block in blocks)


def _plain(block: Block) -> str:
    if block.kind is BlockKind.LIST:
        return "\n".join(f"- {item}" for item in block.items)
    return "\n".join(block.items) if block.kind is BlockKind.TABLE else block.text


def _marks(block: Block) -> list[str]:
    return [f"{number}." if block.ordered else "-" for number in range(1, len(block.items) + 1)]


def _markdown(block: Block) -> str:
    text = block.markdown or escaped(block.text)
    match block.kind:
        case BlockKind.HEADING:
            return f"{'#' * block.level} {_HASHES_AT_END.sub(_BACKSLASHED, text)}"
        case BlockKind.LIST:
            return block.markdown or "\n".join(
                f"{mark} {line_start(escaped(item))}" for mark, item in zip(_marks(block), block.items, strict=True)
            )
        case BlockKind.QUOTE:
            return f"> {line_start(text)}"
        case BlockKind.TABLE:
            return _markdown_table(block.items)
        case BlockKind.CAPTION:
            return f"_{text}_" if "*" in text else f"*{text}*"
        case BlockKind.EMBED:
            label = escaped(block.text) or escaped(block.url or "")
            return f"[{label}]({safe_address(block.url)})" if block.url else label
        case _:
            return line_start(text)


def _markdown_table(rows: tuple[str, ...]) -> str:
    cells = [[escaped(cell).replace("|", "\\|") for cell in row.split("\t")] for row in rows]
    width = max(map(len, cells))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


_HASHES_AT_END, _BACKSLASHED = re.compile(r"(?<=\s)(#+)$"), r"\\\1"
_SPECIALS = "\\`*_[]<>~"
_SPECIAL = re.compile(f"([{re.escape(_SPECIALS)}])")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_STARTS = frozenset("#+-=>|")
_NUMBERED = re.compile(r"(\d{1,9})([.)])(?=\s|$)")


def escaped(text: str) -> str:
    """``text`` for Markdown, where nothing in it is markup or HTML.

    >>> print(escaped("<b> *x* &lt;"))
    \\<b\\> \\*x\\* &amp;lt;
    """
    if any(map(text.__contains__, _SPECIALS)):  # (which is quicker found out so)
        text = _SPECIAL.sub(r"\\\1", text)
    return _ENTITY.sub("&amp;", text) if "&" in text else text


def line_start(text: str) -> str:
    """A paragraph, or what an item of a list says, as it may stand at the beginning of one.

    Characters that would begin a heading, list, quote, rule or code block there are escaped."""
    if text[:1] in _STARTS:
        return f"\\{text}"
    numbered = _NUMBERED.match(text)
    return f"{numbered[1]}\\{text[numbered.end(1) :]}" if numbered else text


def safe_address(address: str | None) -> str:
    """An address that can end neither a Markdown link nor an HTML attribute."""
    return re.sub(r"[\s()<>\"'\\`]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), address or "")

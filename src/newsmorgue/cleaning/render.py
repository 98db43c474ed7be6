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
            return f"{'#' * block.level} {text}"
        case BlockKind.LIST:
            return block.markdown or "\n".join(
                f"{mark} {escaped(item)}" for mark, item in zip(_marks(block), block.items, strict=True)
            )
        case BlockKind.QUOTE:
            return f"> {_line_start(text)}"
        case BlockKind.TABLE:
            return _markdown_table(block.items)
        case BlockKind.CAPTION:
            return f"*{text.strip('*')}*"
        case BlockKind.EMBED:
            label = escaped(block.text) or escaped(block.url or "")
            return f"[{label}]({safe_address(block.url)})" if block.url else label
        case _:
            return _line_start(text)


def _markdown_table(rows: tuple[str, ...]) -> str:
    cells = [[escaped(cell).replace("|", "\\|") for cell in row.split("\t")] for row in rows]
    width = max(map(len, cells))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * width, *lines[1:]])


_SPECIAL = re.compile(r"([\\`*_\[\]<>~])")


def escaped(text: str) -> str:
    """``text`` for Markdown, where nothing in it is markup or HTML.

    >>> print(escaped("<b> *x* &lt;"))
    \\<b\\> \\*x\\* &amp;lt;
    """
    return re.sub(r"&(?=#?\w+;)", "&amp;", _SPECIAL.sub(r"\\\1", text))


def _line_start(text: str) -> str:
    """Characters that would begin a heading, list, quote, rule or code block there are escaped."""
    text = re.sub(r"^([#+\-=>|])", r"\\\1", text)
    return re.sub(r"^(\d{1,9})([.)])(?=\s|$)", r"\1\\\2", text)


def safe_address(address: str | None) -> str:
    """An address that can end neither a Markdown link nor an HTML attribute."""
    return re.sub(r"[\s()<>\"'\\`]", lambda match: f"%{ord(match[0]):02X}", address or "")

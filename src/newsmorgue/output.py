"""What the ``morgue`` command prints: tables and colours for people, one JSON document a line for programs.

The fields of the JSON documents are an interface: ``docs/reference.md`` lists them, and tests hold them.
"""

import json
import sys
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from newsmorgue.archive.capture import Capture
from newsmorgue.cleaning import Article, article_to_json
from newsmorgue.progress import counted, printable
from newsmorgue.stories.diff import Change, Line
from newsmorgue.stories.reading import Shown, StoryRow
from newsmorgue.stories.versions import VersionRow
from newsmorgue.times import iso

_STYLES = {Change.KEPT: "", Change.ADDED: "bold green", Change.REMOVED: "red strike"}
_CONTEXT = 1  # kept sentences shown on either side of a change


def json_line(document: dict[str, Any]) -> str:
    """One JSON document on one line, lone surrogates escaped."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()


def print_json(document: dict[str, Any]) -> None:
    """One JSON document as a line of standard output."""
    sys.stdout.write(json_line(document) + "\n")


def story_json(row: StoryRow) -> dict[str, Any]:
    """``stories --json``."""
    return {
        "id": row.id,
        "url": row.url,
        "aliases": list(row.aliases),
        "source": row.source,
        "headline": row.headline,
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        "versions": row.versions,
        "gone_since": iso(row.gone_since) if row.gone_since else None,
        "syndicated_from": row.syndicated_from,
    }


def version_json(row: VersionRow) -> dict[str, Any]:
    """``versions --json``."""
    return {
        "number": row.number,
        "first_seen": iso(row.first_seen),
        "last_seen": iso(row.last_seen),
        "sightings": row.sightings,
        "headline": row.headline,
        "text_digest": row.digest,
        "reading": row.reading,
    }


def capture_json(capture: Capture) -> dict[str, Any]:
    """A capture, as part of ``show --json``."""
    return {
        "url": capture.url,
        "time": iso(capture.time),
        "warc": capture.warc,
        "offset": capture.offset,
        "length": capture.length,
        "kind": capture.kind,
        "status": capture.status,
        "mime": capture.mime,
        "payload_digest": capture.payload_digest,
        "truncated": capture.truncated,
    }


def shown_json(shown: Shown) -> dict[str, Any]:
    """``show --json``: the article's fields, its version and its capture."""
    seen = {"version": shown.version.number, "seen": iso(shown.seen), "text_digest": shown.version.digest}
    capture = capture_json(shown.capture) if shown.capture else None
    return seen | {"article": article_to_json(shown.article), "capture": capture}


def diff_json(old: Shown, new: Shown, lines: Iterable[Line]) -> dict[str, Any]:
    """``diff --json``: only changed sentences, each as its pieces."""
    changes = [
        {"part": line.part, "pieces": [{"change": piece.change.value, "text": piece.text} for piece in line.pieces]}
        for line in lines
        if line.is_changed
    ]
    ends = {"from": old.version.number, "from_seen": iso(old.seen), "to": new.version.number, "to_seen": iso(new.seen)}
    return ends | {"changes": changes}


def print_stories(console: Console, rows: Iterable[StoryRow]) -> None:
    """The list of stories for people: two lines each, since headlines and addresses are long."""
    for row in rows:
        line = Text(f"{_short(row.last_seen)}  ")
        line.append(
            counted(row.versions, "versions").ljust(12),
            style="green" if row.versions > 1 else "",
        )
        line.append(printable(row.headline or "(no headline)"), style="bold")
        if row.gone_since:
            line.append(f"  gone since {_short(row.gone_since)}", style="yellow")
        console.print(line, soft_wrap=True)
        console.print(Text(printable(f"    {row.url}"), style="dim"), soft_wrap=True)


def print_versions(console: Console, about: StoryRow, rows: Iterable[VersionRow]) -> None:
    """A story's versions for people."""
    console.print(Text(printable(about.url), style="dim"), soft_wrap=True)
    console.print(
        Text(" no.  first seen           last seen            sightings  headline", style="dim"), soft_wrap=True
    )
    for row in rows:
        line = Text(f"{row.number:4}  {_short(row.first_seen)} {_short(row.last_seen)} {row.sightings:9}  ")
        console.print(line.append(printable(row.headline or "(no headline)"), style="bold"), soft_wrap=True)
    if about.gone_since:
        console.print(Text(f"gone since {_short(about.gone_since)}", style="yellow"))


def article_text(article: Article) -> str:
    """``show --format text``: headline, summary and body, parted by empty lines."""
    return printable("\n\n".join(part for part in (article.headline, article.summary, article.text) if part) + "\n")


def article_markdown(article: Article) -> str:
    """``show --format markdown``: the same with headings and links."""
    headline = f"# {escape_markdown(article.headline)}" if article.headline else None
    summary = f"*{escape_markdown(article.summary)}*" if article.summary else None
    return printable("\n\n".join(part for part in (headline, summary, article.markdown) if part) + "\n")


def escape_markdown(text: str) -> str:
    """Text with what Markdown would act on escaped."""
    return "".join(f"\\{character}" if character in "\\`*_[]<>#" else character for character in text)


def print_diff(console: Console, old: Shown, new: Shown, lines: list[Line]) -> None:
    """A diff for people: words within changed sentences, coloured; without colours as ``[-removed-]{+added+}``."""
    console.print(f"[dim]--- version {old.version.number}, seen {_short(old.seen)}[/dim]", highlight=False)
    console.print(f"[dim]+++ version {new.version.number}, seen {_short(new.seen)}[/dim]", highlight=False)
    plain = console.no_color or not console.is_terminal
    part, skipped = "", False
    for index, line in enumerate(lines):
        near = lines[max(0, index - _CONTEXT) : index + _CONTEXT + 1]
        if not any(other.is_changed for other in near):
            skipped = True
            continue
        if line.part != part:
            part, skipped = line.part, False
            console.print(f"[bold cyan]{part}[/bold cyan]", highlight=False)
        elif skipped:
            console.print("[dim]  …[/dim]", highlight=False)
        skipped = False
        console.print(_diff_line(line, plain), soft_wrap=plain, highlight=False)


def _diff_line(line: Line, plain: bool) -> Text:
    text = Text("~ " if len(line.pieces) > 1 else {"kept": "  ", "added": "+ ", "removed": "- "}[line.pieces[0].change])
    for piece in line.pieces:
        words = printable(piece.text)
        if plain and len(line.pieces) > 1 and piece.change != Change.KEPT:
            text.append(f"{{+{words}+}}" if piece.change == Change.ADDED else f"[-{words}-]")
        else:
            text.append(words, style=_STYLES[piece.change])
    return text


def _short(moment: datetime) -> str:
    """A time for people: seconds, and the Z that says UTC."""
    return iso(moment)[:19].replace("T", " ") + "Z"

"""``morgue versions``, ``show`` and ``diff``: what the archive has of a story."""

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from newsmorgue.errors import MissingObject
from newsmorgue.options import Json
from newsmorgue.progress import Output
from newsmorgue.settings.opening import opened_archive
from newsmorgue.times import parse_asked_time

if TYPE_CHECKING:
    from newsmorgue.archive.archive import Archive
    from newsmorgue.stories.reading import Shown

app = typer.Typer()
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)

Url = Annotated[str, typer.Argument(help="Any address of the story, with or without scheme, or its id.")]


@app.command()
def versions(url: Url, as_json: Json = False) -> None:
    """List every version of a story."""
    from newsmorgue import output
    from newsmorgue.stories.reading import find_story, story_row, story_versions

    with opened_archive() as archive:
        story = find_story(archive, url)
        rows, about = story_versions(archive, story), story_row(archive, story)
    if as_json:
        for row in rows:
            output.print_json(output.version_json(row))
        return
    output.print_versions(out, about, rows)


@app.command()
def show(
    url: Url,
    at: Annotated[
        str | None, typer.Option(help="As it stood at this time: ISO 8601 (UTC without an offset) or digits.")
    ] = None,
    version: Annotated[int | None, typer.Option(help="The version of this number instead.")] = None,
    form: Annotated[str, typer.Option("--format", help="text, markdown, json, html or warc.")] = "text",
    as_json: Json = False,
) -> None:
    """Show a story, as last seen or as it stood at a time."""
    from newsmorgue import output

    form = "json" if as_json else form
    writers = {
        "text": _show_text,
        "markdown": _show_markdown,
        "json": _show_json,
        "html": _show_html,
        "warc": _show_warc,
    }
    if form not in writers:
        raise typer.BadParameter(f"'{form}' is none of: {', '.join(writers)}", param_hint="--format")
    if at is not None and version is not None:
        raise typer.BadParameter("give a time or a version, not both", param_hint="--at / --version")
    with opened_archive() as archive:
        writers[form](archive, _shown(archive, url, at, version), output)


@app.command()
def diff(
    url: Url,
    old: Annotated[int | None, typer.Option("--from", help="Version number; by default the one before --to.")] = None,
    new: Annotated[int | None, typer.Option("--to", help="Version number; by default the last.")] = None,
    as_json: Json = False,
) -> None:
    """Show what changed between two versions of a story, word by word."""
    from newsmorgue import output
    from newsmorgue.stories.diff import diff_articles
    from newsmorgue.stories.reading import find_story, show_version, story_versions

    with opened_archive() as archive:
        story = find_story(archive, url)
        last = new if new is not None else story_versions(archive, story)[-1].number
        after = show_version(archive, story, last)
        before = show_version(archive, story, old if old is not None else max(1, last - 1))
    lines = diff_articles(before.article, after.article)
    if as_json:
        output.print_json(output.diff_json(before, after, lines))
    elif any(line.is_changed for line in lines):
        output.print_diff(out, before, after, lines)
    else:
        err.print(
            "no difference" if before.version.number != after.version.number else "only one version", markup=False
        )


def _shown(archive: "Archive", url: str, at: str | None, version: int | None) -> "Shown":
    from newsmorgue.stories.reading import find_story, show_at, show_version

    moment = parse_asked_time(at) if at is not None else None
    story = find_story(archive, url)
    return show_version(archive, story, version) if version is not None else show_at(archive, story, moment)


def _show_text(_: "Archive", shown: "Shown", output: Any) -> None:
    sys.stdout.write(output.article_text(shown.article))


def _show_markdown(_: "Archive", shown: "Shown", output: Any) -> None:
    sys.stdout.write(output.article_markdown(shown.article))


def _show_json(_: "Archive", shown: "Shown", output: Any) -> None:
    output.print_json(output.shown_json(shown))


def _show_html(archive: "Archive", shown: "Shown", _: Any) -> None:
    """The entity as the site sent it, decompressed and otherwise untouched."""
    from newsmorgue.capture.entity import decode_entity
    from newsmorgue.stories.reading import payload_of

    record = payload_of(archive, shown.require_capture())
    sys.stdout.buffer.write(decode_entity(record.entity, record.http.get("content-encoding"), 1 << 30))


def _show_warc(archive: "Archive", shown: "Shown", _: Any) -> None:
    """The capture's own record, as one gzip member, byte for byte as archived."""
    from newsmorgue.archive.spool import WARC_SUFFIX

    capture = shown.require_capture()
    data = archive.read_bytes(capture.warc, WARC_SUFFIX, capture.offset, capture.length)
    if not data:
        raise MissingObject(f"{capture.warc}@{capture.offset}: empty; run 'morgue verify'")
    sys.stdout.buffer.write(data)

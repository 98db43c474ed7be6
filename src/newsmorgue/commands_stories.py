"""``morgue stories``: the list, and what an operator may say of it."""

from typing import Annotated

import typer
from rich.console import Console

from newsmorgue.options import Json
from newsmorgue.progress import Output
from newsmorgue.settings.opening import opened_archive
from newsmorgue.times import now_utc

app = typer.Typer(help="List the stories of the archive, the last seen first; or split one that was merged wrongly.")
out = Output(highlight=False)
err = Console(stderr=True, highlight=False)


@app.callback(invoke_without_command=True)
def stories(
    context: typer.Context,
    source: Annotated[str | None, typer.Option(help="Only this source's.")] = None,
    as_json: Json = False,
) -> None:
    """List the stories of the archive, the last seen first; or split one that was merged wrongly."""
    from newsmorgue import output
    from newsmorgue.stories.reading import list_stories

    if context.invoked_subcommand is not None:
        return
    with opened_archive() as archive:
        rows = list_stories(archive, source)
    if as_json:
        for row in rows:
            output.print_json(output.story_json(row))
    elif rows:
        output.print_stories(out, rows)
    else:
        err.print("no stories yet; 'morgue crawl URL' fills the archive", markup=False)


@app.command()
def split(
    url: Annotated[str, typer.Argument(help="An address of the story that should not have been merged, or its id.")],
) -> None:
    """Undo a merge: what had this address before is a story of its own again, and stays one."""
    from newsmorgue.capture.recorder import Recorder
    from newsmorgue.stories.filing import SplitStory
    from newsmorgue.stories.reading import merged_story

    with opened_archive() as archive:
        story, source = merged_story(archive, url)
        recorder = Recorder(archive, source, {"isPartOf": source}, now_utc)
        recorder.add(SplitStory(story, "an operator's word"))
        recorder.finish()
    out.print(f"{url} is a story of its own again: {story}", markup=False, soft_wrap=True)

"""``morgue status``, and what a crawl tells of a source that falls ill or recovers."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.archive.harness import Visitor
from tests.cli.command import Morgue, on_terminal
from tests.cli.conftest import Printed
from tests.health.hook import Hook, hooked
from tests.servers import free_ports
from tests.sites.newsroom import Newsroom
from tests.sites.server import serve

from newsmorgue.capture.runs import BeginRun, EndRun
from newsmorgue.health.history import newest_stories
from newsmorgue.settings.configuration import SourceConfiguration, load_configuration
from newsmorgue.settings.opening import open_archive
from newsmorgue.stories.reading import list_stories, show_version

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
GOOD = {"listed": 2, "new_story": 3}
DOWN = {"failed": 1}


def remember(morgue: Morgue, source: SourceConfiguration, runs: list[tuple[datetime, dict[str, int]]]) -> None:
    """Have the archive know runs of the past."""
    with closing(open_archive(load_configuration(morgue.environment, morgue.folder))) as archive:
        visitor = Visitor(archive, source=source.slug, now=runs[0][0] - HOUR)
        visitor.end(sealed=False)
        for number, (at, counts) in enumerate(runs):
            run, visitor.now = f"{source.slug}-{number}", at
            visitor.settle(BeginRun(run, source, "crawl", archive.host), EndRun(run, "finished", counts))
        visitor.recorder.finish()


@pytest.fixture
def remembered(morgue: Morgue) -> Morgue:
    """One source that is well, and one that is silent."""
    now = datetime.now(UTC) - HOUR
    well = [(now - DAY * ago, GOOD) for ago in range(24, -1, -1)]
    silent = [(at, GOOD if number < 21 else {"listed": 2}) for number, (at, _) in enumerate(well)]
    remember(morgue, SourceConfiguration("well.example", "https://well.example/"), well)
    remember(morgue, SourceConfiguration("silent.example", "https://silent.example/"), silent)
    return morgue


def test_an_archive_of_two_editions(printed: Printed) -> None:
    ended = printed.morgue.ask("status", "--json")
    assert (ended.code, ended.err) == (0, "")
    (document,) = ended.documents
    assert list(document) == [
        *("source", "at", "condition", "reasons", "last_run", "last_success", "last_news", "silence_seconds"),
        *("longest_silence_seconds", "errors", "texts", "characters", "changed", "edits_per_story"),
        "new_stories_by_day",
    ]
    assert (document["condition"], document["reasons"]) == ("unknown", [])
    assert document["last_run"] == document["last_success"]
    edited, found = printed.morgue.documents("stories"), sum(document["new_stories_by_day"])
    assert document["edits_per_story"] == sum(row["versions"] - 1 for row in edited) / len(edited)
    assert 0 < found <= len(edited)


def test_characters_are_those_of_the_texts(printed: Printed) -> None:
    with closing(open_archive(load_configuration(printed.morgue.environment, printed.morgue.folder))) as archive:
        stories = list_stories(archive)
        with archive.catalogue.read() as connection:
            counted = [story.characters for story in newest_stories(connection, stories[0].source)]
        texts = [show_version(archive, story.id, 1).article.text for story in stories]
    assert sorted(counted, key=str) == sorted(map(len, texts), key=str)


def test_a_source_that_is_ill(remembered: Morgue) -> None:
    ended = remembered.ask("status")
    assert ended.code == 14
    head, silent, why, well = ended.out.splitlines()
    assert head.split() == [
        "source",
        "health",
        "last",
        "success",
        "silence",
        "14",
        "days",
        "errors",
        "texts",
        "characters",
        "edits",
    ]
    assert silent.split()[:2] == ["silent.example", "ill"]
    assert why == "  no new story for 4 d, never more than 1 d before"
    assert well.split()[:2] == ["well.example", "well"]
    assert "█████████████" in well
    assert remembered.ask("status", "well.example").code == 0
    unknown = remembered.ask("status", "wel.example")
    assert (unknown.code, "never crawled" in unknown.err) == (3, True)


def test_a_pipe_gets_plain_lines_whole(remembered: Morgue) -> None:
    ended = Morgue(remembered.folder, {"COLUMNS": "30"})("status")
    assert "\x1b" not in ended.out
    assert all(word in ended.out for word in ("silent.example", "characters", "edits"))
    assert not any(line.endswith(" ") for line in ended.out.splitlines())


def test_a_narrow_terminal_gets_the_columns_that_have_room(remembered: Morgue) -> None:
    for columns in (40, 60, 200):
        lines = on_terminal(remembered.folder, columns, "status")
        table = [line for line in lines if not line.startswith("  ")]
        assert max(map(len, table)) <= columns
        assert "silent.example  ill" in "\n".join(table)
        assert ("edits" in table[0]) is (columns == 200)
        assert ("last success" in table[0]) is (columns >= 40)


def test_metrics_for_the_textfile_collector(remembered: Morgue) -> None:
    printed = remembered.ask("status", "--prometheus")
    assert printed.code == 14
    families = {family.name: family for family in text_string_to_metric_families(printed.out)}
    ill = {sample.labels["source"]: sample.value for sample in families["newsmorgue_source_ill"].samples}
    assert ill == {"silent.example": 1, "well.example": 0}
    file = remembered.folder / "newsmorgue.prom"
    file.write_text("old")
    ended = remembered.ask("status", "--prometheus", "--output", str(file))
    assert (ended.code, ended.out) == (14, "")
    assert file.read_text().splitlines()[:2] == printed.out.splitlines()[:2]
    assert file.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in remembered.folder.iterdir() if ".prom" in path.name] == ["newsmorgue.prom"]


@pytest.mark.parametrize(
    "options",
    [("--json", "--prometheus"), ("--output", "x"), ("--json", "--output", "no/such/folder")],
)
def test_options_that_make_no_sense(morgue: Morgue, options: tuple[str, ...]) -> None:
    assert morgue.ask("status", *options).code == 2


def test_no_source_yet(morgue: Morgue) -> None:
    ended = morgue.ask("status")
    assert (ended.code, ended.out, "no source was crawled yet" in ended.err) == (0, "", True)


# -- telling ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


def test_a_crawl_tells_once_that_a_source_fell_ill_and_once_that_it_recovered(tmp_path: Path, hook: Hook) -> None:
    morgue = Morgue(tmp_path, {"MORGUE_WEBHOOK": hook.url})
    (port,) = free_ports(1)
    home, now = f"http://127.0.0.1:{port}/", datetime.now(UTC)
    source = SourceConfiguration(f"127.0.0.1_{port}", home)
    remember(morgue, source, [(now - 9 * HOUR, DOWN), (now - 5 * HOUR, DOWN)])
    assert hook.taken == []
    assert morgue("crawl", home).code == 4
    assert [taken["event"] for taken in hook.taken] == ["ill"]
    assert "the last 3 runs, over 9 h" in hook.taken[0]["reasons"][0]["text"]
    assert morgue("crawl", home).code == 4
    assert morgue.ask("reindex", "--replace").code == 0
    assert morgue.ask("status", "--notify").code == 14
    assert len(hook.taken) == 1
    with serve(Newsroom(), port):
        assert morgue("crawl", home).code == 0
    assert [taken["event"] for taken in hook.taken] == ["ill", "recovered"]
    assert morgue.ask("status", "--notify").code == 0
    assert len(hook.taken) == 2


def test_a_webhook_that_fails_changes_no_exit_code(morgue: Morgue, hook: Hook) -> None:
    hook.status, now = 500, datetime.now(UTC)
    port = hook.url.split("/")[2].split(":")[1]
    home = f"http://127.0.0.1:{free_ports(1)[0]}/"
    slug = home.removeprefix("http://").removesuffix("/").replace(":", "_")
    remember(morgue, SourceConfiguration(slug, home), [(now - 9 * HOUR, DOWN), (now - 5 * HOUR, DOWN)])
    ended = Morgue(morgue.folder, {"MORGUE_WEBHOOK": hook.url})("crawl", home)
    said = f"morgue: webhook at 127.0.0.1:{port}: answers 500, where 2xx says that it was taken; to be told again"
    assert (ended.code, ended.err.splitlines()[-1]) == (4, said)

"""``morgue schedule``, ``crawl --due`` and ``sources`` as people run them."""

import json
import os
import signal
import time

import pytest
from tests.cli.command import Morgue, finished, on_terminal
from tests.processes import children, lives, wait_until
from tests.sites.held import HeldNewsroom
from tests.sites.newsroom import Newsroom
from tests.sites.scripted import Answer, page_of, scripted
from tests.sites.server import Site, serve


def configure(morgue: Morgue, site: Site, more: str = 'every = "1 hour"') -> None:
    (morgue.folder / "morgue.toml").write_text(f'[sources.lantern]\nhome = "{site.url}/"\n{more}\n')


def test_what_is_due_is_crawled_once_and_listed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        configure(morgue, site)
        (row,) = morgue.documents("sources")
        assert (row["source"], row["every"], row["next_run"], row["last_run"]) == ("lantern", "1 hour", None, None)
        first = morgue("crawl", "--due")
        asked = len(site.log)
        again = morgue("crawl", "--due", "lantern")
    assert (first.code, first.err, again.code, again.out) == (0, "", 0, "")
    assert "lantern: finished" in first.out
    assert len(site.log) == asked
    (row,) = morgue.documents("sources")
    assert row["last_run"]["outcome"] == "finished"
    assert row["last_run"]["started"] < row["last_run"]["ended"] < row["next_run"]
    assert "lantern" in morgue.ask("sources").out


def test_a_scheduler_and_its_runs_stop_within_ten_seconds_and_the_next_resumes(morgue: Morgue) -> None:
    """Also where each request waits 20 seconds for its turn."""
    with serve(Newsroom()) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 20')
        process = morgue.start("schedule")
        wait_until(lambda: len(site.log) >= 1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ended = finished(process)
        assert time.monotonic() - began < 10
        assert len(site.log) == 1, "what waits for its turn is not sent"
        assert (ended.code, "lantern: interrupted" in ended.out) == (0, True)
        assert "pending" not in ended.err
        (row,) = morgue.documents("sources")
        assert row["last_run"]["outcome"] == "interrupted"
        configure(morgue, site)
        assert morgue("crawl", "--due").code == 0
    assert len(morgue.documents("stories")) == 8
    assert morgue.ask("verify").code == 0


def test_kill_9_of_a_scheduler_and_its_run_loses_nothing(morgue: Morgue) -> None:
    newsroom = HeldNewsroom(stories=3)
    with serve(newsroom) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 0\nconcurrency = 1\nassets = "none"')
        process = morgue.start("schedule")
        newsroom.wait_until_it_holds()
        (run,) = children(process.pid)
        os.killpg(run, signal.SIGKILL)
        process.kill()
        assert finished(process).code == -signal.SIGKILL
        newsroom.go_on()
        again = morgue.start("schedule")
        wait_until(lambda: any(row["last_run"]["outcome"] == "finished" for row in morgue.documents("sources")))
        again.send_signal(signal.SIGINT)
        ended = finished(again)
    assert ended.code == 0
    assert "lantern: finished" in ended.out
    assert len(morgue.documents("stories")) == 8
    pages = {truth.path for truth in site.newsroom.truth() if truth.kept}
    asked = [path for one in site.log if (path := one.path.partition("?")[0]) in pages]
    assert len(asked) - len(set(asked)) <= 1, "what was in flight"


def test_a_run_stops_when_its_scheduler_is_killed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 20')
        process = morgue.start("schedule")
        wait_until(lambda: len(site.log) >= 1)
        (run,) = children(process.pid)
        process.kill()
        finished(process)
        wait_until(lambda: not lives(run))
    (row,) = morgue.documents("sources")
    assert row["last_run"]["outcome"] == "interrupted"


def test_sources_are_added_paused_and_resumed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        added = morgue.ask("sources", "add", "lantern", site.url, "--every", "*/15 * * * *")
        assert (added.code, added.err) == (0, "")
        assert morgue.ask("sources", "pause", "lantern").code == 0
        paused = morgue("crawl", "--due")
        assert (paused.code, paused.out, site.log) == (0, "", [])
    (row,) = morgue.documents("sources")
    assert (row["every"], row["configured"], row["paused_since"] is not None) == ("*/15 * * * *", True, True)
    assert "paused" in morgue.ask("sources").out
    assert morgue.ask("reindex", "--replace").code == 0
    assert morgue.documents("sources")[0]["paused_since"] == row["paused_since"]
    assert morgue.ask("sources", "resume", "lantern").code == 0
    assert morgue.documents("sources")[0]["paused_since"] is None


def test_the_list_of_sources_breaks_no_line(morgue: Morgue) -> None:
    """Piped it is whole; on a terminal it has the columns that have room."""
    home = "https://www.a-newspaper-with-a-long-name.example/"
    (morgue.folder / "morgue.toml").write_text(f'every = "1 day"\n[sources.long]\nhome = "{home}"\n')
    head, line = Morgue(morgue.folder, {"COLUMNS": "40"}).ask("sources").out.splitlines()
    assert head.split("  ")[0] == "source"
    assert line.split() == ["long", "1", "day", "-", "-", home]
    wide, narrow = (on_terminal(morgue.folder, columns, "sources") for columns in (120, 40))
    assert wide[1].endswith(home)
    assert narrow[0].split("  ")[0] == "source"
    assert "home" not in narrow[0]
    assert [line.split() for line in narrow[1:]] == [["long", "1", "day", "-", "-"], []]


def test_adding_never_spoils_the_file(morgue: Morgue) -> None:
    file = morgue.folder / "morgue.toml"
    file.write_text('# mine\ndelay = 2\n\n[sources.one]\nhome = "https://example.org/"\n')
    before = file.read_text()
    for arguments in (("one", "https://other.example/"), ("two", "https://example.org/"), ("two", "no address")):
        assert morgue.ask("sources", "add", *arguments).code == 3
        assert file.read_text() == before
    refused = morgue.ask("sources", "add", "two", "https://two.example/", "--every", "often")
    assert refused.code == 3
    assert refused.err.startswith("morgue: morgue.toml stays as it is: sources.two.every is 'often'; allowed is ")
    assert morgue.ask("sources", "add", "Two!", "https://two.example/").code == 2
    assert file.read_text() == before
    assert morgue.ask("sources", "add", "two", "https://two.example/").code == 0
    assert file.read_text().startswith(before.rstrip("\n"))
    assert [path.name for path in morgue.folder.glob(".morgue*")] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("crawl",), 2, "which sources?"),
        (("crawl", "--due", "--recheck"), 2, "--due"),
        (("crawl", "--due"), 3, "no source has a timetable"),
        (("schedule",), 3, "no source has a timetable"),
        (("schedule", "--limit", "0"), 2, "--limit"),
        (("crawl", "--due", "nobody"), 3, "'nobody' is no source"),
        (("sources", "pause", "nobody"), 3, "'nobody' is no source"),
        (("sources", "resume", "nobody"), 3, "'nobody' is no source"),
    ],
)
def test_what_cannot_be_scheduled(morgue: Morgue, arguments: tuple[str, ...], code: int, said: str) -> None:
    ended = morgue.ask(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_a_paused_or_broken_configuration_is_told(morgue: Morgue) -> None:
    (morgue.folder / "morgue.toml").write_text('every = "sometimes"\n')
    ended = morgue.ask("schedule")
    assert ended.code == 3
    assert "morgue.toml:1: every is 'sometimes'; allowed is a time span" in ended.err


@pytest.mark.parametrize(
    ("every", "hours"),
    [("1 hour", ["00:00-12:00", "12:00-00:00"]), ("*/10 13 * * *", ["12:30-14:00"]), ("0 3 * * *", ["23:00-05:30"])],
)
def test_quiet_hours_that_leave_no_time_are_told(every: str, hours: list[str], morgue: Morgue) -> None:
    """Such a source would be listed, and never crawled."""
    source = f'[sources.lantern]\nhome = "https://lantern.example/"\nquiet_hours = {json.dumps(hours)}\n'
    (morgue.folder / "morgue.toml").write_text(f'every = "{every}"\n{source}')
    ended = morgue.ask("sources")
    said = f"sources.lantern.quiet_hours is '{', '.join(hours)}'; allowed is hours that leave a time for '{every}'"
    assert (ended.code, ended.err.strip()) == (3, f"morgue: morgue.toml:4: {said}")


def test_a_site_is_tried_out_and_nothing_is_kept(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        before = set(morgue.folder.iterdir())
        ended = morgue("sources", "test", site.url, "--sample", "4")
        (told,) = morgue("sources", "test", site.url, "--sample", "4", "--json").documents
        assert set(morgue.folder.iterdir()) == before
        pages = {site.url + truth.path for truth in site.newsroom.truth()}
        fetched = [one for one in site.log if site.url + one.path.partition("?")[0] in pages]
    assert (ended.code, ended.err) == (0, "")
    assert len(fetched) <= 8
    lists = {one["url"].removeprefix(site.url): one for one in told["lists"]}
    assert lists["/en/atom.xml"]["outcome"] == "listed"
    assert lists["/post-sitemap.xml"]["found_in"] == site.url + "/sitemap.xml"
    assert lists["/post-sitemap.xml"]["pages"] > 3
    assert told["robots"].endswith(" bytes")
    assert told["pages"] >= 8
    assert len(told["tried"]) == 4
    stories = {site.url + truth.path: truth for truth in site.newsroom.truth()}
    for page in told["tried"]:
        truth = stories.get(page["url"].partition("?")[0])
        if truth is not None and truth.kept:
            assert (page["outcome"], page["headline"]) == ("stored", truth.headline)
    assert "lists:" in ended.out
    assert "found in" in ended.out


def test_a_trial_and_the_crawls_leave_a_host_alone_for_each_other(morgue: Morgue) -> None:
    """The site answers the first request for its page with 429 and an hour; who comes then asks for nothing."""
    busy = Answer(429, b"", {"Retry-After": "3600"})
    for first, second in ((("crawl",), ("sources", "test")), (("sources", "test"), ("crawl",))):
        with scripted({"/": page_of()}) as site:
            assert morgue("crawl", site.url).code == 5  # there is an archive, and nothing asked to be left alone
            site.answers["/"] = busy
            assert morgue(*first, site.url).code == 4
            asked = len(site.visits)
            ended = morgue(*second, site.url)
            assert (ended.code, len(site.visits)) == (4, asked)
            assert "is to be left alone until" in ended.out + ended.err


def test_a_trial_of_a_source_that_the_archive_alone_knows(morgue: Morgue) -> None:
    with scripted({"/": page_of()}) as site:
        morgue("crawl", site.url)
        name = site.url.removeprefix("http://").replace(":", "_")
        (told,) = morgue("sources", "test", name, "--json").documents
    assert (told["source"], told["home"]) == (name, f"{site.url}/")

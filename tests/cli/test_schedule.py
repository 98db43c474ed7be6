"""``morgue schedule``, ``crawl --due`` and ``sources`` as people run them."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.command import Morgue, finished
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve

UNITS = Path(__file__).parents[2] / "docs" / "systemd"


def configure(morgue: Morgue, site: Site, more: str = 'every = "1 hour"') -> None:
    (morgue.folder / "morgue.toml").write_text(f'[sources.lantern]\nhome = "{site.url}/"\n{more}\n')


def wait_until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def stories_answered(site: Site) -> int:
    paths = {truth.path for truth in site.newsroom.truth()}
    return sum(one.path.partition("?")[0] in paths for one in site.log)


def children(process: "subprocess.Popen[bytes]") -> list[int]:
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def test_what_is_due_is_crawled_once_and_listed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        configure(morgue, site)
        (row,) = morgue.documents("sources")
        assert (row["source"], row["every"], row["next_run"], row["last_run"]) == ("lantern", "1 hours", None, None)
        first = morgue("crawl", "--due")
        asked = len(site.log)
        again = morgue("crawl", "--due", "lantern")
    assert (first.code, first.err, again.code, again.out) == (0, "", 0, "")
    assert "lantern: finished" in first.out
    assert len(site.log) == asked
    (row,) = morgue.documents("sources")
    assert row["last_run"]["outcome"] == "finished"
    assert row["last_run"]["started"] < row["last_run"]["ended"] < row["next_run"]
    assert "lantern" in morgue("sources").out


def test_a_scheduler_and_its_runs_stop_within_ten_seconds_and_the_next_resumes(morgue: Morgue) -> None:
    """Also where each request waits 20 seconds for its turn. What was captured is not fetched again."""
    with serve(Newsroom()) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 20')
        process = morgue.start("schedule")
        wait_until(lambda: len(site.log) >= 2)
        time.sleep(4)  # the processes that read pages have started: on a busy machine that takes seconds by itself
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        ended = finished(process)
        assert time.monotonic() - began < 10
        assert (ended.code, "lantern: interrupted" in ended.out) == (0, True)
        assert "pending" not in ended.err
        (row,) = morgue.documents("sources")
        assert row["last_run"]["outcome"] == "interrupted"
        configure(morgue, site)
        assert morgue("crawl", "--due").code == 0
    assert len(morgue.documents("stories")) == 8
    assert morgue("verify").code == 0


def test_kill_9_of_a_scheduler_and_its_run_loses_nothing(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 0.2\nconcurrency = 1')
        process = morgue.start("schedule")
        wait_until(lambda: stories_answered(site) >= 3)
        (run,) = children(process)
        os.killpg(run, signal.SIGKILL)
        process.kill()
        assert finished(process).code == -signal.SIGKILL
        again = morgue.start("schedule")
        wait_until(lambda: any(row["last_run"]["outcome"] == "finished" for row in morgue.documents("sources")))
        again.send_signal(signal.SIGINT)
        ended = finished(again)
    assert ended.code == 0
    assert "lantern: finished" in ended.out
    assert len(morgue.documents("stories")) == 8
    pages = {truth.path for truth in site.newsroom.truth() if truth.kept}
    asked = [path for one in site.log if (path := one.path.partition("?")[0]) in pages]
    assert len(asked) - len(set(asked)) <= 3


def test_a_run_stops_when_its_scheduler_is_killed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        configure(morgue, site, 'every = "1 hour"\ndelay = 20')
        process = morgue.start("schedule")
        wait_until(lambda: len(site.log) >= 2)
        (run,) = children(process)
        process.kill()
        finished(process)
        wait_until(lambda: not Path(f"/proc/{run}").exists())
    (row,) = morgue.documents("sources")
    assert row["last_run"]["outcome"] == "interrupted"


def test_sources_are_added_paused_and_resumed(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        added = morgue("sources", "add", "lantern", site.url, "--every", "*/15 * * * *")
        assert (added.code, added.err) == (0, "")
        assert morgue("sources", "pause", "lantern").code == 0
        paused = morgue("crawl", "--due")
        assert (paused.code, paused.out, site.log) == (0, "", [])
    (row,) = morgue.documents("sources")
    assert (row["every"], row["configured"], row["paused_since"] is not None) == ("*/15 * * * *", True, True)
    assert "paused" in morgue("sources").out
    assert morgue("reindex", "--replace").code == 0
    assert morgue.documents("sources")[0]["paused_since"] == row["paused_since"]
    assert morgue("sources", "resume", "lantern").code == 0
    assert morgue.documents("sources")[0]["paused_since"] is None


def test_adding_never_spoils_the_file(morgue: Morgue) -> None:
    file = morgue.folder / "morgue.toml"
    file.write_text('# mine\ndelay = 2\n\n[sources.one]\nhome = "https://example.org/"\n')
    before = file.read_text()
    for arguments in (("one", "https://other.example/"), ("two", "https://example.org/"), ("two", "no address")):
        assert morgue("sources", "add", *arguments).code == 3
        assert file.read_text() == before
    assert morgue("sources", "add", "two", "https://two.example/", "--every", "often").code == 3
    assert morgue("sources", "add", "Two!", "https://two.example/").code == 2
    assert file.read_text() == before
    assert morgue("sources", "add", "two", "https://two.example/").code == 0
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
    ended = morgue(*arguments)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err


def test_a_paused_or_broken_configuration_is_told(morgue: Morgue) -> None:
    (morgue.folder / "morgue.toml").write_text('every = "sometimes"\n')
    ended = morgue("schedule")
    assert ended.code == 3
    assert "morgue.toml:1: every is 'sometimes'; allowed is a time span" in ended.err


def test_a_site_is_tried_out_and_nothing_is_kept(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        before = set(morgue.folder.iterdir())
        ended = morgue("sources", "test", site.url, "--sample", "4")
        (told,) = morgue.documents("sources", "test", site.url, "--sample", "4")
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


# -- the units that docs/systemd has ---------------------------------------------------------------------------------


def test_the_units_name_commands_and_options_that_exist(morgue: Morgue) -> None:
    for unit in UNITS.glob("*.service"):
        (line,) = (line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        program, *arguments = line.removeprefix("ExecStart=").split()
        assert program == "/opt/newsmorgue/bin/morgue"
        assert morgue(*arguments, "--help").code == 0
        assert set(arguments) <= {"schedule", "crawl", "--due"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/newsmorgue/bin/morgue", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(path for path in tmp_path.iterdir() if path.suffix in (".service", ".timer"))
    assert len(units) == 3
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    complaints = [line for line in verified.stderr.splitlines() if "newsmorgue" in line]
    assert (verified.returncode, complaints) == (0, [])

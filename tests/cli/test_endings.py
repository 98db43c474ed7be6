"""How commands end: each of the documented exit codes, with a message that says what to do."""

import fcntl
import signal
import socket
from importlib.metadata import version
from pathlib import Path

import pytest
from tests.cli.command import Morgue, finished
from tests.cli.conftest import Printed
from tests.processes import SECONDS
from tests.servers import free_ports
from tests.sites.held import HeldNewsroom
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import Site, serve

CIRRANE = "/tech/cirrane-ecarte-sa-patronne/"


def slug_of(site: Site) -> str:
    return site.url.removeprefix("http://").replace(":", "_")


def test_help_names_the_commands(morgue: Morgue) -> None:
    ended = morgue("--help")
    assert ended.code == 0
    for command in ("crawl", "save", "stories", "versions", "show", "diff", "seal", "reindex", "verify", "init"):
        assert f" {command} " in ended.out
    assert list(morgue.folder.iterdir()) == []


def test_version_is_the_packages(morgue: Morgue) -> None:
    ended = morgue("--version")
    assert (ended.code, ended.out) == (0, f"newsmorgue {version('newsmorgue')}\n")


def test_init_writes_a_file_that_loads_and_never_writes_over_one(morgue: Morgue) -> None:
    made = morgue("init")
    assert (made.code, made.err) == (0, "")
    file = morgue.folder / "morgue.toml"
    assert str(file) in made.out.replace("\n", "")
    written = file.read_text()
    assert morgue("stories").code == 0
    # Every line that is commented out is one that may be used.
    settings = [line for line in written.splitlines() if line.startswith("# contact")]
    file.write_text(written.replace(settings[0], settings[0].removeprefix("# ")))
    assert morgue("stories").code == 0
    again = morgue("init")
    assert again.code == 3
    assert "exists already" in again.err
    assert file.read_text() != written


def test_init_where_nothing_can_be_written() -> None:
    ended = Morgue(Path("/proc"))("init")
    assert ended.code == 13
    assert "morgue.toml: " in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("show",),
        ("show", "x", "--format", "pdf"),
        ("show", "x", "--at", "2026", "--version", "1"),
        ("crawl", "http://127.0.0.1:9/", "--delay", "-1"),
        ("crawl", "http://127.0.0.1:9/", "--concurrency", "many"),
        ("crawl", "http://127.0.0.1:9/", "--since", "yesterday"),
        ("crawl", "http://127.0.0.1:9/", "--since", "2099-01-01"),
        ("crawl", "http://127.0.0.1:9/world/", "http://127.0.0.1:9/sport/"),
    ],
)
def test_arguments_that_cannot_be_read(morgue: Morgue, arguments: tuple[str, ...]) -> None:
    ended = morgue(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert "Error" in ended.err
    assert list(morgue.folder.iterdir()) == []


def test_ctrl_c_before_the_command_is_loaded(tmp_path: Path) -> None:
    """The module that stands for the command line here is interrupted while it is loaded."""
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "class Interrupt:\n"
        "    def find_spec(self, name, path, target=None):\n"
        "        if name == 'newsmorgue.cli':\n"
        "            raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupt())\n"
    )
    ended = Morgue(tmp_path, {"PYTHONPATH": str(tmp_path)})("crawl", "http://127.0.0.1:9/")
    assert (ended.code, ended.out, ended.err) == (6, "", "")


def test_a_bad_configuration_is_named_with_its_line(morgue: Morgue) -> None:
    (morgue.folder / "morgue.toml").write_text('contact = "me@example.org"\n\ndelay = "soon"\n')
    ended = morgue("stories")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("morgue: morgue.toml:3: delay is 'soon'; allowed is ")
    assert not (morgue.folder / "archive").exists()


@pytest.mark.parametrize("address", ["ftp://example.org/", "http://", "https://exa mple.org/", "example"])
def test_what_is_neither_a_web_address_nor_a_source(morgue: Morgue, address: str) -> None:
    ended = morgue("crawl", address)
    assert (ended.code, ended.out) == (3, "")
    assert address in ended.err


def test_no_site_but_this_machine_is_crawled_without_a_contact(morgue: Morgue) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        # Linux takes 0.0.0.0 for itself, and newsmorgue, as it should, for any host.
        for command in ("crawl", "save"):
            ended = morgue(command, f"http://0.0.0.0:{listener.getsockname()[1]}/")
            assert (ended.code, ended.out) == (3, "")
            assert "contact" in ended.err
        with pytest.raises(BlockingIOError):
            listener.accept()
    assert not (morgue.folder / "archive").exists()


def test_a_story_that_is_not_there(printed: Printed) -> None:
    for command in ("versions", "show", "diff"):
        ended = printed.morgue(command, "example.org/nowhere")
        assert (ended.code, ended.out) == (7, "")
        assert "no story is known under example.org/nowhere" in ended.err


def test_a_time_before_the_first_sighting_names_that(printed: Printed) -> None:
    url = printed.site.url + CIRRANE
    ended = printed.morgue("show", url, "--at", "2001-01-01")
    assert (ended.code, ended.out) == (8, "")
    assert printed.morgue.documents("versions", url)[0]["first_seen"] in ended.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "--at", "yesterday"), "'yesterday' is not a time"),
        (("show", "--version", "9"), "no version 9: the story has 2"),
        (("diff", "--from", "0"), "no version 0: the story has 2"),
    ],
)
def test_a_time_or_version_that_never_was(printed: Printed, arguments: tuple[str, ...], said: str) -> None:
    command, *options = arguments
    ended = printed.morgue(command, printed.site.url + CIRRANE, *options)
    assert (ended.code, ended.out) == (8, "")
    assert said in ended.err


def test_a_site_without_stories(morgue: Morgue) -> None:
    newsroom = Newsroom()
    empty = Response(200, "text/html", b"<title>Under construction</title><p>Come back soon.</p>")
    newsroom.respond = lambda target, base: empty  # type: ignore[method-assign]
    with serve(newsroom) as site:
        ended = morgue("crawl", site.url, "--delay", "0")
    assert ended.code == 5
    assert "0 new stories" in ended.out
    assert f"'morgue sources test {site.url}/' says what was looked at, and why" in ended.err
    assert morgue("stories").err.startswith("no stories yet")


def test_a_host_where_nobody_listens_is_said_in_few_words(morgue: Morgue) -> None:
    home = f"http://127.0.0.1:{free_ports(1)[0]}/"
    ended = morgue("crawl", home)
    assert ended.code == 4
    assert ended.err.splitlines()[0] == f"  deferred: {home}: {home}robots.txt: connection refused"


def test_a_page_that_failed_is_named_and_tried_again_by_the_next_crawl(morgue: Morgue) -> None:
    newsroom = Newsroom()
    newsroom.overrides[CIRRANE] = Response(500, "text/plain", b"out of paper\n")
    with serve(newsroom) as site:
        failed = morgue("crawl", site.url, "--delay", "0")
        newsroom.overrides.clear()
        mended = morgue("crawl", site.url, "--delay", "0")
    assert failed.code == 4
    assert "7 new stories" in failed.out
    assert "1 failed" in failed.out
    assert f"failed: {site.url}{CIRRANE}" in failed.err
    assert "500" in failed.err
    assert (mended.code, mended.err) == (0, "")
    assert "1 new story," in mended.out


def test_a_site_that_does_not_answer(morgue: Morgue) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        ended = morgue("crawl", f"http://127.0.0.1:{unused.getsockname()[1]}/", "--delay", "0")
    assert ended.code == 4
    assert "127.0.0.1" in ended.err


def test_one_crawl_of_a_source_at_a_time(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        lock = morgue.folder / "archive-spool" / slug_of(site) / "crawl.lock"
        lock.parent.mkdir(parents=True)
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            ended = morgue("crawl", site.url, "--delay", "0")
        assert ended.code == 12
        assert f"source '{slug_of(site)}'" in ended.err
        assert site.log == []


def test_an_interrupted_crawl_says_so_and_the_next_one_finishes(morgue: Morgue) -> None:
    newsroom = HeldNewsroom(stories=2)
    with serve(newsroom) as site:
        process = morgue.start("crawl", site.url, "--delay", "0.3")
        newsroom.wait_until_it_holds()
        process.send_signal(signal.SIGINT)
        newsroom.go_on()
        interrupted = finished(process)
        before = len(site.log)
        ended = morgue("crawl", site.url, "--delay", "0")
        again = [one.path for one in site.log[before:]]
        answered = [one.path for one in site.log[:before]]
    assert interrupted.code == 6
    assert "interrupted after" in interrupted.out
    assert (ended.code, ended.err) == (0, "")
    assert len(morgue.documents("stories")) == 8
    pages = {truth.path for truth in site.newsroom.truth()}
    assert [path for path in again if path in answered and path.partition("?")[0] in pages] == []


def test_ctrl_c_while_a_store_keeps_silent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(SECONDS)
        store = {
            "MORGUE_STORE": "s3://bucket/archive",
            "MORGUE_S3_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }
        process = Morgue(tmp_path, store).start("verify")
        connection, _ = silent.accept()
        with connection:
            process.send_signal(signal.SIGINT)
            ended = finished(process)
    assert (ended.code, ended.out, ended.err) == (6, "", "")


def test_damage_is_found_and_named(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        assert morgue("save", site.url + CIRRANE, "--delay", "0").code == 0
    assert morgue("verify").out.endswith(": 0 problems\n")
    (warc,) = (morgue.folder / "archive").rglob("*.warc.gz")
    content = bytearray(warc.read_bytes())
    content[len(content) // 2] ^= 1
    warc.write_bytes(content)
    ended = morgue("verify")
    assert ended.code == 11
    assert warc.name in ended.out
    assert [set(problem) for problem in morgue("verify", "--json").documents] == [
        {"where", "what"} for _ in ended.out.splitlines()[:-1]
    ]


def test_the_catalogue_can_be_made_anew_from_the_objects(morgue: Morgue) -> None:
    with serve(Newsroom()) as site:
        assert morgue("save", site.url + CIRRANE, "--delay", "0").code == 0
    before = morgue("stories", "--json").out
    refused = morgue("reindex")
    assert refused.code != 0
    assert "--replace" in refused.err
    for file in (morgue.folder / "archive").glob("catalogue.sqlite*"):
        file.unlink()
    assert morgue("reindex").code == 0
    assert morgue("stories", "--json").out == before

"""Pages made by scripts, in a real Chromium: what is kept, what is read, and where no script can lead."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import pytest
from tests.archive.harness import column
from tests.cli.command import Ended, Morgue, clean_environment
from tests.crawl.conftest import opened
from tests.sites.newsroom import Newsroom, Response
from tests.sites.server import Site, serve
from warcio.archiveiterator import ArchiveIterator

from newsmorgue.archive import schema
from newsmorgue.settings.browser import launch_options
from newsmorgue.stories.reading import find_story, show_at, story_versions

pytestmark = pytest.mark.skipif(
    find_spec("scrapy_playwright") is None or "executable_path" not in launch_options(),
    reason="no scrapy-playwright, or no Chromium (apt-get install chromium)",
)
PATH = "/world/the-ferry-stays-for-six-more-years/"
PROSE = "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate. "
PRINTED = datetime(2026, 5, 1, tzinfo=UTC)
EMPTY = (
    "<html><head><meta property=og:type content=article><title>x</title><script src=/app.js></script></head>"
    "<body><div id=app></div>{more}</body></html>"
)
SCRIPT = """
fetch("/api/ferry.json?x=1").then(answer => answer.json()).then(story => {
  document.title = story.title;
  document.getElementById("app").innerHTML =
    "<article><h1>" + story.title + "</h1>" + story.text.map(text => "<p>" + text + "</p>").join("") + "</article>";
});
"""


def story(*texts: str) -> Response:
    said = ", ".join(f'"{text}"' for text in texts)
    return Response(200, "application/json", f'{{"title": "The ferry stays", "text": [{said}]}}'.encode())


def newsroom(more: str = "", script: str = SCRIPT) -> Newsroom:
    made = Newsroom()
    made.overrides |= {
        PATH: Response(200, "text/html", EMPTY.format(more=more).encode(), modified=PRINTED),
        "/app.js": Response(200, "text/javascript", script.encode()),
        "/api/ferry.json": story(PROSE * 3, PROSE * 2),
        "/robots.txt": Response(200, "text/plain", b"User-agent: *\nDisallow: /secret/"),
    }
    return made


def configure(morgue: Morgue, site: Site) -> None:
    lines = ("[sources.ferry]", f'home = "{site.url}/"', "delay = 0", "render = true")
    (morgue.folder / "morgue.toml").write_text("\n".join(lines))


def save(morgue: Morgue, site: Site) -> Ended:
    configure(morgue, site)
    return morgue("save", site.url + PATH)


def records(folder: Path) -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    for path in sorted(folder.rglob("*.warc.gz")):
        with path.open("rb") as stream:
            for record in ArchiveIterator(stream, no_record_parse=True):
                headers = dict(record.rec_headers.headers)
                yield headers["WARC-Type"], headers.get("WARC-Target-URI", ""), headers, record.raw_stream.read()


def text_of(morgue: Morgue, site: Site) -> str:
    with opened(morgue) as archive:
        return show_at(archive, find_story(archive, site.url + PATH), None).article.text


TEXT = f"{(PROSE * 3).strip()}\n\n{(PROSE * 2).strip()}"


def test_a_page_made_by_scripts(morgue: Morgue) -> None:
    with serve(newsroom()) as site:
        ended = save(morgue, site)
        assert ended.code == 0, ended.err
        assert text_of(morgue, site) == TEXT
        assert len(site.requests(PATH)) == 1, "once for each visit: the browser is given what was captured"
        again = save(morgue, site)
        assert "1 unchanged" in again.out
        site.newsroom.overrides["/api/ferry.json"] = story(PROSE * 3, PROSE * 2 + "And then it was over.")
        assert "1 new version," in save(morgue, site).out
        assert [one.status for one in site.requests(PATH)] == [200, 304, 304], "what the scripts ask for has changed"
        _check_records(morgue, site)
        _check_export(morgue, site)
        _check_reindex(morgue, site)


def _check_records(morgue: Morgue, site: Site) -> None:
    kept = list(records(morgue.folder / "archive"))
    page = site.url + PATH
    captures = [(kind, headers) for kind, url, headers, _ in kept if url == page]
    captured = [headers["WARC-Record-ID"] for kind, headers in captures if kind in ("response", "revisit")]
    assert len(captured) == len(site.requests(PATH)) == 3
    doms = [(headers, body) for kind, url, headers, body in kept if url == f"urn:dom:{page}"]
    assert [headers["WARC-Type"] for headers, _ in doms] == ["resource"] * 3
    assert [headers["WARC-Concurrent-To"] for headers, _ in doms] == captured
    assert all(PROSE.encode() in body for _, body in doms)
    assert {headers["Content-Type"] for headers, _ in doms} == {"text/html; charset=utf-8"}
    wire = next(body for kind, url, _, body in kept if url == page and kind == "response")
    assert PROSE.encode() not in wire
    assert [kind for kind, url, _, _ in kept if url.startswith(f"{site.url}/api/") and kind == "response"]
    indexes = b"".join(path.read_bytes() for path in (morgue.folder / "archive").rglob("*.cdxj"))
    assert b"urn:dom" not in indexes
    checked = morgue.ask("verify")
    assert (checked.code, "0 problems" in checked.out) == (0, True), checked.out


def _check_export(morgue: Morgue, site: Site) -> None:
    """What a browser made goes out with its page, byte for byte."""
    (morgue.folder / "out").mkdir()
    assert morgue.ask("export", "--format", "warc", "-o", "out/ferry.warc.gz", site.url + PATH).code == 0
    made = [one for one in records(morgue.folder / "archive") if one[0] == "resource"]
    assert [one for one in records(morgue.folder / "out") if one[0] == "resource"] == made


def _check_reindex(morgue: Morgue, site: Site) -> None:
    """Texts of another reading are made from the DOM, also after a reindex and a compaction."""
    assert morgue.ask("reindex", "--replace").code == 0
    assert morgue.ask("compact", "ferry", "--month", _month(morgue)).code == 0
    file = morgue.folder / "morgue.toml"
    file.write_text(file.read_text() + '\n[sources.ferry.selectors]\nremove = [".nothing"]\n')
    assert "1 unchanged" in morgue("save", site.url + PATH).out
    with opened(morgue) as archive:
        versions = story_versions(archive, find_story(archive, site.url + PATH))
        texts = [archive.read_text(row.place) for row in versions]
    assert [text.article["text"] for text in texts] == [TEXT, TEXT + " And then it was over."]
    assert all("selectors-" in text.reading for text in texts)


def _month(morgue: Morgue) -> str:
    warc = next((morgue.folder / "archive" / "warc").rglob("*.warc.gz"))
    return f"{warc.parts[-3]}-{warc.parts[-2]}"


@pytest.fixture
def elsewhere() -> Iterator[tuple[socket.socket, socket.socket]]:
    """A TCP and a UDP port of this machine that nobody named; they tell whether anyone came."""
    with socket.create_server(("127.0.0.1", 0)) as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        tcp.setblocking(False)
        udp.setblocking(False)
        yield tcp, udp


def test_no_script_leads_where_the_crawl_may_not_go(
    morgue: Morgue, elsewhere: tuple[socket.socket, socket.socket]
) -> None:
    tcp, udp = (where.getsockname()[1] for where in elsewhere)
    there = f"127.0.0.1:{tcp}"
    attempts = f"""
    for (const url of ["http://{there}/fetch", "http://localhost:{tcp}/", "http://[::ffff:127.0.0.1]:{tcp}/",
      "/secret/x", "/leads/away"])
      fetch(url).catch(() => 0);
    const tried = action => {{ try {{ action() }} catch (error) {{}} }};
    tried(() => new WebSocket("ws://{there}/socket"));
    tried(() => new EventSource("http://{there}/events"));
    tried(() => navigator.sendBeacon("http://{there}/beacon", "x"));
    tried(() => navigator.serviceWorker.register("/worker.js"));
    tried(() => window.open("http://{there}/popup"));
    tried(() => {{ new Image().src = "http://{there}/image" }});
    tried(() => {{ const peer = new RTCPeerConnection({{iceServers: [{{urls: ["stun:127.0.0.1:{udp}",
      "turn:{there}?transport=tcp"], username: "x", credential: "x"}}]}}); peer.createDataChannel("x");
      peer.createOffer().then(offer => peer.setLocalDescription(offer)); }});
    tried(() => fetch("/post", {{method: "POST", body: "x"}}).catch(() => 0));
    tried(() => {{ const link = document.createElement("link"); link.rel = "preconnect"; link.href = "http://{there}/";
      document.head.append(link); }});
    setTimeout(() => {{ location = "http://{there}/location" }}, 2000);
    """
    frames = (f'<iframe src="http://{there}/frame"></iframe>', f'<img src="http://{there}/img">')
    made = newsroom("".join(frames), SCRIPT + attempts)
    made.overrides["/leads/away"] = Response(302, "text/html", b"", (("Location", f"http://{there}/redirect"),))
    with serve(made) as site:
        ended = save(morgue, site)
        assert ended.code == 0, ended.err
        assert text_of(morgue, site) == TEXT
        asked = {one.path for one in site.log}
        assert {"/app.js", "/api/ferry.json?x=1", "/leads/away"} <= asked
        assert not asked & {"/secret/x", "/post", "/worker.js"}
        assert {one.headers["user-agent"][:11] for one in site.log} == {"newsmorgue/"}
    assert [came(where) for where in elsewhere] == [None, None]


def came(where: socket.socket) -> str | None:
    """What came to a port, if anything did."""
    try:
        if where.type == socket.SOCK_DGRAM:
            return repr(where.recv(100))
        connection, _ = where.accept()
    except BlockingIOError:
        return None
    with connection:
        connection.settimeout(1)
        return repr(connection.recv(100))


@pytest.mark.nightly
def test_a_page_that_never_ends_is_a_failure_and_the_next_one_is_rendered(morgue: Morgue) -> None:
    made, endless = newsroom(), "/world/the-story-that-never-comes-to-an-end/"
    made.overrides[endless] = Response(200, "text/html", b"<html><p>x</p><script>for (;;) {}</script></html>")
    with serve(made) as site:
        configure(morgue, site)
        pages = f"save={site.url}{endless} {site.url}{PATH}"
        command = (sys.executable, "-m", "scrapy", "crawl", "news", "-a", "source=ferry", "-a", pages)
        environment = clean_environment() | {"SCRAPY_SETTINGS_MODULE": "newsmorgue.settings.base"}
        hurried = ("-s", "NEWSMORGUE_RENDER_SECONDS=20")
        subprocess.run((*command, *hurried), cwd=morgue.folder, env=environment, check=True, timeout=90)
        assert text_of(morgue, site) == TEXT
        with opened(morgue) as archive:
            u = schema.urls.c
            details = column(archive, u.detail, u.outcome == "failed")
    assert details == ["rendering took more than 20 s"]


@pytest.mark.nightly
def test_a_crawl_that_was_killed_while_rendering_leaves_no_browser_and_is_made_good(morgue: Morgue) -> None:
    made = newsroom(script="for (;;) {}")
    with serve(made) as site:
        configure(morgue, site)
        with morgue.start("save", site.url + PATH) as process:
            _wait(lambda: site.requests("/app.js") and _browsers(process.pid))
            browsers = _browsers(process.pid)
            process.kill()
        _wait(lambda: not any(Path(f"/proc/{pid}").exists() for pid in browsers))
        made.overrides["/app.js"] = newsroom().overrides["/app.js"]
        assert "1 new story," in save(morgue, site).out
        assert text_of(morgue, site) == TEXT


def _browsers(parent: int) -> list[int]:
    """The processes of Chromium below another process."""
    listed = subprocess.run(["ps", "-eo", "pid=,ppid=,comm="], capture_output=True, text=True, check=True).stdout
    rows = [line.split(None, 2) for line in listed.splitlines()]
    below, found = {parent}, []
    for _ in range(6):
        below |= {int(pid) for pid, above, _ in rows if int(above) in below}
    for pid, _, name in rows:
        if int(pid) in below and name.startswith("chrom"):
            found.append(int(pid))
    return found


def _wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + 60
    while not until():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_page_whose_script_forbids_archiving_is_not_kept_as_rendered(morgue: Morgue) -> None:
    script = SCRIPT + "document.head.innerHTML += '<meta name=robots content=noarchive>'"
    with serve(newsroom(script=script)) as site:
        ended = save(morgue, site)
        assert "1 not kept" in ended.out, ended.out + ended.err
    assert [url for _, url, _, _ in records(morgue.folder) if url.startswith("urn:dom:")] == []

"""What the reading commands print, for people and for programs."""

import gzip
import io
import re
from datetime import datetime, timedelta
from urllib.request import urlopen

import pytest
from tests.cli.command import Morgue, finished
from tests.cli.conftest import OLD_ADDRESS, Printed
from warcio.archiveiterator import ArchiveIterator

CIRRANE = "/tech/cirrane-ecarte-sa-patronne/"
ISTER = "/monde/accord-peche-golfe-ister/"
FORGETFUL = "/tech/le-moteur-qui-oublie/"
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_crawl_and_save_say_what_they_did(printed: Printed) -> None:
    first, saved, second = printed.first, printed.saved, printed.second
    assert [(ended.code, ended.err) for ended in (first, saved, second)] == [(0, "")] * 3
    assert "finished after" in first.out
    assert "8 new stories, 0 new versions, 0 unchanged, 3 not kept, 1 not allowed, 0 failed" in first.out
    assert "0 new stories" in saved.out
    # The lead story, the corrected one, and the headline that changed without any date saying so.
    assert "2 new stories, 3 new versions" in second.out


def test_stories_lists_headlines_with_their_addresses(printed: Printed) -> None:
    listed = printed.morgue("stories")
    assert (listed.code, listed.err) == (0, "")
    lines = listed.out.splitlines()
    assert len(lines) == 20
    place = next(number for number, line in enumerate(lines) if line.strip() == printed.site.url + CIRRANE)
    assert "2 versions" in lines[place - 1]
    assert lines[place - 1].endswith(
        "Cirrane : 700 salariés menacent de partir si Salomé Brandicourt n'est pas rappelée"
    )


def test_stories_as_json(printed: Printed) -> None:
    rows = printed.morgue.documents("stories")
    assert {tuple(row) for row in rows} == {
        (
            *("id", "url", "aliases", "source", "headline", "first_seen", "last_seen", "versions"),
            *("gone_since", "syndicated_from"),
        )
    }
    by_url = {row["url"]: row for row in rows}
    cirrane = by_url[printed.site.url + CIRRANE]
    assert cirrane["source"] == printed.site.url.removeprefix("http://").replace(":", "_")
    assert (cirrane["versions"], cirrane["gone_since"], cirrane["syndicated_from"]) == (2, None, None)
    assert all(_TIME.fullmatch(row[name]) for row in rows for name in ("first_seen", "last_seen"))
    assert by_url[printed.site.url + FORGETFUL]["aliases"] == [printed.site.url + OLD_ADDRESS]
    assert [row["last_seen"] for row in rows] == sorted((row["last_seen"] for row in rows), reverse=True)


def test_stories_of_a_source(printed: Printed) -> None:
    assert printed.morgue("stories", "--source", "another", "--json").out == ""


def test_versions_as_json(printed: Printed) -> None:
    rows = printed.morgue.documents("versions", printed.site.url + CIRRANE)
    fields = ("number", "first_seen", "last_seen", "sightings", "headline", "text_digest", "reading")
    assert [tuple(row) for row in rows] == [fields] * 2
    assert [(row["number"], row["sightings"]) for row in rows] == [(1, 1), (2, 1)]
    assert rows[0]["headline"] == "Cirrane écarte sa patronne, Salomé Brandicourt, à la surprise générale"
    assert re.fullmatch("sha256:[0-9a-f]{64}", rows[0]["text_digest"])
    assert rows[0]["text_digest"] != rows[1]["text_digest"]
    assert rows[0]["reading"] == rows[1]["reading"]


def test_versions_for_people(printed: Printed) -> None:
    shown = printed.morgue("versions", printed.site.url + CIRRANE).out.splitlines()
    assert shown[0] == printed.site.url + CIRRANE
    assert [line.split()[0] for line in shown[1:]] == ["no.", "1", "2"]


@pytest.mark.parametrize(
    "spelling",
    [
        "{url}/tech/le-moteur-qui-oublie/",
        "{host}/tech/le-moteur-qui-oublie/",
        "{host}/tech/le-moteur-qui-oublie",
        "{url}/tech/le-moteur-qui-oublie/?utm_source=rss&utm_medium=feed#comments",
        "{url}/2026/03/moteur-oubli.html",
    ],
)
def test_any_address_of_a_story_will_do(printed: Printed, spelling: str) -> None:
    host = printed.site.url.removeprefix("http://")
    rows = printed.morgue.documents("versions", spelling.format(url=printed.site.url, host=host))
    assert [row["headline"] for row in rows] == ["Lethé, le moteur de recherche qui oublie ce que vous avez demandé"]


def test_show_as_json(printed: Printed) -> None:
    (shown,) = printed.morgue.documents("show", printed.site.url + CIRRANE)
    assert set(shown) == {"version", "seen", "text_digest", "article", "capture"}
    assert shown["version"] == 2
    article, capture = shown["article"], shown["capture"]
    assert article["authors"] == ["Maud Kerlouan", "Idriss Vasselin"]
    assert article["kind"] == "article"
    assert "La fronde a pris l'ascenseur." in article["text"]
    assert set(article["body"][0]) == {"kind", "text", "items", "level", "url", "ordered", "markdown"}
    assert set(capture) == {
        *("url", "time", "warc", "offset", "length", "kind", "status", "mime", "payload_digest", "truncated"),
    }
    assert (capture["status"], capture["mime"], capture["kind"]) == (200, "text/html", "response")
    assert re.fullmatch("sha1:[A-Z2-7]{32}", capture["payload_digest"])
    assert _TIME.fullmatch(shown["seen"])


def test_show_as_text_is_the_story_and_nothing_else(printed: Printed) -> None:
    truth = next(truth for truth in printed.site.newsroom.truth() if truth.path == ISTER)
    shown = printed.morgue("show", printed.site.url + ISTER).out
    assert shown == f"{truth.headline}\n\n{truth.summary}\n\n{truth.text}\n"


def test_show_as_markdown(printed: Printed) -> None:
    shown = printed.morgue("show", printed.site.url + ISTER, "--format", "markdown").out
    assert shown.startswith("# Dans le golfe d'Ister, trois pays s'accordent sur la sardine")
    assert "\n## Une garde-côte à trois pavillons\n" in shown
    assert "\n> On ne compte pas le poisson avec des discours, on le compte dans les cales.\n" in shown


def test_show_as_html_is_what_the_site_sent(printed: Printed) -> None:
    shown = printed.morgue("show", printed.site.url + ISTER, "--format", "html")
    with urlopen(printed.site.url + ISTER) as answer:  # which does not ask for gzip, as the crawl did
        assert shown.stdout == answer.read()


def test_show_as_warc_is_one_record_that_other_tools_read(printed: Printed) -> None:
    shown = printed.morgue("show", printed.site.url + ISTER, "--format", "warc").stdout
    (capture,) = (one["capture"] for one in printed.morgue.documents("show", printed.site.url + ISTER))
    assert len(shown) == capture["length"]
    with gzip.GzipFile(fileobj=io.BytesIO(shown)) as member:
        assert member.read().startswith(b"WARC/1.1\r\n")
    (record,) = ArchiveIterator(io.BytesIO(shown), check_digests="raise")
    assert record.rec_headers["WARC-Target-URI"] == printed.site.url + ISTER
    assert record.rec_headers["WARC-Date"] == capture["time"]


def test_show_at_a_time_and_of_a_version(printed: Printed) -> None:
    url = printed.site.url + CIRRANE
    first, second = printed.morgue.documents("versions", url)
    between = datetime.fromisoformat(second["first_seen"]) - timedelta(microseconds=1)
    local = between.astimezone(tz=None).isoformat()
    (shown,) = printed.morgue.documents("show", url, "--at", local)
    assert (shown["version"], shown["text_digest"]) == (1, first["text_digest"])
    assert printed.morgue.documents("show", url, "--version", "1")[0]["article"]["headline"] == first["headline"]
    assert printed.morgue.documents("show", url, "--at", "2999")[0]["version"] == 2


def test_diff_as_json(printed: Printed) -> None:
    (diff,) = printed.morgue.documents("diff", printed.site.url + ISTER)
    assert set(diff) == {"from", "from_seen", "to", "to_seen", "changes"}
    assert (diff["from"], diff["to"]) == (1, 2)
    assert [change["part"] for change in diff["changes"]] == ["summary", "body"]
    assert all(set(change) == {"part", "pieces"} for change in diff["changes"])
    pieces = [(piece["change"], piece["text"]) for piece in diff["changes"][0]["pieces"]]
    assert ("removed", "84") in pieces
    assert ("added", "48") in pieces


def test_diff_for_people_marks_words_without_colours(printed: Printed) -> None:
    shown = printed.morgue("diff", printed.site.url + ISTER)
    assert (shown.code, shown.err) == (0, "")
    assert "un quota commun de [-84-]{+48+} 000 tonnes" in shown.out
    assert "\x1b" not in shown.out


def test_diff_for_people_has_colours_where_they_are_wanted(printed: Printed) -> None:
    coloured = Morgue(printed.morgue.folder, {"FORCE_COLOR": "1"})
    assert "\x1b[" in coloured("diff", printed.site.url + ISTER).out


def test_diff_of_a_story_that_never_changed(printed: Printed) -> None:
    shown = printed.morgue("diff", printed.site.url + FORGETFUL)
    assert (shown.code, shown.out, shown.err) == (0, "", "only one version\n")


def test_a_reader_that_leaves_is_no_error(printed: Printed) -> None:
    for arguments in (("stories",), ("stories", "--json"), ("show", printed.site.url + ISTER, "--format", "html")):
        process = printed.morgue.start(*arguments)
        assert process.stdout
        process.stdout.close()
        process.stdout = None
        ended = finished(process)
        assert (ended.code, ended.err) == (0, ""), arguments


def test_letters_that_the_terminal_lacks_are_spelled_out(printed: Printed) -> None:
    ascii_only = Morgue(printed.morgue.folder, {"PYTHONIOENCODING": "ascii"})
    shown = ascii_only("show", printed.site.url + CIRRANE)
    assert (shown.code, shown.err) == (0, "")
    assert "Salom\\xe9 Brandicourt" in shown.out
    assert "Salom\\xe9 Brandicourt" in ascii_only("stories").out

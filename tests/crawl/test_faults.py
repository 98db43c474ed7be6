"""A site on which everything that can go wrong with an answer does: nothing is lost, and nobody is pressed."""

import sqlalchemy as sa
from tests.cli.command import Morgue
from tests.crawl.conftest import opened
from tests.sites.scripted import Answer, feed_of, scripted, story

from newsmorgue.archive import schema
from newsmorgue.stories.reading import list_stories

FAULTS = ("429", "503", "slow", "loop", "drop")


def test_slow_and_429_are_had_503_is_put_off_loop_and_drop_are_on_record(morgue: Morgue) -> None:
    answers: dict[str, Answer | list[Answer]] = {
        "/": Answer(200, b'<link rel="alternate" type="application/rss+xml" href="/feed.xml">'),
        "/feed.xml": feed_of(*(f"/fault/{name}" for name in FAULTS), "/world/2026/01/30/bridge"),
        "/fault/429": [Answer(429, b"", {"Retry-After": "2"}), story("Patience")],
        "/fault/503": Answer(503),
        "/fault/slow": Answer(200, story("Slowly").body, trickle=3.0),
        "/fault/loop": Answer(302, b"", {"Location": "/fault/loop"}),
        "/fault/drop": Answer(kill=True),
        "/world/2026/01/30/bridge": story("The bridge"),
    }
    with scripted(answers) as site:
        ended = morgue("crawl", site.url)
        assert ended.code == 4, ended.err
        paths = {name: f"/fault/{name}" for name in FAULTS}
        asked = {name: site.visits.count(path) for name, path in paths.items()}
        refused, granted = (at for at, path in zip(site.times, site.visits, strict=True) if path == paths["429"])
        assert granted - refused >= 2
        # While it asked to be left alone nothing at all was asked of that host (what was under way comes in before).
        resting = [at for at in site.times if refused + 0.5 < at < refused + 1.9]
        assert resting == []
        with opened(morgue) as archive, archive.catalogue.read() as connection:
            u, c = schema.urls.c, schema.captures.c
            rows = connection.execute(sa.select(u.url, u.outcome, u.detail, u.due_at)).all()
            ends = {row.url.rpartition("/")[2]: row for row in rows}
            statuses = connection.execute(sa.select(c.status).where(c.url == f"{site.url}/fault/loop")).scalars().all()
            stories = {row.headline for row in list_stories(archive)}
    assert stories == {"Patience", "Slowly", "The bridge"}
    assert {name: ends[name].outcome for name in FAULTS} == {
        "429": "stored",
        "503": "retry",
        "slow": "stored",
        "loop": "failed",
        "drop": "failed",
    }
    assert ends["503"].due_at is not None
    assert "redirects to itself" in ends["loop"].detail
    assert statuses == [302]
    # A dropped connection is tried once more, each time on a fresh connection too if it was a kept one.
    assert 2 <= asked.pop("drop") <= 4
    assert asked == {"429": 2, "503": 1, "slow": 1, "loop": 1}
    assert "fault/503" in ended.err
    assert "fault/drop" in ended.err

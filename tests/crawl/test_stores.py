"""The same crawls with the archive in S3 and the catalogue in PostgreSQL."""

from pathlib import Path

from tests.cli.command import Morgue
from tests.crawl.conftest import opened, story_of
from tests.servers import Postgres, Seaweed
from tests.sites.newsroom import Newsroom
from tests.sites.server import serve

from newsmorgue.stories.reading import list_stories, show_at, story_versions
from newsmorgue.stories.versions import normal_form


def test_s3_and_postgresql_give_the_same_stories(tmp_path: Path, s3_credentials: Seaweed, postgres: Postgres) -> None:
    store = s3_credentials.new_store()
    places = {
        "MORGUE_STORE": store,
        "MORGUE_S3_ENDPOINT": s3_credentials.endpoint,
        "MORGUE_S3_REGION": s3_credentials.region,
        "MORGUE_CATALOGUE": postgres.new_database(),
    }
    morgue = Morgue(tmp_path, places | s3_credentials.environment)
    with serve(Newsroom()) as site:
        assert morgue("crawl", site.url, "--delay", "0").code == 0
        site.newsroom.advance()
        assert morgue("crawl", site.url, "--delay", "0", "--recheck").code == 0
    kept = [truth for truth in site.newsroom.truth() if truth.kept]
    with opened(morgue) as archive:
        rows = {truth.name: story_of(archive, site, truth) for truth in kept}
        assert {row.id for row in list_stories(archive)} == {row.id for row in rows.values()}
        for truth in kept:
            assert len(story_versions(archive, rows[truth.name].id)) == truth.versions_so_far, truth.name
            article = show_at(archive, rows[truth.name].id, None).article
            assert (article.headline, article.summary) == (truth.headline, truth.summary)
            assert [text for text in truth.paragraphs if normal_form(text) not in normal_form(article.text)] == []
    assert [path for path in tmp_path.rglob("*.gz") if path.is_file()] == []
    keys = _keys(s3_credentials, store)
    assert {key.removeprefix(f"{store.split('/', 3)[3]}/").partition("/")[0] for key in keys} == {
        "warc",
        "text",
        "manifests",
    }
    assert morgue.ask("verify").code == 0


def _keys(seaweed: Seaweed, store: str) -> list[str]:
    bucket, prefix = store.removeprefix("s3://").split("/", 1)
    return [found["Key"] for found in seaweed.client().list_objects_v2(Bucket=bucket, Prefix=prefix)["Contents"]]

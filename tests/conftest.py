"""Fixtures for all tests. A server starts when the first test asks for it, and ends with the session."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsmorgue.archive.store import Store, open_store
from tests.sealed import fetch_stores
from tests.servers import Postgres, Seaweed, postgres_server, seaweed_server


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 store. Tests that open it through boto3's usual chain want ``s3_credentials`` too."""
    with seaweed_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(scope="session")
def fetched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Copies of what lies in the S3 store, if any test asked for it: in a folder among those of tests."""
    if any("seaweed" in getattr(item, "fixturenames", ()) for item in request.session.items):
        fetch_stores(request.getfixturevalue("seaweed"), tmp_path_factory.mktemp("fetched"))


def pytest_configure() -> None:
    """Ctrl-C reaches what the tests start, even where a shell runs them in the background and has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at every WARC of a session comes last in it."""
    items.sort(key=lambda item: item.path.name == "test_every_warc.py")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL."""
    with postgres_server() as server:
        yield server


@pytest.fixture
def s3_credentials(seaweed: Seaweed, monkeypatch: pytest.MonkeyPatch) -> Seaweed:
    """The S3 store, its keys being in the environment for the length of one test."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in seaweed.environment.items():
        monkeypatch.setenv(name, value)
    return seaweed


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """An empty store: once a folder, once a prefix in a bucket of a real S3 store."""
    if request.param == "folder":
        return open_store(str(tmp_path / "archive"))
    server: Seaweed = request.getfixturevalue("s3_credentials")
    return open_store(server.new_store(), endpoint=server.endpoint, region=server.region)


@pytest.fixture(params=["sqlite", "postgresql"])
def catalogue_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The SQLAlchemy URL of an empty catalogue: once a SQLite file, once a database of a real PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    server: Postgres = request.getfixturevalue("postgres")
    return server.new_database()

"""Fixtures for all tests. A server starts when the first test asks for it, and ends with the session."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from newsmorgue.archive.store import Store, open_store
from tests.environment import plain
from tests.sealed import fetch_stores
from tests.servers import Postgres, Seaweed, postgres_server, seaweed_server

# The same examples each time, however long one takes: what a test finds must not depend on the machine, nor on chance.
# The nightly run searches on, with others each night.
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("alike", settings.get_profile("search"), derandomize=True, database=None)
settings.load_profile("alike")


@pytest.fixture(scope="session")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 store. Tests that open it through boto3's usual chain want ``s3_credentials`` too."""
    with seaweed_server(tmp_path_factory.mktemp("seaweed")) as server:
        yield server
        if "PYTEST_XDIST_WORKER" in os.environ:  # the server goes with this process, before every WARC is looked at
            fetch_stores(server, tmp_path_factory.mktemp("fetched"))


@pytest.fixture(scope="session")
def fetched(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Copies of what lies in the S3 store, if any test asked for it: in a folder among those of tests."""
    if any("seaweed" in getattr(item, "fixturenames", ()) for item in request.session.items):
        fetch_stores(request.getfixturevalue("seaweed"), tmp_path_factory.mktemp("fetched"))


def pytest_configure() -> None:
    """No test sees what a shell's environment says to others. Ctrl-C reaches what the tests start, even where a shell
    runs them in the background and has it ignored."""
    kept = plain(os.environ) | {name: value for name, value in os.environ.items() if name.startswith("PYTEST_")}
    os.environ.clear()
    os.environ.update(kept)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes go by the name of their argument: gzip writes the time into them, and processes must agree on names."""
    return argname if isinstance(val, bytes) else None


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

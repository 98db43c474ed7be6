"""The catalogue: a database behind SQLAlchemy Core. SQLite by default, PostgreSQL by URL.

Every writing transaction is exclusive from its first statement: ``BEGIN IMMEDIATE`` in SQLite (a deferred one that
reads and then writes fails at once under concurrency, whatever the time-out), an advisory lock in PostgreSQL. So
what a transaction has read stays true until it commits. Keep slow work out of it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from newsmorgue.archive import schema
from newsmorgue.archive.statements import upsert
from newsmorgue.errors import CatalogueUnavailable

REVISION = "0013"
_LOCK = 0x6D6F72677565  # "morgue": PostgreSQL's advisory locks are numbers
_BUSY_MILLISECONDS = 30_000
# Just these: their sub-classes are a wrong statement or wrong data, which no second try mends. SQLite calls a file that
# is no database, or a damaged one, a DatabaseError.
_UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.DatabaseError)
_ADVICE = "check that it runs, that the address in 'catalogue' is right, and that its disk is not full"
_SQLITE_ADVICE = (
    "check that its folder can be written (else give a 'catalogue' elsewhere) and that its disk is not full; "
    "if the file is damaged, move it away: 'morgue reindex' makes it anew"
)


class Catalogue:
    """An open catalogue, its schema up to date."""

    def __init__(self, url: str) -> None:
        self.url = sa.make_url(url)
        self._engine = _engine(self.url)
        with _clear_errors(self.url):
            self._bring_up_to_date()

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads."""
        with _clear_errors(self.url), self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN")
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """An exclusive transaction, committed durably at the end of the block, rolled back by an exception."""
        with _clear_errors(self.url), self._engine.begin() as connection:
            if connection.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            else:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield connection

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()

    def _bring_up_to_date(self) -> None:
        with self._engine.connect() as connection:
            current = _revision(connection)
        if current != REVISION:
            # Two that start at once must not both make the tables: the second finds them made.
            with self.write() as connection:
                _make_or_upgrade(connection, _revision(connection))


def _make_or_upgrade(connection: sa.Connection, current: str | None) -> None:
    """Tables for an empty database at once; for all others the revisions between (a test holds the two equal)."""
    if current is None and not sa.inspect(connection).get_table_names():
        schema.metadata.create_all(connection)
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})
        return
    # Imported here: alembic costs 0.2 s, and nearly every start finds the schema current.
    from newsmorgue.archive.migrations import upgrade

    upgrade(connection, current)


def _engine(url: sa.URL) -> sa.Engine:
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            _make_folder(url, Path(url.database).parent)
        engine = sa.create_engine(url, connect_args={"timeout": _BUSY_MILLISECONDS / 1000})
        sa.event.listen(engine, "connect", _prepare_sqlite)
        return engine
    return sa.create_engine(url, pool_pre_ping=True)


def _make_folder(url: sa.URL, folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogueUnavailable(f"catalogue {url.render_as_string()}: {error}; give another 'catalogue'") from error


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not begin transactions of its own: Catalogue.read and write do. (A listener on the engine for that
    # would do too, but with one of its kind every statement costs a tenth more.)
    connection.isolation_level = None
    connection.execute("PRAGMA journal_mode = WAL")
    # NORMAL lost every row in a simulated power loss, FULL none.
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _clear_errors(url: sa.URL) -> Iterator[None]:
    try:
        yield
    except sa.exc.DBAPIError as error:
        if type(error) not in _UNAVAILABLE:
            raise
        advice = _SQLITE_ADVICE if url.get_backend_name() == "sqlite" else _ADVICE
        raise CatalogueUnavailable(
            f"catalogue {url.render_as_string()}: {str(error.orig).strip()}; {advice}"
        ) from error


def next_number(connection: sa.Connection, name: str) -> int:
    """Count one further in the counter of that name, from 1."""
    table = schema.counters
    changed = connection.execute(
        sa.update(table).where(table.c.name == name).values(value=table.c.value + 1).returning(table.c.value)
    )
    number = changed.scalar()
    if number is None:
        connection.execute(sa.insert(table).values(name=name, value=1))
        return 1
    return int(number)


def raise_number(connection: sa.Connection, name: str, least: int) -> None:
    """Have the counter of that name go on from ``least`` at the lowest."""
    upsert(connection, schema.counters, {"name": name, "value": 0})
    table = schema.counters
    connection.execute(sa.update(table).where(table.c.name == name, table.c.value < least).values(value=least))

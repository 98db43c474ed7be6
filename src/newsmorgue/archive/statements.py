"""The catalogue's everyday statements, each built once.

SQLAlchemy takes longer to build a statement and to find it among the compiled ones than SQLite takes to run it: with 37
of them a page that was the largest part of a crawl's CPU outside cleaning. So what only compares columns with values is
built here, once for each table and choice of columns, and run with the values as parameters.
"""

from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

_KEY = "key_"  # keeps a condition's parameter apart from that of a changed column of the same name


def find(connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], **where: Any) -> Any:
    """The first row that has these values, or None. ``columns`` are what to read of it."""
    return connection.execute(_select(table, columns, tuple(where)), where).first()


def find_all(connection: sa.Connection, table: sa.Table, columns: tuple[str, ...], **where: Any) -> list[Any]:
    """Every row that has these values, in the order of ``columns``."""
    return list(connection.execute(_select(table, columns, tuple(where)), where))


def insert(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any]) -> None:
    """A new row."""
    connection.execute(_insert(table), values)


def update(connection: sa.Connection, table: sa.Table, where: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Change columns of the rows that have the values of ``where``."""
    keys = {_KEY + name: value for name, value in where.items()}
    connection.execute(_update(table, tuple(where), tuple(values)), {**keys, **values})


def upsert(connection: sa.Connection, table: sa.Table, values: Mapping[str, Any], *changing: str) -> None:
    """Insert a row; where its primary key is there already, change the columns named, or nothing."""
    connection.execute(_upsert(table, connection.dialect.name, changing), values)


@lru_cache(maxsize=512)
def _select(table: sa.Table, columns: tuple[str, ...], keys: tuple[str, ...]) -> sa.Select[Any]:
    conditions = (table.c[name] == sa.bindparam(name) for name in keys)
    chosen = [table.c[name] for name in columns]
    return sa.select(*chosen).where(*conditions).order_by(*chosen)


@lru_cache(maxsize=64)
def _insert(table: sa.Table) -> sa.Insert:
    return sa.insert(table)


@lru_cache(maxsize=512)
def _update(table: sa.Table, keys: tuple[str, ...], names: tuple[str, ...]) -> sa.Update:
    conditions = (table.c[name] == sa.bindparam(_KEY + name) for name in keys)
    return sa.update(table).where(*conditions).values({name: sa.bindparam(name) for name in names})


@lru_cache(maxsize=512)
def _upsert(table: sa.Table, dialect: str, changing: tuple[str, ...]) -> sa.Insert:
    # Each dialect has an insert of its own; only the one in use is imported.
    statement: sqlite.Insert | postgresql.Insert = import_module(f"sqlalchemy.dialects.{dialect}").insert(table)
    keys = [column.name for column in table.primary_key]
    if not changing:
        return statement.on_conflict_do_nothing()
    changes = {name: statement.excluded[name] for name in changing}
    return statement.on_conflict_do_update(index_elements=keys, set_=changes)

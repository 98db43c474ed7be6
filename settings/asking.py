"""Asks for settings by key: the environment first, then morgue.toml, then the default; says where a wrong one
stands.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any, NoReturn, TypeVar

from newsmorgue.errors import ConfigurationError
from newsmorgue.settings.values import WrongElementError

KeyPath = tuple[str, ...]
Value = TypeVar("Value")

# Kubernetes puts MORGUE_PORT… and MORGUE_SERVICE_… into every container beside a service named "morgue".
_NOT_OURS = re.compile(r"MORGUE_(?:PORT|SERVICE)(?:_\w+)?")
# What the last line of a statement of several lines has in it.
_CLOSING = re.compile(r"[\]}]|\"{3}|'{3}")
_FROM_ENVIRONMENT = "MORGUE_SOURCES"


def variable_of(path: KeyPath) -> str:
    """The environment variable of a key.

    >>> variable_of(("s3", "endpoint"))
    'MORGUE_S3_ENDPOINT'
    """
    return "MORGUE_" + "_".join(path).upper()


class Document:
    """A morgue.toml: its values, and the line on which each key stands. Raises ConfigurationError for bad
    TOML.
    """

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.text = self._decode(content)
        try:
            self.values: dict[str, Any] = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            raise ConfigurationError(f"{name}: not TOML: {error}") from error

    def _decode(self, content: bytes) -> str:
        try:
            return content.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise ConfigurationError(f"{self.name}:{line}: not UTF-8; save the file as UTF-8") from error

    def place(self, path: KeyPath, given: object = None) -> str:
        """``FILE:LINE`` of a key; of the element ``given`` where the value is a list of several lines."""
        for line, statement, paths in _statements(self.text):
            if any(found[: len(path)] == path for found in paths):
                quoted = [
                    at for at, row in enumerate(statement.split("\n")) if f'"{given}"' in row or f"'{given}'" in row
                ]
                return f"{self.name}:{line + (quoted[0] if quoted else 0)}"
        return self.name


def _statements(text: str) -> Iterator[tuple[int, str, list[KeyPath]]]:
    """Each statement with its first line and the keys it sets.

    tomllib tells no lines; but each statement of a document is a document by itself, so lines are gathered
    until they can be read.
    """
    table: KeyPath = ()
    pending: list[str] = []
    for number, row in enumerate(text.split("\n"), 1):
        pending.append(row)
        if len(pending) > 1 and not _CLOSING.search(row):
            continue
        statement = "\n".join(pending)
        try:
            values = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue
        is_header = statement.lstrip().startswith("[")
        paths = list(_leaves(values))
        if is_header:
            table = paths[0]
        yield number - len(pending) + 1, statement, paths if is_header else [table + path for path in paths]
        pending = []


def _leaves(values: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*above, key))
        else:
            yield (*above, key)


class Asker:
    """Gives values by key and remembers which keys exist, so that all others can be refused.

    ``MORGUE_SOURCES`` holds the ``[sources]`` table as TOML on one line; its sources replace those of the
    same name.
    """

    def __init__(self, document: Document, environ: Mapping[str, str]) -> None:
        self._document = document
        self._environ = {name: value for name, value in environ.items() if value and name.startswith("MORGUE_")}
        self._own_sources = _sources_of(self._environ.get(_FROM_ENVIRONMENT, "{}"))
        sources = document.values.get("sources", {})
        merged = {**sources, **self._own_sources} if isinstance(sources, dict) else sources
        self._values = {**document.values, "sources": merged}
        self.asked: dict[KeyPath, None] = {("sources",): None}

    def in_environment(self, path: KeyPath) -> bool:
        """Whether a key's value comes from a variable of its own (an empty one counts as none)."""
        return path[0] != "sources" and variable_of(path) in self._environ

    def is_own_source(self, path: KeyPath) -> bool:
        """Whether a key is one of a source that ``MORGUE_SOURCES`` has."""
        return len(path) > 1 and path[0] == "sources" and path[1] in self._own_sources

    def get(self, path: KeyPath, read: Callable[[object], Value], default: Value) -> Value:
        """The value of a key, read by ``read``; ``default`` where it is given nowhere."""
        self.asked[path] = None
        given = self._environ[variable_of(path)] if self.in_environment(path) else self._lookup(path)
        if given is None:
            return default
        try:
            return read(given)
        except ValueError as error:
            allowed, at_fault = error.args if isinstance(error, WrongElementError) else (str(error), given)
            self.refuse(path, allowed, at_fault)

    def children(self, path: KeyPath) -> list[str]:
        """The keys of a table, in the order written; none where it is absent."""
        table = self._lookup(path) or {}
        return list(table) if isinstance(table, dict) else self._refuse_non_table(path, table)

    def _lookup(self, path: KeyPath) -> Any:
        value: Any = self._values
        for depth, key in enumerate(path):
            if not isinstance(value, dict):
                self._refuse_non_table(path[:depth], value)
            value = value.get(key)
            if value is None:
                return None
        return value

    def refuse(self, path: KeyPath, allowed: str, given: object) -> NoReturn:
        """Raise ConfigurationError: where, what was given, what is allowed."""
        shown = _without_password(given)
        raise ConfigurationError(f"{self._place(path, given)}: {'.'.join(path)} is {shown}; allowed is {allowed}")

    def _refuse_non_table(self, path: KeyPath, given: object) -> NoReturn:
        self.refuse(path, f"a table, as in [{'.'.join(path)}]", given)

    def _place(self, path: KeyPath, given: object = None) -> str:
        if self.in_environment(path):
            return f"environment variable {variable_of(path)}"
        if self.is_own_source(path):
            return f"environment variable {_FROM_ENVIRONMENT}"
        return self._document.place(path, given)

    def refuse_unknown(self) -> None:
        """Raise ConfigurationError for the first key or variable that nobody asked for."""
        above = {path[:depth] for path in self.asked for depth in range(len(path))}
        for path in _all_paths(self._values):
            if path not in self.asked and path not in above:
                self._refuse_key(path)
        known = {variable_of(path) for path in self.asked if path[0] != "sources"} | {
            "MORGUE_CONFIG",
            _FROM_ENVIRONMENT,
        }
        for name in self._environ:
            if name not in known and not _NOT_OURS.fullmatch(name):
                raise ConfigurationError(f"environment variable {name}: no such setting{_choice(name, known)}")

    def _refuse_key(self, path: KeyPath) -> NoReturn:
        siblings = {
            known[len(path) - 1]
            for known in self.asked
            if known[: len(path) - 1] == path[:-1] and len(known) >= len(path)
        }
        raise ConfigurationError(f"{self._place(path)}: no such key: {'.'.join(path)}{_choice(path[-1], siblings)}")


def _all_paths(values: Mapping[str, Any], above: KeyPath = ()) -> Iterator[KeyPath]:
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from _all_paths(value, (*above, key))


def _choice(name: str, known: set[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]}?" if near else f"; allowed are {', '.join(sorted(known))}"


def _sources_of(inline: str) -> dict[str, Any]:
    try:
        sources = tomllib.loads(f"sources = {inline}")["sources"]
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"environment variable {_FROM_ENVIRONMENT}: not TOML: {error}") from error
    if not isinstance(sources, dict):
        raise ConfigurationError(
            f'environment variable {_FROM_ENVIRONMENT}: allowed is a table, as in {{example = {{home = "https://example.org/"}}}}'
        )
    return sources


def _without_password(given: object) -> str:
    return re.sub(r"(://[^:/@\s]*):[^@\s]*@", r"\1:…@", repr(given))

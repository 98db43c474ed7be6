"""From a configuration to an open archive."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from newsmorgue.archive.archive import Archive, Limits
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.sources import home_of
from newsmorgue.archive.spool import Spool
from newsmorgue.archive.store import open_store
from newsmorgue.errors import UnknownSource
from newsmorgue.settings.configuration import Configuration, SourceConfiguration, load_configuration


def current_configuration() -> Configuration:
    """The configuration of this process: its environment and working folder. Raises ConfigurationError."""
    return load_configuration(os.environ, Path.cwd())


def open_archive(configuration: Configuration) -> Archive:
    """The archive that a configuration names. Raises CatalogueUnavailable; the store is not asked anything yet."""
    s3 = configuration.s3
    store = open_store(
        configuration.store,
        endpoint=s3.endpoint,
        region=s3.region,
        checksums="when_required" if s3.checksums == "when_required" else "when_supported",
    )
    limits = Limits(
        configuration.seal_after_size,
        configuration.seal_after_age,
        configuration.spool_limit,
        configuration.disk_reserve,
    )
    return Archive(store, Catalogue(configuration.catalogue), Spool(configuration.spool), limits)


@contextmanager
def opened_archive() -> Iterator[Archive]:
    """The archive of this process's own configuration, for as long as the block lasts."""
    archive = open_archive(current_configuration())
    try:
        yield archive
    finally:
        archive.close()


def source_asked_for(configuration: Configuration, name: str) -> SourceConfiguration:
    """A source by URL, by its name in morgue.toml, or by the name the archive knows it under. Raises UnknownSource."""
    if "://" in name:
        return configuration.source_for_url(name)
    try:
        return configuration.source_named(name)
    except UnknownSource:
        with opened_archive() as archive:
            home = home_of(archive, name)
        if home is None:
            raise
        return replace(configuration.source_for_url(home), slug=name)

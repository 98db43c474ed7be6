"""From a configuration to an open archive."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from newsmorgue.archive.archive import Archive, Limits
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.archive.spool import Spool
from newsmorgue.archive.store import open_store
from newsmorgue.settings.configuration import Configuration, load_configuration


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

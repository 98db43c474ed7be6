"""Every error a caller decides on, and the exit code the command line gives it.

Exit codes are part of the interface (docs/reference.md lists them) and never change their meaning.
Sub-classes say *what* was wrong, *where*, and *what to do* in their message.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """What the ``morgue`` command tells the shell."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    CONFIGURATION = 3
    PAGES_FAILED = 4
    NOTHING_FOUND = 5
    INTERRUPTED = 6
    UNKNOWN_STORY = 7
    IMPOSSIBLE_TIME = 8
    MISSING_OBJECT = 9
    NOT_YET_STORED = 10
    DAMAGED = 11
    BUSY = 12
    STORE_UNAVAILABLE = 13
    ILL = 14


class NewsmorgueError(Exception):
    """The base of all: raised only as one of its sub-classes."""

    exit_code: ExitCode = ExitCode.INTERNAL


class ConfigurationError(NewsmorgueError):
    """A key, value or URL in morgue.toml or the environment is wrong; names the line and what is allowed."""

    exit_code = ExitCode.CONFIGURATION


class UnknownStory(NewsmorgueError):
    """No story in the archive is reachable under the address asked for."""

    exit_code = ExitCode.UNKNOWN_STORY


class UnknownSource(NewsmorgueError):
    """A source's name was given that is neither configured nor in the archive."""

    exit_code = ExitCode.CONFIGURATION


class ImpossibleTime(NewsmorgueError):
    """A time before the first sighting, or one that cannot be read as a time."""

    exit_code = ExitCode.IMPOSSIBLE_TIME


class UnknownVersion(NewsmorgueError):
    """A version number that the story does not have; names those it has."""

    exit_code = ExitCode.IMPOSSIBLE_TIME


class MissingObject(NewsmorgueError):
    """The store has no object of that key, though something refers to it."""

    exit_code = ExitCode.MISSING_OBJECT


class NotYetStored(NewsmorgueError):
    """The bytes lie in another machine's spool; names its host."""

    exit_code = ExitCode.NOT_YET_STORED


class ObjectExists(NewsmorgueError):
    """A conditional put found an object of that key with other content; an object is never altered."""

    exit_code = ExitCode.DAMAGED


class StoreUnavailable(NewsmorgueError):
    """The store did not answer, refused the credentials, or is full. Worth trying again later."""

    exit_code = ExitCode.STORE_UNAVAILABLE


class IntegrityFailure(NewsmorgueError):
    """Bytes differ from their checksum: the store refused or returned something else than was sent."""

    exit_code = ExitCode.DAMAGED


class MalformedRecord(NewsmorgueError):
    """A WARC record, journal line, CDXJ line or manifest that cannot be read; names file and offset."""

    exit_code = ExitCode.DAMAGED


class CatalogueUnavailable(NewsmorgueError):
    """The catalogue's database cannot be opened, or its schema is newer than this program."""

    exit_code = ExitCode.STORE_UNAVAILABLE


class Busy(NewsmorgueError):
    """Another process holds the source: one run of a source at a time."""

    exit_code = ExitCode.BUSY


class WebhookFailed(NewsmorgueError):
    """A change of health could not be told: it is told with the next check."""


class CleaningFailed(NewsmorgueError):
    """A page could not be cleaned, in its time and memory; the reason is recorded as the outcome of its capture. It
    would be so again: it is left alone until it changes."""


class CleaningStopped(CleaningFailed):
    """The process that cleaned a page was killed, by anyone or for a time that it had not for itself, or could not
    begin. On a machine that has less to do it may go well: worth trying again."""


class RenderingFailed(NewsmorgueError):
    """A browser could not render a page, or not in time; the reason is recorded as the outcome of the visit."""


class ForbiddenAddress(NewsmorgueError):
    """A site named a host that is not public (or resolves to an address that is not)."""

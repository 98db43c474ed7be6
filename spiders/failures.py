"""Why a download got no answer, in words for whoever reads the list of what failed."""

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)

_SAID: dict[type[BaseException], str] = {
    CannotResolveHostError: "the host's name leads nowhere",
    DownloadConnectionRefusedError: "connection refused",
    DownloadTimeoutError: "no answer in time",
    DownloadFailedError: "connection lost",
}
_LONGEST = 500


def why(error: BaseException | None) -> str:
    """What an exception of a download says, without the classes' names that Scrapy and Twisted put into it."""
    said = next((said for kind, said in _SAID.items() if isinstance(error, kind)), type(error).__name__)
    if isinstance(error, DownloadConnectionRefusedError):
        return said  # Twisted says the same, three times
    # Twisted's ResponseFailed has a failure for each thing that went wrong.
    reasons = getattr(getattr(error, "__cause__", None), "reasons", ())
    detail = "; ".join(dict.fromkeys(reason.getErrorMessage() for reason in reasons)) or str(error)
    return f"{said}: {detail}"[:_LONGEST]

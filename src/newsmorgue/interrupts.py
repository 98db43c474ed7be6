"""What Ctrl-C and SIGTERM do to a command: a KeyboardInterrupt, as ever in Python, but where it does no harm.

Python runs a signal's handler between any two instructions, also between those with which a library begins or ends a
transaction: what it then raises leaves the transaction open, and whoever cleans up waits for it in vain.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Until it is looked at again whether the program has left such a place.
_AGAIN_SECONDS = 0.01
# These are left to come to an end; Python drops what is raised in callbacks of the second, and in finalizers.
_WHOLE = frozenset({"sqlalchemy", "importlib"})
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def handle_interrupts() -> None:
    """Have SIGINT, unless it is ignored, and SIGTERM interrupt the main thread from now on."""
    signal.signal(signal.SIGALRM, interrupt)
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, interrupt)


def interrupt(_number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt, now or as soon as the library that ``frame`` is in has done what it is at."""
    if _is_in_library(frame):
        signal.setitimer(signal.ITIMER_REAL, _AGAIN_SECONDS)
    else:
        raise KeyboardInterrupt


def _is_in_library(frame: FrameType | None) -> bool:
    """Whether a context manager is about to be entered or left, or :data:`_WHOLE` or a finalizer is at work."""
    if frame is not None and _package(frame) == "contextlib":
        return True
    while frame is not None:
        if _package(frame) in _WHOLE or frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


def _package(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0]


@contextmanager
def cancelled_by_interrupts() -> Iterator[None]:
    """Meanwhile the first signal cancels the running task, where it awaits next; a second one interrupts it as ever."""
    import asyncio  # here: it costs a tenth of a second, and commands that only read have no use for it

    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}

    def restore() -> None:
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def cancel(_number: int, _frame: FrameType | None) -> None:
        restore()
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    for number, handler in handlers.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, cancel)
    try:
        yield
    finally:
        restore()

"""Signals that come at any moment of a transaction, or of an import."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import sqlalchemy as sa

from newsmorgue.archive import catalogue as module
from newsmorgue.archive import schema
from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.interrupts import cancelled_by_interrupts, handle_interrupts, interrupt
from tests.processes import SECONDS


@pytest.fixture
def handled() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.getsignal(number) for number in numbers}
    handle_interrupts()
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class _Signal:
    """Comes at the ``number``-th line that is executed, and again at each further one until it interrupts."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        if event == "line":
            self.left -= 1
            if self.left <= 0:
                interrupt(signal.SIGTERM, frame)
        return self


def _count(catalogue: Catalogue, name: str) -> None:
    with catalogue.write() as connection:
        module.next_number(connection, name)


def _is_interrupted(url: str, number: int) -> bool:
    """Whether a transaction had so many lines; where it was interrupted, another follows while that is handled."""
    catalogue, trace, coming = Catalogue(url), sys.gettrace(), _Signal(number)
    sys.settrace(coming)
    try:
        _count(catalogue, "interrupted")
    except KeyboardInterrupt:
        sys.settrace(trace)
        _count(catalogue, "after")
    finally:
        sys.settrace(trace)
        catalogue.close()
    return coming.left <= 0


def test_a_signal_at_any_line_of_a_transaction_leaves_the_next_one_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BUSY_MILLISECONDS", 500)
    monkeypatch.setattr(signal, "setitimer", lambda *_: None)  # each further line is its own timer
    url = f"sqlite:///{tmp_path}/catalogue.sqlite"
    tried = 0  # at every eleventh line: all would take half a minute
    while _is_interrupted(url, 1 + 11 * tried):
        tried += 1
    catalogue = Catalogue(url)
    with catalogue.read() as connection:
        counters = schema.counters.c
        counted = {row.name: row.value for row in connection.execute(sa.select(counters.name, counters.value))}
    catalogue.close()
    assert 100 < counted["after"] <= tried
    assert 1 < counted["interrupted"] <= tried


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_a_statement_interrupts_after_it(number: signal.Signals) -> None:
    """SQLite would say of an exception in a function that the statement is wrong."""
    engine = sa.create_engine("sqlite://")
    with pytest.raises(KeyboardInterrupt), engine.connect() as connection:
        connection.connection.create_function("signal_me", 0, lambda: os.kill(os.getpid(), number))
        connection.exec_driver_sql("SELECT signal_me()").all()
        time.sleep(SECONDS)
    engine.dispose()


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_within_a_finalizer_is_not_lost(number: signal.Signals) -> None:
    class Finalized:
        def __del__(self) -> None:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        Finalized()
        time.sleep(SECONDS)


@pytest.mark.usefixtures("handled")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_cancels_a_task_where_it_awaits_and_the_second_interrupts(number: signal.Signals) -> None:
    steps: list[str] = []

    async def task() -> None:
        with cancelled_by_interrupts():
            os.kill(os.getpid(), number)
            steps.append("went on")
            try:
                await asyncio.sleep(SECONDS)
            except asyncio.CancelledError:
                steps.append("cancelled")
                os.kill(os.getpid(), number)
                steps.append("not reached")

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(task())
    assert steps == ["went on", "cancelled"]
    assert signal.getsignal(number) is interrupt

"""A change of health is told once, whatever happens in between: to a real server, from a real catalogue."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta

import pytest
from tests.health.hook import Hook, hooked
from tests.servers import free_ports

from newsmorgue.archive.catalogue import Catalogue
from newsmorgue.errors import WebhookFailed
from newsmorgue.health.state import Change, tell_changes
from newsmorgue.health.verdict import Health, Run, assess
from newsmorgue.health.webhook import poster

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def verdict(*, ill: bool, now: datetime = NOW, source: str = "demo", is_paused: bool = False) -> Health:
    hours = [NOW - 24 * HOUR, NOW - 12 * HOUR, NOW - HOUR]
    return assess(
        source,
        [Run(at, at, "finished", {"failed" if ill else "listed": 1}) for at in hours],
        (),
        now,
        is_paused=is_paused,
    )


@pytest.fixture
def catalogue(catalogue_url: str) -> Iterator[Catalogue]:
    with closing(Catalogue(catalogue_url)) as made:
        yield made


@pytest.fixture
def hook() -> Iterator[Hook]:
    with hooked() as made:
        yield made


def told(catalogue: Catalogue, hook: Hook, *verdicts: Health, now: datetime = NOW) -> list[tuple[str, str]]:
    """What the hook gets by one check: source and event."""
    before = len(hook.taken)
    tell_changes(catalogue, verdicts, poster(hook.url), now)
    return [(taken["source"], taken["event"]) for taken in hook.taken[before:]]


def test_each_change_is_told_once(catalogue: Catalogue, hook: Hook, catalogue_url: str) -> None:
    assert told(catalogue, hook, verdict(ill=False)) == []
    assert told(catalogue, hook, verdict(ill=True)) == [("demo", "ill")]
    assert told(catalogue, hook, verdict(ill=True), now=NOW + HOUR) == []
    with closing(Catalogue(catalogue_url)) as of_another_process:
        assert told(of_another_process, hook, verdict(ill=True), now=NOW + HOUR) == []
        assert told(of_another_process, hook, verdict(ill=False), now=NOW + HOUR) == [("demo", "recovered")]
    assert told(catalogue, hook, verdict(ill=False)) == []
    assert told(catalogue, hook, verdict(ill=True)) == [("demo", "ill")]
    ids = [taken["id"] for taken in hook.taken]
    assert len(set(ids)) == 3


def test_what_is_told(catalogue: Catalogue, hook: Hook) -> None:
    tell_changes(catalogue, [verdict(ill=True)], poster(hook.url), NOW)
    (taken,), (headers,) = hook.taken, hook.headers
    assert taken["path"] == "/hooks/secret?token=1"
    assert (headers["content-type"], headers["user-agent"][:11]) == ("application/json", "newsmorgue/")
    assert taken["since"] == taken["at"] == "2026-06-01T12:00:00.000000Z"
    assert (taken["condition"], [reason["code"] for reason in taken["reasons"]]) == ("ill", ["unreached"])


def test_a_source_that_is_ill_at_the_first_check_is_told(catalogue: Catalogue, hook: Hook) -> None:
    verdicts = (verdict(ill=True, source="a"), verdict(ill=False, source="b"))
    assert told(catalogue, hook, *verdicts) == [("a", "ill")]


def test_what_was_not_taken_is_told_again_under_the_same_id(catalogue: Catalogue, hook: Hook) -> None:
    hook.status = 500
    (failure,) = tell_changes(catalogue, [verdict(ill=True)], poster(hook.url), NOW)
    assert "answers 500" in str(failure)
    assert "secret" not in str(failure)
    hook.status = 204
    assert told(catalogue, hook, verdict(ill=True)) == [("demo", "ill")]
    assert hook.taken[0]["id"] == hook.taken[1]["id"]
    assert told(catalogue, hook, verdict(ill=True)) == []


def test_an_illness_that_could_not_be_told_and_is_over_is_not_told(catalogue: Catalogue, hook: Hook) -> None:
    hook.status = 500
    tell_changes(catalogue, [verdict(ill=True)], poster(hook.url), NOW)
    hook.status = 200
    assert told(catalogue, hook, verdict(ill=False)) == []


def test_a_pause_is_no_recovery(catalogue: Catalogue, hook: Hook) -> None:
    assert told(catalogue, hook, verdict(ill=True)) == [("demo", "ill")]
    assert told(catalogue, hook, verdict(ill=True, is_paused=True)) == []
    assert told(catalogue, hook, verdict(ill=False)) == [("demo", "recovered")]


def test_two_that_check_at_once_tell_it_once(catalogue: Catalogue, hook: Hook, catalogue_url: str) -> None:
    post = poster(hook.url)

    def tell_while_another_checks(change: Change) -> None:
        with closing(Catalogue(catalogue_url)) as other:
            assert tell_changes(other, [verdict(ill=True)], post, NOW) == []
        post(change)

    tell_changes(catalogue, [verdict(ill=True)], tell_while_another_checks, NOW)
    assert len(hook.taken) == 1


def test_one_that_was_killed_while_telling_leaves_it_to_the_next(catalogue: Catalogue, hook: Hook) -> None:
    def die(change: Change) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tell_changes(catalogue, [verdict(ill=True)], die, NOW)
    assert told(catalogue, hook, verdict(ill=True), now=NOW + timedelta(seconds=59)) == []
    assert told(catalogue, hook, verdict(ill=True), now=NOW + timedelta(seconds=61)) == [("demo", "ill")]


# -- the webhook -----------------------------------------------------------------------------------------------------

CHANGE = Change("1", NOW, verdict(ill=True))


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    with hooked() as elsewhere:
        hook.status, hook.location = 307, elsewhere.url
        with pytest.raises(WebhookFailed, match="answers 307"):
            poster(hook.url)(CHANGE)
        assert elsewhere.taken == []


def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_said(hook: Hook) -> None:
    hook.free.clear()
    with pytest.raises(WebhookFailed, match="no answer within 1 s"):
        poster(hook.url, 0.6)(CHANGE)


def test_an_answer_that_drips_is_cut_off() -> None:
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(5)
                with suppress(OSError):  # it hangs up
                    while not stop.wait(0.02):
                        connection.sendall(b"H")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            with pytest.raises(WebhookFailed, match="no answer within"):
                poster(url, 0.5)(CHANGE)
        finally:
            stop.set()
            thread.join()


def test_nobody_there() -> None:
    (port,) = free_ports(1)
    with pytest.raises(WebhookFailed, match=f"webhook at 127.0.0.1:{port}: .*refused"):
        poster(f"http://127.0.0.1:{port}/secret")(CHANGE)

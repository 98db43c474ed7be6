"""Who wants pages rendered and has nothing that renders is told what to install."""

import os

import pytest

from newsmorgue.errors import ConfigurationError
from newsmorgue.settings import browser


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "find_spec", lambda name: None)
    with pytest.raises(
        ConfigurationError, match=r"source 'x' has render = true, .* pip install 'newsmorgue\[browser\]'"
    ):
        browser.require_browser("x")


def test_the_sandbox_is_off_for_root_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for user, sandboxed in ((0, False), (1000, True)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        assert browser.launch_options()["chromium_sandbox"] is sandboxed

"""The units that ``docs/systemd`` has: that their commands exist, that systemd takes them, and does with them what it
should."""

import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.cli.command import Morgue
from tests.cli.machine import Machine, can_boot, machine
from tests.sites.newsroom import Newsroom
from tests.sites.server import Site, serve

UNITS = Path(__file__).parents[2] / "docs" / "systemd"
STATE = "var/lib/newsmorgue"


def test_the_units_name_commands_and_options_that_exist(morgue: Morgue) -> None:
    for unit in UNITS.glob("*.service"):
        (line,) = (line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        program, *arguments = line.removeprefix("ExecStart=").split()
        assert program == "/opt/newsmorgue/bin/morgue"
        assert morgue.ask(*arguments, "--help").code == 0
        assert set(arguments) <= {"schedule", "crawl", "--due"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        text = unit.read_text().replace("/opt/newsmorgue/bin/morgue", "/bin/true")
        (tmp_path / unit.name).write_text(text)
    units = sorted(path for path in tmp_path.iterdir() if path.suffix in (".service", ".timer"))
    assert len(units) == 3
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, check=False
    )
    complaints = [line for line in verified.stderr.splitlines() if "newsmorgue" in line]
    assert (verified.returncode, complaints) == (0, [])


# -- on a machine that systemd runs ----------------------------------------------------------------------------------


@pytest.fixture
def booted(tmp_path: Path) -> Iterator[Machine]:
    """A machine with the units, and no configuration yet."""
    if not can_boot():
        pytest.skip("needs root, systemd, unshare and nsenter")
    with machine(tmp_path, UNITS) as running:
        yield running


def configure(booted: Machine, text: str) -> None:
    folder = booted.files / STATE
    folder.mkdir(exist_ok=True)
    (folder / "morgue.toml").write_text(text)


def wait_until(happened: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.1)


def ask(booted: Machine, command: str) -> str:
    """What an operator's command prints, run as the service's user in its folder."""
    asked = booted("runuser", "-u", "newsmorgue", "--", "sh", "-c", f"cd /{STATE} && /opt/newsmorgue/bin/{command}")
    assert asked.returncode == 0, asked.stderr
    return asked.stdout


def stories_answered(site: Site) -> int:
    paths = {truth.path for truth in site.newsroom.truth()}
    return sum(one.path.partition("?")[0] in paths for one in site.log)


@pytest.mark.nightly
def test_the_service_crawls_stops_in_time_goes_on_and_is_not_restarted_for_nothing(booted: Machine) -> None:
    unit = "newsmorgue.service"
    with serve(Newsroom()) as site:
        source = f'[sources.lantern]\nhome = "{site.url}/"\nevery = "1 hour"\n'
        configure(booted, source + "delay = 20\n")
        assert booted("systemctl", "start", unit).returncode == 0
        wait_until(lambda: len(site.log) >= 2)
        began = time.monotonic()
        assert booted("systemctl", "stop", unit).returncode == 0
        assert time.monotonic() - began < 10
        assert (booted.shows(unit, "Result"), booted.shows(unit, "ExecMainStatus")) == ("success", "0")
        configure(booted, source + "delay = 0\n")
        booted("systemctl", "start", unit)
        wait_until(lambda: stories_answered(site) >= 8)
        wait_until(lambda: '"outcome":"finished"' in ask(booted, "morgue sources --json").replace(" ", ""))
        # The scheduler is killed: it is started again, and so is what it was at.
        first = booted.shows(unit, "MainPID")
        booted("kill", "-9", first)
        wait_until(lambda: booted.shows(unit, "MainPID") not in ("0", first))
        booted("systemctl", "stop", unit)
    assert len(ask(booted, "morgue stories --json").splitlines()) == 8
    configure(booted, 'every = "sometimes"\n')
    booted("systemctl", "start", unit)
    wait_until(lambda: booted.shows(unit, "ActiveState") == "failed")
    assert booted.shows(unit, "ExecMainStatus") == "3"


@pytest.mark.nightly
def test_the_timer_crawls_what_is_due_once(booted: Machine) -> None:
    with serve(Newsroom()) as site:
        configure(booted, f'[sources.lantern]\nhome = "{site.url}/"\nevery = "1 hour"\n')
        assert booted("systemctl", "start", "newsmorgue-due.timer").returncode == 0
        wait_until(lambda: stories_answered(site) >= 8)
        wait_until(lambda: booted.shows("newsmorgue-due.service", "ActiveState") == "inactive")
        assert booted.shows("newsmorgue-due.service", "Result") == "success"
        asked = len(site.log)
        assert booted("systemctl", "start", "newsmorgue-due.service").returncode == 0
        assert len(site.log) == asked, "nothing is due"
    assert len(ask(booted, "morgue stories --json").splitlines()) == 8
    assert (booted.files / STATE / "archive").stat().st_uid == (booted.files / STATE).stat().st_uid != 0

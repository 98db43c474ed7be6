"""A small machine: systemd as the first process of namespaces of its own, over a copy of this system thrown away after.

It needs root. The network is this machine's, so that what a test serves can be reached.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SYSTEMD = Path("/lib/systemd/systemd")
_START_SECONDS = 30.0
_BOOT = """
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount --rbind /dev dev
mount -t sysfs sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
rm -rf etc/systemd/system/*.wants usr/lib/systemd/system/*.wants
printf '[Unit]\\nDescription=nothing by itself\\n' > etc/systemd/system/bare.target
ln -sfn "$2" opt/newsmorgue
chmod go+rx root
mkdir before
pivot_root . before
umount -l before
id -u newsmorgue > /dev/null 2>&1 || useradd --system newsmorgue
container=test exec /lib/systemd/systemd --system --unit=bare.target --log-target=null --show-status=no
"""
# What the program is made of may lie in a home or in /tmp, where the units let nobody look.
_PATHS = {sys.prefix, sys.base_prefix, str(Path(__file__).parents[2])}
_DROP_IN = f"[Service]\nProtectHome=tmpfs\nBindReadOnlyPaths={' '.join(sorted(_PATHS))}\n"


def can_boot() -> bool:
    """Whether this machine has what it takes."""
    return SYSTEMD.exists() and os.geteuid() == 0 and bool(shutil.which("unshare") and shutil.which("nsenter"))


@dataclass(frozen=True, slots=True)
class Machine:
    """A running one; ``files`` is where its own root is, seen from here."""

    process: int

    @property
    def files(self) -> Path:
        """Its root folder."""
        return Path(f"/proc/{self.process}/root")

    def __call__(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a program on it, as root."""
        inside = ["nsenter", "-t", str(self.process), "-m", "-p", "-u", "-i", "-C", f"--root={self.files}", "--wd=/"]
        return subprocess.run([*inside, *command], capture_output=True, text=True, check=False, timeout=60)

    def shows(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self("systemctl", "show", "--value", "-p", name, unit).stdout.strip()


@contextmanager
def machine(folder: Path, units: Path) -> Iterator[Machine]:
    """A machine with these units, until the block ends; ``folder`` is for its files."""
    spaces = ("--mount", "--pid", "--fork", "--uts", "--ipc", "--cgroup", "--kill-child")
    command = ["unshare", *spaces, "sh", "-c", _BOOT, "boot", str(folder), sys.prefix]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True) as outer:
        try:
            booted = Machine(_first_process(outer))
            _install(booted, units)
            yield booted
        finally:
            outer.send_signal(signal.SIGKILL)  # with --kill-child the first process dies too, and with it all others


def _first_process(outer: "subprocess.Popen[bytes]") -> int:
    """The first process of the new namespace, once systemd answers."""
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until and outer.poll() is None:
        below = Path(f"/proc/{outer.pid}/task/{outer.pid}/children").read_text().split()
        if below and Machine(int(below[0]))("systemctl", "is-active", "bare.target").stdout.strip() == "active":
            return int(below[0])
        time.sleep(0.1)
    raise RuntimeError("systemd did not start in namespaces of its own")


def _install(booted: Machine, units: Path) -> None:
    there = booted.files / "etc/systemd/system"
    for unit in units.iterdir():
        shutil.copy(unit, there)
        if unit.suffix == ".service":
            (there / f"{unit.name}.d").mkdir()
            (there / f"{unit.name}.d" / "tests.conf").write_text(_DROP_IN)
    booted("systemctl", "daemon-reload")

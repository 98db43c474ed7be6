"""Simulated power loss on real file systems: what a run said was durable is there afterwards.

A run writes into a file system in a loop-mounted image, which is shut down at a random moment without a flush,
unmounted and mounted again: what was only in the page cache is gone. Needs root and loop devices.
"""

import gc
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path

import pytest
from tests.archive.session import STEPS, check_session

_ROOT = Path(__file__).parents[2]
# linux/fs/ext4/ext4.h and xfs_fs.h: _IOR('X', 125, __u32), and "go down, flushing neither data nor the log".
_SHUTDOWN, _NO_FLUSH = 0x8004587D, 2
# mkfs.xfs refuses less than 300 MB; the image is sparse.
_IMAGE_BYTES = 320 * 2**20
# At most so many seconds after what a session said last the power goes; its commits take about as long.
_LONGEST = 0.05
LOSSES, NIGHTLY_LOSSES = 2, 50  # for each file system


@pytest.fixture(params=["ext4", "xfs"])
def image(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A file with a fresh file system in it."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount an image")
    mkfs = shutil.which(f"mkfs.{request.param}")
    if mkfs is None:
        pytest.skip(f"mkfs.{request.param} is not installed")
    path = tmp_path / "image"
    with path.open("wb") as stream:
        stream.truncate(_IMAGE_BYTES)
    subprocess.run([mkfs, "-q", path], check=True, capture_output=True)
    return path


@contextmanager
def _mounted(image: Path) -> Iterator[Path]:
    folder = image.with_name("disk")
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", "-o", "loop", image, folder], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"no image can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        gc.collect()  # a catalogue that nobody holds any more is closed
        if subprocess.run(["umount", folder], check=False, capture_output=True).returncode != 0:
            subprocess.run(["umount", "--lazy", folder], check=True)


def _lose_power(disk: Path) -> None:
    descriptor = os.open(disk, os.O_RDONLY | os.O_DIRECTORY)
    try:
        ioctl(descriptor, _SHUTDOWN, struct.pack("I", _NO_FLUSH))
    finally:
        os.close(descriptor)


def _run_until_power_is_lost(disk: Path, lines: int, seconds: float) -> set[str]:
    """Run a session until it has said so much and a little longer; what it said was durable before the power went.

    What it says while the power goes does not count. Without power it could not say it; here it goes on for a moment,
    and an fsync that waits for a journal's commit just when that is given up may return as if all were well (jbd2).
    """
    command = [sys.executable, "-m", "tests.archive.session", str(disk)]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0) as process:
        assert process.stdout is not None
        while process.poll() is None and not (disk / "catalogue.sqlite").exists():
            time.sleep(0.005)
        said = b"".join(process.stdout.readline() for _ in range(lines))
        time.sleep(seconds)
        os.set_blocking(process.stdout.fileno(), False)
        said += process.stdout.read() or b""
        _lose_power(disk)
        process.kill()
    return set(said.decode().split())


def _check(image: Path, losses: int, seed: int) -> list[set[str]]:
    chance = random.Random(seed)
    told = []
    for number in range(losses):
        with _mounted(image) as disk:
            said = _run_until_power_is_lost(disk, number % (len(STEPS) + 1), chance.random() * _LONGEST)
        with _mounted(image) as disk:
            check_session(disk, said)
            for left in disk.iterdir():
                if left.name != "lost+found":
                    shutil.rmtree(left) if left.is_dir() else left.unlink()
        told.append(said)
    return told


def test_what_was_durable_outlives_power_loss(image: Path) -> None:
    _check(image, LOSSES, seed=5)


@pytest.mark.nightly
@pytest.mark.timeout(3600)
def test_what_was_durable_outlives_many_power_losses(image: Path) -> None:
    told = _check(image, NIGHTLY_LOSSES, seed=6)
    # Else the power went too early each time, or too late.
    assert [said for said in told if said == {"new"}]
    assert [said for said in told if said == {"new", "edited", "other"}]
    assert [said for said in told if "sealed" in said]


def test_without_a_sync_power_loss_would_cost_what_was_committed(image: Path) -> None:
    """That is, these tests would see one that is missing."""
    with _mounted(image) as disk:
        (disk / "synced").write_bytes(b"x" * 5000)
        (disk / "not synced").write_bytes(b"y" * 5000)
        with (disk / "synced").open("rb") as stream:
            os.fsync(stream.fileno())
        _lose_power(disk)
    with _mounted(image) as disk:
        assert (disk / "synced").read_bytes() == b"x" * 5000
        left = disk / "not synced"
        assert not left.exists() or left.read_bytes() != b"y" * 5000

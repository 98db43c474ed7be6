"""``python -m tests.schedule.accelerated FOLDER BEGIN LOG``: a scheduler whose clock runs 20 times as fast, from second
BEGIN on. Each run writes its source, second and process id to LOG; those of source-60 are killed twice."""

import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from signal import SIGTERM, signal

from tests.archive.harness import START, open_archive
from tests.schedule.test_scheduler import TEN

from newsmorgue.schedule.scheduler import Process, Scheduler, start_crawl

SPEED = 20


def main() -> None:
    """See the module."""
    folder, begin, log = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    at_start = time.monotonic()

    def clock() -> datetime:
        return START + timedelta(seconds=begin + (time.monotonic() - at_start) * SPEED)

    def start(source: str) -> Process:
        killed = source == "source-60" and log.exists() and log.read_text().count("source-60 ") in (1, 2)
        second = (clock() - START).total_seconds()
        script = f"echo {source} {second:.2f} $$ >> {log}; " + ("kill -9 $$" if killed else "exit 0")
        return start_crawl(["/bin/sh", "-c", script], source)

    scheduler = Scheduler(open_archive(folder), lambda: TEN, clock, len(TEN), start)
    signal(SIGTERM, scheduler.stop)
    scheduler.run(tick=0.02)


if __name__ == "__main__":
    main()

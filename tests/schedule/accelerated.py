"""``python -m tests.schedule.accelerated FOLDER BEGIN END LOG``: a scheduler under its own clock, from second BEGIN on.

With each look of the scheduler's a second is over, once the runs that it began are: none is late on a busy machine. At
END the clock stands still, and the scheduler goes on.

Each run writes its source, second and process id to LOG; those of source-60 are killed twice.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from signal import SIGTERM, signal

from tests.archive.harness import START, open_archive
from tests.schedule.test_scheduler import TEN

from newsmorgue.schedule.scheduler import Process, Scheduler, start_crawl
from newsmorgue.schedule.timetable import Timetable


@dataclass
class Seconds:
    """The clock, and the runs that were begun in this second."""

    now: int
    end: int
    log: Path
    runs: list[Process] = field(default_factory=list)

    def clock(self) -> datetime:
        """What the scheduler goes by."""
        return START + timedelta(seconds=self.now)

    def look(self) -> Mapping[str, Timetable]:
        """What the scheduler begins each look with."""
        for run in self.runs:
            run.wait()
        self.runs.clear()
        self.now = min(self.now + 1, self.end)
        return TEN

    def start(self, source: str) -> Process:
        """Begin a run."""
        killed = source == "source-60" and self.log.exists() and self.log.read_text().count("source-60 ") in (1, 2)
        script = f"echo {source} {self.now} $$ >> {self.log}; " + ("kill -9 $$" if killed else "exit 0")
        self.runs.append(start_crawl(["/bin/sh", "-c", script], source))
        return self.runs[-1]


def main() -> None:
    """See the module."""
    folder, begin, end, log = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    seconds = Seconds(begin - 1, end, log)
    scheduler = Scheduler(open_archive(folder), seconds.look, seconds.clock, len(TEN), seconds.start)
    signal(SIGTERM, scheduler.stop)
    scheduler.run(tick=0.0)


if __name__ == "__main__":
    main()

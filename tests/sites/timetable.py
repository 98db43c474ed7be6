"""When things happen in the demo newsroom: as the stories are written, or by a clock for a demo that is of today."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tests.sites.stories import State, Story

Clock = Callable[[], datetime]
# When each edition goes out in the time that the stories are written in.
WRITTEN = tuple(
    datetime.fromisoformat(moment)
    for moment in ("2026-03-16T12:00:00+01:00", "2026-03-16T18:00:00+01:00", "2026-03-17T09:00:00+01:00")
)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When each edition goes out, or went. Without a clock that is as written."""

    editions: tuple[datetime, ...] = WRITTEN
    clock: Clock | None = None

    @classmethod
    def by(cls, clock: Clock | None, edition: int) -> "Timetable":
        """The timetable of a newsroom that opens with an edition."""
        return cls(clock=clock)._begin(edition, past=0)

    def begin(self, edition: int) -> "Timetable":
        """An edition goes out now by the clock, if there is one; those after it follow as far apart as written."""
        return self._begin(edition, past=edition)

    def _begin(self, edition: int, past: int) -> "Timetable":
        if self.clock is None:
            return self
        # A whole second, as sitemaps give it, and not before anything that was fetched in this one.
        now = self.clock().replace(microsecond=0) + timedelta(seconds=1)
        following = tuple(now + (one - WRITTEN[edition]) for one in WRITTEN[past:])
        return replace(self, editions=self.editions[:past] + following)

    def dated(self, story: Story) -> Story:
        """The story with all its dates by this timetable."""
        return Story(story.name, tuple((edition, self._dated(state)) for edition, state in story.states))

    def _dated(self, state: State) -> State:
        modified = self._moment(state.modified) if state.modified else None
        return replace(state, published=self._moment(state.published), modified=modified)

    def _moment(self, written: datetime) -> datetime:
        """By a clock, what happened between two editions happened when the later one went out.

        Otherwise someone who fetched the site between the two, and not hours apart, would see the change dated
        before the visit.
        """
        edition = next((number for number, end in enumerate(WRITTEN) if written <= end), len(WRITTEN) - 1)
        if edition and self.clock:
            return self.editions[edition]
        return written + (self.editions[edition] - WRITTEN[edition])

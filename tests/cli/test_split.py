"""``morgue stories split``, by a person who found that two stories were taken for one."""

from pathlib import Path

from tests.archive.harness import BRIDGE, TEXT, Visitor, open_archive
from tests.cli.command import Morgue

COPY = "https://news.example/2026/03/bridge-copy"


def test_a_merged_story_is_split_and_the_archive_says_so(tmp_path: Path) -> None:
    visitor = Visitor(open_archive(tmp_path))
    visitor.see(BRIDGE, TEXT)
    visitor.see(COPY, TEXT)
    visitor.see(COPY, TEXT, canonical=BRIDGE)  # now two stories are one
    visitor.end()
    places = {"STORE": str(tmp_path / "archive"), "SPOOL": str(tmp_path / "spool")}
    places["CATALOGUE"] = f"sqlite:///{tmp_path / 'catalogue.sqlite'}"
    morgue = Morgue(tmp_path, {f"MORGUE_{name}": value for name, value in places.items()})
    assert [row["url"] for row in morgue("stories", "--json").documents] == [BRIDGE]
    ended = morgue("stories", "split", COPY)
    assert (ended.code, "story of its own again" in ended.out) == (0, True)
    assert {row["url"] for row in morgue("stories", "--json").documents} == {BRIDGE, COPY}
    again = morgue("stories", "split", COPY)
    assert (again.code, "merged into another" in again.err) == (7, True)
    assert morgue("verify").code == 0

"""What a reader is shown as changed."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.archive.harness import BRIDGE, article

from newsmorgue.stories.diff import Change, Line, diff_articles, sentences
from newsmorgue.stories.likeness import containment, tell_the_same

KEPT, ADDED, REMOVED = Change.KEPT, Change.ADDED, Change.REMOVED


def _body(old: str, new: str) -> list[list[tuple[Change, str]]]:
    lines = diff_articles(article(BRIDGE, old, headline=None), article(BRIDGE, new, headline=None))
    return [[(piece.change, piece.text) for piece in line.pieces] for line in lines]


def test_a_changed_word_within_a_sentence() -> None:
    old = "Two people were hurt in the storm. The bridge is closed."
    new = "Three people were hurt in the storm. The bridge is closed."
    assert _body(old, new) == [
        [(REMOVED, "Two"), (ADDED, "Three"), (KEPT, " people were hurt in the storm.")],
        [(KEPT, "The bridge is closed.")],
    ]


def test_a_sentence_that_came_and_one_that_went() -> None:
    old = "The bridge is closed. Engineers are looking for the cause."
    new = "The bridge is closed. Nobody knows when ferries will sail again!"
    assert _body(old, new) == [
        [(KEPT, "The bridge is closed.")],
        [(REMOVED, "Engineers are looking for the cause.")],
        [(ADDED, "Nobody knows when ferries will sail again!")],
    ]


def test_no_change_is_no_change() -> None:
    same = article(BRIDGE, "One sentence. Another one.\n\nA paragraph.", summary="In short.")
    lines = diff_articles(same, same)
    assert [line.part for line in lines] == ["headline", "summary", "body", "body", "body"]
    assert not any(line.is_changed for line in lines)


def test_what_no_reader_sees_is_no_change() -> None:
    assert not any(
        line.is_changed
        for line in diff_articles(
            article(BRIDGE, "The bridge\u00a0is\u200b closed."), article(BRIDGE, "The  bridge is closed.")
        )
    )


def test_headline_and_summary_are_parts_of_their_own() -> None:
    old = article(BRIDGE, "Text.", headline="Bridge closed", summary=None)
    new = article(BRIDGE, "Text.", headline="Bridge reopened", summary="At last.")
    changed = [line for line in diff_articles(old, new) if line.is_changed]
    assert [line.part for line in changed] == ["headline", "summary"]
    assert [(piece.change, piece.text) for piece in changed[0].pieces] == [
        (KEPT, "Bridge "),
        (REMOVED, "closed"),
        (ADDED, "reopened"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Il a dit : « C’est fini. » Puis il est parti.", ["Il a dit : « C’est fini. »", "Puis il est parti."]),
        ("Il est parti. « C’est fini », dit-il.", ["Il est parti.", "« C’est fini », dit-il."]),
        ("„Es ist vorbei.“ Dann ging er.", ["„Es ist vorbei.“", "Dann ging er."]),
        ("¿Quién? ¡Nadie! Nada.", ["¿Quién?", "¡Nadie!", "Nada."]),
        ("It costs 3.50 euros. Really?", ["It costs 3.50 euros.", "Really?"]),
        ("He said “Go.” She went.", ["He said “Go.”", "She went."]),
        ("First line\nSecond line\n\n\nThird", ["First line", "Second line", "Third"]),
        ("Земля кругла. Она вертится.", ["Земля кругла.", "Она вертится."]),
        (
            "»Es ist vorbei.« Dann ging er. »Nein«, sagte sie.",
            ["»Es ist vorbei.«", "Dann ging er.", "»Nein«, sagte sie."],
        ),
        ("Sie kam. „Ja“, sagte er.", ["Sie kam.", "„Ja“, sagte er."]),
        ("She went. “Go,” he said.", ["She went.", "“Go,” he said."]),
        ("橋は閉鎖された。「原因は不明。」と市長。", ["橋は閉鎖された。", "「原因は不明。」", "と市長。"]),
        ("He waited for e.g. a bus.", ["He waited for e.g. a bus."]),
        ("", []),
        ("\n\n", []),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


_prose = st.lists(st.sampled_from(["The bridge is closed.", "Why?", "Two were hurt.", "« Oui. »", "x"])).map(" ".join)


@given(_prose, _prose)
def test_old_and_new_can_be_read_out_of_a_diff(old: str, new: str) -> None:
    lines = diff_articles(article(BRIDGE, old, headline=None), article(BRIDGE, new, headline=None))
    assert _side(lines, ADDED) == sentences(new)
    assert sorted(_side(lines, REMOVED)) == sorted(sentences(old))


def _side(lines: list[Line], change: Change) -> list[str]:
    kept = ["".join(piece.text for piece in line.pieces if piece.change in (KEPT, change)) for line in lines]
    return [text for text in kept if text]


def test_a_changed_word_of_a_language_without_spaces() -> None:
    assert _body("橋は閉鎖された。", "橋は再開された。") == [
        [(KEPT, "橋は"), (REMOVED, "閉鎖"), (ADDED, "再開"), (KEPT, "された。")]
    ]


def test_sentences_alike_only_in_their_spaces_are_not_one_changed() -> None:
    assert _body("One two three four five", "Six seven eight nine ten") == [
        [(REMOVED, "One two three four five")],
        [(ADDED, "Six seven eight nine ten")],
    ]


def test_two_long_texts_with_nothing_in_common_are_compared_in_time() -> None:
    """A live blog of a whole day that was written anew."""
    old, new = ([f"{word}{n} " * 12 + f"{word}{n * 7}" for n in range(600)] for word in ("Old", "New"))
    began = time.process_time()
    assert len(_body("\n".join(old), "\n".join(new))) == 1200
    assert time.process_time() - began < 20


def test_texts_that_share_four_words_in_a_row_often_enough_tell_the_same() -> None:
    words = [f"w{number}" for number in range(100)]
    whole, half, tenth = (article(BRIDGE, " ".join(words[:end]), headline=None) for end in (100, 50, 10))
    other = article(BRIDGE, " ".join(reversed(words)), headline=None)
    assert tell_the_same(whole, half)
    assert tell_the_same(tenth, whole)
    assert not tell_the_same(whole, other)
    assert not tell_the_same(article(BRIDGE, "", headline=None), article(BRIDGE, "", headline=None))
    assert containment("a b c", "a b c") == 1.0

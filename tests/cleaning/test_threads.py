"""Readers' comments that nothing on the page is named after."""

import pytest

from newsmorgue.cleaning import clean

SENTENCES = (
    "The council voted on Tuesday to keep the night ferry for a further six years, after a long and loud debate.",
    "Opponents had asked for a cheaper bus over the new bridge, which the harbour trust says will open in 2027.",
    "“We heard from nurses and from bakers,” said the mayor. “Tonight they won, and so did the islands.”",
    "The service loses about £400,000 a year, and the council will cover half of that from next April on.",
)
TEXT = "\n\n".join(SENTENCES)
STORY = "".join(f"<p>{sentence}</p>" for sentence in SENTENCES)
LATER = "<p>A report on the state of the two boats, the youngest of them from 1988, is due before the summer.</p>"
LAST = "<p>Boats leave the old town every forty minutes until two in the morning, and every hour at weekends.</p>"
COMMENTS = (
    ("Bob Marsh", "I was there and it was nothing like that, believe me. The council never listens to the east side."),
    ("seagull77", "Finally! My daughter takes this boat every night and I was so worried about it being cut."),
    ("Clara", "Who pays for all this? We do, as usual, and the trust sits on its money and smiles."),
)


def text(body: str) -> str:
    return clean(f"<title>The ferry stays</title><body>{body}".encode(), "https://courier.example/ferry").text


@pytest.mark.parametrize(
    "comment, answer",
    [
        ("<div class=x2><b>{}</b><p>{}</p>{}</div>", "<a href=#r>Reply</a>"),
        ("<div class=x2><b>{}</b><p>{}</p>{}</div>", "<button><svg></svg><span>Répondre</span></button>"),
        ("<div><div><span>{}</span> 2 h</div><div>{}</div><div>Like · {} · 3</div></div>", "<a>Antworten</a>"),
        ("<li><i>{}</i><div>{}</div>{}</li>", "<button type=button>返信</button>"),
    ],
)
def test_comments_that_nothing_names_are_known_by_their_links_for_answers(comment: str, answer: str) -> None:
    thread = "".join(comment.format(name, words, answer) for name, words in COMMENTS)
    assert text(f"<main><h1>The ferry stays</h1><div>{STORY}</div><div class=x1>{thread}</div></main>") == TEXT


def test_posts_from_elsewhere_between_paragraphs_are_the_storys_though_one_may_answer_them() -> None:
    post = "<div class=x3><b>{}</b><p>{}</p><a href=https://social.example/1>Reply</a></div>"
    posts = [post.format(name, words) for name, words in COMMENTS[:2]]
    lines = text(f"<main><h1>The ferry stays</h1><div>{STORY}{posts[0]}{LATER}{posts[1]}{LAST}</div>").split("\n\n")
    assert {words for _, words in COMMENTS[:2]} <= set(lines)


def test_a_page_of_nothing_but_answers_is_not_emptied() -> None:
    thread = "".join(f"<li><i>{name}</i><div>{words}</div><button>Reply</button></li>" for name, words in COMMENTS)
    left = text(f"<main><h1>The ferry stays</h1><ul>{thread}</ul></main>")
    assert all(words in left for _, words in COMMENTS)

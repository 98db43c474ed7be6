"""What a site repeats on its stories is taken off them; no sentence of a story ever is, however often it is printed."""

import pickle
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsmorgue.cleaning import READING, Block, BlockKind, Memory, Sample, clean, learn, reading
from newsmorgue.cleaning.memory import MOST_LINES, set_aside

SITE = Memory("gazette")
_SUBJECTS = ("council", "ferry", "school", "harbour", "library", "bridge", "market", "hospital", "theatre", "railway")
_DEEDS = ("reopened", "closed", "voted", "burned", "moved", "flooded", "merged", "protested", "celebrated", "expanded")


def p(text: str, markdown: str | None = None) -> Block:
    return Block(BlockKind.PARAGRAPH, text, markdown=markdown)


def link(text: str) -> Block:
    return p(text, f"[{text}](https://gazette.example/x)")


def heading(text: str) -> Block:
    return Block(BlockKind.HEADING, text, level=2)


def prose(number: int) -> tuple[Block, ...]:
    """Three sentences that no other story has."""
    subject, deed = _SUBJECTS[number % 10], _DEEDS[number // 10 % 10]
    return tuple(
        p(f"The {subject} of district {number} {deed} on day {day}, and {number * 7 + day} people came to see it.")
        for day in range(3)
    )


def story(number: int, *, head: tuple[Block, ...] = (), tail: tuple[Block, ...] = (), day: str | None = "") -> Sample:
    when = f"2026-03-{number % 28 + 1:02}" if day == "" else day
    return Sample(f"story-{number}", f"Headline {number}", when, (*head, *prose(number), *tail), ("Ann Lee",))


def stories(count: int, *tail: Block) -> list[Sample]:
    return [story(number, tail=tail) for number in range(count)]


def texts(blocks: tuple[Block, ...]) -> list[str]:
    return [block.text for block in blocks]


BOILERPLATE = {
    "a link": link("Our standards: what we promise to our readers"),
    "a label": p("Continue to the next page"),
    "a heading that heads nothing": heading("More from the Gazette"),
    "a colon that nothing follows": p("You may also be interested in:"),
    "who wrote it": p("Ann Lee writes of the islands.", "*Ann Lee writes of the islands.*"),
    "an invitation": p("Sign up for our newsletter and get the day’s stories each morning, before the first ferry."),
    "an invitation in French": p("Abonnez-vous pour lire la suite de nos enquêtes."),
    "a notice of rights": p("© 2026 The Gazette. This story may not be published elsewhere."),
    "a label in Chinese": p("点击查看更多精彩内容"),
    "a list of links": Block(
        BlockKind.LIST, "One\nTwo", items=("One", "Two"), markdown="- [One](https://g.example/1)\n- [Two](https://g.example/2)"
    ),
}  # fmt: skip


@pytest.mark.parametrize("block", BOILERPLATE.values(), ids=BOILERPLATE.keys())
@pytest.mark.parametrize("count", [2, 5, 10, 40])
def test_what_ends_all_stories_of_a_site_is_taken_off(block: Block, count: int) -> None:
    memory = learn(SITE, stories(count, block))
    fresh = story(99, tail=(block,)).body
    assert set_aside(memory, fresh) == (prose(99), (block.text,))


def test_several_lines_are_taken_from_the_end_inwards() -> None:
    tail = (p("Follow the Gazette"), link("Our standards"), heading("More from the Gazette"))
    memory = learn(SITE, stories(8, *tail))
    assert set_aside(memory, story(99, tail=tail).body) == (prose(99), tuple(texts(tail)))


def test_links_under_a_known_heading_go_with_it_whatever_they_say() -> None:
    head = heading("More from the Gazette")
    memory = learn(SITE, [story(n, tail=(head, link(f"Story number {n}"))) for n in range(8)])
    today = (head, link("What nobody has seen yet"), link("And another"))
    assert set_aside(memory, story(99, tail=today).body)[0] == prose(99)
    assert set_aside(memory, story(99, tail=today[1:]).body)[0] == (*prose(99), *today[1:])


def test_what_opens_all_stories_is_taken_off() -> None:
    opening = p("Today’s edition in short")
    memory = learn(SITE, [story(n, head=(opening,)) for n in range(8)])
    assert set_aside(memory, story(99, head=(opening,)).body) == (prose(99), (opening.text,))


def test_pictures_and_embeds_beside_are_kept() -> None:
    caption, label = Block(BlockKind.CAPTION, "The ferry at the quay."), p("Continue to the next page")
    memory = learn(SITE, stories(8, label))
    assert set_aside(memory, (*prose(99), label, caption))[0] == (*prose(99), caption)


# -- what must stay ----------------------------------------------------------------------------------------------

AGENCY = p("Russia launched its full-scale invasion of Ukraine in February 2022, and has held a fifth of it since.")


@pytest.mark.parametrize("share", [0.3, 0.6, 1.0])
def test_a_sentence_that_an_agency_sent_into_many_stories_stays(share: float) -> None:
    said = [story(n, tail=(AGENCY,) if n < 40 * share else ()) for n in range(40)]
    memory = learn(SITE, said)
    for body in ((*prose(99), AGENCY), (AGENCY, *prose(99)), (*prose(99)[:1], AGENCY, *prose(99)[1:])):
        assert set_aside(memory, body) == (body, ())


@pytest.mark.parametrize(
    "sentence",
    [
        p("Police are still investigating."),
        p("The company did not respond to a request for comment on Facebook."),
        p("Russia invaded Ukraine in 2022.", "[Russia](https://g.example/russia) invaded Ukraine in 2022."),
        p("“We will be back.”"),
        p("The war began in 2022, and goes on.", "*The war began in 2022, and goes on.*"),
        p("The war began in 2022, and goes on.", "**The war began in 2022, and goes on.**"),
        p("Ποιος θα πληρώσει;"),
        p("“We shall never surrender”"),
        p("“Sign up to the union,” she told the nurses, “or nobody will ever be paid.”"),
        p("Prosecutors say that the firm had used cookies to follow its customers."),
        p("事故の原因は調査中である。"),
        p("هل انتهت الحرب؟"),
        Block(BlockKind.QUOTE, "We shall never surrender"),
        Block(BlockKind.TABLE, "a\tb", items=("a\tb",)),
    ],
)
def test_no_sentence_of_a_story_is_learned(sentence: Block) -> None:
    assert learn(SITE, stories(40, sentence)) is SITE


def test_a_lead_in_bold_that_an_agency_sent_stays() -> None:
    lead = p("Ann Lee was freed on Monday.", "**Ann Lee was freed on Monday.**")
    assert learn(SITE, [story(n, head=(lead,)) for n in range(20)]) is SITE


def test_words_that_lead_to_an_embed_stay() -> None:
    words, embed = p("She wrote on her own network:"), Block(BlockKind.EMBED, "A post", url="https://x.example/1")
    assert learn(SITE, stories(40, words, embed)).lines == ()
    known = learn(SITE, stories(40, words))
    assert set_aside(known, (*prose(99), words, embed)) == ((*prose(99), words, embed), ())


def test_a_story_under_several_addresses_is_one_story() -> None:
    end = (p("By our correspondent on the island"), link("Read the report of the commission"))
    copies = [
        replace(story(1, tail=end), story=f"copy-{number}", day=f"2026-03-{number + 1:02}") for number in range(9)
    ]
    edited = [replace(copy, body=copy.body[1:], headline=f"Other words {copy.story}") for copy in copies]
    others = [story(number) for number in range(20, 24)]
    assert learn(SITE, [*copies, *others]) is SITE
    assert learn(SITE, [*edited, *others]) is SITE


def test_captures_of_one_story_are_one_story() -> None:
    label = p("Continue to the next page")
    assert learn(SITE, [story(1, tail=(label,)), story(1, tail=(label,)), story(1, tail=(label,))]) is SITE


def test_a_label_in_the_middle_stays() -> None:
    label = heading("Why it matters")
    bodies = [(*prose(n)[:1], label, *prose(n)[1:]) for n in range(20)]
    memory = learn(SITE, [Sample(f"s{n}", None, None, body) for n, body in enumerate(bodies)])
    assert set_aside(memory, bodies[3]) == (bodies[3], ())


def test_a_known_label_stays_where_it_heads_something() -> None:
    label = heading("In figures")
    memory = learn(SITE, stories(20, label))
    body = (*prose(99), label, p("Forty-one people voted for the ferry, and three did not."))
    assert set_aside(memory, body) == (body, ())


def test_a_dateline_stays() -> None:
    dateline = p("PARIS (AFP)")
    memory = learn(SITE, [story(n, head=(dateline,) if n % 4 == 0 else ()) for n in range(40)])
    assert set_aside(memory, story(99, head=(dateline,)).body)[1] == ()


def test_an_invitation_of_one_day_is_not_learned_yet() -> None:
    line = p("Sign up for our newsletter on the election, and never miss a result.")
    assert learn(SITE, [story(n, tail=(line,), day="2026-03-01") for n in range(20)]) is SITE


def test_a_few_stories_of_many_teach_nothing() -> None:
    label = p("Continue to the next page")
    assert learn(SITE, [*stories(3, label), *(story(n) for n in range(20, 60))]) is SITE


def test_never_is_the_whole_text_taken() -> None:
    label = p("Continue to the next page")
    memory = learn(SITE, stories(8, label))
    assert set_aside(memory, (label, label)) == ((label, label), ())


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 12), max_size=14), st.integers(2, 12))
def test_only_lines_that_are_no_prose_are_ever_taken(order: list[int], count: int) -> None:
    pool = [*BOILERPLATE.values(), AGENCY, p("Police are still investigating."), p("Nobody was hurt, the mayor said.")]
    tail = tuple(pool[at] for at in order)
    kept, taken = set_aside(learn(SITE, stories(count, *tail)), story(99, tail=tail).body)
    assert set(texts(prose(99))) <= set(texts(kept))
    assert [
        text for text in texts(story(99, tail=tail).body) if text in {AGENCY.text, pool[-1].text, pool[-2].text}
    ] == [text for text in texts(kept) if text in {AGENCY.text, pool[-1].text, pool[-2].text}]
    assert sorted([*texts(kept), *taken]) == sorted(texts(story(99, tail=tail).body))


# -- snapshots -----------------------------------------------------------------------------------------------------


def test_a_snapshot_is_numbered_and_never_changes() -> None:
    first = learn(SITE, stories(8, p("Continue to the next page")))
    assert (SITE.number, SITE.lines, first.number) == (0, (), 1)
    assert learn(first, stories(8, p("Continue to the next page"))) is first
    second = learn(first, stories(8, link("Our standards")))
    assert (first.number, second.number) == (1, 2)
    assert set(first.lines) < set(second.lines)
    with pytest.raises(AttributeError):
        first.number = 3  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(second)) == second


def test_the_number_is_part_of_the_reading() -> None:
    first = learn(SITE, stories(8, p("Continue to the next page")))
    assert reading(None) == reading(SITE) == READING
    assert reading(first) == f"{READING} memory-gazette-1"
    assert reading(replace(first, source="other")) != reading(first)


def test_learning_depends_on_nothing_but_the_stories() -> None:
    told = stories(20, link("Our standards"), p("Continue to the next page"))
    assert learn(SITE, told) == learn(SITE, reversed(told))


def test_a_memory_has_a_bound_and_forgets_the_oldest() -> None:
    memory = SITE
    for number in range(MOST_LINES + 10):
        memory = learn(memory, stories(4, link(f"A link of the week {number}")))
    assert len(memory.lines) == MOST_LINES
    assert {line.text for line in memory.lines} >= {"a link of the week 137"}
    assert "a link of the week 0" not in {line.text for line in memory.lines}


PAGE = """<html><head><title>{headline}</title><meta property="og:type" content="article"></head>
<body><header>Gazette</header><article><h1>{headline}</h1><p>{0}</p><p>{1}</p><p>{2}</p>
<p><a href="/x">Our standards of reporting, in full</a></p></article></body></html>"""


def test_clean_uses_it_and_says_what_it_took() -> None:
    line = "Our standards of reporting, in full"
    page = PAGE.format(*texts(prose(99)), headline="Headline 99").encode()
    memory = learn(SITE, stories(8, link(line)))
    plain, known = clean(page, "https://gazette.example/a"), clean(page, "https://gazette.example/a", memory=memory)
    assert known.text == "\n\n".join(texts(prose(99)))
    assert line not in known.markdown
    assert plain == clean(page, "https://gazette.example/a", memory=SITE)
    assert known.repeated == ((line,) if line in plain.text else ())
    assert plain.repeated == ()

"""The way of a page through the stages: bytes, characters, tree, metadata, story, rules, blocks, memory, kind."""

from dataclasses import replace

from lxml import etree

from newsmorgue.cleaning.article import Article, Block, Found, PageKind
from newsmorgue.cleaning.blocks import blocks_of
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.finder import Place, drop_controls, find_story
from newsmorgue.cleaning.fragment import as_soup
from newsmorgue.cleaning.kinds import kind_of
from newsmorgue.cleaning.memory import Memory, set_aside
from newsmorgue.cleaning.metadata import Metadata, read_metadata
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.render import markdown_of_blocks, text_of_blocks
from newsmorgue.cleaning.rules import CAUTIOUS_RULES, Context, strip_boilerplate
from newsmorgue.cleaning.selectors import Chosen, Selectors, choose
from newsmorgue.cleaning.standfirst import read_standfirst
from newsmorgue.cleaning.wording import letters, word_count
from newsmorgue.errors import CleaningFailed

# Rules that would leave less of the story's element than this share have taken the story for something else.
_LEAST_LEFT = 0.1
# Characters in one piece that are worth a word where no story is found: no page of a site that means well has them.
_ONE_PIECE = 1_000_000
# What lxml, BeautifulSoup and urllib raise for names and addresses that no specification knows, found by fuzzing: a
# page that does so is a recorded failure, not the end of whatever reads it.
_DATA = ("script", "style", "template", "noscript", "textarea")
_CANNOT_TAKE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, etree.LxmlError)


def clean(
    html: bytes,
    url: str,
    *,
    charset: str | None = None,
    memory: Memory | None = None,
    selectors: Selectors | None = None,
) -> Article:
    """Read one page: ``html`` as received (without content-coding), fetched from ``url``.

    ``charset`` is what the Content-Type header named, if it did. ``memory`` is what the site repeats on
    its stories (:mod:`newsmorgue.cleaning.memory`), if that was learned. ``selectors`` are the operator's own for this
    site. Raises
    :class:`~newsmorgue.errors.CleaningFailed` where the bytes hold no element at all, or markup that one of the
    libraries under it cannot take; and nothing else.
    """
    try:
        return _clean(html, url, charset, memory, selectors or Selectors())
    except _CANNOT_TAKE as error:
        raise CleaningFailed(f"{url}: cannot be read: {error!r}") from error


def _clean(html: bytes, url: str, charset: str | None, memory: Memory | None, selectors: Selectors) -> Article:
    page = decode(html, charset)
    root, losses = parse(page)
    chosen = choose(root, selectors)
    metadata = _with_headline(read_metadata(root, url), chosen)
    place = find_story(root)
    standfirst = _chosen_summary(chosen) or read_standfirst(root, place.element if place else None, metadata)
    if chosen.body is not None:
        drop_controls(chosen.body)
        place = Place(chosen.body, 0.0, "selector")
    page_body = _body(place, metadata, url, standfirst[0] if standfirst else None)
    if not page_body and len(page.text) > _ONE_PIECE:
        _refuse_one_piece(root, url)
    body, repeated = set_aside(memory, page_body)
    found = (
        metadata.found | {"charset": Found(page.how, page.charset)} | ({"summary": standfirst[1]} if standfirst else {})
    )
    return Article(
        url=url,
        kind=_kind(kind_of(url, metadata, page_body), chosen),
        headline=metadata.headline,
        summary=standfirst[0] if standfirst else None,
        body=body,
        text=text_of_blocks(body),
        markdown=markdown_of_blocks(body),
        repeated=repeated,
        authors=metadata.authors,
        published=metadata.published,
        published_on=metadata.published_on,
        modified=metadata.modified,
        section=metadata.section,
        tags=metadata.tags,
        language=metadata.language,
        canonical=metadata.canonical,
        image=metadata.image,
        site_name=metadata.site_name,
        is_accessible_for_free=metadata.is_accessible_for_free,
        charset=page.charset,
        found=found,
        warnings=page.warnings + losses + chosen.warnings,
    )


def _with_headline(metadata: Metadata, chosen: Chosen) -> Metadata:
    if chosen.headline is None:
        return metadata
    return replace(metadata, headline=chosen.headline.raw, found=metadata.found | {"headline": chosen.headline})


def _kind(kind: PageKind, chosen: Chosen) -> PageKind:
    """A page that has what the operator calls a story's body is one, however short."""
    return PageKind.ARTICLE if kind == PageKind.OTHER and chosen.body is not None else kind


def _chosen_summary(chosen: Chosen) -> tuple[str, Found] | None:
    return (chosen.summary.raw, chosen.summary) if chosen.summary else None


def _refuse_one_piece(root: etree._Element, url: str) -> None:
    """A text that is too long to be told from data is not passed over as if it were not there."""
    longest = max(
        (len(element.text or "") for element in root.iter(etree.Element) if element.tag not in _DATA), default=0
    )
    if longest > _ONE_PIECE:
        raise CleaningFailed(f"{url}: no story is found, but a text of {longest:,} characters in one piece")


def _body(place: Place | None, metadata: Metadata, url: str, summary: str | None) -> tuple[Block, ...]:
    if place is None:
        return ()
    titles = {metadata.headline or "", *metadata.headings[:1], metadata.section or "", metadata.site_name or ""}
    context = Context(frozenset(letters(title) for title in titles if title), metadata.authors)
    root = as_soup(place.element)
    words = word_count(root.get_text(" "))
    strip_boilerplate(root, context)
    if word_count(root.get_text(" ")) < _LEAST_LEFT * words:
        root = as_soup(place.element)
        strip_boilerplate(root, context, CAUTIOUS_RULES)
    blocks = blocks_of(root, url)
    return tuple(block for block in blocks if not summary or block.text != summary) or blocks

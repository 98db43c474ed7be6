"""The way of a page through the stages: bytes, characters, tree, metadata, story, rules, blocks, memory, kind."""

from dataclasses import replace

from lxml import etree

from newsmorgue.cleaning.article import Article, Block, Found, PageKind
from newsmorgue.cleaning.blocks import blocks_of
from newsmorgue.cleaning.box_rules import Context
from newsmorgue.cleaning.choosing import Chosen, choose
from newsmorgue.cleaning.decode import decode
from newsmorgue.cleaning.features import hints_of
from newsmorgue.cleaning.finder import Story, all_lines, find_story
from newsmorgue.cleaning.kinds import kind_of
from newsmorgue.cleaning.lines import survey
from newsmorgue.cleaning.memory import Memory, set_aside
from newsmorgue.cleaning.metadata import Metadata, read_metadata
from newsmorgue.cleaning.model import Model, shipped_model
from newsmorgue.cleaning.parse import parse
from newsmorgue.cleaning.render import markdown_of_blocks, text_of_blocks
from newsmorgue.cleaning.rules import strip_all, strip_chosen
from newsmorgue.cleaning.selectors import Selectors
from newsmorgue.cleaning.standfirst import read_standfirst
from newsmorgue.cleaning.wording import letters, visible
from newsmorgue.errors import CleaningFailed

# What lxml, BeautifulSoup and urllib raise for names and addresses that no specification knows, found by fuzzing: a
# page that does so is a recorded failure, not the end of whatever reads it.
_CANNOT_TAKE = (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError, etree.LxmlError)


def clean(
    html: bytes,
    url: str,
    *,
    charset: str | None = None,
    memory: Memory | None = None,
    selectors: Selectors | None = None,
    model: Model | None = None,
) -> Article:
    """Read one page: ``html`` as received (without content-coding), fetched from ``url``.

    ``charset`` is what the Content-Type header named, if it did. ``memory`` is what the site repeats on
    its stories (:mod:`newsmorgue.cleaning.memory`), if that was learned. ``selectors`` are the operator's own for this
    site. ``model`` is another than the one that comes with this version, for measuring. Raises
    :class:`~newsmorgue.errors.CleaningFailed` where the bytes hold no element at all, or markup that one of the
    libraries under it cannot take; and nothing else.
    """
    try:
        return _clean(html, url, charset, memory, selectors or Selectors(), model or shipped_model())
    except _CANNOT_TAKE as error:
        raise CleaningFailed(f"{url}: cannot be read: {error!r}") from error


def _clean(
    html: bytes, url: str, charset: str | None, memory: Memory | None, selectors: Selectors, model: Model
) -> Article:
    page = decode(html, charset)
    root, losses = parse(page)
    chosen = choose(root, selectors)
    metadata = _with_headline(read_metadata(root, url), chosen)
    if chosen.body is not None:
        story = all_lines(survey(chosen.body))
    else:
        story = find_story(survey(root), hints_of(metadata), model)
    standfirst = _chosen_summary(chosen) or _standfirst(root, story, metadata)
    page_body = _body(story, chosen.body is not None, metadata, standfirst[0] if standfirst else None)
    body, repeated = set_aside(memory, page_body)
    found = (
        metadata.found | {"charset": Found(page.how, page.charset)} | ({"summary": standfirst[1]} if standfirst else {})
    )
    return Article(
        url=url,
        kind=_kind(kind_of(url, metadata, page_body, story.teasers if story else 0), chosen),
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


def _standfirst(root: etree._Element, story: Story | None, metadata: Metadata) -> tuple[str, Found] | None:
    """The standfirst; but a line that the model takes for the body's is so, unless its name can mean nothing else."""
    standfirst = read_standfirst(root, None, metadata)
    if standfirst is None or story is None or standfirst[1].how == "standfirst":
        return standfirst
    return None if any(visible(line.text) == standfirst[0] for line in story.lines) else standfirst


def _with_headline(metadata: Metadata, chosen: Chosen) -> Metadata:
    if chosen.headline is None:
        return metadata
    return replace(metadata, headline=chosen.headline.raw, found=metadata.found | {"headline": chosen.headline})


def _kind(kind: PageKind, chosen: Chosen) -> PageKind:
    """A page that has what the operator calls a story's body is one, however short."""
    return PageKind.ARTICLE if kind == PageKind.OTHER and chosen.body is not None else kind


def _chosen_summary(chosen: Chosen) -> tuple[str, Found] | None:
    return (chosen.summary.raw, chosen.summary) if chosen.summary else None


def _body(story: Story | None, is_whole: bool, metadata: Metadata, summary: str | None) -> tuple[Block, ...]:
    """``is_whole`` says that the story is all of an element, not lines that were chosen."""
    if story is None:
        return ()
    # What only a link calls the section may be anything.
    section = metadata.section if metadata.section and metadata.found["section"].how != "link" else ""
    titles = {metadata.headline or "", *metadata.headings[:1], section, metadata.site_name or ""}
    context = Context(frozenset(letters(title) for title in titles if title), metadata.authors)
    blocks = blocks_of((strip_all if is_whole else strip_chosen)(story.lines, context), metadata.base)
    return tuple(block for block in blocks if not summary or visible(block.text) != summary) or blocks

"""The demo newsroom's theme: a story among everything else a news page has, as WordPress themes do it."""

import re
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template

from tests.sites.chrome import Visit, date_words, furniture, slug, teaser, words_of
from tests.sites.metadata import head_of
from tests.sites.stories import INLINE, Kind, Part, State
from tests.sites.words import SECTIONS, Words

_TEMPLATES = Path(__file__).parent / "templates"
STYLE = (_TEMPLATES / "style.css").read_bytes()
_PAGE, _STORY, _NEWSLETTER = (
    Template((_TEMPLATES / f"{name}.html").read_text(encoding="utf-8")) for name in ("page", "story", "newsletter")
)
_WEBSITE = '<meta property="og:type" content="website">'
_MARKS = ((Kind.HEADING, "h2"), (Kind.BULLETS, "ul"), (Kind.NUMBERS, "ol"))


def story_page(state: State, visit: Visit) -> str:
    """The whole page of a story; two visits of different number differ in bytes, never in the story."""
    fields = furniture(state.language, visit) | _story_fields(state, visit)
    return page(
        state.text.headline,
        head_of(state, visit.base),
        _STORY.substitute(fields),
        state.language,
        visit,
        "single-post",
    )


def listing_page(title: str, states: Iterable[State], language: str, visit: Visit, extra: str = "") -> str:
    """A section, tag or author page, or the home page: cards that lead to stories."""
    cards = "".join(teaser(state, visit.base, with_summary=True) for state in states)
    content = _main(title, f'<div class="grid">{cards}</div>{extra}')
    return page(title, _WEBSITE, content, language, visit, "archive")


def plain_page(title: str, text: str, language: str, visit: Visit) -> str:
    """A page that is no story: about, legal notice, log-in, an error."""
    return page(title, _WEBSITE, _main(title, f"<p>{escape(text)}</p>"), language, visit, "page")


def page(title: str, head: str, content: str, language: str, visit: Visit, body_class: str) -> str:
    """The theme's frame around any content (HTML)."""
    fields = furniture(language, visit)
    return _PAGE.substitute(
        fields, title=escape(title), head=head, content=content, language=language, body_class=body_class
    )


def _main(title: str, inner: str) -> str:
    return f'<main id="primary" class="site-main"><h1 class="page-title">{escape(title)}</h1>{inner}</main>'


def _story_fields(state: State, visit: Visit) -> dict[str, str]:
    words = words_of(state.language)
    return {
        "section": state.section,
        "section_name": SECTIONS[state.section],
        "post": str(post_number(state)),
        "name": state.name,
        "headline": escape(state.text.headline),
        "summary": escape(state.text.summary),
        "caption": escape(state.caption),
        "credit": escape(state.credit),
        "byline": ", ".join(_author_link(author) for author in state.authors),
        "published": state.published.isoformat(),
        "published_words": date_words(state.published, state.language),
        "updated": _updated(state, words),
        "tags": "".join(f'<li><a href="/tag/{slug(tag)}/" rel="tag">{escape(tag)}</a></li>' for tag in state.tags),
        "bios": "".join(_bio(author, words) for author in state.authors),
        "body": _body(state, visit),
        "related": "".join(teaser(other, visit.base) for other in visit.others(state, 3, salt=1)),
    }


def post_number(state: State) -> int:
    """WordPress's number of the post, the same in every edition."""
    return 20000 + sum(state.name.encode()) % 1000


def _author_link(author: str) -> str:
    return f'<a class="author" rel="author" href="/author/{slug(author)}/">{escape(author)}</a>'


def _updated(state: State, words: Words) -> str:
    if state.modified is None or state.modified == state.published:
        return ""
    spelled = date_words(state.modified, state.language)
    return f', {words.updated} <time class="updated" datetime="{state.modified.isoformat()}">{spelled}</time>'


def _bio(author: str, words: Words) -> str:
    bio = words.bio.format(name=author, year=2009 + len(author) % 12)
    return (
        f'<div class="author-bio"><strong>{escape(author)}</strong><p>{escape(bio)}</p>'
        f'<a href="/author/{slug(author)}/">{escape(words.all_their_stories)}</a></div>'
    )


def _body(state: State, visit: Visit) -> str:
    """The story's own blocks, with what the theme drops between its paragraphs."""
    dropped = _between_paragraphs(state, visit)
    lines = []
    paragraphs = 0
    for part in state.text.body:
        lines.append(_block(part, visit.base))
        if part.kind is Kind.PARAGRAPH:
            paragraphs += 1
            lines.extend(dropped.get(paragraphs, ()))
    return "\n".join(lines)


def _between_paragraphs(state: State, visit: Visit) -> dict[int, list[str]]:
    words = words_of(state.language)
    advert = f'<div class="ad-slot in-content" data-slot="{visit.nonce}"><span>{words.advertisement}</span></div>'
    newsletter = _NEWSLETTER.substitute(furniture(state.language, visit))
    also = [_read_also(other, words, visit.base) for other in visit.others(state, 1, salt=5)]
    return {1: [advert], 3: also, 5: [newsletter]}


def _read_also(state: State, words: Words, base: str) -> str:
    link = f'<a href="{base}{state.path}">{escape(state.text.headline)}</a>'
    return f'<p class="lire-aussi"><strong>{words.read_also}</strong> {link}</p>'


def _block(part: Part, base: str) -> str:
    if part.kind is Kind.QUOTE:
        return f"<blockquote><p>{inline(part.source, base)}</p></blockquote>"
    tag = dict(_MARKS).get(part.kind, "p")
    inner = "".join(f"<li>{inline(item, base)}</li>" for item in part.items) or inline(part.source, base)
    return f"<{tag}>{inner}</{tag}>"


def inline(source: str, base: str) -> str:
    """A written line as HTML.

    >>> inline("the *old* [bridge](/b/)", "http://site")
    'the <em>old</em> <a href="http://site/b/">bridge</a>'
    """
    return INLINE.sub(lambda match: _inline_tag(match, base), escape(source))


def _inline_tag(match: re.Match[str], base: str) -> str:
    if match["words"]:
        return f'<a href="{base}{match["path"]}">{match["words"]}</a>'
    return f"<strong>{match['strong']}</strong>" if match["strong"] else f"<em>{match['emphasis']}</em>"

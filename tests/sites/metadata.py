"""What a story page says about itself to machines: canonical, OpenGraph, article times, robots, JSON-LD."""

import json
from html import escape

from tests.sites.stories import State
from tests.sites.words import SECTIONS, WORDS

_LOCALES = {"fr": "fr_FR", "en": "en_GB"}


def head_of(state: State, base: str) -> str:
    """The lines a story adds to ``<head>``; with metadata ``none``, the page alone says who and when."""
    lines = [
        f'<link rel="canonical" href="{base}{state.path}">',
        *_short_links(state, base),
        *_opengraph(state, base),
    ]
    if state.metadata != "none":
        lines += [*_times(state), *_authors(state), _json_ld(state, base)]
    if state.policy == "noarchive-meta":
        lines.append('<meta name="robots" content="noarchive, max-image-preview:large">')
    return "\n".join(lines)


def _short_links(state: State, base: str) -> list[str]:
    return [f'<link rel="shortlink" href="{base}{alias}">' for alias in state.aliases if "?p=" in alias]


def _opengraph(state: State, base: str) -> list[str]:
    values = {
        "og:type": "article",
        "og:title": state.text.headline,
        "og:description": state.text.summary,
        "og:url": f"{base}{state.path}",
        "og:site_name": WORDS[state.language].site,
        "og:locale": _LOCALES[state.language],
        "og:image": f"{base}/wp-content/uploads/{state.name}.svg",
        "og:image:alt": state.caption,
    }
    lines = [_property(name, value) for name, value in values.items()]
    return [f'<meta name="description" content="{escape(state.text.summary)}">', *lines]


def _times(state: State) -> list[str]:
    lines = [_property("article:published_time", state.published.isoformat())]
    if state.modified:
        lines.append(_property("article:modified_time", state.modified.isoformat()))
    lines.append(_property("article:section", SECTIONS[state.section]))
    return lines + [_property("article:tag", tag) for tag in state.tags]


def _authors(state: State) -> list[str]:
    return [f'<meta name="author" content="{escape(author)}">' for author in state.authors]


def _property(name: str, value: str) -> str:
    return f'<meta property="{name}" content="{escape(value)}">'


def _json_ld(state: State, base: str) -> str:
    thing = _news_article(state, base)
    if state.metadata == "graph":
        thing = {"@context": "https://schema.org", "@graph": [*_site(state, base), thing]}
    else:
        thing = {"@context": "https://schema.org", **thing}
    # As WordPress writes it: no slash may end the script early.
    text = json.dumps(thing, ensure_ascii=False).replace("/", "\\/")
    return f'<script type="application/ld+json">{text}</script>'


def _news_article(state: State, base: str) -> dict[str, object]:
    organisation = state.authors == ("La rédaction",)
    return {
        "@type": "NewsArticle",
        "@id": f"{base}{state.path}#article",
        "mainEntityOfPage": {"@id": f"{base}{state.path}"},
        "headline": state.text.headline,
        "description": state.text.summary,
        "datePublished": state.published.isoformat(),
        "dateModified": state.touched.isoformat(),
        "author": [{"@type": "Organization" if organisation else "Person", "name": name} for name in state.authors],
        "publisher": {
            "@type": "NewsMediaOrganization",
            "name": WORDS[state.language].site,
            "url": f"{base}/",
        },
        "image": [f"{base}/wp-content/uploads/{state.name}.svg"],
        "articleSection": SECTIONS[state.section],
        "keywords": list(state.tags),
        "inLanguage": state.language,
        "isAccessibleForFree": True,
    }


def _site(state: State, base: str) -> list[dict[str, object]]:
    return [
        {
            "@type": "WebSite",
            "@id": f"{base}/#website",
            "url": f"{base}/",
            "name": WORDS[state.language].site,
        },
        {
            "@type": "WebPage",
            "@id": f"{base}{state.path}",
            "url": f"{base}{state.path}",
            "name": state.text.headline,
        },
        {
            "@type": "BreadcrumbList",
            "itemListElement": [{"@type": "ListItem", "position": 1, "name": SECTIONS[state.section]}],
        },
    ]

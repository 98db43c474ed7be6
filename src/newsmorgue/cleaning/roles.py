"""What a part of a page is for, told by its name: class, id or ARIA role.

A role is what the boilerplate rules strip; no site is named here. The names are those that the themes and content
systems of news sites share.
"""

import re
from functools import lru_cache

_PARTING = re.compile(r"[^a-z0-9]+")
_HUMPS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Each name is matched as a whole word of a class or id, words being parted by case, hyphen, underscore or digit.
_NAMES: dict[str, str] = {
    "comments": """
        comments comment kommentare kommentar commentaires commentaire comentarios comentario commenti
        disqus respond replies reply livefyre viafoura coral spot-im openweb comment-form comment-list
        comment-area comment-thread comment-count comment-section leserkommentare discussion
    """,
    "sharing": """
        share shares sharing sharebar sharedaddy social socials addthis addtoany sharethis shariff
        follow follow-us followus teilen partage compartir condividi whatsapp like-box likebox
        jp-relatedposts print-button bookmark tools toolbar article-tools action-bar actions
    """,
    "related": """
        related relateds recommended recommend recommendations recommendation recommender recirc
        recirculation similar also-read read-also read-more readmore read-next more-from more-stories
        more-on most-read most-popular trending popular mostread outbrain taboola plista zergnet revcontent
        yarpp upnext up-next next-up see-also check-also further-reading weiterlesen lire-aussi a-lire
        a-lire-aussi voir-aussi leer-mas te-puede-interesar relacionados relacionado relacionadas
        relacionada correlati mehr-zum-thema teasers teaser teaser-list teaser-box teaser-item latest
        latest-news recent-posts most-viewed linked-stories inline-related story-links onward rich-link
        spotlight storylines topic-links crosslinks crosslink
    """,
    "newsletter": """
        newsletter newsletters news-letter subscribe subscription subscriptions signup sign-up optin opt-in
        mailchimp mailing-list email-signup abo-box abonnement notify push-notification
        registration-wall infolettre
    """,
    "consent": """
        cookie cookies cookie-banner cookie-notice cookie-consent consent gdpr cmpbox cmpwrapper cmp-banner cmp-modal
        onetrust didomi
        privacy-notice embed-consent
    """,
    "author box": """
        author-box author-bio author-info author-card author-profile author-details author-description
        author-block author-about author-desc author-section about-the-author about-author authorbox
        authorbio post-author byline-bio contributor-bio biography bio autorenbox author-biography
    """,
    "tags": """
        tags tag-list taglist tag-cloud tagcloud post-tags entry-tags article-tags tags-links keywords
        topics topic-list article-topics tagged schlagworte themen cat-links hashtags tag-container
        story-tags
    """,
    "advert": """
        ad ads advert adverts advertisement advertisements advertising adsense adsbygoogle ad-slot
        adslot ad-container ad-wrapper ad-unit dfp gpt mpu leaderboard sponsor sponsored sponsors werbung
        anzeige publicite publicidad pub promo promos promotion promobox promo-box outbrain affiliate banner
        banners billboard skyscraper stream-item commercial inread teads
    """,
    "navigation": """
        nav navbar navigation menu submenu breadcrumbs breadcrumb pagination pager page-numbers
        post-navigation prev-next prevnext next-prev nextprev nav-links skip-link skiplink back-to-top
        backtotop gototop scroll-to-top sitemap sidebar side-bar widget-area sidebar-widget footer site-footer masthead
        offcanvas drawer carousel-nav tabs-nav
    """,
    "meta": """
        byline bylines dateline post-meta entry-meta article-meta postmeta postmetadata article-info
        meta-info post-info timestamp post-date entry-date published-date publish-date article-date
        reading-time read-time readtime time-to-read lesezeit temps-de-lecture posted-on posted-by
        last-updated post-views view-count comment-count comments-count entry-footer entry-utility
        byline-wrapper article-byline publication-date
    """,
    "overlay": """
        modal popup pop-up popover overlay lightbox tooltip toast snackbar dialog interstitial
    """,
    "paywall": """
        paywall pay-wall regwall paywall-box paywall-message paywall-prompt piano subscriber-only metered
        premium-teaser paid-barrier offers subscribe-wall login-wall loginwall plus-teaser
    """,
    "account": """
        login log-in signin sign-in logout account accounts user-account password passwords passwort registration
        register user-profile edit-profile verify-email email-verification
    """,
    "credit": """
        credit credits photo-credit image-credit copyright copyrights photographer bildnachweis
        source-credit media-credit fotocredit agency-logo
    """,
    "player": """
        audio-player video-player media-player player-container player-wrapper player-controls player-overlay
        plyr jwplayer brightcove listen listen-to-article audio-widget
        text-to-speech tts vjs vorlesen readspeaker podcast-player speechkit beyondwords
    """,
    "feedback": """
        feedback rating ratings star-rating poll polls survey quiz-cta report-error correction-form votes
        vote reactions reaction emoji
    """,
    "contents": """
        toc table-of-contents ez-toc lwptoc jump-links inhaltsverzeichnis
    """,
}
ROLES = tuple(_NAMES)
_HIDDEN = frozenset(
    [
        "hidden",
        "visually-hidden",
        "visuallyhidden",
        "sr-only",
        "sronly",
        "screen-reader-text",
        "screen-reader",
        "screenreader",
        "assistive",
        "a11y-hidden",
        "u-hidden",
        "hide",
        "no-display",
        "element-invisible",
        "print-only",
        "printonly",
        "d-none",
        "is-hidden",
        "offscreen",
    ]
)
# "has-sidebar", "no-ads", "enable-comments": the element is not the thing, it is laid out for it.
_SPEAKS_OF_OTHERS = frozenset(["has", "have", "is", "no", "not", "hide", "show", "enable", "disable"])
# So do "main-with-sidebar", "post-and-sidebar", "sidebar-layout".
_HOLDS_OTHERS = frozenset(["with", "without", "and", "w", "for", "layout"])
# "comments-open": a state of the story's element.
_SPEAKS_OF_STATE = frozenset([
    "open", "closed", "enabled", "disabled", "visible", "active", "collapsed", "expanded",
])  # fmt: skip
# A name of many words with one of these is what a heading says, made into an address, not what an element is for.
_WORDS_OF_SENTENCES = frozenset([
    "a", "an", "the", "of", "and", "is", "are", "was", "to", "in", "for", "how", "what", "why", "your", "my", "or",
    "with", "it", "that", "this", "your", "you", "we", "on", "le", "la", "les", "des", "du", "et", "der", "die", "das",
    "und", "ein", "el", "los", "las", "del", "y",
])  # fmt: skip
_FEWEST_OF_SENTENCE = 5
# WordPress puts a post's categories and tags into the class names of its element.
_OF_POSTS = frozenset(["hentry", "type-post", "type-page", "status-publish"])
_TERMS = ("category-", "tag-", "topic-", "term-")
# The wrapper that Drupal puts around the whole page.
_NO_ROLE = frozenset(["dialog-off-canvas-main-canvas"])
# Utility classes that show from some width on what is hidden on narrow screens.
_SHOWN_WIDER = re.compile(
    r"(?:^|\s)(?:[\w-]+:(?:block|flex|grid|inline|table|contents)|d-\w+-(?:block|flex|grid|inline))"
)
_ROLE_ATTRIBUTE = {
    "navigation": "navigation", "complementary": "related", "banner": "navigation", "contentinfo": "navigation",
    "search": "navigation", "dialog": "overlay", "alertdialog": "overlay", "menu": "navigation",
    "menubar": "navigation", "toolbar": "sharing", "form": "newsletter",
}  # fmt: skip


def _words(name: str) -> tuple[str, ...]:
    """The words of a class or id; what a build tool made up (letters mixed with digits) has none."""
    if name.isalpha() and name.islower():
        return (name,)
    parts = _PARTING.split(_spaced(name).lower())
    return tuple([part for part in [part.rstrip("0123456789") for part in parts] if part.isalpha()])


def _spaced(name: str) -> str:
    """camelCase as camel-Case, unless the pieces are too short to be words."""
    if name.islower():
        return name
    pieces = _HUMPS.split(name)
    return "-".join(pieces) if len(pieces) > 1 and min(map(len, pieces)) > 2 else name


def _by_first_word() -> dict[str, list[tuple[tuple[str, ...], str]]]:
    known: dict[str, list[tuple[tuple[str, ...], str]]] = {}
    for words, role in {
        _words(name): role for role, names in reversed(_NAMES.items()) for name in names.split()
    }.items():
        known.setdefault(words[0], []).append((words, role))
    return known


_BY_FIRST_WORD = _by_first_word()
_RANK = {role: rank for rank, role in enumerate(("hidden", *_NAMES))}

STORY = "story"
# Names that say "the story", which a container of it may bear beside a word from the list above.
_STORY = re.compile(
    r"(?<![a-z])(?:article-?body|article-?content|article-?text|story-?body|story-?content|post-?content"
    r"|post-?body|entry-?content|body-?copy"
    r"|article__body|article__content|rich-?text|richtext|single-?content|main-?content|content-?body"
    r"|page-?content|news-?text|texto|cuerpo|artikel-?text|articlebody|body-?text|text-?body|post-entry"
    r"|td-post-content)(?![a-z])",
)
# Each of them has one of these.
_IN_STORY = ("body", "content", "text", "copy", "entry", "cuerpo")


@lru_cache(maxsize=32768)
def role_of_name(names: str) -> str | None:
    """The role a class or id (several parted by spaces) speaks of, or None; ``story`` where it says the text is there.

    >>> role_of_name("wp-block relatedPosts"), role_of_name("post-comments"), role_of_name("shared-history")
    ('related', 'comments', None)
    >>> role_of_name("main-with-sidebar"), role_of_name("hidden"), role_of_name("hidden md:block")
    (None, 'hidden', None)
    >>> role_of_name("post-content social"), role_of_name("ArticleBody__wrap"), role_of_name("post")
    ('story', 'story', None)
    """
    tokens = names.split()
    if not _OF_POSTS.isdisjoint(tokens):
        tokens = [token for token in tokens if not token.startswith(_TERMS)]
    lowered = names.lower()
    if any(part in lowered for part in _IN_STORY) and any(map(_names_story, tokens)):
        return STORY
    roles = [role for token in tokens if (role := _role_of_one(token))]
    if "hidden" in roles and _SHOWN_WIDER.search(names):
        roles = [role for role in roles if role != "hidden"]
    return min(roles, key=_RANK.__getitem__) if roles else None


@lru_cache(maxsize=32768)
def _role_of_one(name: str) -> str | None:
    if name.lower() in _HIDDEN:
        return "hidden"
    if ":" in name or "[" in name or name in _NO_ROLE:
        return None
    words = _words(name)
    roles = [
        role
        for at, word in enumerate(words)
        if word in _BY_FIRST_WORD
        for span, role in _BY_FIRST_WORD[word]
        if len(span) == 1 or words[at : at + len(span)] == span
    ]
    return None if not roles or _is_of_others(words) else min(roles, key=_RANK.__getitem__)


def _is_of_others(words: tuple[str, ...]) -> bool:
    """Whether a name does not say what its element is for."""
    if words[0] in _SPEAKS_OF_OTHERS or words[-1] in _SPEAKS_OF_STATE or not _HOLDS_OTHERS.isdisjoint(words):
        return True
    return len(words) >= _FEWEST_OF_SENTENCE and not _WORDS_OF_SENTENCES.isdisjoint(words)


@lru_cache(maxsize=32768)
def _names_story(name: str) -> bool:
    return bool(_STORY.search(_spaced(name).lower().replace("_", "-")))


def role_of_attribute(value: str) -> str | None:
    """The role that an ARIA ``role`` attribute gives a part."""
    return _ROLE_ATTRIBUTE.get(value.strip().lower())

"""The weight of real news pages: inline styles, icons, menus, cards and scripts that fill a page to a size.

Pages of news sites were measured at 174 KB on average, 34 KB gzipped; the random names and numbers in the filling
make it compress as well as those.
"""

from collections.abc import Callable, Iterator, Sequence
from html import escape
from random import Random

from tests.sites.stories import State

# Shares of the filling, by the place it goes to.
_SHARES = {"style": 0.12, "icons": 0.12, "menu": 0.12, "cards": 0.16, "state": 0.28, "script": 0.20}
_PROPERTIES = (
    "display:flex;align-items:center",
    "margin:0 auto;padding:{n}px",
    "font-size:{n}px;line-height:1.4",
    "background-color:#{h}",
    "transform:translate3d(0,{n}px,0);transition:opacity .2s ease-in-out",
    "grid-template-columns:repeat({n},minmax(0,1fr));gap:{n}px",
)
_STATEMENTS = (
    "function {a}({b}){{if(!{b}||{b}.length<{n})return null;return window.__fanal.{a}({b}[{n}])}}",
    'document.querySelectorAll(".{a}").forEach(function({b}){{{b}.addEventListener("click",{a},{{passive:true}})}});',
    'var {a}=window.{a}||[];{a}.push(["{b}",{n},"{h}"]);',
    'try{{{a}.init({{"id":"{h}","sampling":{n},"endpoint":"/collect/{b}"}})}}catch({b}){{console.warn({b})}}',
)


def fill(html: str, size: int, others: Sequence[State], base: str, random: Random) -> str:
    """``html`` (a page of the theme) grown to ``size`` bytes, give or take one piece of filling."""
    missing = max(0, size - len(html.encode()))
    pieces = {name: _grow(name, int(missing * share), others, base, random) for name, share in _SHARES.items()}
    state = f'<script id="__STATE__" type="application/json">[{pieces["state"].rstrip(",")}]</script>'
    icons = f'<svg xmlns="http://www.w3.org/2000/svg" style="display:none">{pieces["icons"]}</svg>'
    cards = f'<section class="more-stories"><div class="grid">{pieces["cards"]}</div></section>'
    return (
        html.replace("</head>", f"<style>{pieces['style']}</style>\n</head>", 1)
        .replace('<a class="screen-reader-text', icons + '\n<a class="screen-reader-text', 1)
        .replace("</ul>\n  <form", f"</ul><ul class=mega-menu>{pieces['menu']}</ul>\n  <form", 1)
        .replace("</aside>", cards + "\n</aside>", 1)
        .replace("</body>", f"{state}\n<script>{pieces['script']}</script>\n</body>", 1)
    )


def _grow(name: str, size: int, others: Sequence[State], base: str, random: Random) -> str:
    pieces: list[str] = []
    length = 0
    for piece in _endless(_MAKERS[name], others, base, random):
        if length >= size:
            break
        pieces.append(piece)
        length += len(piece)
    return "".join(pieces)


_Maker = Callable[[State, str, Random], str]


def _endless(make: _Maker, others: Sequence[State], base: str, random: Random) -> Iterator[str]:
    while True:
        yield make(random.choice(others), base, random)


def _style(_other: State, _base: str, random: Random) -> str:
    rule = random.choice(_PROPERTIES).format(n=random.randrange(2, 64), h=_hex(random, 6))
    return f".c-{_word(random)}__{_word(random)}{{{rule}}}"


def _icon(_other: State, _base: str, random: Random) -> str:
    path = "".join(f"l{random.randrange(-90, 90) / 10} {random.randrange(-90, 90) / 10}" for _ in range(14))
    return f'<symbol id="icon-{_word(random)}" viewBox="0 0 24 24"><path d="M12 3{path}z"/></symbol>'


def _menu_item(other: State, base: str, random: Random) -> str:
    return (
        f'<li class="mega-menu__item mega-menu__item--level-{random.randrange(1, 4)}">'
        f'<a class="mega-menu__link" data-track="nav-{_word(random)}" href="{base}/{other.section}/">'
        f"{escape(other.tags[0])}</a></li>"
    )


def _card(other: State, base: str, random: Random) -> str:
    image = f"{base}/wp-content/uploads/{other.name}"
    sizes = ", ".join(f"{image}-{width}.jpg {width}w" for width in (320, 640, 960, 1280))
    return (
        f'<div class="card card--{_word(random)}"><a href="{base}{other.path}"><img loading="lazy" alt="" '
        f'src="{image}-320.jpg" srcset="{sizes}" sizes="(max-width: 640px) 100vw, 33vw">'
        f"<h3>{escape(other.text.headline)}</h3></a><p>{escape(other.text.summary)}</p></div>"
    )


def _record(other: State, _base: str, random: Random) -> str:
    return (
        f'{{"id":"{_hex(random, 12)}","type":"article","section":"{other.section}","premium":false,'
        f'"slug":"{other.path.strip("/")}","score":{random.random():.6f},'
        f'"updatedAt":{random.randrange(10**12, 2 * 10**12)},'
        f'"image":{{"hash":"{_hex(random, 16)}","width":1200,"height":675}}}},'
    )


def _statement(_other: State, _base: str, random: Random) -> str:
    names = {"a": _word(random), "b": _word(random)[:3], "n": random.randrange(99), "h": _hex(random, 16)}
    return random.choice(_STATEMENTS).format(**names)


def _word(random: Random) -> str:
    return "".join(random.choice(("ka", "lo", "mi", "re", "tu", "va", "so", "ne")) for _ in range(3))


def _hex(random: Random, digits: int) -> str:
    return f"{random.getrandbits(digits * 4):0{digits}x}"


_MAKERS: dict[str, _Maker] = {
    "style": _style,
    "icons": _icon,
    "menu": _menu_item,
    "cards": _card,
    "state": _record,
    "script": _statement,
}

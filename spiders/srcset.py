"""Which of several pictures a page would load: ``srcset``, ``sizes`` and ``media`` as a browser on a desk reads them.

The HTML standard (§4.8.4.3) leaves the choice to the browser. Here it is Chromium's on a screen 1280 px wide with one
pixel to a pixel: the smallest candidate that is dense enough, else the densest.
"""

import re
from collections.abc import Iterator

VIEWPORT = 1280.0
_EM = 16.0  # in a media query always the browser's own font size
_CANDIDATE = re.compile(r"[\s,]*+(\S++)")
_LENGTH = re.compile(r"(\d+(?:\.\d+)?|\.\d+)(px|vw|r?em)", re.I)
_WIDTH_LIMIT = re.compile(r"\(\s*(min|max)-width\s*:\s*([^()\s]+)\s*\)", re.I)
_COMMA = re.compile(r",(?![^(]*\))")


def chosen(srcset: str, sizes: str | None = None) -> str | None:
    """The candidate of a ``srcset`` attribute that the page would load, as spelled there; None where it has none.

    >>> chosen("s.jpg 320w, m.jpg 800w, l.jpg 1600w", "(max-width: 600px) 100vw, 50vw")
    'm.jpg'
    >>> chosen("a.jpg, b.jpg 2x")
    'a.jpg'
    """
    slot = slot_width(sizes)
    candidates = [(density, url) for url, descriptor in _candidates(srcset) if (density := _density(descriptor, slot))]
    enough = [candidate for candidate in candidates if candidate[0] >= 1]
    best = min(enough, default=None, key=_by_density) or max(candidates, default=None, key=_by_density)
    return best[1] if best else None


def _by_density(candidate: tuple[float, str]) -> float:
    return candidate[0]


def _candidates(srcset: str) -> Iterator[tuple[str, str]]:
    """Addresses with their descriptors. An address may hold commas; one at its end parts it from the next."""
    position = 0
    while found := _CANDIDATE.match(srcset, position):
        url, end = found[1], found.end()
        if not url.endswith(","):
            comma = srcset.find(",", end)
            end = comma if comma >= 0 else len(srcset)
        yield url.rstrip(","), srcset[found.end() : end].strip()
        position = end


def _density(descriptor: str, slot: float) -> float | None:
    """Pixels of the picture to one of the screen; None for what is no descriptor."""
    if not descriptor:
        return 1.0
    found = re.match(r"(\d+(?:\.\d+)?)([wx])(?!\w)", descriptor)
    if not found:
        return None
    return float(found[1]) / slot if found[2] == "w" else float(found[1])


def slot_width(sizes: str | None) -> float:
    """How many pixels wide a ``sizes`` attribute makes the picture: of the first entry whose condition holds.

    >>> slot_width("(min-width: 60em) 640px, 100vw"), slot_width(None)
    (640.0, 1280.0)
    """
    for entry in _COMMA.split(sizes or ""):
        condition, _, length = entry.strip().rpartition(" ")
        pixels = _pixels(length)
        if pixels and (not condition or media_holds(condition)):
            return pixels
    return VIEWPORT


def _pixels(length: str) -> float | None:
    found = _LENGTH.fullmatch(length)
    if not found:
        return None
    return float(found[1]) * {"px": 1.0, "vw": VIEWPORT / 100}.get(found[2].lower(), _EM)


def media_holds(query: str | None) -> bool:
    """Whether a media query list (Media Queries 4, its widths) holds on that screen; what it does not know does not.

    >>> media_holds("(min-width: 800px) and (max-width: 2000px)"), media_holds("print"), media_holds("")
    (True, False, True)
    """
    return not (query or "").strip() or any(_holds(one.lower()) for one in _COMMA.split(query or ""))


def _holds(query: str) -> bool:
    limits = [(kind, _pixels(length)) for kind, length in _WIDTH_LIMIT.findall(query)]
    rest = re.sub(r"\b(?:and|only|screen|all)\b|\(\s*orientation\s*:\s*landscape\s*\)", "", _WIDTH_LIMIT.sub("", query))
    if rest.strip():
        return False
    return all(limit and (limit <= VIEWPORT if kind == "min" else limit >= VIEWPORT) for kind, limit in limits)

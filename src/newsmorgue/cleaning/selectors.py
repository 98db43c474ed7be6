"""Where one site keeps its story, as its operator says: CSS selectors, which go before what is found without them.

They are part of the reading: a text read with other selectors is never compared with one read before. How they are read
is in ``choosing``: who only knows of them loads no parser.
"""

import hashlib
import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Selectors:
    """``body``: the parts that hold the text, in the page's order; ``headline`` and ``summary``: the first such part;
    ``remove``: what is no part of the story, wherever it stands."""

    body: str | None = None
    headline: str | None = None
    summary: str | None = None
    remove: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What tells these selectors from others within a reading; empty where there are none.

        >>> Selectors().name, Selectors(body="main").name
        ('', 'selectors-cd722760')
        """
        if self == Selectors():
            return ""
        spelled = json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)
        return "selectors-" + hashlib.sha256(spelled.encode()).hexdigest()[:8]

"""A coverage-guided fuzzer of ``clean``: any bytes give an Article or a CleaningFailed with its reason.

Run as ``python -m tests.cleaning.fuzz_clean FOLDER [libFuzzer's options]``; ``test_fuzz.py`` does, for a bounded time.
A finding ends it with a code that is not 0 and leaves the bytes as ``crash-…`` where ``-artifact_prefix`` says.
"""

import json
import sys
from collections.abc import Callable

_CHARSETS = (None, "utf-8", "latin-1", "utf-16", "gbk", "iso-2022-jp", "nonsense")
_URLS = ("https://example.org/2026/a", "https://example.org/", "http://[", "")


def target() -> Callable[[bytes], None]:
    """What is given the bytes. Imports the cleaner only now, so that whoever asks can have it instrumented."""
    from newsmorgue.cleaning import Memory, article_from_json, article_to_json, clean
    from newsmorgue.cleaning.memory import Line
    from newsmorgue.errors import CleaningFailed

    lines = (Line("label", "paragraph", "read on"), Line("dangling", "heading", "more"), Line("linked", "list", "a\nb"))
    memories = (None, Memory("fuzz", 1, lines))

    def one_input(data: bytes) -> None:
        """The first byte chooses charset, address and memory, so that they are fuzzed too; the rest is the page."""
        choice, page = (data[0] if data else 0), data[1:]
        charset, url = _CHARSETS[choice % len(_CHARSETS)], _URLS[choice // 7 % len(_URLS)]
        try:
            article = clean(page, url, charset=charset, memory=memories[choice // 28 % 2])
        except CleaningFailed as refusal:
            if not str(refusal):
                raise AssertionError("a refusal without a reason") from refusal
            return
        article.text.encode()
        if article_from_json(json.loads(json.dumps(article_to_json(article)))) != article:
            raise AssertionError("the journal would not give the article back")

    return one_input


def main(arguments: list[str]) -> None:
    """Fuzz until libFuzzer's options say that it is enough."""
    import atheris

    with atheris.instrument_imports(include=["newsmorgue.cleaning"]):
        one_input = target()
    atheris.Setup(arguments, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)

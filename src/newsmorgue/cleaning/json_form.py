"""An Article as plain JSON types and back, without loss: how the journal and the interface carry it."""

from dataclasses import fields
from typing import Any

from newsmorgue.cleaning.article import Article, Block, BlockKind, Found, PageKind

_TUPLES = frozenset({"repeated", "authors", "tags", "warnings"})


def article_to_json(article: Article) -> dict[str, Any]:
    """``article`` as strings, numbers, booleans, None, lists and dictionaries only; every field by its name.

    >>> article_to_json(Article("https://example.org/", PageKind.OTHER))["kind"]
    'other'
    """
    form = {name: getattr(article, name) for name in _names(Article)}
    form["kind"] = article.kind.value
    form["body"] = [_block_to_json(block) for block in article.body]
    form["found"] = {name: {"how": found.how, "raw": found.raw} for name, found in article.found.items()}
    return form | {name: list(form[name]) for name in _TUPLES}


def article_from_json(form: dict[str, Any]) -> Article:
    """The inverse of :func:`article_to_json`. Fields it does not know are left out, those it lacks get their default.

    Raises KeyError without ``url`` and ``kind``, ValueError for a kind that is none.
    """
    known = {name: form[name] for name in _names(Article) if name in form}
    known |= {name: tuple(known[name]) for name in _TUPLES if name in known}
    known["url"], known["kind"] = form["url"], PageKind(form["kind"])
    known["body"] = tuple(_block_from_json(block) for block in form.get("body", ()))
    known["found"] = {name: Found(found["how"], found["raw"]) for name, found in form.get("found", {}).items()}
    return Article(**known)


def _block_to_json(block: Block) -> dict[str, Any]:
    form = {name: getattr(block, name) for name in _names(Block)}
    return form | {"kind": block.kind.value, "items": list(block.items)}


def _block_from_json(form: dict[str, Any]) -> Block:
    known = {name: form[name] for name in _names(Block) if name in form}
    return Block(**known | {"kind": BlockKind(form["kind"]), "items": tuple(form.get("items", ()))})


def _names(kind: type[Article] | type[Block]) -> list[str]:
    return [field.name for field in fields(kind)]

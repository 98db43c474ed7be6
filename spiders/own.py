"""The spider of a source: its own, where ``morgue.toml`` names a file, else the news spider."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from newsmorgue.errors import ConfigurationError
from newsmorgue.settings.configuration import SourceConfiguration
from newsmorgue.spiders.news import NewsSpider


def spider_of(source: SourceConfiguration) -> type[NewsSpider]:
    """The class to crawl a source with. Runs the file that the operator named. Raises ConfigurationError."""
    return NewsSpider if source.spider is None else _spider_in(source.spider)


def _spider_in(path: Path) -> type[NewsSpider]:
    name = f"newsmorgue_spider_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigurationError(f"{path}: not a Python file; name one that ends in .py")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (ImportError, SyntaxError, NameError, OSError) as error:
        raise ConfigurationError(f"{path}: cannot be loaded: {type(error).__name__}: {error}") from error
    found = [one for one in vars(module).values() if isinstance(one, type) and one.__module__ == name]
    spiders = [one for one in found if issubclass(one, NewsSpider)]
    if len(spiders) != 1:
        raise ConfigurationError(
            f"{path}: has {len(spiders)} spiders; it must have one class whose base is in newsmorgue.spiders.bases"
        )
    return spiders[0]

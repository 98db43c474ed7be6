"""newsmorgue: crawl news sites, keep WARC snapshots and clean text, read any version of a story back.

Where to look: ``spiders`` says which URLs to fetch, ``capture`` records the exchanges, ``pipelines`` turns a
fetched page into a filed version, ``cleaning`` reads a page, ``stories`` knows identity and versions,
``archive`` keeps bytes and rows, ``settings`` reads the configuration, ``cli`` is the ``morgue`` command.
"""

from importlib.metadata import version

__version__ = version("newsmorgue")

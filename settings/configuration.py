"""The configuration: ``morgue.toml`` and the environment, read once and handed on as a value.

No other module reads the environment. A key is written in ``morgue.toml`` (in the working folder, or named by
``MORGUE_CONFIG``) or as an environment variable, which wins: ``store`` is ``MORGUE_STORE``, ``endpoint`` of
``[s3]`` is ``MORGUE_S3_ENDPOINT``, and ``MORGUE_SOURCES`` is the ``[sources]`` table on one line. A relative
path in the file starts at the file's folder, one in the environment at the working folder.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path
from urllib.parse import urlsplit

from newsmorgue import __version__
from newsmorgue.archive.capture import Assets, Policy
from newsmorgue.cleaning.selectors import Selectors
from newsmorgue.errors import ConfigurationError, UnknownSource
from newsmorgue.schedule.timetable import Timetable, shown
from newsmorgue.settings import values
from newsmorgue.settings.asking import Asker, Document, KeyPath, variable_of
from newsmorgue.urls import address_key, host_and_port, is_loopback

FILE_NAME = "morgue.toml"


@dataclass(frozen=True, slots=True)
class S3Configuration:
    """How the S3 store is reached. Credentials are boto3's own affair (``AWS_…`` variables, profiles, roles).

    ``checksums`` is botocore's ``request_checksum_calculation``: some stores refuse what "when_supported"
    sends.
    """

    endpoint: str | None = None
    region: str | None = None
    checksums: str = "when_supported"


@dataclass(frozen=True, slots=True)
class SourceConfiguration:
    """A publisher. ``hosts`` are other hosts that belong to it, as ``host`` or ``host:port``.

    ``delay`` is the least number of seconds between two requests to one host, ``concurrency`` the largest
    number of requests to one host at the same time, ``assets`` says which files are kept with a story's page; all
    three are resolved (the source's own, or the general one). With ``dedupe_across_urls`` what has a payload that
    the source's archive has under another URL becomes a revisit of that one. ``selectors`` say where its pages keep the
    story. With ``render`` a browser makes its pages before they are cleaned. ``spider`` is the file with its spider,
    ``policy`` what is kept of what the site asks not to keep. ``timetable`` is when it is crawled, None: when somebody
    says so.
    """

    slug: str
    home: str
    feeds: tuple[str, ...] = ()
    sitemaps: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    delay: float = 1.0
    concurrency: int = 4
    assets: Assets = Assets.LEAD
    dedupe_across_urls: bool = False
    selectors: Selectors | None = None
    render: bool = False
    spider: Path | None = None
    policy: Policy = Policy.NOTHING
    timetable: Timetable | None = None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything an operator can set.

    ``store`` is an absolute folder or ``s3://bucket/prefix``; ``catalogue`` a SQLAlchemy URL; ``spool`` an
    absolute folder outside the store. A WARC is sealed at ``seal_after_size`` bytes or ``seal_after_age``,
    whichever is first. A crawl waits while the spool holds more than ``spool_limit`` bytes or its disk has less than
    ``disk_reserve`` left. ``contact`` is the mail or web address in the User-Agent. ``cleaning_processes``
    defaults to the usable CPUs. ``delay`` is None where it is given nowhere: then :func:`usual_delay` holds.
    ``sources_at_once`` is how many a scheduler crawls at the same time. ``webhook`` is told when a source falls ill or
    recovers.
    ``sources`` has the configured ones by slug, in the order written. ``file`` is None where there is no morgue.toml.
    """

    store: str
    catalogue: str
    spool: Path
    s3: S3Configuration = S3Configuration()
    seal_after_size: int = 256 * 2**20
    seal_after_age: timedelta = timedelta(hours=24)
    spool_limit: int = 20 * 2**30
    disk_reserve: int = 256 * 2**20
    contact: str | None = None
    delay: float | None = None
    concurrency: int = 4
    cleaning_processes: int = 1
    sources: Mapping[str, SourceConfiguration] = field(default_factory=dict)
    file: Path | None = None
    assets: Assets = Assets.LEAD
    webhook: str | None = None
    sources_at_once: int = 4

    @property
    def store_folder(self) -> Path | None:
        """The store as a folder, or None where it is S3."""
        return None if self.store.startswith("s3://") else Path(self.store)

    def source_named(self, slug: str) -> SourceConfiguration:
        """The configured source of that slug. Raises UnknownSource."""
        if slug in self.sources:
            return self.sources[slug]
        near = get_close_matches(slug, self.sources, n=1)
        known = f"did you mean {near[0]}?" if near else f"configured are: {', '.join(self.sources) or 'none'}"
        raise UnknownSource(f"'{slug}' is no source of {self.file or FILE_NAME}; {known}")

    def source_for_url(self, url: str) -> SourceConfiguration:
        """The source that a URL typed by the operator means.

        That is the configured source with that home; else the one on that host (or that lists the host) whose
        home's path is the longest that the URL starts with; else a source by itself, named by host and port.
        Raises ConfigurationError for what is no web address.
        """
        home = _typed_address(url)
        owners = [source for source in self.sources.values() if _host_text(home) in _hosts_of(source)]
        for source in owners:
            if address_key(source.home) == address_key(home):
                return source
        if owners:
            return max(owners, key=partial(_shared_path, home))
        return self._source_by_itself(home)

    def _source_by_itself(self, home: str) -> SourceConfiguration:
        slug = slug_for(home)
        if slug in self.sources:
            raise ConfigurationError(
                f"{home}: its name would be '{slug}', which {self.file or FILE_NAME} gives to "
                f"{self.sources[slug].home}; add a [sources] table of another name for it"
            )
        delay = usual_delay(home) if self.delay is None else self.delay
        return SourceConfiguration(slug, home, delay=delay, concurrency=self.concurrency, assets=self.assets)


def usual_delay(home: str) -> float:
    """Seconds between two requests to one host where nobody said: 1, and none to this machine itself.

    >>> usual_delay("https://example.org/"), usual_delay("http://127.0.0.1:8000/")
    (1.0, 0.0)
    """
    return 0.0 if is_loopback(host_and_port(home)[0]) else 1.0


def load_configuration(environ: Mapping[str, str], folder: Path) -> Configuration:
    """Read ``morgue.toml`` and the environment.

    ``folder`` is the working folder. Raises ConfigurationError for a file named by ``MORGUE_CONFIG`` that
    cannot be read, and for every key, value or variable that is wrong, naming the line or the variable and
    what is allowed.
    """
    file = _file(environ, folder)
    asker = Asker(_document(file, folder), environ)
    configuration = _configuration(asker, file, folder.resolve())
    asker.refuse_unknown()
    return configuration


def _file(environ: Mapping[str, str], folder: Path) -> Path | None:
    named = environ.get("MORGUE_CONFIG")
    if named:
        return (folder / Path(named).expanduser()).resolve()
    file = folder.resolve() / FILE_NAME
    return file if file.exists() else None


def _document(file: Path | None, folder: Path) -> Document:
    if file is None:
        return Document(FILE_NAME, b"")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    return Document(str(file.relative_to(folder.resolve()) if file.parent == folder.resolve() else file), content)


def _configuration(asker: Asker, file: Path | None, folder: Path) -> Configuration:
    home = file.parent if file else folder

    def base(path: KeyPath) -> Path:
        return folder if asker.in_environment(path) or asker.is_own_source(path) else home

    store = asker.get(("store",), partial(values.store, base=base(("store",))), str(home / "archive"))
    catalogue = asker.get(
        ("catalogue",), partial(values.catalogue, base=base(("catalogue",))), _catalogue_for(store, home)
    )
    spool = asker.get(("spool",), partial(values.folder, base=base(("spool",))), _spool_for(store, home))
    _keep_apart(asker, store, spool)
    delay = asker.get(("delay",), values.delay, None)
    concurrency = asker.get(("concurrency",), values.whole_number, 4)
    assets = asker.get(("assets",), values.assets, Assets.LEAD)
    return Configuration(
        store,
        catalogue,
        spool,
        _s3(asker),
        asker.get(("seal_after", "size"), values.size, 256 * 2**20),
        asker.get(("seal_after", "age"), values.age, timedelta(hours=24)),
        asker.get(("spool_limit",), values.size, 20 * 2**30),
        asker.get(("disk_reserve",), values.size, 256 * 2**20),
        asker.get(("contact",), values.contact, None),
        delay,
        concurrency,
        asker.get(("cleaning_processes",), values.whole_number, _usable_processors()),
        {source.slug: source for source in _sources(asker, base, delay, concurrency, assets, _timetable(asker))},
        file,
        assets,
        asker.get(("webhook",), values.web_address, None),
        asker.get(("sources_at_once",), values.whole_number, 4),
    )


def _catalogue_for(store: str, home: Path) -> str:
    return values.sqlite_url((home if store.startswith("s3://") else Path(store)) / "catalogue.sqlite")


def _spool_for(store: str, home: Path) -> Path:
    """Beside a folder, and named after it: every start adopts the spool's files, so two archives must not
    share one.
    """
    return home / "spool" if store.startswith("s3://") else Path(f"{store}-spool")


def _keep_apart(asker: Asker, store: str, spool: Path) -> None:
    if not store.startswith("s3://") and (spool.is_relative_to(store) or Path(store).is_relative_to(spool)):
        asker.refuse(
            ("spool",),
            f"a folder outside the store {store}: what lies in the store counts as stored",
            str(spool),
        )


def _s3(asker: Asker) -> S3Configuration:
    return S3Configuration(
        asker.get(("s3", "endpoint"), values.web_address, None),
        asker.get(("s3", "region"), values.text, None),
        asker.get(("s3", "checksums"), values.checksums, "when_supported"),
    )


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _timetable(asker: Asker, path: KeyPath = (), general: Timetable | None = None) -> Timetable:
    """``every`` is empty where no timetable is given."""
    usual = general or Timetable("")
    return Timetable(
        asker.get((*path, "every"), values.every, usual.every),
        asker.get((*path, "timezone"), values.timezone, usual.timezone),
        asker.get((*path, "quiet_hours"), values.quiet_hours, usual.quiet),
    )


def _sources(
    asker: Asker,
    base: Callable[[KeyPath], Path],
    delay: float | None,
    concurrency: int,
    assets: Assets,
    timetable: Timetable,
) -> Iterator[SourceConfiguration]:
    homes: dict[str, str] = {}
    for slug in asker.children(("sources",)):
        path = ("sources", slug)
        source = _source(asker, path, base(path), delay, concurrency, assets)
        its_own = _timetable(asker, path, timetable)
        source = replace(source, timetable=its_own if its_own.every else None)
        if source.timetable is not None and source.timetable.is_never:
            hours = ", ".join(map(str, its_own.quiet))
            asker.refuse((*path, "quiet_hours"), f"hours that leave a time for '{shown(its_own.every)}'", hours)
        other = homes.setdefault(address_key(source.home), slug)
        if other != slug:
            asker.refuse(
                ("sources", slug, "home"),
                f"one source a home, and [sources.{other}] has this one",
                source.home,
            )
        yield source


def _source(
    asker: Asker, path: KeyPath, base: Path, delay: float | None, concurrency: int, assets: Assets
) -> SourceConfiguration:
    if not values.SLUG.fullmatch(path[1]):
        asker.refuse(path, "a name of 1 to 64 of the characters a-z 0-9 . _ -", path[1])
    home = asker.get((*path, "home"), values.web_address, "")
    if not home:
        asker.refuse((*path,), 'a table with its home, as in home = "https://example.org/"', "without home")
    return SourceConfiguration(
        path[1],
        home,
        asker.get((*path, "feeds"), values.web_addresses, ()),
        asker.get((*path, "sitemaps"), values.web_addresses, ()),
        asker.get((*path, "hosts"), values.hosts, ()),
        asker.get((*path, "delay"), values.delay, usual_delay(home) if delay is None else delay),
        asker.get((*path, "concurrency"), values.whole_number, concurrency),
        asker.get((*path, "assets"), values.assets, assets),
        asker.get((*path, "dedupe_across_urls"), values.yes_or_no, False),
        _selectors(asker, (*path, "selectors")),
        asker.get((*path, "render"), values.yes_or_no, False),
        asker.get((*path, "spider"), partial(values.spider_file, base=base), None),
        asker.get((*path, "policy"), values.policy, Policy.NOTHING),
    )


def _selectors(asker: Asker, path: KeyPath) -> Selectors | None:
    def one(name: str) -> str | None:
        return asker.get((*path, name), values.selector, None)

    nothing: tuple[str, ...] = ()
    removed = asker.get((*path, "remove"), values.selectors, nothing)
    chosen = Selectors(one("body"), one("headline"), one("summary"), removed)
    return None if chosen == Selectors() else chosen


def _typed_address(url: str) -> str:
    try:
        return values.web_address(url)
    except ValueError as error:
        raise ConfigurationError(f"'{url}': allowed is {error}") from error


def _host_text(url: str) -> str:
    return _normal_host(urlsplit(url).netloc, urlsplit(url).scheme)


def _normal_host(host: str, scheme: str = "https") -> str:
    default = {"http": ":80", "https": ":443"}[scheme]
    return values.host(host).removesuffix(default)


def _hosts_of(source: SourceConfiguration) -> set[str]:
    return {_host_text(source.home), *map(_normal_host, source.hosts)}


def _shared_path(url: str, source: SourceConfiguration) -> int:
    path = urlsplit(source.home).path
    return len(path) if _host_text(source.home) == _host_text(url) and urlsplit(url).path.startswith(path) else 0


def slug_for(url: str) -> str:
    """The name of a source that only has a URL: its host, and its port where one is written.

    >>> slug_for("https://News.Example.org/sport"), slug_for("http://127.0.0.1:8000/"), slug_for("http://[::1]:8000/")
    ('news.example.org', '127.0.0.1_8000', '0000-0000-0000-0000-0000-0000-0000-0001_8000')
    """
    host, port = host_and_port(url)
    host = IPv6Address(host).exploded.replace(":", "-") if ":" in host else values.host(host)
    slug = host if port in (80, 443) else f"{host}_{port}"
    if len(slug) <= 64:
        return slug
    return f"{slug[:47]}-{hashlib.sha256(slug.encode()).hexdigest()[:16]}"


def user_agent(configuration: Configuration) -> str:
    """How the crawler names itself (RFC 9110 §10.1.5), with the operator's contact where there is one."""
    contact = f" (+{configuration.contact})" if configuration.contact else ""
    return f"newsmorgue/{__version__}{contact}"


def require_contact(configuration: Configuration, url: str) -> None:
    """Raise ConfigurationError where a crawl of ``url`` would be anonymous; this machine itself does not
    mind.
    """
    if configuration.contact is None and not is_loopback(host_and_port(url)[0]):
        raise ConfigurationError(
            f"{configuration.file or FILE_NAME}: no contact, so {url} is not crawled: sites must be able to "
            f'reach whoever crawls them; set contact = "you@example.org" or {variable_of(("contact",))}'
        )

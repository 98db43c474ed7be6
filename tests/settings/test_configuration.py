"""What an operator may write, and what is said when it is wrong."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsmorgue import __version__
from newsmorgue.cleaning import Selectors
from newsmorgue.errors import ConfigurationError, UnknownSource
from newsmorgue.settings.configuration import (
    Configuration,
    SourceConfiguration,
    load_configuration,
    require_contact,
    slug_for,
    user_agent,
)
from newsmorgue.settings.template import TEMPLATE

EXAMPLE = '[sources.example]\nhome = "https://example.org/"\n'


def written(folder: Path, toml: str, **environ: str) -> Configuration:
    (folder / "morgue.toml").write_text(toml, encoding="utf-8")
    return load_configuration(environ, folder)


def refusal(folder: Path, toml: str, **environ: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        written(folder, toml, **environ)
    return str(caught.value)


def test_without_a_file_everything_has_a_default(tmp_path: Path) -> None:
    configuration = load_configuration({"HOME": "/nowhere"}, tmp_path)
    assert configuration.store == str(tmp_path / "archive")
    assert configuration.store_folder == tmp_path / "archive"
    assert configuration.catalogue == f"sqlite:///{tmp_path}/archive/catalogue.sqlite"
    assert configuration.spool == tmp_path / "archive-spool"
    assert (configuration.seal_after_size, configuration.seal_after_age) == (268435456, timedelta(days=1))
    assert configuration.contact is None
    assert configuration.cleaning_processes >= 1
    assert configuration.sources == {}
    assert configuration.file is None


def test_every_key_is_read(tmp_path: Path) -> None:
    configuration = written(
        tmp_path,
        """
contact = "desk@example.org"
store = "s3://morgue/news"
catalogue = "postgresql://morgue:secret@db/news"
spool = "/var/spool/morgue"
seal_after = { size = "1 GiB", age = "90 minutes" }
delay = 0.5
concurrency = 8
cleaning_processes = 3
[s3]
endpoint = "http://127.0.0.1:8333"
region = "eu-central-1"
checksums = "when_required"
[sources.gazette]
home = "https://gazette.example"
feeds = ["https://gazette.example/rss", "https://gazette.example/rss"]
sitemaps = ["https://gazette.example/map.xml"]
hosts = ["AMP.gazette.example", "live.example:8080"]
delay = "3 s"
[sources."a.b-c_1"]
home = "http://other.example/news/"
concurrency = 1
""",
    )
    assert configuration.store == "s3://morgue/news"
    assert configuration.store_folder is None
    assert configuration.catalogue == "postgresql+psycopg://morgue:secret@db/news"
    assert configuration.spool == Path("/var/spool/morgue")
    assert configuration.seal_after_size == 1024**3
    assert configuration.seal_after_age == timedelta(minutes=90)
    assert configuration.s3.endpoint == "http://127.0.0.1:8333/"
    assert configuration.s3.region == "eu-central-1"
    assert configuration.s3.checksums == "when_required"
    assert configuration.cleaning_processes == 3
    assert list(configuration.sources.values()) == [
        SourceConfiguration(
            "gazette",
            "https://gazette.example/",
            ("https://gazette.example/rss",),
            ("https://gazette.example/map.xml",),
            ("amp.gazette.example", "live.example:8080"),
            delay=3.0,
            concurrency=8,
        ),
        SourceConfiguration("a.b-c_1", "http://other.example/news/", delay=0.5, concurrency=1),
    ]


def test_the_environment_wins(tmp_path: Path) -> None:
    configuration = written(
        tmp_path,
        'store = "elsewhere"\ndelay = 9\n' + EXAMPLE,
        MORGUE_STORE="s3://bucket",
        MORGUE_DELAY="2",
        MORGUE_SEAL_AFTER_SIZE="5 MiB",
        MORGUE_S3_REGION="us-east-1",
        MORGUE_SOURCES='{other = {home = "https://other.example/"}}',
    )
    assert configuration.store == "s3://bucket"
    assert configuration.catalogue == f"sqlite:///{tmp_path}/catalogue.sqlite"
    assert configuration.spool == tmp_path / "spool"
    assert configuration.delay == 2.0
    assert configuration.seal_after_size == 5 * 2**20
    assert configuration.s3.region == "us-east-1"
    assert set(configuration.sources) == {"example", "other"}


def test_an_empty_variable_is_none_and_a_cluster_s_own_are_passed_over(tmp_path: Path) -> None:
    environ = {"MORGUE_STORE": "", "MORGUE_PORT": "tcp://10.0.0.1:80", "MORGUE_SERVICE_HOST": "10.0.0.1"}
    assert load_configuration(environ, tmp_path).store == str(tmp_path / "archive")


def test_relative_paths_start_at_the_file_and_those_of_the_environment_where_one_stands(
    tmp_path: Path,
) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "other.toml").write_text('store = "data"\ncatalogue = "sqlite:///cat.sqlite"\n')
    configuration = load_configuration({"MORGUE_CONFIG": "etc/other.toml", "MORGUE_SPOOL": "here"}, tmp_path)
    assert configuration.store == str(tmp_path / "etc" / "data")
    assert configuration.catalogue == f"sqlite:///{tmp_path}/etc/cat.sqlite"
    assert configuration.spool == tmp_path / "here"


@pytest.mark.parametrize(
    ("toml", "line", "said"),
    [
        ('\n\nstroe = "x"\n', 3, "no such key: stroe; did you mean store?"),
        ('[s3]\n\nendpiont = "x"\n', 3, "no such key: s3.endpiont; did you mean endpoint?"),
        (EXAMPLE + 'feed = ["https://example.org/rss"]\n', 3, "did you mean feeds?"),
        ('# a comment\nstore = 5\n', 2, "store is 5; allowed is a folder"),
        ('store = "ftp://example.org/x"\n', 1, "s3://bucket/prefix"),
        ('delay = -1\n', 1, "seconds from 0 to 3600"),
        ("delay = true\n", 1, "seconds from 0 to 3600"),
        ("concurrency = 0\n", 1, "a whole number from 1"),
        ('seal_after = { size = "256 MiB",  aeg = "1 h" }\n', 1, "seal_after.aeg; did you mean age?"),
        ('x = """\n[\n"""\n[seal_after]\nage = "soon"\n', 5, "allowed is a time span"),
        ('[seal_after]\nsize = "1 kB"\n', 2, "at least 1 MiB"),
        ('[s3]\nchecksums = "sometimes"\n', 2, '"when_supported" or "when_required"'),
        ('contact = "me"\n', 1, "a mail or web address"),
        ('contact = "me@example.org (x)"\n', 1, "a mail or web address"),
        ('catalogue = "mysql://example/x"\n', 1, "postgresql://user:password@host/database"),
        ('[sources.BIG]\nhome = "https://example.org/"\n', 1, "1 to 64 of the characters a-z 0-9 . _ -"),
        ('[sources.x]\nfeeds = []\n', 1, "a table with its home"),
        ('[sources.x]\nhome = "example.org"\n', 2, "an absolute http:// or https:// address"),
        ('[sources.x]\nhome = "https://u:p@example.org/"\n', 2, "an absolute http"),
        ('[sources.x]\nhome = "file:///etc/passwd"\n', 2, "an absolute http:// or https:// address"),
        (EXAMPLE + 'feeds = [\n  "https://example.org/a",\n  "gopher://b/",\n]\n', 5, "each is an absolute"),
        (EXAMPLE + 'feeds = "https://example.org/a"\n', 3, "a list in brackets"),
        (EXAMPLE + 'hosts = ["http://example.org"]\n', 3, "a host name"),
        ('s3 = "x"\n', 1, "a table, as in [s3]"),
        ('sources = 3\n', 1, "a table, as in [sources]"),
        ('[sources]\nx = "https://example.org/"\n', 2, "a table, as in [sources.x]"),
        (EXAMPLE + '[sources.again]\nhome = "https://www.example.org"\n', 4, "[sources.example] has"),
        ('spool = "archive/spool"\n', 1, "outside the store"),
        ('spool = "."\n', 1, "outside the store"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_its_line_and_what_is_allowed(tmp_path: Path, toml: str, line: int, said: str) -> None:
    message = refusal(tmp_path, toml.replace('x = """\n[\n"""\n', 'contact = """\\\n  desk@example.org\\\n"""\n'))
    assert message.startswith(f"morgue.toml:{line}: ")
    assert said in message


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("MORGUE_STROE", "x", "no such setting; did you mean MORGUE_STORE?"),
        ("MORGUE_DELAY", "soon", "delay is 'soon'; allowed is seconds"),
        ("MORGUE_S3_CHECKSUMS", "x", '"when_supported" or "when_required"'),
        ("MORGUE_SOURCES", "[1]", "allowed is a table"),
        ("MORGUE_SOURCES", "{x", "not TOML"),
        ("MORGUE_SOURCES", '{x = {home = "y"}}', "sources.x.home is 'y'"),
    ],
)
def test_a_wrong_variable_is_named(tmp_path: Path, name: str, value: str, said: str) -> None:
    message = refusal(tmp_path, "", **{name: value})
    assert message.startswith(f"environment variable {name}: ")
    assert said in message


def test_what_is_not_toml_or_not_utf8_names_the_line(tmp_path: Path) -> None:
    assert re.match(r"morgue\.toml: not TOML: .*line 2", refusal(tmp_path, 'delay = 1\nstore = "x\n'))
    (tmp_path / "morgue.toml").write_bytes(b'delay = 1\n# caf\xe9\n')  # fmt: skip
    with pytest.raises(ConfigurationError, match=r"morgue\.toml:2: not UTF-8"):
        load_configuration({}, tmp_path)


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.toml: cannot be read: No such file"):
        load_configuration({"MORGUE_CONFIG": "absent.toml"}, tmp_path)


def test_a_password_is_not_repeated_in_a_message(tmp_path: Path) -> None:
    assert "hunter2" not in refusal(tmp_path, 'catalogue = "mysql://morgue:hunter2@db/news"\n')


def test_a_source_for_a_url(tmp_path: Path) -> None:
    configuration = written(
        tmp_path,
        '[sources.all]\nhome = "https://example.org/"\nhosts = ["amp.example.org"]\n'
        '[sources.sport]\nhome = "https://example.org/sport/"\n',
    )
    found = {
        url: configuration.source_for_url(url).slug
        for url in (
            "https://example.org",
            "https://example.org/politics/a",
            "https://example.org/sport",
            "https://example.org/sport/cup",
            "https://EXAMPLE.org:443/",
            "https://amp.example.org/x",
            "https://example.org:8443/",
            "http://127.0.0.1:8000/",
        )
    }
    assert found == {
        "https://example.org": "all",
        "https://example.org/politics/a": "all",
        "https://example.org/sport": "sport",
        "https://example.org/sport/cup": "sport",
        "https://EXAMPLE.org:443/": "all",
        "https://amp.example.org/x": "all",
        "https://example.org:8443/": "example.org_8443",
        "http://127.0.0.1:8000/": "127.0.0.1_8000",
    }


def test_a_url_s_own_name_may_not_be_another_source_s(tmp_path: Path) -> None:
    configuration = written(tmp_path, '[sources."example.net"]\nhome = "https://example.org/"\n')
    with pytest.raises(ConfigurationError, match="another name"):
        configuration.source_for_url("https://example.net/")
    with pytest.raises(ConfigurationError, match="absolute http"):
        configuration.source_for_url("example.net")


@given(st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?){0,6}", fullmatch=True))
def test_every_host_makes_a_slug(host: str) -> None:
    assert re.fullmatch(r"[a-z0-9._-]{1,64}", slug_for(f"https://{host}:8080/"))


def test_a_source_by_name(tmp_path: Path) -> None:
    configuration = written(tmp_path, EXAMPLE)
    assert configuration.source_named("example").home == "https://example.org/"
    with pytest.raises(UnknownSource, match="did you mean example"):
        configuration.source_named("exmaple")


def test_the_crawler_names_itself_and_its_operator(tmp_path: Path) -> None:
    anonymous = load_configuration({}, tmp_path)
    assert user_agent(anonymous) == f"newsmorgue/{__version__}"
    named = load_configuration({"MORGUE_CONTACT": "https://example.org/bot"}, tmp_path)
    assert user_agent(named) == f"newsmorgue/{__version__} (+https://example.org/bot)"
    require_contact(named, "https://example.net/")
    require_contact(anonymous, "http://127.0.0.1:8000/")
    require_contact(anonymous, "http://[::1]:8000/")
    with pytest.raises(ConfigurationError, match="MORGUE_CONTACT"):
        require_contact(anonymous, "https://example.net/")


def test_the_template_is_valid_as_it_is_and_with_every_key_switched_on(tmp_path: Path) -> None:
    as_it_is = written(tmp_path, TEMPLATE)
    assert as_it_is.sources == {}
    switched_on = re.sub(r"^# (?=\[|\w+ = )", "", TEMPLATE, flags=re.M)
    full = written(tmp_path, switched_on)
    assert full.sources["example"].hosts == ("amp.example.org",)
    assert full.s3.endpoint == "https://s3.example.org/"
    assert (full.seal_after_size, full.seal_after_age) == (as_it_is.seal_after_size, as_it_is.seal_after_age)
    assert (full.store, full.spool) == (as_it_is.store, as_it_is.spool)
    assert (full.delay, as_it_is.delay) == (1.0, None)


def test_the_template_mentions_every_key(tmp_path: Path) -> None:
    """The keys are those that the refusal of an unknown one lists as allowed."""
    for table in ("", "[s3]\n", "[seal_after]\n", EXAMPLE):
        listed = refusal(tmp_path, f"{table}qqqqqqqqqq = 1\n").partition("allowed are ")[2].split(", ")
        assert len(listed) >= 2
        for key in listed:
            assert re.search(rf"\b{key}\b( = |\])|\[{key}[\].]", TEMPLATE), key


def test_assets_are_the_source_s_own_choice_else_the_general_one(tmp_path: Path) -> None:
    toml = f'{EXAMPLE}assets = "all"\ndedupe_across_urls = true\n[sources.other]\nhome = "https://other.example/"\n'
    usual, told = written(tmp_path, toml), written(tmp_path, toml, MORGUE_ASSETS="none")
    assert [usual.sources[name].assets for name in ("example", "other")] == ["all", "lead"]
    assert [told.sources[name].assets for name in ("example", "other")] == ["all", "none"]
    assert told.source_for_url("https://third.example/").assets == "none"
    assert [usual.sources[name].dedupe_across_urls for name in ("example", "other")] == [True, False]


def test_what_is_no_choice_of_assets_is_refused(tmp_path: Path) -> None:
    allowed = "allowed is one of none, lead, images, all, in quotes"
    assert refusal(tmp_path, 'assets = "some"\n') == f"morgue.toml:1: assets is 'some'; {allowed}"
    assert "allowed is true or false" in refusal(tmp_path, EXAMPLE + "dedupe_across_urls = 3\n")


def test_a_spider_starts_where_it_was_named(tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir()
    (elsewhere / "morgue.toml").write_text('[sources.a]\nhome = "https://a.example/"\nspider = "x.py"\n')
    own = '{b = {home = "https://b.example/", spider = "x.py"}}'
    environ = {"MORGUE_CONFIG": str(elsewhere / "morgue.toml"), "MORGUE_SOURCES": own}
    sources = load_configuration(environ, tmp_path).sources
    assert (sources["a"].spider, sources["b"].spider) == (elsewhere / "x.py", tmp_path / "x.py")


def test_where_a_site_keeps_its_story(tmp_path: Path) -> None:
    toml = (
        '[sources.a]\nhome = "https://a.example/"\n[sources.a.selectors]\nbody = "main"\nremove = ["aside", "aside"]\n'
    )
    assert written(tmp_path, toml).sources["a"].selectors == Selectors(body="main", remove=("aside",))
    assert written(tmp_path, toml.partition("[sources.a.s")[0]).sources["a"].selectors is None
    assert "allowed is a list of which each is a CSS selector" in refusal(tmp_path, toml.replace('"aside"]', '"a >"]'))

"""The wheel: all of the package is in it, nothing else is, and it works where there is no checkout."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.cli.command import clean_environment

_ROOT = Path(__file__).parents[1]
_INPUTS = ("pyproject.toml", "README.md", "LICENSE", "src", "spiders", "pipelines", "settings")
_LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.egg-info")
# The first setuptools that reads a licence as PEP 639 has it; an older one is left where it is.
_NEEDED = 77


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that nothing of an earlier build gets into it, and nothing of it into the checkout."""
    copy, made = tmp_path_factory.mktemp("checkout"), tmp_path_factory.mktemp("wheel")
    for name in _INPUTS:
        if (_ROOT / name).is_dir():
            shutil.copytree(_ROOT / name, copy / name, symlinks=True, ignore=_LEFT_OUT)
        else:
            shutil.copy(_ROOT / name, copy)
    installed = int(version("setuptools").partition(".")[0])
    isolation = ["--no-isolation"] if installed >= _NEEDED else []
    run(copy, sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", made, copy)
    (path,) = made.iterdir()
    return path


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has the wheel's content, and the other requirements from where the tests have them."""
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--disable-pip-version-check")
    run(folder, *pip, "--root-user-action", "ignore", "--target", folder, wheel)
    return folder


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    """What a command prints; it must succeed."""
    ended = subprocess.run(
        command, cwd=folder, env=clean_environment() | environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def modules() -> set[str]:
    """Every Python file of the package, those behind its links too, as a wheel names it."""
    found = set()
    for folder, _, names in os.walk(_ROOT / "src" / "newsmorgue", followlinks=True):
        found |= {Path(folder, name).relative_to(_ROOT / "src").as_posix() for name in names if name.endswith(".py")}
    return found


def test_the_wheel_has_every_module_and_only_the_package(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {name for name in names if name.endswith(".py")} == modules()
    assert {"newsmorgue/spiders/news.py", "newsmorgue/archive/migrations/versions/0001_first.py"} <= names
    assert {"newsmorgue/py.typed", "newsmorgue/spiders/templates/morgue.tmpl"} <= names
    tops = {name.partition("/")[0] for name in names}
    assert {re.sub(r"-[\d.]+\.dist-info$", "", top) for top in tops} == {"newsmorgue"}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = archive.read(metadata).decode()
        assert any(name.endswith("/licenses/LICENSE") for name in archive.namelist())
    assert "\nLicense-Expression: Apache-2.0\n" in said
    assert "\nRequires-Python: >=3.11\n" in said


def test_the_command_works_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    place = {"PYTHONPATH": str(installed)}
    where = run(tmp_path, sys.executable, "-c", "import newsmorgue.spiders.news as news; print(news.__file__)", **place)
    assert Path(where.strip()).is_relative_to(installed)
    assert "crawl" in run(tmp_path, installed / "bin" / "morgue", "--help", **place)
    # Makes a catalogue, for which it needs the migrations.
    assert run(tmp_path, installed / "bin" / "morgue", "stories", "--json", **place) == ""
    assert (tmp_path / "archive" / "catalogue.sqlite").is_file()


def test_scrapy_finds_the_spider(installed: Path, tmp_path: Path) -> None:
    place = {"PYTHONPATH": str(installed), "SCRAPY_SETTINGS_MODULE": "newsmorgue.settings.base"}
    assert run(tmp_path, sys.executable, "-m", "scrapy", "list", **place) == "news\n"


def test_scrapy_finds_the_spider_in_the_checkout() -> None:
    assert run(_ROOT, sys.executable, "-m", "scrapy", "list") == "news\n"


def test_scrapy_writes_spider_test_and_pages_together(installed: Path, tmp_path: Path) -> None:
    scrapy, place = (sys.executable, "-m", "scrapy"), {"PYTHONPATH": str(installed)}
    said = run(tmp_path, *scrapy, "genspider", "-t", "morgue", "odd-site", "odd.example", **place)
    assert '[sources.odd-site]\n  home = "https://odd.example/"\n  spider = "odd_site.py"' in said
    made = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    pages = ["fixtures/odd_site/list.html", "fixtures/odd_site/story.html"]
    assert made == [*pages, "odd_site.py", "test_odd_site.py"]
    assert "2 passed" in run(tmp_path, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", **place)
    (tmp_path / "odd_site.py").unlink()
    again = subprocess.run(
        (*scrapy, "genspider", "-t", "morgue", "odd-site", "odd.example"),
        cwd=tmp_path,
        env=clean_environment() | place,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (again.returncode, "test_odd_site.py already exists" in again.stdout) == (1, True)


def test_scrapy_writes_nothing_for_a_name_that_no_source_may_have(installed: Path, tmp_path: Path) -> None:
    refused = subprocess.run(
        (sys.executable, "-m", "scrapy", "genspider", "-t", "morgue", "Odd site", "odd.example"),
        cwd=tmp_path,
        env=clean_environment() | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, "'Odd site' is no name of a source" in refused.stdout) == (1, True)
    assert list(tmp_path.iterdir()) == []


def test_scrapys_own_templates_are_there_as_ever(installed: Path, tmp_path: Path) -> None:
    scrapy, place = (sys.executable, "-m", "scrapy"), {"PYTHONPATH": str(installed)}
    listed = run(tmp_path, *scrapy, "genspider", "--list", **place)
    assert {"basic", "crawl", "morgue"} <= set(listed.split())
    run(tmp_path, *scrapy, "genspider", "plain", "plain.example", **place)
    assert [path.name for path in tmp_path.iterdir()] == ["plain.py"]
    assert "class PlainSpider(scrapy.Spider)" in (tmp_path / "plain.py").read_text()

"""``scrapy genspider -t morgue NAME DOMAIN``: a spider of newsmorgue's, its test and the test's pages, together.

Scrapy looks for templates in one folder alone, and writes one file. This is its command with one template more; for
every other template it does what Scrapy's does.
"""

import argparse
import os
import sys
from pathlib import Path
from string import Template
from typing import Any

from scrapy.commands import genspider
from scrapy.utils.conf import closest_scrapy_cfg

from newsmorgue.settings.values import SLUG

TEMPLATES = Path(__file__).parent / "templates"
_OURS = "morgue"
_IMPORTS = "from newsmorgue.archive.capture import Role\nfrom newsmorgue.cleaning import clean"
_FIXTURES = {"list.html": "morgue_list.html", "story.html": "morgue_story.html"}


class Command(genspider.Command):
    """See the module. Registered as ``genspider`` among the entry points ``scrapy.commands``."""

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Scrapy's hook."""
        if opts.template == _OURS and args and not SLUG.fullmatch(args[0]):
            sys.stdout.write(f"'{args[0]}' is no name of a source: 1 to 64 of a-z 0-9 . _ -\n")
            self.exitcode = 1
            return
        if opts.template == _OURS and len(args) == 2 and not opts.force:
            there = [path for path in self._files(genspider.sanitize_module_name(args[0])) if path.exists()]
            if there:
                sys.stdout.write(f"{there[0]} already exists; --force writes over it\n")
                self.exitcode = 1
                return
        super().run(args, opts)

    def _find_template(self, template: str) -> Path | None:
        return TEMPLATES / f"{_OURS}.tmpl" if template == _OURS else super()._find_template(template)

    def _list_templates(self) -> None:
        super()._list_templates()
        sys.stdout.write(f"   {_OURS}\n")

    def _genspider(
        self, module: str, name: str, url: str, template_name: str, template_file: str | os.PathLike[str]
    ) -> Path:
        spider = super()._genspider(module, name, url, template_name, template_file)
        if template_name == _OURS:
            self._write_test(module, self._generate_template_variables(module, name, url.rstrip("/"), template_name))
            sys.stdout.write(f'\nnow name it in morgue.toml:\n  [sources.{name}]\n  home = "{url.rstrip("/")}/"\n')
            sys.stdout.write(f'  spider = "{os.path.relpath(spider)}"\n')
        return spider

    def _write_test(self, module: str, variables: dict[str, Any]) -> None:
        test, *pages = self._files(module)
        name = variables["classname"]
        if self._is_project:
            imports = f"{_IMPORTS}\nfrom {self._spiders}.{module} import {name}"
            fixtures = f'Path(__file__).parents[1] / "fixtures" / "{module}"'
        else:
            imports = f"from {module} import {name}\n\n{_IMPORTS}"
            fixtures = f'Path(__file__).with_name("fixtures") / "{module}"'
        _write(test, "morgue_test.tmpl", variables | {"imports": imports, "fixtures": fixtures})
        for page in pages:
            _write(page, _FIXTURES[page.name], variables)

    @property
    def _spiders(self) -> str | None:
        return self.settings.get("NEWSPIDER_MODULE") if self.settings is not None else None

    @property
    def _is_project(self) -> bool:
        """Whether spiders go into a project's package: tests then have a folder of their own."""
        return bool(self._spiders and closest_scrapy_cfg())

    def _files(self, module: str) -> list[Path]:
        """The test, and the pages that it reads."""
        root = Path(closest_scrapy_cfg()).parent / "tests" if self._is_project else Path()
        test = (root / "spiders" if self._is_project else root) / f"test_{module}.py"
        return [test, *(root / "fixtures" / module / name for name in _FIXTURES)]


def _write(path: Path, template: str, variables: dict[str, Any]) -> None:
    text = Template((TEMPLATES / template).read_text(encoding="utf-8")).substitute(variables)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    sys.stdout.write(f"wrote {path}\n")

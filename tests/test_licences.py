"""What newsmorgue needs to run may be used under terms that do not reach over to newsmorgue or its users."""

import re
import tomllib
from email import message_from_string
from email.message import Message
from importlib.metadata import metadata
from pathlib import Path
from typing import cast

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_ROOT = Path(__file__).parents[1]
_LOCKED = re.compile(r"^([\w.-]+)==(\S+)$", re.M)
# GPL and AGPL in any version and spelling; not LGPL, which lets itself be used as a library.
_RECIPROCAL = re.compile(r"(?<![A-Za-z])A?GPL|GNU (?:Affero )?General Public", re.I)
_TERMS_AT_MOST = 200  # characters; a longer License field is the licence itself


def locked() -> dict[str, str]:
    """Names and versions of ``requirements.lock``."""
    found = _LOCKED.findall((_ROOT / "requirements.lock").read_text())
    return {canonicalize_name(name): version for name, version in found}


def choices(about: Message) -> list[str]:
    """The licences of which a user may choose one, as the distribution's metadata names them."""
    expression = about.get("License-Expression") or ""
    classifiers = [line for line in about.get_all("Classifier") or () if line.startswith("License ::")]
    stated = about.get("License") or ""
    if expression:
        return [expression] if " AND " in expression else expression.strip("()").split(" OR ")
    return classifiers or [stated[:_TERMS_AT_MOST].strip()]


@pytest.mark.parametrize("name", sorted(locked()))
def test_each_requirement_can_be_used_without_gpl(name: str) -> None:
    offered = choices(cast(Message, metadata(name)))
    assert [choice for choice in offered if choice and not _RECIPROCAL.search(choice)], offered


@pytest.mark.parametrize(
    ("said", "usable"),
    [
        ("License-Expression: MIT", True),
        ("License-Expression: MPL-1.1 OR GPL-2.0-only OR LGPL-2.1-or-later", True),
        ("License-Expression: LGPL-3.0-only", True),
        ("License-Expression: AGPL-3.0-or-later", False),
        ("License-Expression: BSD-3-Clause AND GPL-3.0-or-later", False),
        ("License: GPLv3", False),
        ("Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)", False),
        ("Classifier: License :: OSI Approved :: GNU Affero General Public License v3", False),
        ("Classifier: License :: OSI Approved :: GNU Lesser General Public License v3 (LGPLv3)", True),
        ("Name: without-a-word", False),
    ],
)
def test_the_rule_itself(said: str, usable: bool) -> None:
    offered = choices(message_from_string(said))
    assert any(choice and not _RECIPROCAL.search(choice) for choice in offered) is usable


def test_the_lock_has_what_the_project_asks_for() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]
    versions = locked()
    for requirement in map(Requirement, project["dependencies"]):
        assert versions[canonicalize_name(requirement.name)] in requirement.specifier, requirement

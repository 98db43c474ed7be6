"""What of the environment the tests and the programs they start may see: nothing that changes what is printed or asked.

A developer's shell and a CI differ in it, and no test may.
"""

from collections.abc import Mapping

# By their beginnings. Of programs: newsmorgue and Scrapy, boto3 and libpq, rich and typer, Python, pytest.
_LEFT_OUT = (
    *("MORGUE_", "SCRAPY_", "AWS_", "PG"),
    *("COLUMNS", "LINES", "TERM", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR", "TTY_", "GITHUB_ACTIONS"),
    *("PYTHONIOENCODING", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONDEVMODE", "PYTEST_"),
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def plain(environment: Mapping[str, str]) -> dict[str, str]:
    """Without all that, and on a terminal that can show colours, if it is one."""
    kept = {name: value for name, value in environment.items() if not name.startswith(_LEFT_OUT)}
    return {name: value for name, value in kept.items() if name.lower() not in _PROXIES} | {"TERM": "xterm"}

"""The ``morgue`` command's door: ``python -m newsmorgue``.

Worker processes import whatever module a process began with. This one imports nothing by itself, so that they do not
load the command line and the catalogue with it.
"""

import sys


def main() -> None:
    """See :func:`newsmorgue.cli.main`."""
    try:
        from newsmorgue.cli import main as run
    except KeyboardInterrupt:  # before there is anything that could say so
        sys.exit(6)
    run()


if __name__ == "__main__":
    main()

"""The ``morgue`` command's door: ``python -m newsmorgue``.

Worker processes import whatever module a process began with. This one imports nothing by itself, so that they do not
load the command line and the catalogue with it.
"""


def main() -> None:
    """See :func:`newsmorgue.cli.main`."""
    from newsmorgue.cli import main as run

    run()


if __name__ == "__main__":
    main()

"""The demo newsroom: an invented bilingual news site for tests, ``make demo`` and the documentation."""

"""The bench of the memory counts what it says, on a corpus of a few pages made here."""

import gzip
import json
from pathlib import Path

import pytest
from bench.memory import main

LEAD = "The council of {0} voted on Tuesday to keep the night ferry of {0} for six more years, after a long debate."
MORE = "Nobody in {0} had expected that the vote would be unanimous, least of all the mayor of {0}, who had left early."
LINE = "Reported from the newsroom of the Gazette on the island"


def _page(name: str) -> str:
    return (
        f'<html><head><title>Ferry of {name}</title><meta property="og:type" content="article"></head><body><article>'
        f"<h1>Ferry of {name}</h1><p>{LEAD.format(name)}</p><p>{MORE.format(name)}</p><p>{LINE}</p></article></body>"
    )


def test_what_is_repeated_is_counted_and_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "pages").mkdir()
    rows = []
    for name in ("Ister", "Ouessant", "Molène", "Sein"):
        (tmp_path / "pages" / f"{name}.html.gz").write_bytes(gzip.compress(_page(name).encode()))
        gold = f"{LEAD.format(name)}\n\n{MORE.format(name)}"
        rows.append({"file": f"{name}.html.gz", "url": f"https://gazette.example/{name}", "text": gold})
    (tmp_path / "gold.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    main([tmp_path])
    lines = capsys.readouterr().out.splitlines()
    table = {cells[1].strip(): cells[2:6] for line in lines if len(cells := line.split("│")) > 5}
    assert [cell.strip() for cell in table["none"]][1:] == ["4", "0", "0"]
    for kind in ("all stories", "all others", "two others"):
        assert [cell.strip() for cell in table[kind]] == ["1.0000", "0", "4", "0"]

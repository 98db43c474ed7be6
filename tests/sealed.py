"""Every WARC that tests sealed into a store, and that lies there as its manifest says: for other tools to look at."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import Seaweed


@dataclass(frozen=True, slots=True)
class Sealed:
    """A WARC: the folder of its store, and the lines of the index beside it as their JSON, with ``timestamp``."""

    store: Path
    path: Path
    lines: tuple[dict[str, Any], ...]


def sealed_under(folder: Path) -> Iterator[Sealed]:
    """The WARCs in all folder stores under a folder; not those that a test damaged or removed since."""
    for manifest in sorted(folder.glob("**/manifests/*/*/*/*.json")):
        store = manifest.parents[4]
        try:
            warc, index, _ = json.loads(manifest.read_bytes())["objects"]
        except (ValueError, KeyError):
            continue
        if all(_is_as_sealed(store / each["key"], each["sha256"]) for each in (warc, index)):
            lines = (line.split(" ", 2) for line in (store / index["key"]).read_text().splitlines())
            found = tuple(json.loads(text) | {"timestamp": timestamp} for _, timestamp, text in lines)
            yield Sealed(store, store / warc["key"], found)


def _is_as_sealed(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def fetch_stores(server: Seaweed, folder: Path) -> None:
    """Copy every store of an S3 server into a folder, each into one of its own; texts are left out."""
    client = server.client()
    keys = [
        (bucket["Name"], entry["Key"])
        for bucket in client.list_buckets()["Buckets"]
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket["Name"])
        for entry in page.get("Contents", ())
        if entry["Key"].endswith((".warc.gz", ".cdxj", ".json"))
    ]

    def fetch(place: tuple[str, str]) -> None:
        path = folder.joinpath(*place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(client.get_object(Bucket=place[0], Key=place[1])["Body"].read())

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(fetch, keys))


def put_together(warcs: list[Sealed], goal: Path) -> dict[tuple[str, str], Sealed]:
    """All WARCs in one file, one after another; where each capture of their indexes is in it: offset and length.

    A file of gzip members may follow another, and one that is torn is seen all the same.
    """
    places: dict[tuple[str, str], Sealed] = {}
    with goal.open("wb") as out:
        for sealed in warcs:
            base = out.tell()
            places |= {(str(base + int(line["offset"])), line["length"]): sealed for line in sealed.lines}
            with sealed.path.open("rb") as stream:
                shutil.copyfileobj(stream, out)
    return places

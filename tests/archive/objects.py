"""What the tests of stores share."""

import hashlib
from pathlib import Path

from newsmorgue.archive.store import Store

MIB = 2**20
# printf hello | sha256sum
HELLO_SHA256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def write(path: Path, data: bytes) -> Path:
    """Write a file and return its path."""
    path.write_bytes(data)
    return path


def put(store: Store, key: str, path: Path) -> None:
    """Put a file under the digest that it has."""
    store.put_file(key, path, sha256=hashlib.sha256(path.read_bytes()).hexdigest())

from newsmorgue.archive.store import Store


def test_it(store: Store) -> None:
    store.put_bytes("a/b", b"hello")
    assert store.get("a/b") == b"hello"

def test_pg(catalogue_url: str) -> None:
    assert "catalogue" in catalogue_url

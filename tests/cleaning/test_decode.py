"""Encodings: expectations from the WHATWG Encoding standard and from what servers get wrong."""

import pytest

from newsmorgue.cleaning.decode import decode

TEXT = "L’été à Lörrach – déjà fini ?"


@pytest.mark.parametrize("mark, codec", [("utf-8-sig", "utf-8"), ("utf-16", "utf-16-le"), ("utf-32", "utf-32-le")])
def test_a_byte_order_mark_decides(mark: str, codec: str) -> None:
    page = decode(TEXT.encode(mark), "iso-8859-1")
    assert (page.text, page.charset, page.how) == (TEXT, codec, "bom")


def test_big_endian_mark() -> None:
    assert decode(b"\xfe\xff" + TEXT.encode("utf-16-be")).text == TEXT


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_its_mark(codec: str) -> None:
    page = decode(f"<html><body>{TEXT}</body></html>".encode(codec))
    assert (TEXT in page.text, page.charset) == (True, codec)


@pytest.mark.parametrize("header", [None, "iso-8859-1", "windows-1251", "utf-8"])
def test_valid_utf_8_is_utf_8_whatever_the_header_says(header: str | None) -> None:
    page = decode(TEXT.encode(), header)
    assert (page.text, page.charset) == (TEXT, "utf-8")


def test_a_lying_header_is_noted() -> None:
    assert decode(TEXT.encode(), "iso-8859-1").warnings == ("charset: header says cp1252, the bytes are utf-8",)


def test_latin_1_means_windows_1252() -> None:
    page = decode(TEXT.encode("cp1252"), "ISO-8859-1")
    assert (page.text, page.charset, page.how) == (TEXT, "cp1252", "header")


def test_the_meta_element_is_read() -> None:
    html = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251"><p>Привет'
    page = decode(html.encode("cp1251"))
    assert (page.text, page.how) == (html, "meta")


def test_a_header_that_says_utf_8_of_other_bytes_is_not_believed() -> None:
    html = '<meta charset="windows-1251"><p>Добрый день, как поживаете?'
    assert decode(html.encode("cp1251"), "utf-8").text == html


def test_an_xml_declaration_is_read() -> None:
    html = '<?xml version="1.0" encoding="koi8-r"?><p>Новости дня'
    assert decode(html.encode("koi8-r")).text == html


@pytest.mark.parametrize(
    "codec, text", [("gb2312", "新闻"), ("shift_jis", "ニュース"), ("euc-kr", "뉴스"), ("iso-2022-jp", "新聞")]
)
def test_east_asian_encodings(codec: str, text: str) -> None:
    assert decode(text.encode(codec), codec).text == text


def test_one_damaged_character_leaves_utf_8_utf_8() -> None:
    page = decode((TEXT * 20).encode() + b"\xe9", "iso-8859-1")
    assert page.text == TEXT * 20 + "\ufffd"
    assert (page.charset, page.warnings) == ("utf-8", ("charset: damaged utf-8",))


@pytest.mark.parametrize("label", ["nonsense", "", "utf-7", "hex", "x" * 50, "base64"])
def test_unusable_labels_are_passed_over(label: str) -> None:
    assert decode("déjà".encode("cp1252"), label).text == "déjà"

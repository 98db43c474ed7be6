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


@pytest.mark.parametrize(
    "label, codec",
    [
        ("windows-874", "cp874"),
        ("x-sjis", "shift_jis"),
        ("windows-31j", "cp932"),
        ("x-gbk", "gbk"),
        ("gb_2312-80", "gb2312"),
        ("x-x-big5", "big5"),
        ("windows-949", "cp949"),
        ("iso-8859-8-i", "iso8859-8"),
        ("x-cp1251", "cp1251"),
        ("x-mac-cyrillic", "mac_cyrillic"),
    ],
)
def test_labels_that_only_the_standard_knows(label: str, codec: str) -> None:
    text = {"cp874": "ข่าว", "iso8859-8": "חדשות", "cp1251": "Новости", "mac_cyrillic": "Новости"}.get(codec, "新")
    text = "뉴스" if codec == "cp949" else text
    assert decode(f"<p>{text}".encode(codec), label).text == f"<p>{text}"


@pytest.mark.parametrize(
    "language, codec, text",
    [
        ("ru", "cp1251", "Порт возобновляет ночной паром"),
        ("ru-RU", "koi8-r", "Порт возобновляет ночной паром"),
        ("el", "iso8859-7", "Το λιμάνι ξαναρχίζει"),
        ("ja", "shift_jis", "夜行フェリーを再開へ"),
        ("ja", "euc_jp", "夜行フェリーを再開へ"),
        ("zh-CN", "gb18030", "港口恢复夜间渡轮"),
        ("zh-TW", "big5", "港口恢復夜間渡輪"),
        ("ko", "euc_kr", "야간 여객선 운항 재개"),
        ("pl", "iso8859-2", "Zażółć gęślą jaźń, świt"),
        ("pl", "cp1250", "Zażółć gęślą jaźń, świt"),
        ("ar", "cp1256", "الميناء يعيد تشغيل العبارة"),
        ("he", "cp1255", "הנמל מחדש את מעבורת הלילה"),
        ("th", "tis-620", "ท่าเรือเปิดเรือข้ามฟาก"),
    ],
)
def test_a_page_that_declares_nothing_is_read_by_its_language_and_that_is_noted(
    language: str, codec: str, text: str
) -> None:
    page = decode(f"<html lang='{language}'><p>{text}".encode(codec))
    assert page.text.endswith(text)
    assert page.how == "language" and "none that fits is declared" in page.warnings[0]


def test_bytes_that_nothing_explains_are_read_as_in_the_west_and_that_is_noted() -> None:
    page = decode("<p>Порт возобновляет".encode("cp1251"))
    assert (page.charset, page.warnings) == ("cp1252", ("charset: none that fits is declared, read as cp1252",))


def test_utf_16_is_told_by_its_first_character_whatever_follows() -> None:
    html = "<p>Порт возобновляет ночной паром на острова после двух зим"
    assert decode(html.encode("utf-16-le"), "utf-8").text == html

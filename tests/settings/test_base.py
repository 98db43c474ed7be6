"""Scrapy's settings of newsmorgue's own crawls."""

from scrapy.settings import Settings


def test_what_lets_others_into_the_process_is_not_even_loaded() -> None:
    settings = Settings()
    settings.setmodule("newsmorgue.settings.base", priority="project")
    extensions = set(settings.get_component_priority_dict_with_base("EXTENSIONS"))
    assert "newsmorgue.capture.extension.CaptureExtension" in extensions
    assert "scrapy.extensions.corestats.CoreStats" in extensions
    assert not [name for name in extensions if "telnet" in name or "remote_control" in name]

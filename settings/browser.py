"""The browser of sources with ``render = true``: whether there is one, and how it is started."""

import os
import shutil
from importlib.util import find_spec
from typing import Any

from newsmorgue.errors import ConfigurationError

# Nothing listens there, and no system program lets a user do so.
_NOWHERE = "http://127.0.0.1:9"
# As a distribution installs it; without one, Playwright's own (``playwright install chromium``).
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    # All that a page may fetch is handed to it. Whatever finds another way (WebSocket, WebRTC, a prefetch, a popup)
    # finds no network: no name resolves, and every connection, also to this machine, goes to a proxy that is not there.
    f"--proxy-server={_NOWHERE}",
    "--proxy-bypass-list=<-loopback>",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    # Chromium's older name of it, and the one that it has now: the older one alone let WebRTC's datagrams out.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    # The browser's own errands.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-gpu",
    # A page's script must not eat the machine.
    "--js-flags=--max-old-space-size=512",
    "--renderer-process-limit=4",
)


def require_browser(source: str) -> None:
    """Raise ConfigurationError where the extra that renders pages is not installed."""
    if find_spec("scrapy_playwright") is None:
        raise ConfigurationError(
            f"source '{source}' has render = true, which needs a browser: pip install 'newsmorgue[browser]', and "
            "Chromium (apt-get install chromium, or playwright install chromium)"
        )


def launch_options() -> dict[str, Any]:
    """Playwright's options for starting the browser. Its sandbox is on, unless this is root, who cannot have one."""
    found = next((path for name in _PROGRAMS if (path := shutil.which(name))), None)
    options: dict[str, Any] = {"args": list(ARGUMENTS), "chromium_sandbox": os.geteuid() != 0}
    return options | ({"executable_path": found} if found else {})

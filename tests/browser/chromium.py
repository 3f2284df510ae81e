"""Chromium without a window, driven through selenium: the only file that knows either of them.

It has no network: no name resolves in it, and whatever a page asks for is in `complaints`, as is what the page says
on the console and each error of its scripts. The sizes, dark mode and reduced motion are the browser's own.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

AXE = Path(__file__).with_name("axe.min.js")
FLAGS = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--accept-lang=en-US",  # whatever the machine speaks
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)
SIZES = {"phone": (320, 640), "laptop": (1280, 800), "projector": (1920, 1080)}
PATIENCE = 60  # seconds until something that doesn't happen is a failure


def start() -> webdriver.Chrome:
    """Chromium and its driver, from PATH; root, as which the tests run, has to switch its sandbox off."""
    options = webdriver.ChromeOptions()
    options.binary_location = _tool("chromium")
    for flag in (*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    return webdriver.Chrome(options=options, service=Service(_tool("chromedriver")))


def _tool(name: str) -> str:
    path = shutil.which(name)
    assert path, f"{name} is missing: scripts/setup test installs it"
    return path


@contextmanager
def running() -> Iterator[Browser]:
    """A browser, and none afterwards."""
    driver = start()
    try:
        yield Browser(driver)
    finally:
        driver.quit()


class Browser:
    """One tab. `driver` is selenium's, for what isn't here."""

    def __init__(self, driver: webdriver.Chrome) -> None:
        self.driver = driver
        self.address = ""

    def open(
        self,
        page: Path,
        point: str = "",
        *,
        size: str | tuple[int, int] = "laptop",
        dark: bool = False,
        still: bool = True,
    ) -> Browser:
        """A page of this machine, at `#point`, with nothing left of the page before; `still` asks it for no motion."""
        self.driver.get("about:blank")
        self.cdp("Storage.clearDataForOrigin", origin="file://", storageTypes="all")
        self.cdp("Emulation.setEmulatedMedia", media="", features=_features(dark, still))
        self.resize(size)
        self._logs()
        self.address = page.resolve().as_uri()
        self.driver.get(self.address + (f"#{point}" if point else ""))
        return self

    def resize(self, size: str | tuple[int, int]) -> None:
        """The window's size: a word of `SIZES`, or pixels."""
        width, height = SIZES[size] if isinstance(size, str) else size
        metrics: dict[str, Any] = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.cdp("Emulation.setDeviceMetricsOverride", **metrics)

    def media(self, *, dark: bool = False, still: bool = True, media: str = "") -> None:
        """What the page is told of its reader, while it is open."""
        self.cdp("Emulation.setEmulatedMedia", media=media, features=_features(dark, still))

    def cdp(self, method: str, **parameters: Any) -> Any:
        """A command of Chromium's own protocol."""
        return self.driver.execute_cdp_cmd(method, parameters)

    def js(self, script: str, *values: Any) -> Any:
        """What a function body returns in the page; `arguments` are the values."""
        return self.driver.execute_script(script, *values)

    def press(self, *keys: str) -> None:
        """Keys, one after the other, to whatever has the focus: one character, or a name such as ARROW_RIGHT."""
        for key in keys:
            shift = key.startswith("SHIFT+")
            name = key.removeprefix("SHIFT+")
            chain = ActionChains(self.driver)
            chain = chain.key_down(Keys.SHIFT) if shift else chain
            chain = chain.send_keys(name if len(name) == 1 else getattr(Keys, name))
            (chain.key_up(Keys.SHIFT) if shift else chain).perform()

    def wait(self, expression: str, *values: Any) -> Any:
        """What an expression of JavaScript gives as soon as it is true."""
        return WebDriverWait(self.driver, PATIENCE, 0.02).until(
            lambda _: self.js(f"return {expression}", *values)
        )

    def text(self, selector: str = "body") -> str:
        """The text as it is shown of the first element that a CSS selector names."""
        return str(self.js("return document.querySelector(arguments[0]).innerText", selector))

    def screenshot(self, path: Path, *, whole: bool = False) -> Path:
        """A picture, as PNG, of what the window shows, or of the `whole` page."""
        shot = self.cdp("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))
        return path

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.cdp("Page.printToPDF", printBackground=True)["data"])

    def axe(self) -> list[str]:
        """What axe-core has against the page as it is now: "rule: selector: why"."""
        if not self.js("return 'axe' in window"):
            self.js(AXE.read_text(encoding="utf-8"))
        script = """const done = [...arguments].at(-1);
          axe.run(document, {resultTypes: ['violations']}).then(done, wrong => done({error: `${wrong}`}))"""
        found = self.driver.execute_async_script(script)
        assert "error" not in found, found["error"]
        return [_told(rule, node) for rule in found["violations"] for node in rule["nodes"]]

    def complaints(self) -> list[str]:
        """All that the page said on the console or asked for since this was last asked: for a good page, nothing."""
        said, asked = self._logs()
        return said + [f"asked for {address}" for address in asked]

    def _logs(self) -> tuple[list[str], list[str]]:
        """What was said on the console, and the addresses that were asked for, but for the page itself."""
        said = [f"{entry['level']}: {entry['message']}" for entry in self._log("browser")]
        events = (json.loads(entry["message"])["message"] for entry in self._log("performance"))
        asked = [
            event["params"].get("request", event["params"]).get("url", "")
            for event in events
            if event["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated")
        ]
        return said, [url for url in asked if url.partition("#")[0] not in (self.address, "about:blank")]

    def _log(self, kind: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.driver.get_log(kind)  # type: ignore[no-untyped-call]
        return entries


def _features(dark: bool, still: bool) -> list[dict[str, str]]:
    return [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
        {"name": "prefers-reduced-motion", "value": "reduce" if still else "no-preference"},
    ]


def _told(rule: dict[str, Any], node: dict[str, Any]) -> str:
    return f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"

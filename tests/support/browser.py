"""A real browser, driven as a reader uses it: Chromium without a window, by its driver's own protocol (WebDriver)."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

KEYS = {
    "ArrowLeft": "\ue012", "ArrowUp": "\ue013", "ArrowRight": "\ue014", "ArrowDown": "\ue015", "Enter": "\ue007",
    "Escape": "\ue00c", "Tab": "\ue004", "Home": "\ue011", "End": "\ue010", "PageDown": "\ue00f",
}  # fmt: skip
ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--disable-dev-shm-usage",
)  # fmt: skip
PATIENCE_S = 120.0  # where processors are busy, a browser takes half a minute to start


class Browser:
    """A session of a browser."""

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, method: str, path: str, content: dict[str, Any] | None = None) -> Any:
        """Send a command of the session, return its value."""
        return send(method, self._address + path, content)

    def open(self, address: str) -> None:
        self.ask("POST", "/url", {"url": address})

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script on the page, return what it returns."""
        return self.ask("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def wait(self, condition: str) -> Any:
        """Return what an expression of the page is once it is true of something."""
        end = time.monotonic() + PATIENCE_S
        while not (found := self.run(f"return {condition}")):
            assert time.monotonic() < end, f"not within {PATIENCE_S} s: {condition}"
            time.sleep(0.05)
        return found

    def press(self, *keys: str) -> None:
        """Press keys one after the other, named or letters."""
        pressed = [KEYS.get(key, key) for key in keys]
        actions = [{"type": kind, "value": key} for key in pressed for kind in ("keyDown", "keyUp")]
        self.ask("POST", "/actions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def resize(self, width: int, height: int, *, dark: bool = False) -> None:
        """Give the page a size in CSS pixels, and its reader's taste."""
        sized = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        taste = [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]
        taste.append({"name": "prefers-reduced-motion", "value": "reduce"})
        self._devtools("Emulation.setDeviceMetricsOverride", sized)
        self._devtools("Emulation.setEmulatedMedia", {"features": taste})

    def complaints(self) -> list[str]:
        """Return what the browser had to complain about since it was last asked: errors, and all that was refused."""
        return [entry["message"] for entry in self.ask("POST", "/se/log", {"type": "browser"})]

    def picture(self, path: Path) -> None:
        """Save what is on the screen as PNG."""
        path.write_bytes(base64.b64decode(self.ask("GET", "/screenshot")))

    def _devtools(self, command: str, parameters: dict[str, Any]) -> Any:
        return self.ask("POST", "/goog/cdp/execute", {"cmd": command, "params": parameters})


def send(method: str, address: str, content: dict[str, Any] | None = None) -> Any:
    data = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(address, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise AssertionError(f"{address}: {error.read()[:2000].decode()}") from error


@contextmanager
def browser(folder: Path) -> Iterator[Browser]:
    """Start a browser that keeps its things in a folder; skip where there is none."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium with its driver: Debian has both as chromium and chromium-driver")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [driver, f"--port={port}"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield from _sessions(f"http://127.0.0.1:{port}", chromium, folder)
    finally:
        process.terminate()
        process.wait()
        with suppress(ProcessLookupError):  # what it has started, where no session came about that would end it
            os.killpg(process.pid, signal.SIGKILL)


def _sessions(server: str, chromium: str, folder: Path) -> Iterator[Browser]:
    wait_for(server)
    options = {"binary": chromium, "args": [*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"]}
    wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
    session = send("POST", f"{server}/session", {"capabilities": {"alwaysMatch": wanted}})["sessionId"]
    try:
        yield Browser(f"{server}/session/{session}")
    finally:
        send("DELETE", f"{server}/session/{session}")


def wait_for(server: str) -> None:
    end = time.monotonic() + PATIENCE_S
    while True:
        try:
            if send("GET", f"{server}/status")["ready"]:
                return
        except OSError:
            assert time.monotonic() < end, "the browser's driver does not answer"
        time.sleep(0.05)

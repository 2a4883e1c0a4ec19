"""One browser for all tests of the page, and a way to open pages in it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from viewing import page_of

from autograd_inspect.model.capture import Capture
from autograd_inspect.model.folds import Opening
from autograd_inspect.renderers import html

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
ARGUMENTS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


Opener = Callable[..., Any]


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Open the page of a capture; whatever goes wrong in it, or leaves it, fails the test."""
    contexts, troubles = [], []

    def open_page(
        capture: Capture,
        opening: Opening | None = None,
        *,
        fragment: str = "",
        dark: bool = False,
        **look: Any,
    ) -> Any:
        file = tmp_path / "graph.html"
        file.write_text(html.render(replace(page_of(capture, opening), **look)), "utf-8")
        context = browser.new_context(
            viewport={"width": 1280, "height": 800}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: troubles.append(f"error: {error}"))
        page.on("console", lambda message: troubles.append(f"console: {message.text}"))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.on(
            "request",
            lambda request: (
                request.url.startswith(("file:", "blob:")) or troubles.append(request.url)
            ),
        )
        page.goto(file.as_uri() + fragment)
        page.wait_for_selector("html[data-ready=yes]")
        page.wait_for_selector("canvas[data-drawn]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert troubles == []

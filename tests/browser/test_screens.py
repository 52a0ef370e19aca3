"""axe finds no serious accessibility problem on any page, in light or dark. `make screenshots` is here as well."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from playwright.sync_api import Page, ViewportSize

from tests.browser import screens
from tests.browser.conftest import sign_in_by_cookie
from tests.browser.sample_shop import SampleShop, create_sample_shop

VIEWERS = (screens.VISITOR, screens.CUSTOMER, screens.NEWCOMER, screens.STAFF)
#: Language, width and color scheme of the four screenshots of a page.
VARIANTS = (("en", 1440, "light"), ("ru", 390, "light"), ("tr", 1440, "dark"), ("ar", 390, "dark"))
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
#: The browser's error message for the page that does not exist.
NOT_FOUND = "status of 404"
AXE = Axe().axe_script
FOLDER = Path(configured.BASE_DIR) / "var" / "screenshots"


@pytest.fixture
def sample_shop(shop: str, settings: Any, tmp_path: Path) -> SampleShop:
    settings.PRIVATE_DIR = tmp_path / "private"
    return create_sample_shop(settings)


def user_of(shop: SampleShop, viewer: str) -> Any:
    return {screens.CUSTOMER: shop.nadia, screens.NEWCOMER: shop.newcomer, screens.STAFF: shop.staff}.get(viewer)


def open_screens(page: Page, shop: SampleShop, viewer: str) -> Iterator[screens.Screen]:
    """Open every page of ``viewer`` and yield it when it is ready."""
    if user := user_of(shop, viewer):
        sign_in_by_cookie(page, user)
    for screen in (one for one in screens.all_screens(shop) if one.viewer == viewer):
        answer = page.goto(screen.path)
        assert answer is not None
        assert answer.status == screen.status, f"{screen.name}: {answer.status}"
        screen.prepare(page)
        yield screen


@pytest.mark.parametrize("viewer", VIEWERS)
def test_axe_finds_no_serious_problem(viewer: str, sample_shop: SampleShop, visit: Callable[..., Page]) -> None:
    # With animations, axe would measure the contrast of colors in the middle of a transition.
    page = visit(NOT_FOUND, viewport=WIDE, reduced_motion="reduce", bypass_csp=True)
    found = []
    for screen in open_screens(page, sample_shop, viewer):
        page.evaluate(AXE)
        found += [f"{screen.name}, light: {problem}" for problem in problems(page)]
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(NARROW)
        found += [f"{screen.name}, dark: {problem}" for problem in problems(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
    assert not found, "\n".join(found)


#: Django's widget with two lists has an icon with a label but no role.
EXCLUDED = {"exclude": [[".search-label-icon"]]}
RUN = "([context, options]) => axe.run(context, options).then((found) => found.violations)"


def problems(page: Page, *rules: str) -> Iterator[str]:
    """Return the serious problems that axe finds on the page, by all its rules or only by ``rules``."""
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
    for violation in page.evaluate(RUN, [EXCLUDED, options]):
        if violation["impact"] in ("serious", "critical"):
            nodes = [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in violation["nodes"]]
            yield f"{violation['id']} ({violation['help']})\n" + "\n".join(nodes[:4])


@pytest.mark.screenshots
@pytest.mark.parametrize("viewer", VIEWERS)
@pytest.mark.parametrize(("language", "width", "scheme"), VARIANTS)
def test_take_screenshots(
    viewer: str, language: str, width: int, scheme: str, sample_shop: SampleShop, visit: Callable[..., Page]
) -> None:
    """Take the screenshots of `make screenshots`, and write the page that shows them side by side."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    page = visit(NOT_FOUND, viewport={"width": width, "height": 900}, locale=language, color_scheme=scheme)
    for screen in open_screens(page, sample_shop, viewer):
        page.screenshot(path=FOLDER / f"{screen.name}.{language}-{width}-{scheme}.png", full_page=True)
    (FOLDER / "index.html").write_text(overview_page(sample_shop), encoding="utf-8")


def overview_page(shop: SampleShop) -> str:
    rows = []
    for screen in screens.all_screens(shop):
        files = [f"{screen.name}.{language}-{width}-{scheme}.png" for language, width, scheme in VARIANTS]
        pictures = "".join(f'<a href="{file}"><img loading="lazy" src="{file}" alt="{file}"></a>' for file in files)
        title = f"{html.escape(screen.name)} <small>{html.escape(screen.path)}</small>"
        rows.append(f"<section><h2>{title}</h2><div>{pictures}</div></section>")
    style = (
        "body{font:14px system-ui;margin:2rem;background:#888}h2{font-size:1rem}small{font-weight:400}"
        "div{display:flex;gap:1rem;align-items:start}img{max-height:40rem;max-width:38rem}"
    )
    return f"<!DOCTYPE html><meta charset=utf-8><title>Every page</title><style>{style}</style>{''.join(rows)}"

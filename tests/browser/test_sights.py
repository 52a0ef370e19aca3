"""Every page, looked at by axe in light and in dark: nothing that keeps people from using it. And all on one sheet."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings as configured
from playwright.sync_api import Page, ViewportSize

from tests.browser import sights
from tests.browser.conftest import enter
from tests.browser.furnished import Furnished, furnish

PEOPLE = (sights.VISITOR, sights.CUSTOMER, sights.NEWCOMER, sights.STAFF)
#: Language, width and colors of the four pictures of a page: each language, each width with each scheme.
SHOTS = (("en", 1440, "light"), ("ru", 390, "light"), ("tr", 1440, "dark"), ("ar", 390, "dark"))
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
#: What the browser says of the page that is not there.
NOT_FOUND = "status of 404"
AXE = Axe().axe_script
SHEET = Path(configured.BASE_DIR) / "var" / "screenshots"


@pytest.fixture
def furnished(shop: str, settings: Any, tmp_path: Path) -> Furnished:
    settings.PRIVATE_DIR = tmp_path / "private"
    return furnish(settings)


def person(shop: Furnished, who: str) -> Any:
    return {sights.CUSTOMER: shop.nadia, sights.NEWCOMER: shop.newcomer, sights.STAFF: shop.staff}.get(who)


def walk(page: Page, shop: Furnished, who: str) -> Iterator[sights.Sight]:
    """Opens every page of ``who``, one after the other, and stops at each."""
    if user := person(shop, who):
        enter(page, user)
    for sight in (one for one in sights.of(shop) if one.who == who):
        answer = page.goto(sight.path)
        assert answer is not None
        assert answer.status == sight.status, f"{sight.name}: {answer.status}"
        sight.act(page)
        yield sight


@pytest.mark.parametrize("who", PEOPLE)
def test_axe_finds_nothing_that_is_serious(who: str, furnished: Furnished, visit: Callable[..., Page]) -> None:
    # Colors that fade from one to the other would be judged half-way.
    page = visit(NOT_FOUND, viewport=WIDE, reduced_motion="reduce", bypass_csp=True)
    found = []
    for sight in walk(page, furnished, who):
        page.evaluate(AXE)
        found += [f"{sight.name}, light: {problem}" for problem in problems(page)]
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size(NARROW)
        found += [f"{sight.name}, dark: {problem}" for problem in problems(page, "color-contrast")]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(WIDE)
    assert not found, "\n".join(found)


#: Django's own widget for two lists names a mark that has no role.
NOT_OURS = {"exclude": [[".search-label-icon"]]}
RUN = "([context, options]) => axe.run(context, options).then((found) => found.violations)"


def problems(page: Page, *rules: str) -> Iterator[str]:
    """What axe, which the page has loaded, finds on it: by all its rules, or by these."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    for violation in page.evaluate(RUN, [NOT_OURS, options]):
        if violation["impact"] in ("serious", "critical"):
            nodes = [f"{' '.join(map(str, node['target']))}: {node['failureSummary']}" for node in violation["nodes"]]
            yield f"{violation['id']} ({violation['help']})\n" + "\n".join(nodes[:4])


@pytest.mark.screenshots
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.parametrize(("language", "width", "scheme"), SHOTS)
def test_photographs(
    who: str, language: str, width: int, scheme: str, furnished: Furnished, visit: Callable[..., Page]
) -> None:
    """Not a test: the pictures of `make screenshots`, and the sheet that shows them side by side."""
    SHEET.mkdir(parents=True, exist_ok=True)
    page = visit(NOT_FOUND, viewport={"width": width, "height": 900}, locale=language, color_scheme=scheme)
    for sight in walk(page, furnished, who):
        page.screenshot(path=SHEET / f"{sight.name}.{language}-{width}-{scheme}.png", full_page=True)
    (SHEET / "index.html").write_text(contact_sheet(furnished), encoding="utf-8")


def contact_sheet(shop: Furnished) -> str:
    rows = []
    for sight in sights.of(shop):
        files = [f"{sight.name}.{language}-{width}-{scheme}.png" for language, width, scheme in SHOTS]
        pictures = "".join(f'<a href="{file}"><img loading="lazy" src="{file}" alt="{file}"></a>' for file in files)
        title = f"{html.escape(sight.name)} <small>{html.escape(sight.path)}</small>"
        rows.append(f"<section><h2>{title}</h2><div>{pictures}</div></section>")
    style = (
        "body{font:14px system-ui;margin:2rem;background:#888}h2{font-size:1rem}small{font-weight:400}"
        "div{display:flex;gap:1rem;align-items:start}img{max-height:40rem;max-width:38rem}"
    )
    return f"<!DOCTYPE html><meta charset=utf-8><title>Every page</title><style>{style}</style>{''.join(rows)}"

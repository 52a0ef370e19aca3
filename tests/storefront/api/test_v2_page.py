"""The examples in docs/api-v2.md run, and its tables match the API."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache

from orders.models import Order
from storefront.api.panel.actions import ACTIONS
from tests.factories import service
from tests.storefront.api.reseller import Reseller

PAGE = (Path(django_settings.BASE_DIR) / "docs" / "api-v2.md").read_text()
EXAMPLES = dict(re.findall(r"```(sh|php|python|js)\n(.*?)```", PAGE, re.DOTALL))
PROGRAMS = {"sh": "/bin/sh", "php": shutil.which("php"), "python": sys.executable, "js": shutil.which("node")}
#: The languages whose interpreter is on this machine.
HERE = [language for language, program in PROGRAMS.items() if program]


@pytest.fixture
def url(transactional_db: None, live_server: Any, settings: Any) -> Iterator[str]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    yield f"{live_server.url}/api/v2"
    cache.clear()


def test_there_is_an_example_in_every_language() -> None:
    assert list(EXAMPLES) == list(PROGRAMS)
    assert {"sh", "python"} <= set(HERE)


def test_the_page_lists_the_actions() -> None:
    assert set(re.findall(r"^\| `(\w+)` \| (?:returns|places|requests)", PAGE, re.MULTILINE)) == set(ACTIONS)


@pytest.mark.parametrize("language", HERE)
def test_an_example_orders_once_and_prints_the_status(
    language: str, url: str, reseller: Reseller, tmp_path: Path
) -> None:
    sold = service()
    code = EXAMPLES[language].replace("https://shop.example/api/v2", url).replace("YOUR_KEY", reseller.key)
    path = tmp_path / f"example.{language}"
    path.write_text(code.replace("1042", str(sold.pk)))
    for _ in range(2):  # with the same request_id
        done = subprocess.run([str(PROGRAMS[language]), str(path)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == json.loads(PAGE.rpartition("```json")[2].partition("```")[0])
    made = Order.objects.get()
    assert (made.user, made.link, made.quantity) == (reseller.user, "https://photos.example.com/nadia", 500)

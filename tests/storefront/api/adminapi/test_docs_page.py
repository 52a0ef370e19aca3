"""The examples in docs/admin-api.md run, and its tables match the API."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from orders.models import Transfer
from storefront.api.adminapi.urls import ROUTES
from tests import factories
from tests.storefront.api.adminapi.program import Program

PAGE = (Path(settings.BASE_DIR) / "docs" / "admin-api.md").read_text()
EXAMPLES = dict(re.findall(r"```(sh|php|python|js)\n(.*?)```", PAGE, re.DOTALL))
PROGRAMS = {"sh": "/bin/sh", "php": shutil.which("php"), "python": sys.executable, "js": shutil.which("node")}
#: The languages whose interpreter is on this machine.
HERE = [language for language, program in PROGRAMS.items() if program]


def test_there_is_an_example_in_every_language() -> None:
    assert list(EXAMPLES) == list(PROGRAMS)
    assert {"sh", "python"} <= set(HERE)


def test_the_page_names_every_endpoint() -> None:
    named = {route.removesuffix("/") for route in re.findall(r"`(?:GET|POST) /([a-z/{}-]+)`", PAGE)}
    assert {route.replace("<int:pk>", "{id}") for route, _view in ROUTES} <= named


@pytest.mark.parametrize("language", HERE)
def test_an_example_credits_the_payment_once(
    language: str, transactional_db: None, live_server: Any, tmp_path: Path
) -> None:
    customer = factories.customer("6.40", email="maria@example.com")
    code = EXAMPLES[language].replace("https://shop.example", live_server.url).replace("YOUR_KEY", Program().text)
    path = tmp_path / f"example.{language}"
    path.write_text(code)
    for _ in range(2):
        done = subprocess.run([str(PROGRAMS[language]), str(path)], capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout.strip()) == (0, "31.40"), done.stderr
    assert Transfer.objects.filter(reference__startswith="payment:reported:").count() == 1
    customer.wallet.refresh_from_db()
    assert f"{customer.wallet.balance:.2f}" == "31.40"

"""What docs/api-v3.md shows runs against the running shop, and its tables name every code."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orders.models import Order
from storefront.api.rest.problems import Code
from storefront.webhooks.models import Endpoint
from tests.clients.stage import Stage

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "api-v3.md").read_text()
BLOCKS = re.findall(r"^( *)```(sh|python|js|php)\n(.*?)^ *```$", DOCS, re.MULTILINE | re.DOTALL)
PROGRAMS = {"sh": "sh", "python": sys.executable, "js": "node", "php": "php"}


def run(language: str, stage: Stage, folder: Path) -> list[str]:
    """Run every example in this language one after the other; return what each prints."""
    printed = []
    for indent, found, code in BLOCKS:
        if found != language:
            continue
        code = re.sub(f"^{indent}", "", code, flags=re.MULTILINE)
        code = code.replace("https://shop.example", f"http://127.0.0.1:{stage.port}").replace("YOUR_KEY", stage.key)
        code = code.replace("1042", str(stage.services["default"].pk))
        (folder / "example").write_text(code)
        done = subprocess.run([PROGRAMS[language], "example"], cwd=folder, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    return printed


def test_the_examples_with_curl_run(stage: Stage, tmp_path: Path) -> None:
    services, quote, order, endpoint = map(json.loads, run("sh", stage, tmp_path))
    assert len(services["data"]) == 1
    assert quote["charge"] == order["charge"] == "0.45"
    assert Order.objects.get(source="api").pk == order["id"]
    assert endpoint["secret"] == Endpoint.objects.get().secret.reveal()


@pytest.mark.parametrize("language", [one for one in ("python", "js", "php") if shutil.which(PROGRAMS[one])])
def test_the_examples_in_other_languages_run(stage: Stage, tmp_path: Path, language: str) -> None:
    [printed] = run(language, stage, tmp_path)
    assert printed.startswith(str(Order.objects.get(source="api").pk))
    if language == "python":
        listed = [int(line.split()[0]) for line in printed.splitlines()[1:]]
        assert listed == [*Order.objects.filter(user=stage.reseller.user).order_by("-pk").values_list("pk", flat=True)]


def test_every_code_is_in_the_row_of_its_status() -> None:
    table = dict(re.findall(r"^\| ([\d, ]+) \| (`.*) \|$", DOCS, re.MULTILINE))
    rows = {status: row for statuses, row in table.items() for status in statuses.split(", ")}
    assert [code.word for code in Code if f"`{code.word}`" not in rows.get(str(code.status), "")] == []

"""Run the code samples of the documentation against real signatures."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from django.conf import settings

from orders.events import Topic
from storefront.webhooks import sending
from storefront.webhooks.models import TEST
from storefront.webhooks.signing import new_secret, signature

PAGE = (Path(settings.BASE_DIR) / "docs" / "webhooks.md").read_text()
#: How each language is run: the code then prints "true" or "false" for a body, a header and a secret.
NODE = "const [b, s, k] = process.argv.slice(2); console.log(isFromVitrine(Buffer.from(b), s, k));"
PHP = "echo is_from_vitrine($argv[1], $argv[2], $argv[3]) ? 'true' : 'false';"
PYTHON = "import sys\nprint(str(is_from_vitrine(sys.argv[1].encode(), *sys.argv[2:])).lower())"
LANGUAGES = {
    "python": ("python3", "{code}\n" + PYTHON),
    "javascript": ("node", "{code}\n" + NODE),
    "php": ("php", "<?php\n{code}\n" + PHP),
}
BODY = '{"id":"1","event":"test","data":{"name":"\\u00e9"}}'


@pytest.mark.parametrize("language", LANGUAGES)
def test_documented_signature_check_works(language: str, tmp_path: Path) -> None:
    program, frame = LANGUAGES[language]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    (code,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "check.txt"
    file.write_text(frame.replace("{code}", code))

    def says(body: str, header: str, secret: str) -> str:
        run = [program, str(file), body, header, secret]
        return subprocess.run(run, capture_output=True, text=True, check=True).stdout.strip()

    now, secret, other = int(time.time()), new_secret(), new_secret()
    good = signature(BODY.encode(), keys=[secret], at=now)
    assert says(BODY, good, secret) == "true"
    assert says(BODY, signature(BODY.encode(), keys=[other, secret], at=now), secret) == "true"
    assert says(BODY, good, other) == "false"
    assert says(BODY + " ", good, secret) == "false"
    assert says(BODY, good.replace(f"t={now}", f"t={now + 1}"), secret) == "false"
    assert says(BODY, signature(BODY.encode(), keys=[secret], at=now - 400), secret) == "false"
    for nonsense in ("", "t=,v1=", "v1", f"t={now}", f"t={now},v1=zz", f"t={now},v1", "t=²,v1=00", "t=x,v1=00,,="):
        assert says(BODY, nonsense, secret) == "false"


def test_all_events_and_retry_times_are_documented() -> None:
    assert [f"### `{topic}`" for topic in (*Topic, TEST) if f"### `{topic}`" not in PAGE] == []
    assert "30 seconds, 2 minutes, 10 minutes, 1 hour, 3 hours, 12 hours and 24 hours" in PAGE
    assert sending.RETRY_DELAYS.seconds == (30, 120, 600, 3600, 3 * 3600, 12 * 3600, 24 * 3600)

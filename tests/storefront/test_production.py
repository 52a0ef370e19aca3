"""The first start on a fresh machine: a production shop by the README's steps, and the demo. Real processes."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from django.conf import settings

from storefront.demo import seed
from storefront.demo.supervisor import answers

PASSWORD = "a-long-password-9"
#: Starting another process of the web server takes seconds.
ONE_PROCESS = {"WEB_CONCURRENCY": "1"}
#: What a fresh machine has: nothing about the shop.
FOREIGN = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH")


def environment(folder: Path, **configured: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in FOREIGN if name in os.environ}
    return {**kept, "VAR_DIR": str(folder), **configured}


def run(folder: Path, *arguments: str, **configured: str) -> subprocess.CompletedProcess[str]:
    """``python arguments`` in the project's folder, to its end."""
    return subprocess.run(
        [sys.executable, *arguments], cwd=settings.BASE_DIR, env=environment(folder, **configured),
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def manage(folder: Path, *arguments: str, **configured: str) -> str:
    done = run(folder, "manage.py", *arguments, **configured)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        return int(reserved.getsockname()[1])


def port_of_a_demo() -> int:
    """A free port below those that the system gives to connections: the panels of the demo take the five after it."""
    for port in range(20_000 + os.getpid() % 1000 * 10, 32_000, 10):
        try:
            for number in range(port, port + 6):
                socket.create_server(("127.0.0.1", number)).close()
        except OSError:
            continue
        return port
    raise AssertionError("no ports are free")


@contextmanager
def start_program(folder: Path, *command: str, port: int, limit: float = 60, **configured: str) -> Iterator[Path]:
    """A program that serves on ``port`` while the block lasts; gives the log of what it said."""
    log = folder / f"program-{port}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, *command], cwd=settings.BASE_DIR, env=environment(folder, **configured),
            stdout=output, stderr=output,
        )  # fmt: skip
    try:
        end = time.monotonic() + limit
        while not answers("127.0.0.1", port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.1)
        yield log
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


@contextmanager
def web(folder: Path, **configured: str) -> Iterator[tuple[str, Path]]:
    """gunicorn as the README starts it; the access log is on."""
    port = free_port()
    command = ("-m", "gunicorn", "storefront.wsgi", "--bind", f"127.0.0.1:{port}", "--access-logfile", "-")
    with start_program(folder, *command, port=port, **configured) as log:
        yield f"http://127.0.0.1:{port}", log


def post(browser: requests.Session, address: str, **fields: str) -> requests.Response:
    page = browser.get(address)
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
    assert token, page.text
    return browser.post(address, {"csrfmiddlewaretoken": token[1], **fields}, headers={"Referer": address})


def signed_in(shop: str, email: str, password: str = PASSWORD) -> requests.Session:
    browser = requests.Session()
    answer = post(browser, f"{shop}/account/login/", login=email, password=password)
    assert answer.status_code == 200
    assert "sessionid" in browser.cookies, answer.text
    return browser


@pytest.fixture(scope="session")
def first_steps(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's first steps leave behind: tables, an operator, and a customer."""
    folder = tmp_path_factory.mktemp("shop")
    assert "Error" not in manage(folder, "migrate")
    manage(folder, "customer", "add", "buyer@example.com", "--password", PASSWORD)
    manage(folder, "createsuperuser", "--noinput", "--email", "owner@example.com", DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    return folder


@pytest.fixture(scope="session")
def unconfigured(first_steps: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address and the log of a shop that runs with nothing configured."""
    with web(Path(shutil.copytree(first_steps, tmp_path_factory.mktemp("unconfigured") / "var"))) as running:
        yield running


@pytest.fixture
def fresh(first_steps: Path, tmp_path: Path) -> Path:
    """A folder of its own with the data of a shop that never had a web server."""
    return Path(shutil.copytree(first_steps, tmp_path / "var"))


def test_a_shop_starts_in_production_mode_with_nothing_configured(unconfigured: tuple[str, Path]) -> None:
    shop, log = unconfigured
    buyer = signed_in(shop, "buyer@example.com")
    owner = signed_in(shop, "owner@example.com")
    pages = ["/", "/orders/", "/wallet/", "/wallet/add-funds/", "/account/profile/", "/api/", "/account/email/"]
    assert {path: buyer.get(shop + path).status_code for path in pages} == dict.fromkeys(pages, 200)
    assert owner.get(f"{shop}/admin/").status_code == 200
    style = re.search(r'href="(/static/vitrine\.[0-9a-f]{12}\.css)"', buyer.get(shop).text)
    assert style, buyer.get(shop).text
    assert "immutable" in buyer.get(shop + style[1]).headers["Cache-Control"]
    missing = buyer.get(f"{shop}/no-such-page/")
    assert (missing.status_code, "DEBUG" in missing.text) == (404, False)
    assert not re.search(r"warning|error|traceback", re.sub(r".*no-such-page.*", "", log.read_text()), re.I)


def test_no_setting_switches_play_money_on(fresh: Path) -> None:
    with web(fresh, **ONE_PROCESS, DEMO_GATEWAY="true", DEMO="true", DEBUG="true") as (shop, _log):
        offered = signed_in(shop, "buyer@example.com").get(f"{shop}/wallet/add-funds/").text
        assert "Demo payment" not in offered
        assert requests.post(f"{shop}/wallet/add-funds/webhooks/demo/").status_code == 404


def test_generated_secrets_are_private_and_stay_the_same(fresh: Path) -> None:
    secrets = {name: (fresh / name).read_text() for name in ("secret_key", "encryption_keys")}
    assert all(len(value) >= 44 for value in secrets.values())
    assert [(fresh / name).stat().st_mode & 0o777 for name in secrets] == [0o600, 0o600]
    manage(fresh, "check")
    assert {name: (fresh / name).read_text() for name in secrets} == secrets
    assert not (fresh / "demo_gateway_secret").exists()


def test_mail_that_reaches_nobody_is_an_error_and_a_notice(fresh: Path, unconfigured: tuple[str, Path]) -> None:
    for url in ("", "consolemail://", "filemail:///tmp/mail"):
        done = run(fresh, "manage.py", "check", "--deploy", EMAIL_URL=url)
        assert done.returncode == 1
        assert "(mail.E003) Emails are not being sent: no mail server is configured." in done.stderr
    with web(fresh) as (shop, _log):
        assert "Emails are not being sent" in signed_in(shop, "owner@example.com").get(f"{shop}/admin/").text


def test_check_deploy_says_in_plain_words_what_is_missing(fresh: Path) -> None:
    said = run(fresh, "manage.py", "check", "--deploy").stderr
    assert "(shop.W001) SHOP_URL is http://127.0.0.1:8000" in said
    assert "ENCRYPTION_KEYS were generated" in said
    ready = {"SHOP_URL": "https://shop.example", "EMAIL_URL": "smtp+tls://a:b@mail.example:587"}
    said = run(fresh, "manage.py", "check", "--deploy", **ready).stderr
    assert "(shop.W002) HTTPS is on, but the shop cannot detect it" in said
    done = run(fresh, "manage.py", "check", "--deploy", "--fail-level", "WARNING", BEHIND_PROXY="true", **ready)
    assert done.returncode == 0, done.stderr


def test_hosts_https_and_cookies_follow_from_the_address(fresh: Path) -> None:
    with web(fresh, **ONE_PROCESS, SHOP_URL="https://shop.example", BEHIND_PROXY="true") as (shop, _log):
        plain = requests.get(shop, headers={"Host": "shop.example"}, allow_redirects=False)
        assert (plain.status_code, plain.headers["Location"]) == (301, "https://shop.example/")
        proxied = {"Host": "shop.example", "X-Forwarded-Proto": "https"}
        page = requests.get(f"{shop}/account/login/", headers=proxied)
        assert page.status_code == 200
        assert "Secure" in page.headers["Set-Cookie"]
        assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert requests.get(shop, headers={**proxied, "Host": "other.example"}).status_code == 400


@pytest.mark.parametrize("url", ["consolemail://", "smtp://127.0.0.1:9"])
def test_a_password_reset_link_reaches_no_log(fresh: Path, url: str) -> None:
    with web(fresh, **ONE_PROCESS, EMAIL_URL=url) as (shop, log):
        asked = post(requests.Session(), f"{shop}/account/password/reset/", email="buyer@example.com")
        assert asked.status_code == 200
        with sqlite3.connect(fresh / "db.sqlite3") as database:
            (text,) = database.execute("SELECT text FROM mail_email WHERE kind = 'reset'").fetchone()
        link = re.search(r"/account/password/reset/key/(\S+)/", text)
        assert link, text
        secret = link[1].partition("-")[2]
        deliver = "import django; django.setup(); from storefront.mail.tasks import deliver; deliver()"
        sent = run(fresh, "-c", deliver, EMAIL_URL=url, DJANGO_SETTINGS_MODULE="storefront.settings")
        assert "was not sent" in sent.stderr, sent.stderr
        requests.get(shop + link[0])
        requests.get(shop + link[0], headers={"Host": "unknown.example"})
        told = log.read_text() + sent.stdout + sent.stderr
    assert "[redacted]" in told
    assert secret not in told


# ------------------------------------------------------------------------------------------------ the demo


def test_the_demo_starts_with_play_money_and_keeps_to_its_own_data(tmp_path: Path) -> None:
    port = port_of_a_demo()
    with start_program(tmp_path, "manage.py", "run", port=port, limit=120, PORT=str(port)) as log:
        shop = f"http://127.0.0.1:{port}"
        end = time.monotonic() + 60
        while "Ctrl-C stops everything" not in log.read_text():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)
        assert not re.search(r"warning|traceback", log.read_text() + (tmp_path / "log" / "web.log").read_text(), re.I)
        buyer = signed_in(shop, seed.CUSTOMER, seed.PASSWORD)
        assert "Demo payment" in buyer.get(f"{shop}/wallet/add-funds/").text
        post(requests.Session(), f"{shop}/account/password/reset/", email=seed.CUSTOMER)
        end = time.monotonic() + 30
        while not list((tmp_path / "mail").glob("*")):
            assert time.monotonic() < end
            time.sleep(0.2)
        logs = "".join(path.read_text() for path in (tmp_path / "log").glob("*.log"))
        assert "/account/password/reset/key/" not in logs
    refused = run(tmp_path, "manage.py", "migrate")
    assert refused.returncode == 1
    assert "(demo.E001) This database belongs to the demo" in refused.stderr


def test_the_demo_does_not_start_on_the_database_of_a_shop(fresh: Path) -> None:
    refused = run(fresh, "manage.py", "run", PORT=str(free_port()))
    assert refused.returncode == 1
    assert "This database belongs to a shop." in refused.stderr


def test_the_demo_has_a_folder_of_its_own(tmp_path: Path) -> None:
    told = "import sys; sys.argv = ['manage.py', 'run', '--help']; import manage; manage.main()"
    show = "import atexit, os; atexit.register(lambda: print(os.environ['VAR_DIR'], os.environ['DEBUG']));"
    env = {name: value for name, value in environment(tmp_path).items() if name != "VAR_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", show + told], cwd=settings.BASE_DIR, env=env, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == f"{settings.BASE_DIR / 'var' / 'demo'} true", done.stderr

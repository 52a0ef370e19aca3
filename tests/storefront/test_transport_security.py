"""What production does to every answer: keys over HTTPS only, policies on error pages, cookies of this host alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import Client

from storefront.accounts.models import ApiKey
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["shop.example", "localhost"]


@pytest.fixture
def key() -> str:
    _row, text = ApiKey.objects.issue(factories.customer("10"))
    return text


# ------------------------------------------------------------------------------------------------ keys


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("action", ["balance", "services", "add", "refill", "cancel"])
def test_a_key_over_plain_http_is_refused_in_words(action: str, key: str) -> None:
    answer = Client(headers={"Host": "shop.example"}).post("/api/v2", {"key": key, "action": action, "order": "1"})
    assert (answer.status_code, answer.json()) == (
        200, {"error": "API keys are accepted over HTTPS only, use https://"},
    )  # fmt: skip


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("action", ["status", "refill_status"])
def test_an_order_is_not_called_failed_because_its_status_was_asked_over_plain_http(action: str, key: str) -> None:
    answer = Client(headers={"Host": "shop.example"}).post("/api/v2", {"key": key, "action": action, "order": "1"})
    assert (answer.status_code, answer.json()) == (403, {})


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    "how",
    [
        {"query_params": {"key": "KEY", "action": "balance"}},
        {"headers": {"Authorization": "Bearer KEY"}, "query_params": {"action": "balance"}},
        {"headers": {"X-Api-Key": "KEY"}, "query_params": {"action": "balance"}},
    ],
)
def test_a_key_is_refused_wherever_it_was_written(how: dict[str, Any], key: str) -> None:
    sent = json.loads(json.dumps(how).replace("KEY", key))
    sent["headers"] = {"Host": "shop.example", **sent.get("headers", {})}
    assert "HTTPS only" in Client().get("/api/v2", **sent).json()["error"]


@pytest.mark.usefixtures("production")
def test_a_key_over_https_or_on_the_machine_itself_works(key: str) -> None:
    data = {"key": key, "action": "balance"}
    for host, is_secure in (
        ("shop.example", True), ("localhost", False), ("localhost:8000", False), ("127.0.0.1:8000", False),
        ("[::1]:8000", False),
    ):  # fmt: skip
        answer = Client(headers={"Host": host}).post("/api/v2", data, secure=is_secure)
        assert answer.json()["balance"] == "10.00", host


def test_a_shop_without_https_takes_keys(key: str) -> None:
    answer = Client(headers={"Host": "shop.example"}).post("/api/v2", {"key": key, "action": "balance"})
    assert answer.json()["balance"] == "10.00"


@pytest.mark.usefixtures("production")
def test_answers_of_the_api_carry_the_policies_that_pages_do(key: str, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 31_536_000
    for action in ("balance", "services"):
        answer = Client(headers={"Host": "shop.example"}).post("/api/v2", {"key": key, "action": action}, secure=True)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
    plain = Client(headers={"Host": "localhost"}).post("/api/v2", {"key": key, "action": "balance"})
    assert "Strict-Transport-Security" not in plain.headers


def test_unknown_keys_are_logged_once_a_minute_without_the_key(caplog: pytest.LogCaptureFixture) -> None:
    cache.clear()
    for _ in range(3):
        Client(REMOTE_ADDR="198.51.100.66").post("/api/v2", {"key": "f" * 64, "action": "balance"})
    lines = [record.getMessage() for record in caplog.records if record.name == "vitrine.security"]
    assert lines == ["api_key_refused user=- address=198.51.100.66"]


# ------------------------------------------------------------------------------------------------ error pages


def test_error_pages_have_the_content_policy(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ALLOWED_HOSTS = ["shop.example"]
    client = Client(raise_request_exception=False, headers={"Host": "shop.example"})
    answers = {
        404: client.get("/nowhere/"),
        400: client.get("/", headers={"Host": "evil.example"}),
        403: Client(enforce_csrf_checks=True, headers={"Host": "shop.example"}).post("/account/login/"),
    }
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", _break)
    client.cookies[django_settings.SESSION_COOKIE_NAME] = "a" * 32
    answers[500] = client.get("/services/")
    for status, answer in answers.items():
        assert answer.status_code == status
        assert "default-src 'none'" in answer.headers.get("Content-Security-Policy", ""), status


def _break(*args: Any) -> None:
    raise RuntimeError("a bug")


# ------------------------------------------------------------------------------------------------ settings

PRODUCTION = {
    "DEBUG": "false", "HTTPS": "true", "ALLOWED_HOSTS": "shop.example", "SECRET_KEY": "x" * 60,
    "ENCRYPTION_KEYS": "kUhyGkSbgkVxsVcdZYY3YUKPfHTWKv6FqsGKKJdKDMA=",
}  # fmt: skip
NAMES = (
    "SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "LANGUAGE_COOKIE_NAME", "DEVICE_COOKIE_NAME", "MESSAGES_COOKIE_NAME",
    "SECURE_HSTS_PRELOAD",
    "SESSION_COOKIE_SECURE", "ACCOUNT_EMAIL_VERIFICATION", "SESSION_COOKIE_PATH", "SESSION_COOKIE_DOMAIN",
)  # fmt: skip


def load_settings(**environment: str) -> dict[str, Any]:
    """The settings as a process with this environment has them."""
    code = (
        "import json; from storefront import settings; "
        f"print(json.dumps({{name: getattr(settings, name, None) for name in {NAMES}}}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=django_settings.BASE_DIR, env={**os.environ, **environment},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_cookies_of_a_shop_with_https_belong_to_its_host_alone() -> None:
    found = load_settings(**PRODUCTION)
    assert all(found[name].startswith("__Host-") for name in NAMES if name.endswith("COOKIE_NAME"))
    # A browser refuses such a cookie unless it is secure, for the whole host and for no domain.
    assert (found["SESSION_COOKIE_SECURE"], found["SESSION_COOKIE_PATH"], found["SESSION_COOKIE_DOMAIN"]) == (
        True, None, None,
    )  # fmt: skip
    plain = load_settings(**PRODUCTION | {"HTTPS": "false"})
    assert plain["SESSION_COOKIE_NAME"] == "sessionid"


def test_preloading_is_asked_for_only_by_a_setting() -> None:
    assert load_settings(**PRODUCTION)["SECURE_HSTS_PRELOAD"] is False
    assert load_settings(**PRODUCTION, HSTS_PRELOAD="true")["SECURE_HSTS_PRELOAD"] is True


def test_production_confirms_addresses_before_an_account_opens() -> None:
    assert load_settings(**PRODUCTION)["ACCOUNT_EMAIL_VERIFICATION"] == "mandatory"
    assert load_settings(**PRODUCTION, CONFIRM_SIGN_UPS="false")["ACCOUNT_EMAIL_VERIFICATION"] == "optional"

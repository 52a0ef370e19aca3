"""The API reference is complete and correct, and its examples run."""

from __future__ import annotations

import ast
import gzip
import hashlib
import hmac
import html
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.core.cache import cache
from django.test import Client

from orders.errors import InvalidField, OrderInvalid
from orders.models import Order, Service
from orders.rules import service_types
from orders.rules.service_types import SERVICE_TYPES
from storefront.api.panel import responses
from storefront.api.panel.actions import ACTIONS
from storefront.api.reference import actions, errors, page, parameters, samples, vocabulary
from storefront.web import panel_vocabulary
from tests.factories import order, service
from tests.storefront.api.reseller import Reseller

ROOT = Path(__file__).resolve().parent.parent.parent.parent
#: What runs the examples, and what its files are called.
LANGUAGES = {"curl": "sh", "python": "py", "node": "js", "php": "php"}


def text_of(source: str) -> str:
    """What a reader sees of a page, each run of blanks as one."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", source)).split())


@pytest.fixture
def shown(client: Client, db: Any) -> str:
    service()
    return text_of(client.get("/api/").content.decode())


# ------------------------------------------------------------------------------------------------ complete
def test_every_text_of_the_answers_is_on_the_page(shown: str) -> None:
    texts = [value for name, value in vars(responses).items() if name.isupper() and isinstance(value, str)]
    assert len(texts) > 20
    assert [text for text in texts if text not in shown] == []


def refusals() -> Iterator[str]:
    """Every text that the API's code makes an error of, by the parts of it that are always the same."""
    for path in [
        ROOT / "storefront" / "api" / "error_handlers.py",
        *(ROOT / "storefront" / "api" / "panel").glob("*.py"),
    ]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in ("PanelRefusal", "error"):
                for part in ast.walk(node.args[0]):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        yield part.value


def test_every_error_that_the_code_words_itself_is_on_the_page(shown: str) -> None:
    texts = set(refusals())
    assert "Use GET or POST" in texts
    assert [text for text in texts if text.strip() not in shown] == []


def test_every_sentence_about_an_input_has_its_line() -> None:
    codes = "missing", "not_a_number", "too_small", "too_large", "invalid_choice", "bad_link", "too_long", "unsupported"
    lines = [re.escape(error.text) for _title, group in errors.GROUPS for error in group if error.text]
    known = re.compile("|".join(re.sub(r"\\\{.*?\\\}", ".+", line) for line in lines))
    said = {
        responses.field_error(InvalidField(one.name, code, limit=limit))
        for one in parameters.inputs()
        for code in codes
        for limit in (None, 5)
        if limit or not code.startswith("too_")
    }
    assert [sentence for sentence in said if not known.fullmatch(sentence)] == []


def test_every_word_of_a_status_is_explained(shown: str) -> None:
    assert set(vocabulary.STATUSES) == set(panel_vocabulary.WORDS.values())
    assert set(vocabulary.REFILLS) == set(panel_vocabulary.REFILL_WORDS.values())
    assert all(f"{word} {means}" in shown or f"{word}{means}" in shown for word, means in vocabulary.STATUSES.items())


def test_the_actions_of_the_page_are_those_of_the_api(shown: str) -> None:
    assert {action.name for action in actions.all_actions()} == set(ACTIONS)
    assert all(f"action={name}" in shown for name in ACTIONS)


def test_the_example_answers_have_the_names_of_real_ones(reseller: Reseller) -> None:
    sold = service(has_refill=True, has_cancel=True)
    placed = order(reseller.user, sold, status="completed")
    running = order(reseller.user, sold, status="pending")
    told = {action.name: action for action in actions.all_actions()}
    real = {
        "services": reseller.call(action="services"),
        "add": reseller.call(action="add", service=sold.pk, link="x", quantity=7),
        "status": reseller.call(action="status", order=placed.pk),
        "refill": reseller.call(action="refill", order=placed.pk),
        "refill_status": {"status": "Pending"},
        "cancel": reseller.call(action="cancel", orders=running.pk),
        "balance": reseller.call(action="balance"),
    }
    real["refill_status"] = reseller.call(action="refill_status", refill=real["refill"]["refill"])
    for name, answer in real.items():
        row = answer[0] if isinstance(answer, list) else answer
        example = told[name].answers[0].data
        example = example[0] if isinstance(example, list) else example
        assert {key: type(value) for key, value in row.items()} == {key: type(v) for key, v in example.items()}, name
        assert set(row) <= set(told[name].fields), name


# ------------------------------------------------------------------------------------------------ service types
@pytest.mark.parametrize("service_type", SERVICE_TYPES.values(), ids=SERVICE_TYPES)
def test_what_the_page_calls_needed_is_needed_and_enough(service_type: service_types.ServiceType) -> None:
    asked = {
        one.name: one.example for one in parameters.of_type(service_type) if one.is_required and one.name != "service"
    }
    service_types.read(service_type, asked, minimum=1, maximum=10_000)
    for name in asked:
        with pytest.raises(OrderInvalid):
            service_types.read(service_type, {**asked, name: ""}, minimum=1, maximum=10_000)


@pytest.mark.parametrize("service_type", SERVICE_TYPES.values(), ids=SERVICE_TYPES)
def test_everything_a_type_takes_is_on_its_line(service_type: service_types.ServiceType) -> None:
    every = {one.name: one.example for one in parameters.of_type(service_type) if one.name != "service"}
    details = service_types.read(
        service_type, {**every, "type_of_traffic": 1}, minimum=1, maximum=10_000, has_dripfeed=True
    )
    assert set(details.fields) | {"referring_url"} >= {spec.name for spec in service_type.inputs}
    assert details.runs == (every["runs"] if service_types.has_runs(service_type) else 1)


@pytest.mark.parametrize("code", SERVICE_TYPES)
def test_the_example_order_is_one_that_the_shop_takes(code: str, reseller: Reseller) -> None:
    sold = service(
        code, is_flat=SERVICE_TYPES[code].is_flat, rate="0.01", min_quantity=5, link_example="https://example.com/p"
    )
    example = page._order(sold)
    assert reseller.call(action="add", **example) == {"order": Order.objects.get().pk}
    assert Order.objects.get().service == sold


# ------------------------------------------------------------------------------------------------ the page
def test_a_plain_service_comes_before_others_in_the_examples(client: Client, db: Any) -> None:
    service("poll")
    service(is_active=False)
    service(link_pattern="https://.*")
    plain = service()
    assert f"service={plain.pk} " in text_of(client.get("/api/").content.decode())


def test_a_shop_that_sells_nothing_says_that_its_example_is_made_up(client: Client, db: Any) -> None:
    assert "This shop has no services yet" in text_of(client.get("/api/").content.decode())


def test_the_examples_ask_for_an_order_of_the_readers_own(client: Client, reseller: Reseller) -> None:
    own = order(reseller.user)
    order()
    client.force_login(reseller.user)
    assert f"-d orders={own.pk}" in text_of(client.get("/api/").content.decode())


def test_the_page_asks_as_little_of_the_database_with_a_large_catalog(
    client: Client, reseller: Reseller, django_assert_num_queries: Any
) -> None:
    for code in SERVICE_TYPES:
        service(code)
    with django_assert_num_queries(1):
        client.get("/api/")
    client.force_login(reseller.user)
    with django_assert_num_queries(5):  # session, customer, wallet, service, order
        client.get("/api/")


def test_programs_that_call_beside_the_api_are_told_in_json(client: Client, db: Any) -> None:
    for address in ("/api/", "/api", "/api/openapi.xml"):
        answer = client.post(address, {"action": "balance"})
        assert (answer.status_code, list(answer.json())) == (404, ["error"]), address
    assert client.get("/api/").status_code == 200
    assert client.head("/api/").status_code == 200


def test_nobody_pastes_a_key_into_a_page_that_came_in_the_clear(client: Client, db: Any, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    answer = client.get("/api/?a=1")
    assert (answer.status_code, answer["Location"]) == (301, "https://testserver/api/?a=1")
    assert client.get("/api/", secure=True).status_code == 200
    assert client.post("/api/").status_code == 404


def test_the_link_to_the_webhooks_is_there_when_the_shop_has_them(client: Client, db: Any) -> None:
    assert page._address_of("webhooks:nothing") == ""
    assert page._address_of("api_keys") == "/account/keys/"
    assert "X-Vitrine-Signature" in client.get("/api/").content.decode()


def test_the_page_and_its_parts_are_light(client: Client, db: Any) -> None:
    service()
    parts = [client.get("/api/").content, *((ROOT / "static" / name).read_bytes() for name in STATIC)]
    assert sum(len(gzip.compress(part)) for part in parts) < 60_000  # htmx is the rest, up to 100 kB


STATIC = ("vitrine.css", "vitrine.js", "reference.js", "icon.svg")


def test_the_limits_of_the_shop_show(client: Client, db: Any, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE, settings.IDEMPOTENCY_SECONDS, settings.SCHEDULE_MAX_DAYS = 1234, 17, 0
    settings.SANDBOX_BALANCE, settings.SANDBOX_SECONDS = "75", 33
    text = text_of(client.get("/api/").content.decode())
    assert "1,234 per minute" in text
    assert "within 17 seconds" in text
    assert "has $75.00 of play money, and an order takes 33 seconds" in text
    assert "Every order accepts request_id." in text


# ------------------------------------------------------------------------------------------------ the examples run
def program(name: str) -> str:
    found = sys.executable if name == "python" else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def run(language: str, code: str, folder: Path) -> str:
    """What ``code`` prints."""
    path = folder / f"sample.{LANGUAGES[language]}"
    path.write_text(code)
    where = program(language)
    called = ["/bin/sh", str(path)] if language == "curl" else [where, str(path)]
    done = subprocess.run(called, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(language: str, printed: str) -> Any:
    if language == "python":
        return ast.literal_eval(printed)
    return dict(re.findall(r"\[(\w+)\] => (\S*)", printed)) if language == "php" else json.loads(printed)


def code_of(source: str, mark: str) -> str:
    found = re.search(rf'<pre id="{mark}"[^>]*>(.*?)</pre>', source, re.DOTALL)
    assert found, mark
    return html.unescape(re.sub(r"<[^>]*>", "", found[1]))


@pytest.fixture
def live(transactional_db: None, live_server: Any, settings: Any) -> Iterator[str]:
    settings.ORDERS_WAKE = "tests.orders.alarm.ring"
    cache.clear()
    yield live_server.url
    cache.clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_run_unchanged(language: str, live: str, reseller: Reseller, tmp_path: Path) -> None:
    link = 'https://example.com/it\'s?a=1&b=$HOME%20"c"\\d'
    sold = service(link_example=link, min_quantity=20)
    source = requests.get(f"{live}/api/", timeout=10).text

    def printed(action: str) -> Any:
        code = code_of(source, f"{action}-{language}")
        assert code.count("YOUR_KEY") == 1
        return read(language, run(language, code.replace("YOUR_KEY", reseller.key), tmp_path))

    assert printed("balance") == {"balance": "100.84292", "currency": "USD"}
    placed = printed("add")
    made = Order.objects.get()
    assert {name: str(value) for name, value in placed.items()} == {"order": str(made.pk)}
    assert (made.link, made.quantity, made.service_id, made.user) == (link, 20, sold.pk, reseller.user)
    if language != "php":
        assert [row["service"] for row in printed("services")] == [sold.pk]
        assert set(printed("status")) == {"23501", "23502", "23503"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_multiline_inputs_arrive_as_lines(language: str, live: str, reseller: Reseller, tmp_path: Path) -> None:
    sold: Service = service("custom_comments", min_quantity=3)
    made = {
        sample.code: sample.text for sample in samples.calls(f"{live}/api/v2", {"action": "add", **page._order(sold)})
    }
    run(language, made[language].replace("YOUR_KEY", reseller.key), tmp_path)
    assert Order.objects.get().fields["comments"] == service_types.INPUTS["comments"].example.split("\n")


# ------------------------------------------------------------------------------------------------ callbacks
HARNESS = {
    "python": "\nimport sys\nprint(is_genuine(sys.argv[1].encode(), sys.argv[2], 's€cret'))",
    "node": "\nconsole.log(isGenuine(Buffer.from(process.argv[2]), process.argv[3], 's€cret'));",
    "php": "\necho is_genuine($argv[1], $argv[2], 's€cret') ? 'true' : 'false';",
}


def signed(body: str, at: float, secret: str = "s€cret") -> str:
    text = f"{int(at)}.{body}".encode()
    return f"t={int(at)},v1={hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()}"


@pytest.mark.parametrize("language", HARNESS)
def test_the_webhook_examples_accept_only_recent_signed_requests(
    language: str, client: Client, db: Any, tmp_path: Path
) -> None:
    code = code_of(client.get("/api/").content.decode(), f"callback-{language}")
    if language == "php":
        # Only the function: what stands around it answers a request.
        code = "<?php\n" + code[code.index("function") : code.index("if (!is_genuine")]
    path = tmp_path / f"check.{LANGUAGES[language]}"
    path.write_text(code + HARNESS[language])

    def believes(body: str, header: str) -> bool:
        called = [program(language), str(path), body, header]
        done = subprocess.run(called, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout.strip().lower() == "true"

    now, body = time.time(), '{"event":"order.changed","é":1}'
    assert believes(body, signed(body, now))
    assert not believes(body + " ", signed(body, now))
    assert not believes(body, signed(body, now, secret="another"))
    assert not believes(body, signed(body, now - 3600))
    assert not believes(body, "")
    assert not believes(body, f"t={int(now)},v1=short")

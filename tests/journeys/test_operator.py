"""The whole path with the operator's commands alone, at each of the five panels; at one, in separate processes."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command, execute_from_command_line
from django.test import Client

from orders.models import Order, Service
from providers.models import Placement
from providers.panels.simulators import Panel
from tests.processes import run_manage
from tests.providers.conftest import ALL_DIALECTS, INPUTS

pytestmark = pytest.mark.django_db(transaction=True)


def run_in_process(*arguments: str) -> str:
    done = run_manage(*arguments)
    assert done.returncode == 0, done.stderr
    return str(done.stdout)


def run_here(*arguments: str) -> str:
    """Return the same command without the seconds that a process takes to start."""
    said = StringIO()
    call_command(*arguments, stdout=said)
    return said.getvalue()


def run_refused(capsys: Any, *arguments: str) -> tuple[int, str]:
    """Return the exit code of a command, and what it complained about, as `manage.py` would."""
    with pytest.raises(SystemExit) as left:
        execute_from_command_line(["manage.py", *arguments])
    return int(str(left.value.code)), capsys.readouterr().err


@ALL_DIALECTS
def test_from_an_empty_shop_to_a_completed_order(dialect: str, start_panel: Callable[..., Panel]) -> None:
    run = run_in_process if dialect == "v2" else run_here

    def counts(*arguments: str) -> Any:
        return json.loads(run(*arguments).strip().splitlines()[-1])

    panel = start_panel(dialect)
    details = ["--url", panel.url, "--key", panel.key, "--dialect", dialect, "--currency", panel.currency]
    run("provider", "add", "north", *details, "--exchange-rate", "0.5")
    assert run("provider", "test", "north").strip() == (
        f"north: balance 100000.00 {panel.currency}, {len(panel.services)} services"
    )
    assert f"{len(panel.services)} provider services added" in run(
        "provider", "import", "north", "--markup", "50", "--publish"
    )
    run("customer", "add", "buyer@example.com", "--password", "a-long-password-9")
    run("customer", "credit", "buyer@example.com", "1000", "--reference", "first")
    run("customer", "credit", "buyer@example.com", "1000", "--reference", "first")
    key = run("customer", "key", "buyer@example.com").strip()

    service = Service.objects.order_by("is_flat", "rate")[0]
    answer = Client().post(
        "/api/v2",
        {
            **INPUTS,
            "key": key,
            "action": "add",
            "service": service.pk,
            "link": service.link_example or INPUTS["link"],
            "quantity": service.min_quantity,
        },
    )
    number = answer.json()["order"]
    assert counts("run_due", "submit", "--now") == {"submit": {"accepted": 1}}
    upstream_id = Placement.objects.get(order_id=number).upstream_id
    panel.report(upstream_id, panel.statuses.completed, remains=0)
    assert counts("run_due", "sync", "--now")["sync"]["changed"] == 1

    assert Order.objects.get().status == "completed"
    status = Client().post("/api/v2", {"key": key, "action": "status", "order": number}).json()
    assert (status["status"], status["remains"]) == ("Completed", "0")
    balance = Client().post("/api/v2", {"key": key, "action": "balance"}).json()["balance"]
    assert float(balance) == pytest.approx(1000 - float(Order.objects.get().charge))
    assert "The ledger is correct" in run("audit_ledger")
    assert panel.violations == []


def test_mistakes_lead_to_an_error_message_and_an_exit_code(start_panel: Callable[..., Panel], capsys: Any) -> None:
    panel = start_panel("v2")
    mistakes = {
        ("provider", "test", "nobody"): "There is no provider",
        ("provider", "add", "x", "--url", "ftp://x", "--key", "k", "--dialect", "v2"): "url",
        ("customer", "key", "nobody@example.com"): "There is no customer",
        ("customer", "add", "not-an-address"): "valid email",
        ("provider", "add", "x", "--url", panel.url, "--key", "wrong", "--dialect", "auto"): "No dialect works",
    }
    for arguments, sentence in mistakes.items():
        code, said = run_refused(capsys, *arguments)
        assert code != 0
        assert sentence in said
        assert "Traceback" not in said
    run_here("customer", "add", "buyer@example.com")
    for amount in ("0", "-5", "1e5", "ten"):
        code, said = run_refused(capsys, "customer", "credit", "buyer@example.com", amount, "--reference", amount)
        assert code == 1
        assert "Nothing was credited" in said


def test_a_provider_on_this_machine_is_refused_unless_allowed(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("v2")
    arguments = ("provider", "add", "x", "--url", panel.url, "--key", panel.key, "--dialect", "v2")
    done = run_manage(*arguments, ALLOW_PRIVATE_PANELS="false")
    assert done.returncode == 1
    assert "url" in done.stderr

"""Operators choose where a provider's key goes, and every call follows that."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.core.management import call_command

from orders.lifecycle import customer_requests
from orders.models import Service
from providers.models import Provider
from providers.panels.simulators import Panel
from providers.placing import submission
from providers.tracking import status_sync, upstream_requests
from tests.providers.conftest import buy, customer, provider_at

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("auth", "in_body", "is_bearer"),
    [("", True, True), ("key", True, False), ("bearer", False, True), ("both", True, True)],
)
def test_every_call_carries_the_key_where_it_was_set(
    start_panel: Callable[..., Panel], auth: str, in_body: bool, is_bearer: bool
) -> None:
    panel = start_panel("toplistbot")
    provider = provider_at(panel, "toplistbot", auth=auth)
    Service.objects.update(has_cancel=True)
    order = buy(customer(), Service.objects.order_by("pk")[0])
    submission.submit_due(provider)
    customer_requests.request_cancellation(type(order).objects.get(pk=order.pk))
    upstream_requests.run(provider, is_now=True)
    status_sync.sync_statuses(provider, is_now=True)
    assert {received.verb for received in panel.requests} >= {"services", "add", "cancel", "status"}
    for received in panel.requests:
        assert ("key" in received.params, "authorization" in received.headers) == (in_body, is_bearer), received.verb
    assert panel.violations == []
    order.refresh_from_db()
    assert order.status == "canceled"


def test_the_command_keeps_where_the_key_goes(start_panel: Callable[..., Panel]) -> None:
    panel = start_panel("toplistbot")
    call_command(
        "provider",
        "add",
        "votes",
        "--url",
        panel.url,
        "--key",
        panel.key,
        "--dialect",
        "toplistbot",
        "--auth",
        "bearer",
    )
    assert Provider.objects.get().auth == "bearer"
    assert [received.params.get("key") for received in panel.requests] == [None]

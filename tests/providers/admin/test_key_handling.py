"""A provider's API key is sent only to the address it was entered for, and never appears in a process list."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client

from orders.db.encrypted_field import Secret
from orders.management import secret_input
from providers.http.addresses import origin
from providers.models import Provider
from providers.panels.simulators import Panel
from providers.pricelists import onboarding
from tests import factories
from tests.providers.admin.test_admin import KEY, LIST, form

pytestmark = pytest.mark.django_db
HOME = "https://panel.example.com/api/v2"


@pytest.fixture
def clerk() -> Client:
    """Staff who may change providers."""
    user = factories.user(is_staff=True)
    user.user_permissions.set(
        Permission.objects.filter(
            codename__in=["view_provider", "change_provider"], content_type__app_label="providers"
        )
    )
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def north() -> Provider:
    return Provider.objects.create(name="north", url=HOME, dialect_name="v2", currency="USD", key=Secret.hide(KEY))


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://thief.example.com/api/v2",
        "http://panel.example.com/api/v2",
        "https://panel.example.com:8443/api/v2",
        "https://panel.example.com.thief.example/api/v2",
    ],
)
def test_a_key_is_not_sent_to_an_address_it_was_not_entered_for(elsewhere: str, clerk: Client, north: Provider) -> None:
    answer = clerk.post(f"{LIST}{north.pk}/change/", form(url=elsewhere, api_key=""))
    assert answer.status_code == 200
    assert "Enter the API key again" in answer.content.decode()
    north.refresh_from_db()
    assert north.url == HOME
    assert clerk.post(f"{LIST}{north.pk}/change/", form(url=elsewhere, api_key="the-new-key")).status_code == 302
    north.refresh_from_db()
    assert (north.url, north.key.reveal()) == (elsewhere, "the-new-key")


@pytest.mark.parametrize("same", ["https://PANEL.example.com:443/api/v2", "https://panel.example.com/adminapi/v3?x=1"])
def test_another_path_at_the_same_server_keeps_the_key(same: str, clerk: Client, north: Provider) -> None:
    assert clerk.post(f"{LIST}{north.pk}/change/", form(url=same, api_key="")).status_code == 302
    north.refresh_from_db()
    assert (north.url, north.key.reveal()) == (same, KEY)


def test_onboarding_refuses_a_stored_key_at_another_address(north: Provider) -> None:
    with pytest.raises(ValidationError, match="Enter the API key again"):
        onboarding.check_key_stays(north, url="https://thief.example.com/api/v2")
    onboarding.check_key_stays(north, url="https://panel.example.com/v2")


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.example/x", "https://a.example:443/y", True),
        ("http://a.example/x", "http://A.example:80", True),
        ("https://a.example", "https://a.example.", False),
        ("https://a.example", "https://b.example", False),
        ("https://a.example", "http://a.example:443", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, is_same: bool) -> None:
    assert (origin(one) == origin(other)) is is_same


# ------------------------------------------------------------------------------------------------ the command


def add(url: str, *options: str) -> None:
    call_command("provider", "add", "north", "--url", url, "--dialect", "v2", *options, stdout=StringIO())


def test_the_command_takes_the_key_from_a_file(start_panel: Callable[..., Panel], tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-in-a-file\n")
    add(start_panel("v2").url, "--key-file", str(file))
    assert Provider.objects.get().key.reveal() == "key-in-a-file"


def test_the_command_takes_the_key_from_standard_input(start_panel: Callable[..., Panel], monkeypatch: Any) -> None:
    monkeypatch.setattr(secret_input.sys, "stdin", StringIO("key-from-a-pipe\n"))
    add(start_panel("v2").url, "--key-file", "-")
    assert Provider.objects.get().key.reveal() == "key-from-a-pipe"


def test_the_command_takes_the_key_from_the_environment(start_panel: Callable[..., Panel], monkeypatch: Any) -> None:
    monkeypatch.setenv("PROVIDER_KEY", "key-in-the-environment")
    add(start_panel("v2").url)
    assert Provider.objects.get().key.reveal() == "key-in-the-environment"


def test_the_command_asks_for_the_key(start_panel: Callable[..., Panel], monkeypatch: Any) -> None:
    monkeypatch.delenv("PROVIDER_KEY", raising=False)
    monkeypatch.setattr(secret_input.sys, "stdin", type("Terminal", (StringIO,), {"isatty": lambda self: True})())
    monkeypatch.setattr(secret_input, "getpass", lambda prompt: "typed-key")
    add(start_panel("v2").url)
    assert Provider.objects.get().key.reveal() == "typed-key"


@pytest.mark.parametrize("options", [(), ("--key-file", "/nowhere/key"), ("--key-file", "/dev/null")])
def test_the_command_says_where_a_key_can_come_from(
    options: tuple[str, ...], start_panel: Callable[..., Panel], monkeypatch: Any
) -> None:
    monkeypatch.delenv("PROVIDER_KEY", raising=False)
    monkeypatch.setattr(secret_input.sys, "stdin", StringIO())
    with pytest.raises(CommandError, match="key"):
        add(start_panel("v2").url, *options)
    assert not Provider.objects.exists()


def test_a_new_address_by_command_takes_the_key_that_is_given(
    start_panel: Callable[..., Panel], tmp_path: Path
) -> None:
    """The stored key is never used by ``provider add``: there is no way to send it elsewhere."""
    first, second = start_panel("v2"), start_panel("v2")
    add(first.url, "--key", "first-key")
    add(second.url, "--key", "second-key")
    provider = Provider.objects.get()
    assert (provider.url, provider.key.reveal()) == (second.url, "second-key")

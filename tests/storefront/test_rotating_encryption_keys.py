"""Everything that is encrypted at rest is re-encrypted with the newest key; then the old one can be thrown away."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.apps import apps
from django.core.management import CommandError, call_command

from orders.db import encryption
from orders.db.encrypted_field import EncryptedField, Secret
from providers.models import Provider
from storefront.webhooks.models import Endpoint
from tests import factories

pytestmark = pytest.mark.django_db
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture(autouse=True)
def _old_key(settings: Any) -> None:
    settings.ENCRYPTION_KEYS = [OLD]


def rotate() -> str:
    said = StringIO()
    call_command("rotate_encryption_keys", stdout=said, stderr=said)
    return said.getvalue()


def provider(name: str = "north") -> Provider:
    return Provider.objects.create(
        name=name, url="https://panel.example/", dialect_name="v2", currency="USD", key=Secret.hide(f"key of {name}")
    )


def authenticator() -> Authenticator:
    data = {"secret": encryption.encrypt("TOTP")}
    return Authenticator.objects.create(user=factories.user(), type="totp", data=data)


def test_everything_opens_with_the_newest_key_alone(settings: Any) -> None:
    north, user = provider(), factories.user()
    hook = Endpoint.objects.create(user=user, url="https://a.example/", secret=Secret.hide("signs"))
    app = authenticator()
    codes = Authenticator.objects.create(
        user=user,
        type="recovery_codes",
        data={"seed": encryption.encrypt("SEED"), "migrated_codes": [encryption.encrypt("one")], "used_mask": 5},
    )
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    assert "In all: 5 re-encrypted" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    for row in (north, hook, app, codes):
        row.refresh_from_db()
    assert (north.key.reveal(), hook.secret.reveal()) == ("key of north", "signs")
    assert encryption.decrypt(app.data["secret"]) == "TOTP"
    assert encryption.decrypt(codes.data["seed"]) == "SEED"
    assert [encryption.decrypt(code) for code in codes.data["migrated_codes"]] == ["one"]
    assert codes.data["used_mask"] == 5


def test_a_second_run_changes_nothing(settings: Any) -> None:
    north = provider()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    rotate()
    token = Provider.objects.get().key.token
    assert "0 re-encrypted, 1 already with the newest key, 0 unreadable" in rotate()
    north.refresh_from_db()
    assert north.key.token == token


def test_a_run_that_was_interrupted_goes_on(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        provider(f"p{number}")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    done: list[str] = []
    plain = encryption.rotate

    def breaks(token: str) -> str:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(token)
        return plain(token)

    monkeypatch.setattr(encryption, "rotate", breaks)
    with pytest.raises(KeyboardInterrupt):
        rotate()
    monkeypatch.setattr(encryption, "rotate", plain)
    assert "2 re-encrypted, 2 already with the newest key" in rotate()
    settings.ENCRYPTION_KEYS = [NEW]
    assert [row.key.reveal() for row in Provider.objects.order_by("name")] == [f"key of p{n}" for n in range(4)]


def test_what_changes_meanwhile_is_not_overwritten(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    north = provider()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    plain = encryption.rotate

    def meanwhile(token: str) -> str:
        Provider.objects.filter(pk=north.pk).update(key=Secret.hide("entered just now"))
        return plain(token)

    monkeypatch.setattr(encryption, "rotate", meanwhile)
    rotate()
    north.refresh_from_db()
    assert north.key.reveal() == "entered just now"


def test_what_no_key_opens_is_counted_and_named_and_left_alone(settings: Any) -> None:
    provider("good")
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    lost = provider("lost")
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    said = StringIO()
    with pytest.raises(CommandError, match="1 value cannot be read"):
        call_command("rotate_encryption_keys", stdout=said, stderr=said)
    assert "1 re-encrypted" in said.getvalue()
    assert f"providers.Provider.key {lost.pk}" in said.getvalue()
    assert lost.key.token not in said.getvalue()
    token = lost.key.token
    lost.refresh_from_db()
    assert lost.key.token == token


def test_no_encrypted_column_is_forgotten(settings: Any) -> None:
    """Columns are found by their type: a new one needs no entry anywhere."""
    provider()
    settings.ENCRYPTION_KEYS = [NEW, OLD]
    said = rotate()
    columns = [
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models()
        for column in model._meta.local_fields
        if isinstance(column, EncryptedField)
    ]
    assert columns
    assert all(name in said for name in columns)

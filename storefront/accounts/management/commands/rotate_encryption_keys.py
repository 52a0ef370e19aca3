"""Management command that re-encrypts everything encrypted at rest with the newest of ENCRYPTION_KEYS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django.db.models import Model

from orders.db import encryption
from orders.management.operator import OperatorCommand

#: Number of rows read at once.
_CHUNK = 500
#: The values of a second factor that the sign-in library encrypts, by their names in its data.
_FACTOR_TEXTS = ("secret", "seed")
_FACTOR_LISTS = ("migrated_codes",)

RE_ENCRYPTED, CURRENT, UNREADABLE = "re-encrypted", "already with the newest key", "unreadable"


class Command(OperatorCommand):
    help = (
        "Re-encrypts stored secrets with the newest of ENCRYPTION_KEYS. Each value is written by itself: the command "
        "can be interrupted and run again, while the shop is open. When nothing is unreadable, the older keys can go."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        total: Counter[str] = Counter()
        for model in apps.get_models():
            for column in model._meta.local_fields:
                if getattr(column, "is_encrypted", False):
                    total += self._report(f"{model._meta.label}.{column.name}", _column(model, column.name))
        total += self._report("second factors", _second_factors())
        self.stdout.write(f"In all: {_counts(total)}")
        if total[UNREADABLE]:
            count = total[UNREADABLE]
            raise CommandError(
                f"{count} {'value' if count == 1 else 'values'} cannot be read with any of ENCRYPTION_KEYS. Keep the "
                "older keys, and add the one these were written with, or enter the secrets again."
            )

    def _report(self, name: str, results: Iterator[tuple[int, str]]) -> Counter[str]:
        """Count and print ``results``, pairs of a row's primary key and its result.

        Iterating over ``results`` does the work.
        """
        counted: Counter[str] = Counter()
        for pk, result in results:
            counted[result] += 1
            if result == UNREADABLE:
                self.stderr.write(f"{name} {pk}: no key opens it")
        self.stdout.write(f"{name}: {_counts(counted)}")
        return counted


def _counts(counted: Counter[str]) -> str:
    return ", ".join(f"{counted[result]} {result}" for result in (RE_ENCRYPTED, CURRENT, UNREADABLE))


def _column(model: type[Model], column: str) -> Iterator[tuple[int, str]]:
    rows = model._default_manager.order_by("pk").values_list("pk", column)
    for pk, secret in rows.iterator(_CHUNK):
        if not secret:
            continue

        def write(new: str, pk: int = pk, secret: Any = secret) -> None:
            # Replace only the value that was read, so that a secret entered in the meantime is kept.
            model._default_manager.filter(pk=pk, **{column: secret}).update(**{column: type(secret)(new)})

        yield pk, _rotate(secret.token, write)


def _second_factors() -> Iterator[tuple[int, str]]:
    for row in Authenticator.objects.order_by("pk").iterator(_CHUNK):
        for name in _FACTOR_TEXTS:
            if isinstance(row.data.get(name), str):
                yield row.pk, _rotate(row.data[name], _factor_writer(row, name))
        for name in _FACTOR_LISTS:
            for index, token in enumerate(row.data.get(name) or ()):
                yield row.pk, _rotate(token, _factor_writer(row, name, index))


def _factor_writer(row: Any, name: str, index: int | None = None) -> Callable[[str], None]:
    def write(new: str) -> None:
        before = row.data
        value = new if index is None else [*before[name][:index], new, *before[name][index + 1 :]]
        after = {**before, name: value}
        # Replace only the data that was read, so that a recovery code used in the meantime stays used.
        if Authenticator.objects.filter(pk=row.pk, data=before).update(data=after):
            row.data = after

    return write


def _rotate(token: str, write: Callable[[str], None]) -> str:
    if encryption.is_newest(token):
        return CURRENT
    try:
        new = encryption.rotate(token)
    except ImproperlyConfigured:
        return UNREADABLE
    write(new)
    return RE_ENCRYPTED

"""The history of what programs change: a line in the history of each row, with the values before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models

from storefront.api.adminapi.models import StaffKey

#: The values of a row before and after a change, by the name of the column.
Changes = Mapping[str, tuple[Any, Any]]


def record(key: StaffKey, row: models.Model, endpoint: str, changes: Changes) -> None:
    """Write the change of ``row`` into its history, in the transaction of the change; nothing if there is none."""
    if not changes:
        return
    values = ", ".join(f"{name} {_text(old)} → {_text(new)}" for name, (old, new) in changes.items())
    told = f"Admin API, key {key.prefix}, {endpoint}: {values}"
    LogEntry.objects.log_actions(key.user_id, [row], CHANGE, told)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Return the values that differ."""
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def _text(value: Any) -> str:
    return "none" if value is None or value == "" else f"“{value}”"

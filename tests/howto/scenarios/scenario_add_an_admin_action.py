"""After docs/how-to/add-an-admin-action.md: the action hides the selected categories and no others."""

from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.test import Client

from orders.models import Category

pytestmark = pytest.mark.django_db


def test_the_action_hides_the_selected_categories_and_is_logged() -> None:
    first, second, hidden = (Category.objects.create(name=name, is_active=name != "c") for name in "abc")
    client = Client()
    client.force_login(get_user_model().objects.create_superuser("operator@example.com", "a long password 1"))
    answer = client.post(
        "/admin/orders/category/", {"action": "hide", "_selected_action": [first.pk, hidden.pk]}, follow=True
    )
    assert "1 category hidden." in answer.content.decode()
    assert list(Category.objects.filter(is_active=True)) == [second]
    assert list(LogEntry.objects.values_list("object_id", flat=True)) == [str(first.pk)]

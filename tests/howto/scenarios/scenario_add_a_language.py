"""After docs/how-to/add-a-language.md: the language can be chosen, and texts without a translation are English."""

from __future__ import annotations

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_visitor_reads_the_shop_in_the_new_language() -> None:
    client = Client()
    client.post("/language/", {"language": "de", "next": "/services/"})
    page = client.get("/services/").content.decode()
    assert 'lang="de"' in page
    assert "Dienste" in page
    assert "Anmelden" in page
    assert "Favorites" in page or "Refill" in page

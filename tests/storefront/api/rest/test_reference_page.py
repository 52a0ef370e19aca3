"""The reference page shows every operation and every error code, and asks the database nothing."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from storefront.api.rest import openapi, reference_page
from storefront.api.rest.problems import Code
from tests.storefront.api.rest.program import problem


class Ids(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found["href"]] if found.get("href", "").startswith("#") else []


@pytest.fixture
def page(db: None) -> str:
    return Client().get("/api/v3/").content.decode()


def test_every_operation_and_code_has_its_place(page: str) -> None:
    operations = [one["operationId"] for methods in openapi.document()["paths"].values() for one in methods.values()]
    found = Ids(page)
    assert {*operations, *(code.word for code in Code)} <= set(found.ids)
    assert len(found.ids) == len(set(found.ids))
    assert {link[1:] for link in found.links} <= {*found.ids, "main", ""}


def test_examples_are_json_of_the_described_fields() -> None:
    for group in reference_page.context(address="https://shop.example/api/v3")["groups"]:
        for operation in group.operations:
            if operation.answer:
                row = json.loads(operation.answer)
                row = row["data"][0] if "next_cursor" in row else row
                assert list(row) == [one.name for one in operation.fields], operation.name


def test_the_page_is_shown_in_every_language(db: None) -> None:
    for language in ("ru", "tr", "ar"):
        page = Client().get("/api/v3/", headers={"Accept-Language": language}).content.decode()
        assert f'lang="{language}"' in page
        assert "orders_create" in page


def test_a_program_that_posts_here_gets_json(db: None) -> None:
    assert problem(Client().post("/api/v3/")) == (404, "not_found")


def test_the_address_without_its_slash_leads_to_the_page(db: None) -> None:
    assert Client().get("/api/v3")["Location"] == "/api/v3/"


def test_plain_http_is_redirected_for_people(db: None, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get("/api/v3/")["Location"] == "https://testserver/api/v3/"


def test_the_page_names_the_key_only_as_a_placeholder(page: str) -> None:
    assert re.search(r"Bearer <span data-key>YOUR_KEY</span>", page)

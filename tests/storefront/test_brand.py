"""Branding: the shop's accent color and logo."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from storefront.brand.models import Brand

pytestmark = pytest.mark.django_db
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + struct.pack(">II", 96, 32) + b"\x08\x06\x00\x00\x00" + b"\x00" * 20


@pytest.fixture(autouse=True)
def fresh() -> Any:
    cache.clear()
    yield
    cache.clear()


def save(admin_client: Client, **fields: Any) -> Any:
    admin_client.get("/admin/brand/brand/")
    return admin_client.post("/admin/brand/brand/1/change/", fields)


def test_without_branding_the_default_look_is_used(client: Client) -> None:
    page = client.get("/").content.decode()
    assert "/brand/" not in page
    assert client.get("/brand/1.css").status_code == client.get("/brand/1/logo").status_code == 404


def test_color_and_logo_appear_on_pages(admin_client: Client, client: Client) -> None:
    logo = SimpleUploadedFile("logo.png", PNG, content_type="text/html")
    assert save(admin_client, accent="#a3246f", upload=logo).status_code == 302
    page = client.get("/").content.decode()
    sheet = page.partition('href="/brand/')[2].partition('"')[0]
    answer = client.get(f"/brand/{sheet}")
    assert (answer.content, answer["Content-Type"]) == (b":root{--brand:#a3246f}", "text/css")
    assert "immutable" in answer["Cache-Control"]
    logo_at = page.partition('src="/brand/')[2].partition('"')[0]
    answer = client.get(f"/brand/{logo_at}")
    assert (answer.content, answer["Content-Type"], answer["X-Content-Type-Options"]) == (PNG, "image/png", "nosniff")
    assert save(admin_client, accent="", is_without_logo="on").status_code == 302
    assert "/brand/" not in client.get("/").content.decode()


@pytest.mark.parametrize("accent", ["red", "#12345", "#1234567", "#0b6b78}body{display:none", "#0b6b78\n"])
def test_an_invalid_color_is_rejected(admin_client: Client, accent: str) -> None:
    answer = save(admin_client, accent=accent)
    assert answer.status_code == 200 or Brand.objects.get().accent == accent.strip()
    assert Brand.objects.get().accent in ("", "#0b6b78")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", "not a PNG or WebP"),
        (b"<html>", "not a PNG or WebP"),
        (PNG + b"\x00" * 110_000, "larger than 100 kB"),
        (PNG[:16] + struct.pack(">II", 5000, 32) + PNG[24:], "more than 1,024 pixels"),
    ],
)
def test_a_logo_is_checked_by_content_and_size(admin_client: Client, content: bytes, problem: str) -> None:
    answer = save(admin_client, accent="", upload=SimpleUploadedFile("logo.png", content, content_type="image/png"))
    assert answer.status_code == 200
    assert problem in answer.content.decode()
    assert bytes(Brand.objects.get().logo) == b""


def test_the_look_is_cached(client: Client, django_assert_max_num_queries: Any) -> None:
    client.get("/style/")
    with django_assert_max_num_queries(0):
        client.get("/style/")

"""Fill in the order form as a browser does, with everything that the page contains."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client

from orders.models import Service
from tests.factories import INPUTS

ADDRESS = "/orders/new/"


class _Inputs(HTMLParser):
    """The names on the order form, with the values of its inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self.is_in_form = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "form":
            self.is_in_form = found.get("id") == "order-form"
        if self.is_in_form and tag in ("input", "select", "textarea") and found.get("name"):
            self.values[str(found["name"])] = found.get("value") or ""


def text_of(response: Any) -> str:
    return unescape(response.content.decode())


def inputs_on(response: HttpResponse) -> dict[str, str]:
    parser = _Inputs()
    parser.feed(response.content.decode())
    return parser.values


def form_data(client: Client, service: Service, **changes: str) -> dict[str, str]:
    """Return the form's data for ``service``: its values on the page, an example for each input, and ``changes``."""
    shown = inputs_on(client.get(ADDRESS, {"service": service.pk}))
    examples = {name: INPUTS[name] for name in shown if name in INPUTS}
    return {**shown, **examples, **changes}


def send(client: Client, data: dict[str, str]) -> Any:
    return client.post(ADDRESS, data)

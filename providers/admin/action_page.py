"""The page that an action of a list shows before it runs, to ask the operator for what it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.forms import Form
from django.http import HttpRequest
from django.template.response import TemplateResponse


def is_confirmed(request: HttpRequest) -> bool:
    """Return whether the page was sent, rather than the list from which it opens."""
    return "confirm" in request.POST


def render(
    model_admin: ModelAdmin[Any], request: HttpRequest, *, template: str, title: Any, form: Form, rows: Iterable[Any]
) -> TemplateResponse:
    """Show ``form`` for the chosen ``rows``; sending it runs the same action again."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "form": form,
        "rows": rows,
        "action": request.POST["action"],
        "checkbox": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, f"admin/providers/{template}.html", context)

"""The view behind a decision button of the back office: one POST that acts, is logged, and shows the result."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from orders.admin import base


def _itself(row: Any) -> Any:
    return row


def _no_objection(subject: Any, user: Any) -> str:
    return ""


def decision_view(
    model: type[models.Model],
    form_class: type[forms.Form],
    decide: Callable[..., str],
    *,
    permission: str,
    errors: tuple[type[Exception], ...],
    error_text: Callable[[Any], str] = str,
    subject_of: Callable[[Any], Any] = _itself,
    objection: Callable[[Any, Any], str] = _no_objection,
) -> Callable[..., HttpResponse]:
    """Return the view of one decision button.

    Args:
        model: The model of the row that the URL names by its primary key.
        form_class: The inputs of the decision; its cleaned data are the keyword arguments of ``decide``.
        decide: Acts on (row, user, inputs) and returns the message of success. It runs in one transaction with its
            entry in the admin's history.
        permission: Who may decide.
        errors: The exceptions of ``decide`` that are shown to the operator; then nothing was changed.
        error_text: The message for one of these.
        subject_of: Returns the row whose page and history the decision belongs to.
        objection: Returns why this user must not decide about the subject, "" if they may.
    """

    @require_POST
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm(permission):
            raise PermissionDenied
        row: Any = get_object_or_404(model, pk=pk)
        subject, form = subject_of(row), form_class(request.POST)
        if reason := objection(subject, request.user):
            messages.error(request, reason)
        elif not form.is_valid():
            for name, texts in form.errors.items():
                messages.error(request, f"{form.fields[name].label}: {' '.join(map(str, texts))}")
        else:
            try:
                with transaction.atomic():
                    result = decide(row, request.user, **form.cleaned_data)
                    LogEntry.objects.log_actions(request.user.pk, [subject], CHANGE, result)  # type: ignore[arg-type]
            except errors as problem:
                messages.error(request, error_text(problem))
            else:
                messages.success(request, result)
        return redirect(base.page_url(subject))

    return view

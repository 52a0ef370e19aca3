"""The page that shows and changes the account's email address."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.account.views import EmailView
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator


@method_decorator(login_required, name="dispatch")
class ChangeEmailView(EmailView):
    """The library's page without its action that makes an unconfirmed address the account's own."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if "action_primary" in request.POST:
            return redirect("account_email")
        response: HttpResponse = super().post(request, *args, **kwargs)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        rows = {row.email: row for row in EmailAddress.objects.filter(user=self.request.user)}
        own = rows.pop(self.request.user.email, None)
        return {**context, "is_confirmed": bool(own and own.verified), "pending": next(iter(rows.values()), None)}


change_email = ChangeEmailView.as_view()

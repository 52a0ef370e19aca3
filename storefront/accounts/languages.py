"""The language switch in the footer, stored in the browser and, for signed-in users, with the account."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from storefront.accounts.models import User


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Store the language.

    Django's own view sets the cookie and redirects back, only to URLs of the shop.
    """
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)

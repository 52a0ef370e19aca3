"""The choice of a language in the foot of every page: kept by the browser, and with the account of who is signed in."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_POST
from django.views.i18n import set_language

from storefront.accounts.models import User


@require_POST
def choose(request: HttpRequest) -> HttpResponseBase:
    """Django's own view leads back, to addresses of ours alone, and gives the browser its cookie."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_language(request)

"""Messages of pages wait in a cookie that, with HTTPS, belongs to this very host, as all cookies of the shop do."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    cookie_name = settings.MESSAGES_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Stores messages in the cookie as far as they fit, and the rest in the session."""

    storage_classes = (HostCookieStorage, SessionStorage)

"""The second factor as the log-in library asks for it: its secrets are encrypted at rest and carry the shop's name, and
a code opens once for as long as it is good."""

from __future__ import annotations

from typing import Any

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from django.conf import settings
from django.core.cache import cache
from qrcode.image.svg import SvgPathImage

from orders import cipher

#: How long a code is good: its own step of 30 seconds, and MFA_TOTP_TOLERANCE more of them before and after it.
_GOOD_FOR = 30 * (1 + 2 * settings.MFA_TOTP_TOLERANCE)


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return cipher.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return cipher.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(settings.SHOP_NAME)

    def build_totp_svg(self, url: str) -> str:
        """A drawing that can stand in the page itself: a data: address would be against our content policy."""
        drawn: Any = qrcode.make(url, image_factory=SvgPathImage)
        return str(drawn.to_string(encoding="unicode"))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": str(settings.SHOP_NAME)}


class _Once(BaseAuthenticateForm):
    """The library remembers a used code for one step only: with tolerance it would be good again after that."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        if not cache.add(f"allauth.used:{self.user.pk}:{code}", 1, _GOOD_FOR):
            raise SecondFactorAdapter().validation_error("incorrect_code")
        return code


class SignInForm(_Once, AuthenticateForm):
    pass


class AskedAgainForm(_Once, ReauthenticateForm):
    pass

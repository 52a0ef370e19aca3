"""Adapt the sign-in library's second factor: encrypt its secrets, name the shop and accept each code only once."""

from __future__ import annotations

from typing import Any

import qrcode
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.forms import AuthenticateForm as LibraryAuthenticateForm
from allauth.mfa.base.forms import BaseAuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as LibraryReauthenticateForm
from allauth.mfa.webauthn.forms import AuthenticateWebAuthnForm, LoginWebAuthnForm, ReauthenticateWebAuthnForm
from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ValidationError
from qrcode.image.svg import SvgPathImage

from orders.db import encryption
from storefront.accounts import security_log

#: Seconds for which a code is valid: its own step of 30 seconds, and MFA_TOTP_TOLERANCE steps before and after it.
_CODE_LIFETIME = 30 * (1 + 2 * settings.MFA_TOTP_TOLERANCE)


class SecondFactorAdapter(DefaultMFAAdapter):
    def encrypt(self, text: str) -> str:
        return encryption.encrypt(text)

    def decrypt(self, encrypted_text: str) -> str:
        return encryption.decrypt(encrypted_text)

    def get_totp_issuer(self) -> str:
        return str(settings.SHOP_NAME)

    def build_totp_svg(self, url: str) -> str:
        """Return the QR code as inline SVG: the content security policy forbids a data: address."""
        image: Any = qrcode.make(url, image_factory=SvgPathImage)
        return str(image.to_string(encoding="unicode"))

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {**super().get_public_key_credential_rp_entity(), "name": str(settings.SHOP_NAME)}


class _SingleUseCodeMixin(BaseAuthenticateForm):
    """Accept a code only once.

    The library remembers a used code for one step only, so with a tolerance the code would be accepted again after
    that.
    """

    def clean_code(self) -> str:
        try:
            code: str = super().clean_code()
        except ValidationError:
            security_log.warn("second_factor_failed", context.request, self.user, reason="code")
            raise
        if not cache.add(f"allauth.used:{self.user.pk}:{code}", 1, _CODE_LIFETIME):
            security_log.warn("second_factor_failed", context.request, self.user, reason="code_used_before")
            raise SecondFactorAdapter().validation_error("incorrect_code")
        return code


class _LoggedPasskeyMixin(AuthenticateWebAuthnForm):
    """Log a passkey that was refused. Without a password before it, the account is unknown."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()
        except (ValidationError, KeyError, TypeError, ValueError) as problem:
            security_log.warn("second_factor_failed", context.request, self.user, reason="passkey")
            if isinstance(problem, ValidationError):
                raise
            # The library raises these errors for input that is not a credential at all.
            raise SecondFactorAdapter().validation_error("incorrect_code") from None


class PasskeyForm(_LoggedPasskeyMixin, AuthenticateWebAuthnForm):
    pass


class PasskeySignInForm(_LoggedPasskeyMixin, LoginWebAuthnForm):
    pass


class PasskeyReauthenticateForm(_LoggedPasskeyMixin, ReauthenticateWebAuthnForm):
    pass


class AuthenticateForm(_SingleUseCodeMixin, LibraryAuthenticateForm):
    pass


class ReauthenticateForm(_SingleUseCodeMixin, LibraryReauthenticateForm):
    pass

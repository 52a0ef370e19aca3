"""The second factor as the log-in library asks for it: its secrets are encrypted at rest and carry the shop's name."""

from __future__ import annotations

from typing import Any

import qrcode
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from qrcode.image.svg import SvgPathImage

from orders import cipher


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

"""What a key may do: its allowed addresses, its scopes, and whether it may write by GET."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission

from storefront.accounts import ip_addresses
from storefront.api.panel import responses
from storefront.api.panel.actions import WRITES
from storefront.api.panel.request import PanelRequest


class FromAllowedAddress(BasePermission):
    message = responses.WRONG_ADDRESS

    def has_permission(self, request: PanelRequest, view: Any) -> bool:  # type: ignore[override]
        addresses = request.caller.addresses
        return not addresses or ip_addresses.allows(addresses, ip_addresses.client_address(request._request))


class HasReadScope(BasePermission):
    message = responses.ORDERS_ONLY

    def has_permission(self, request: PanelRequest, view: Any) -> bool:  # type: ignore[override]
        return request.action in WRITES or request.caller.has_read_scope


class HasOrderScope(BasePermission):
    message = responses.READS_ONLY

    def has_permission(self, request: PanelRequest, view: Any) -> bool:  # type: ignore[override]
        return request.action not in WRITES or request.caller.has_order_scope


class WritesByPost(BasePermission):
    message = responses.NO_GET_WRITES

    def has_permission(self, request: PanelRequest, view: Any) -> bool:  # type: ignore[override]
        return request.method == "POST" or request.action not in WRITES or request.caller.has_get_writes

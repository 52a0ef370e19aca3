"""The addresses of a customer's account beyond the log-in library's."""

from django.urls import path

from storefront.accounts import keys

urlpatterns = [
    path("keys/", keys.keys, name="api_keys"),
    path("keys/<int:pk>/", keys.edit, name="api_key"),
    path("keys/<int:pk>/revoke/", keys.revoke, name="api_key_revoke"),
]

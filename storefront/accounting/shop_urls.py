"""Addresses of receipts for customers."""

from django.urls import path

from storefront.accounting import receipt_views

app_name = "accounting"
urlpatterns = [
    path("wallet/payments/<slug:reference>/receipt.pdf", receipt_views.own_receipt, name="receipt"),
]

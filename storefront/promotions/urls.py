"""The URLs of promotions."""

from django.urls import path

from storefront.promotions import referral_links, views

app_name = "promotions"
urlpatterns = [
    path("wallet/voucher/", views.redeem, name="redeem"),
    path("affiliates/", views.affiliates, name="affiliates"),
    path("affiliates/join/", views.join, name="join"),
    path("affiliates/transfer/", views.transfer, name="transfer"),
    path("r/<slug:code>/", referral_links.follow, name="referral"),
]

"""The URLs of promotions."""

from django.urls import path

from storefront.promotions import views

app_name = "promotions"
urlpatterns = [
    path("wallet/voucher/", views.redeem, name="redeem"),
]

"""The addresses of the shop's pages."""

from django.urls import path

from storefront.shop.views import catalogue, massorder, ordering, orders, pages, refills, wallet

app_name = "shop"
urlpatterns = [
    path("", catalogue.landing, name="landing"),
    path("services/", catalogue.services, name="catalogue"),
    path("services/found/", catalogue.services_found, name="services_found"),
    path("services/<int:pk>/", catalogue.service, name="service"),
    path("services/<int:pk>/star/", catalogue.favourite, name="favourite"),
    path("orders/", orders.orders, name="orders"),
    path("orders/live/", orders.orders_live, name="orders_live"),
    path("orders/new/", ordering.new_order, name="order_new"),
    path("orders/price/", ordering.price, name="price"),
    path("orders/mass/", massorder.mass_order, name="mass"),
    path("orders/export.csv", orders.orders_csv, name="orders_csv"),
    path("orders/refill/", refills.ask_many, name="refill_many"),
    path("orders/<int:pk>/", orders.order, name="order"),
    path("orders/<int:pk>/ask/", orders.ask, name="order_ask"),
    path("orders/<int:pk>/live/", orders.order_live, name="order_live"),
    path("refills/", refills.refills, name="refills"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("wallet/statement.csv", wallet.statement_csv, name="statement_csv"),
    path("style/", pages.style, name="style"),
]

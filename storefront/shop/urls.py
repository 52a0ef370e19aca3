"""URLs of the shop."""

from django.urls import path

from storefront.shop.views import catalog, mass_order, new_order, orders, pages, refills, wallet

app_name = "shop"
urlpatterns = [
    path("", catalog.landing, name="landing"),
    path("services/", catalog.services, name="catalog"),
    path("services/found/", catalog.services_found, name="services_found"),
    path("services/<int:pk>/", catalog.service, name="service"),
    path("services/<int:pk>/star/", catalog.favorite, name="favorite"),
    path("orders/", orders.orders, name="orders"),
    path("orders/live/", orders.orders_live, name="orders_live"),
    path("orders/new/", new_order.new_order, name="order_new"),
    path("orders/planned/<uuid:key>/", new_order.planned_order, name="planned_order"),
    path("orders/price/", new_order.price, name="price"),
    path("orders/mass/", mass_order.mass_order, name="mass"),
    path("orders/export.csv", orders.orders_csv, name="orders_csv"),
    path("orders/refill/", refills.request_many, name="refill_many"),
    path("orders/<int:pk>/", orders.order, name="order"),
    path("orders/<int:pk>/ask/", orders.request_order_action, name="order_ask"),
    path("orders/<int:pk>/live/", orders.order_live, name="order_live"),
    path("refills/", refills.refills, name="refills"),
    path("wallet/", wallet.wallet, name="wallet"),
    path("wallet/statement.csv", wallet.statement_csv, name="statement_csv"),
    path("style/", pages.style, name="style"),
]

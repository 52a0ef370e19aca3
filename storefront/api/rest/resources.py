"""The resources of the REST API and their paths. None ends with a slash, and none redirects."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from storefront.api.rest import catalog_views, money_views, order_views, webhook_views

router = SimpleRouter(trailing_slash=False)
router.register("services", catalog_views.ServiceViewSet, "v3-services")
router.register("orders", order_views.OrderViewSet, "v3-orders")
router.register("quotes", order_views.QuoteViewSet, "v3-quotes")
router.register("refills", order_views.RefillViewSet, "v3-refills")
router.register("cancellations", order_views.CancellationViewSet, "v3-cancellations")
router.register("transactions", money_views.TransactionViewSet, "v3-transactions")
router.register("payments", money_views.PaymentViewSet, "v3-payments")
router.register("webhook-endpoints", webhook_views.EndpointViewSet, "v3-webhook-endpoints")
router.register("events", webhook_views.EventViewSet, "v3-events")

resources = [
    *router.urls,
    path("balance", money_views.BalanceViewSet.as_view({"get": "retrieve"}, basename="v3-balance"), name="v3-balance"),
]

"""The URLs of the payment pages and webhooks."""

from django.urls import path

from storefront.payments.views import demo, paying, proofs, webhooks

app_name = "payments"
urlpatterns = [
    path("wallet/add-funds/", paying.new, name="new"),
    path("wallet/add-funds/quote/", paying.quote, name="quote"),
    path("wallet/add-funds/webhooks/<int:pk>/<str:token>/", webhooks.webhook, name="webhook"),
    path("wallet/payments/", paying.payments, name="list"),
    path("wallet/payments/<slug:reference>/", paying.payment, name="payment"),
    path("wallet/add-funds/returns/<slug:reference>/", paying.returned, name="return"),
    path("wallet/payments/<slug:reference>/live/", paying.live, name="live"),
    path("wallet/payments/<slug:reference>/demo/", demo.demo, name="demo"),
    path("wallet/payments/<slug:reference>/number/", paying.send_number, name="send_number"),
    path("wallet/payments/<slug:reference>/proofs/", proofs.send, name="send_proof"),
    path("wallet/payments/<slug:reference>/proofs/<int:pk>/", proofs.show, name="proof"),
]

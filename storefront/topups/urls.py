"""The addresses of top-ups."""

from django.urls import path

from storefront.topups.views import demo, paying, proofs, webhooks

app_name = "topups"
urlpatterns = [
    path("wallet/top-up/", paying.new, name="new"),
    path("wallet/top-up/webhooks/<slug:name>/", webhooks.webhook, name="webhook"),
    path("wallet/top-ups/", paying.top_ups, name="list"),
    path("wallet/top-ups/<slug:reference>/", paying.top_up, name="topup"),
    path("wallet/top-ups/<slug:reference>/live/", paying.live, name="live"),
    path("wallet/top-ups/<slug:reference>/demo/", demo.demo, name="demo"),
    path("wallet/top-ups/<slug:reference>/proofs/", proofs.send, name="send_proof"),
    path("wallet/top-ups/<slug:reference>/proofs/<int:pk>/", proofs.show, name="proof"),
]

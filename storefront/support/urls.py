"""The URLs of support, the updates page and the info pages."""

from django.urls import path

from storefront.support.views import news, tickets

app_name = "support"
urlpatterns = [
    path("support/", tickets.list_page, name="tickets"),
    path("support/new/", tickets.new, name="new"),
    path("support/requests/", tickets.request_for_order, name="request"),
    path("support/files/<int:pk>/", tickets.file, name="file"),
    path("support/<int:pk>/", tickets.ticket, name="ticket"),
    path("support/<int:pk>/live/", tickets.live, name="live"),
    path("support/<int:pk>/close/", tickets.close, name="close"),
    path("updates/", news.updates, name="updates"),
    path("updates/<int:pk>/dismiss/", news.dismiss, name="dismiss"),
    path("pages/<slug:slug>/", news.page, name="page"),
]

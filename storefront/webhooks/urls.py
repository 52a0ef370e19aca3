"""The URLs of the webhook pages."""

from django.urls import path

from storefront.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.endpoints, name="endpoints"),
    path("low-balance/", views.warn_below, name="warn_below"),
    path("<int:pk>/", views.deliveries, name="deliveries"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/act/", views.act, name="act"),
    path("<int:pk>/<int:delivery_pk>/", views.delivery, name="delivery"),
    path("<int:pk>/<int:delivery_pk>/again/", views.send_again, name="send_again"),
]

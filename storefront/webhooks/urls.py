"""The URLs of the webhook pages."""

from django.urls import path

from storefront.webhooks import views

app_name = "webhooks"
urlpatterns = [
    path("", views.endpoints, name="endpoints"),
    path("low-balance/", views.low_balance, name="low_balance"),
    path("<int:pk>/", views.deliveries, name="deliveries"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/action/", views.run_action, name="run_action"),
    path("<int:pk>/<int:delivery_pk>/", views.delivery, name="delivery"),
    path("<int:pk>/<int:delivery_pk>/resend/", views.resend, name="resend"),
]

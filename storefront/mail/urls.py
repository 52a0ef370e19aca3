"""The URLs of the email preferences."""

from django.urls import path

from storefront.mail import views

app_name = "mail"
urlpatterns = [
    path("account/mail/", views.preferences, name="preferences"),
    path("mail/unsubscribe/<str:token>/", views.unsubscribe, name="unsubscribe"),
]

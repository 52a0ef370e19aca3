"""The addresses of a customer's account beyond the log-in library's."""

from django.urls import path
from django.views.generic import RedirectView

from storefront.accounts import access_review, email_page, keys, logins, profile

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="profile"), name="account"),
    path("profile/", profile.profile, name="profile"),
    path("email/", email_page.change_email, name="account_email"),
    path("access/", access_review.review, name="access_review"),
    path("logins/", logins.logins, name="logins"),
    path("logins/end/", logins.end_others, name="logins_end"),
    path("logins/<int:pk>/end/", logins.end, name="login_end"),
    path("keys/", keys.keys, name="api_keys"),
    path("keys/<int:pk>/", keys.edit, name="api_key"),
    path("keys/<int:pk>/revoke/", keys.revoke, name="api_key_revoke"),
]

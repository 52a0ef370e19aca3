"""The URLs of the account pages that the sign-in library does not have."""

from django.urls import path
from django.views.generic import RedirectView

from storefront.accounts import access_review, api_key_pages, email_page, profile, user_sessions

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="profile"), name="account"),
    path("profile/", profile.profile, name="profile"),
    path("email/", email_page.change_email, name="account_email"),
    path("access/", access_review.review, name="access_review"),
    path("sessions/", user_sessions.sessions, name="sessions"),
    path("sessions/end/", user_sessions.end_others, name="sessions_end"),
    path("sessions/<int:pk>/end/", user_sessions.end, name="session_end"),
    path("keys/", api_key_pages.keys, name="api_keys"),
    path("keys/<int:pk>/", api_key_pages.edit, name="api_key"),
    path("keys/<int:pk>/revoke/", api_key_pages.revoke, name="api_key_revoke"),
]

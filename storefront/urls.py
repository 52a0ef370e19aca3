"""Every address of the shop."""

from django.contrib import admin
from django.urls import include, path

from storefront.accounts import languages

urlpatterns = [
    # First, because they are called most often.
    path("", include("storefront.api.urls")),
    path("", include("storefront.api.adminapi.urls")),
    path("admin/", admin.site.urls),
    path("language/", languages.choose, name="language"),
    path("account/", include("storefront.accounts.urls")),
    path("account/", include("allauth.account.urls")),
    path("account/second-factor/", include("allauth.mfa.urls")),
    path("", include("storefront.brand.urls")),
    path("", include("storefront.mail.urls")),
    path("webhooks/", include("storefront.webhooks.urls")),
    path("", include("storefront.payments.urls")),
    path("", include("storefront.accounting.shop_urls")),
    path("", include("storefront.promotions.urls")),
    path("", include("storefront.shop.urls")),
    path("", include("storefront.support.urls")),
]

handler400 = "storefront.api.error_handlers.bad_request"
handler500 = "storefront.api.error_handlers.server_error"

"""The admin site of the back office, with the shop's sign-in limits, start page and sections."""

from __future__ import annotations

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.contrib.admin.views.autocomplete import AutocompleteJsonView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

#: Applications whose rows must not be edited by hand. A row of django-q2 can name any Python callable, so permission to
#: write one is permission to do anything; schedules are declared in code. allauth's email addresses, second factors and
#: sessions follow the user's.
HIDDEN = frozenset({"django_q", "account", "mfa", "usersessions"})

#: The sections of the navigation: label, name, models in order. Other models follow under their application's name.
SECTIONS: tuple[tuple[str, Any, tuple[str, ...]], ...] = (
    ("orders", _("Orders"), ("orders.order", "orders.refill", "orders.cancellation", "providers.placement")),
    (
        "catalog",
        _("Catalog"),
        (
            "orders.category",
            "orders.service",
            "providers.route",
            "providers.markup",
            "orders.pricelevel",
            "orders.customerrate",
        ),
    ),
    (
        "providers",
        _("Providers"),
        (
            "providers.provider",
            "providers.offer",
            "providers.typerule",
            "providers.offerchange",
            "providers.providerdeposit",
            "providers.panelcall",
        ),
    ),
    (
        "money",
        _("Money"),
        (
            "payments.payment",
            "orders.account",
            "orders.transfer",
            "payments.paymentmethod",
            "accounting.receipt",
            "accounting.auditrun",
            "currencies.currency",
            "currencies.ratesource",
            "currencies.raterecord",
        ),
    ),
    (
        "promotions",
        _("Promotions"),
        (
            "promotions.paymentbonus",
            "promotions.coupon",
            "promotions.bonus",
            "promotions.affiliate",
            "promotions.commission",
            "promotions.promotionsettings",
        ),
    ),
    (
        "people",
        _("People"),
        ("accounts.user", "accounts.apikey", "sandbox.sandboxorder", "adminapi.staffkey", "auth.group"),
    ),
    ("support", _("Support"), ("support.ticket", "support.cannedreply", "support.ticketcategory")),
    (
        "content",
        _("Content and branding"),
        ("support.announcement", "support.infopage", "brand.brand", "accounting.billingdetails"),
    ),
    ("webhooks", _("Webhooks"), ("webhooks.endpoint", "webhooks.delivery")),
)


class Autocomplete(AutocompleteJsonView):
    """The autocomplete view of form fields; a model's admin can define ``choice`` to label its rows there."""

    def serialize_result(self, obj: Any, to_field_name: str) -> dict[str, str]:
        result = super().serialize_result(obj, to_field_name)
        choice = getattr(self.model_admin, "choice", None)
        return {**result, "text": choice(obj)} if choice else result


class BackOffice(admin.AdminSite):
    site_title = _("Vitrine admin")
    site_header = _("Vitrine admin")
    index_title = _("Overview")

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in through the shop's sign-in page, so that its limits against guessing apply here too."""
        view = secure_admin_login(super().login)
        response: HttpResponse = view(request, extra_context)
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        from storefront.backoffice import overview  # imported here: it imports pages that register with this site

        return super().index(request, {**(extra_context or {}), "overview": overview.build(request.user)})

    def get_urls(self) -> list[Any]:
        from storefront.accounting import urls  # imported here: the settings name this site before models are loaded

        return [*urls.back_office_urls(self), *super().get_urls()]

    def autocomplete_view(self, request: HttpRequest) -> Any:
        return Autocomplete.as_view(admin_site=self)(request)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([model for model in models if model._meta.app_label not in HIDDEN], admin_class, **options)

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        """Group the models by SECTIONS instead of by application; the page of one application stays as in Django."""
        if app_label:
            return super().get_app_list(request, app_label)
        apps = super().get_app_list(request)
        left = {model["model"]._meta.label_lower: (app, model) for app in apps for model in app["models"]}
        sections = []
        for label, name, wanted in SECTIONS:
            rows = [left.pop(key)[1] for key in wanted if key in left]
            if rows:
                sections.append(_section(label, name, rows))
            if label == "money":
                sections += _reports(request)
        rest = {model["object_name"] for _app, model in left.values()}
        for app in apps:
            rows = [model for model in app["models"] if model["object_name"] in rest]
            if rows:
                sections.append({**app, "models": rows})
        return sections


def _section(label: str, name: Any, rows: list[Any]) -> dict[str, Any]:
    return {"name": name, "app_label": label, "app_url": "", "has_module_perms": True, "models": rows}


def _reports(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the section of the pages that belong to no model, if this person may see any of them."""
    from storefront.accounting import urls  # imported here: the settings name this site before models are loaded

    rows: list[Any] = [
        {"name": entry.label, "object_name": entry.url_name, "admin_url": reverse(f"admin:{entry.url_name}"),
         "add_url": None, "view_only": True}
        for entry in urls.NAVIGATION
        if request.user.has_perms(entry.permissions)
    ]  # fmt: skip
    return [_section("reports", _("Reports"), rows)] if rows else []

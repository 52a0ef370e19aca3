"""Every page of the shop and of the back office, as addresses in a ``LargeShop``.

Pages of the shop are listed by the name of their URL; a test fails if a name is in none of the tables below. Pages of
the back office come from the registry of the admin: each list with its filters and searches, and each form. The tests
count the queries of these pages, and ``bench/pages.py`` measures their times.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.contrib.admin import AdminSite
from django.test import RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from orders.models import Cancellation, Order, Refill, Service, Transfer
from storefront.accounts.models import ApiKey
from storefront.payments.models import Payment
from storefront.promotions.models import Commission
from storefront.shop import order_status
from storefront.support.models import Ticket
from storefront.webhooks.models import Delivery, Endpoint
from tests.large_shop import LargeShop

VISITOR, CUSTOMER, OPERATOR = "visitor", "customer", "operator"


@dataclass(frozen=True, slots=True)
class Page:
    """A page; an HTTP status that is not in ``statuses`` means that it is broken."""

    path: str
    reader: str = CUSTOMER
    statuses: tuple[int, ...] = (200,)
    is_live: bool = False
    #: The address as in the table, which identifies the page in shops with other ids.
    key: str = ""


# ------------------------------------------------------------------------------------------------ the shop
TABS = [f"/orders/?status={shown.code}" for shown in order_status.LABELS]
#: The addresses of each page, with the ids of ``known_ids``. Some have a prefix: a reader, "live" for fragments that
#: htmx requests, or "file".
SHOP: Mapping[str, tuple[str, ...]] = {
    "shop:landing": ("visitor /",),
    "shop:catalog": (
        "visitor /services/", "/services/", "/services/?page=2", "/services/?page={last_page}",
        "/services/?category={category}", "/services/?q=followers", "/services/?q=followers+worldwide+{service}+days",
        "/services/?q={service}", "/services/?q=nothingofthiskind", "/services/?type=package", "/services/?refill=1",
        "/services/?cancel=1&dripfeed=1", "/services/?favorites=1", "/services/?from=1&to=3",
        "/services/?sort=price", "/services/?sort=-price", "/services/?sort=fast", "/services/?sort=new",
        "/services/?q=refill&sort=fast&refill=1&category={category}",
    ),
    "shop:services_found": (
        "live /services/found/", "live /services/found/?q=foll", "live /services/found/?sort=price",
    ),
    "shop:service": ("visitor /services/{service}/", "/services/{service}/"),
    "shop:orders": (
        "/orders/", *TABS, "/orders/?before={middle_order}", "/orders/?before={early_order}", "/orders/?after=0",
        "/orders/?after={middle_order}", "/orders/?status=completed&before={middle_order}",
        "/orders/?status=canceled&after={early_order}", "/orders/?q={order}", "/orders/?q={order},{middle_order}",
        "/orders/?q=photos.example.com", "/orders/?q=nothingofthiskind", "/orders/?q=nothing&before={middle_order}",
        "/orders/?service={service}", "/orders/?service={service}&status=completed", "/orders/?source=page",
        "/orders/?from={day}", "/orders/?to={day}", "/orders/?from={day}&to={day}&q=photos",
    ),
    "shop:orders_live": ("live /orders/live/?seen={order}-x-1-2&seen={middle_order}-x-1-2", "live /orders/live/"),
    "shop:orders_csv": ("file /orders/export.csv", "file /orders/export.csv?status=canceled&from={day}"),
    "shop:order_new": (
        "/orders/new/", "/orders/new/?q=followers", "/orders/new/?q=nothingofthiskind",
        "/orders/new/?service={service}", "/orders/new/?again={order}",
    ),
    "shop:price": ("live /orders/price/?service={service}&quantity=100&link=https://photos.example.com/p",),
    "shop:mass": ("/orders/mass/",),
    "shop:order": ("/orders/{order}/", "/orders/{early_order}/", "/orders/{run_order}/", "/orders/{refill_order}/"),
    "shop:order_live": ("live /orders/{order}/live/",),
    "shop:refills": (
        "/refills/", "/refills/?show=open", "/refills/?before={refill}.{cancellation}", "/refills/?after=0.0",
        "/refills/?show=open&before={refill}.{cancellation}",
    ),
    "shop:wallet": (
        "/wallet/", "/wallet/?kind=charge", "/wallet/?kind=refund", "/wallet/?kind=payment", "/wallet/?kind=adjustment",
        "/wallet/?kind=bonus",
        "/wallet/?before={transfer}", "/wallet/?after=0", "/wallet/?kind=payment&before={transfer}",
        "/wallet/?kind=adjustment&before={transfer}",
    ),
    "shop:statement_csv": ("file /wallet/statement.csv", "file /wallet/statement.csv?kind=payment"),
    "shop:style": ("operator /style/",),
    "promotions:affiliates": (
        "/affiliates/", "/affiliates/?before={commission}", "/affiliates/?after=0",
    ),
    "payments:new": ("/wallet/add-funds/", "/wallet/add-funds/?amount=10"),
    "payments:quote": ("live /wallet/add-funds/quote/?amount=10",),
    "payments:list": ("/wallet/payments/", "/wallet/payments/?before={payment}", "/wallet/payments/?after=0"),
    "payments:payment": ("/wallet/payments/{reference}/", "/wallet/payments/{waiting_reference}/"),
    "accounting:receipt": ("file /wallet/payments/{reference}/receipt.pdf",),
    "payments:live": ("live /wallet/payments/{reference}/live/",),
    "support:tickets": (
        "/support/", "/support/?status=open", "/support/?status=closed", "/support/?before={ticket_message}",
        "/support/?after=0",
    ),
    "support:new": ("/support/new/", "/support/new/?order={order}"),
    "support:ticket": ("/support/{ticket}/", "/support/{ticket}/?after=0", "/support/{last_ticket}/"),
    "support:live": ("live /support/{ticket}/live/",),
    "support:updates": (
        "visitor /updates/", "/updates/", "/updates/?show=prices", "/updates/?show=prices&own=1",
        "/updates/?show=services", "/updates/?after=0", "/updates/?show=prices&after=0",
        "/updates/?show=prices&own=1&after=0", "/updates/?show=services&after=0",
    ),
    "support:page": ("visitor /pages/page-0/", "/pages/page-0/"),
    "account": ("/account/",),
    "profile": ("/account/profile/",),
    "sessions": ("/account/sessions/",),
    "api_keys": ("/account/keys/",),
    "api_key": ("/account/keys/{key}/",),
    "api_key_revoke": ("/account/keys/{key}/revoke/",),
    "access_review": ("/account/access/",),
    "mail:preferences": ("/account/mail/",),
    "webhooks:endpoints": ("/webhooks/",),
    "webhooks:deliveries": (
        "/webhooks/{endpoint}/", "/webhooks/{endpoint}/?before={delivery}", "/webhooks/{endpoint}/?after=0",
    ),
    "webhooks:edit": ("/webhooks/{endpoint}/edit/",),
    "webhooks:delivery": ("/webhooks/{endpoint}/{delivery}/",),
    "api:reference": ("visitor /api/", "/api/"),
    "api:openapi_json": ("visitor /api/openapi.json",),
    "api:openapi_yaml": ("visitor /api/openapi.yaml",),
    "api:v3": ("visitor /api/v3/", "/api/v3/"),
    "api:v3_openapi_json": ("visitor /api/v3/openapi.json",),
    "api:v3_openapi_yaml": ("visitor /api/v3/openapi.yaml",),
    "account_login": ("visitor /account/login/",),
    "account_logout": ("/account/logout/",),
    "account_inactive": ("visitor /account/inactive/",),
    "account_signup": ("visitor /account/signup/",),
    "account_email": ("/account/email/",),
    "account_email_verification_sent": ("/account/confirm-email/",),
    "account_change_password": ("/account/password/change/",),
    "account_set_password": ("/account/password/set/",),
    "account_reset_password": ("visitor /account/password/reset/",),
    "account_confirm_email": ("visitor /account/confirm-email/nothing/",),
    "account_reset_password_from_key": ("visitor /account/password/reset/key/1-nothing/",),
    "account_reset_password_from_key_done": ("visitor /account/password/reset/key/done/",),
    "account_reset_password_done": ("visitor /account/password/reset/done/",),
    "mfa_index": ("/account/second-factor/",),
    "mfa_activate_totp": ("/account/second-factor/totp/activate/",),
    "mfa_list_webauthn": ("/account/second-factor/webauthn/",),
}  # fmt: skip
#: URLs that only accept POST.
POSTS = frozenset({
    "shop:favorite", "shop:refill_many", "shop:order_ask", "support:request", "support:close", "support:dismiss",
    "webhooks:low_balance", "webhooks:run_action", "webhooks:resend", "payments:send_proof", "payments:webhook",
    "payments:send_number",
    "promotions:redeem", "promotions:join", "promotions:transfer",
    "sessions_end", "session_end", "language",
})  # fmt: skip
#: URLs that are not measured, and why.
ELSEWHERE: Mapping[str, str] = {
    "^api(?:/|$)": "an API error",
    "^adminapi(?:/|$)": "an error of the Admin API",
    "adminapi/openapi.json": "the description of the Admin API",
    "": "an error of the REST API",
    "api/v3": "leads to the page of the REST API",
    "brand:sheet": "a style sheet, of one row",
    "brand:logo": "a picture, of one row",
    "support:file": "a file from the disk",
    "payments:proof": "a file from the disk",
    "shop:planned_order": "a fragment of one row on the page of a payment, for the seconds until an order is placed",
    "promotions:referral": "leads to the landing page",
    "payments:demo": "the demo gateway, which only the demo has",
    "payments:return": "leads to the page of the payment",
    "mail:unsubscribe": "a link in emails",
    "account_reauthenticate": "asks for the password again after a while",
    "mfa_reauthenticate": "asks for the second factor again after a while",
    "account_confirm_login_code": "redirects to sign-in; signing in by code is off",
    "mfa_authenticate": "the second step of sign-in",
    "mfa_deactivate_totp": "the reader's two-factor authentication",
    "mfa_view_recovery_codes": "the reader's two-factor authentication",
    "mfa_generate_recovery_codes": "the reader's two-factor authentication",
    "mfa_download_recovery_codes": "the reader's two-factor authentication",
    "mfa_add_webauthn": "the reader's two-factor authentication",
    "mfa_reauthenticate_webauthn": "the reader's two-factor authentication",
    "mfa_remove_webauthn": "the reader's two-factor authentication",
    "mfa_edit_webauthn": "the reader's two-factor authentication",
    "mfa_login_webauthn": "the reader's two-factor authentication",
}


def url_names(resolver: Any = None, space: str = "") -> Iterator[str]:
    """Yield the name of every URL of the shop, or its route if it has no name, without back office and APIs."""
    for entry in (resolver or get_resolver()).url_patterns:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from url_names(entry, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern) and not hasattr(entry.callback, "cls"):  # a view of REST framework
            yield f"{space}{entry.name}" if entry.name else str(entry.pattern)


def known_ids(shop: LargeShop) -> dict[str, Any]:
    """Return the values in the addresses. They refer to comparable rows in shops of any size."""
    mine = Order.objects.filter(user=shop.customer).order_by("pk")
    count = mine.count()
    transfers = Transfer.objects.filter(wallet__user=shop.customer).order_by("pk")
    refill, ticket = Refill.objects.order_by("pk")[0], Ticket.objects.order_by("pk")[0]
    tickets = Ticket.objects.of(shop.customer)
    return {
        "service": shop.services[0].pk,
        "category": shop.categories[0].pk,
        "last_page": Service.objects.on_sale().count() // 50 + 1,
        "order": mine[0].pk,
        "run_order": mine[1].pk,
        "early_order": mine[4].pk,
        "refill_order": refill.order_id,
        "middle_order": mine[count // 2].pk,
        "day": mine[count * 3 // 4].created_at.date().isoformat(),
        "link": mine[count // 2].link,
        "refill": Refill.objects.order_by("pk")[Refill.objects.count() // 2].pk + 1,
        "cancellation": Cancellation.objects.order_by("pk")[Cancellation.objects.count() // 2].pk + 1,
        "transfer": transfers[transfers.count() // 2].pk,
        "payment": Payment.objects.order_by("pk")[Payment.objects.count() // 2].pk + 1,
        "commission": Commission.objects.order_by("pk")[Commission.objects.count() // 2].pk + 1,
        "reference": Payment.objects.filter(status="credited").order_by("pk")[0].reference,
        "waiting_reference": Payment.objects.filter(status="waiting").order_by("pk")[0].reference,
        "ticket": ticket.pk,
        "last_ticket": tickets.order_by("-pk")[0].pk,
        "ticket_message": tickets.order_by("last_message")[tickets.count() // 2].last_message,
        "key": ApiKey.objects.order_by("pk")[0].pk,
        "prefix": ApiKey.objects.order_by("pk")[0].prefix,
        "endpoint": Endpoint.objects.order_by("pk")[0].pk,
        "delivery": Delivery.objects.order_by("pk")[3].pk,
        "upstream": 10_000_000 + mine[0].pk,
        "customer": shop.customer.pk,
    }


#: Prefixes whose pages may have other statuses than 200: fragments return 204 if nothing has changed.
_STATUSES = {"live": (200, 204)}
_REDIRECTING = ("account", "mfa")


def shop_pages(shop: LargeShop) -> Iterator[tuple[str, Page]]:
    """Yield the name of the URL and the page, for each page of the shop."""
    numbers = known_ids(shop)
    for name, addresses in SHOP.items():
        for address in addresses:
            prefix, _, path = address.rpartition(" ")
            reader = prefix if prefix in (VISITOR, OPERATOR) else CUSTOMER
            statuses = (200, 302) if name.startswith(_REDIRECTING) else _STATUSES.get(prefix, (200,))
            yield name, Page(path.format(**numbers), reader, statuses, prefix == "live", f"{reader} {path}")


# ------------------------------------------------------------------------------------------------ the back office
#: The searches of each model with a search field, one for each kind of text that it finds.
SEARCHES: Mapping[str, tuple[str, ...]] = {
    "auth.Group": ("Desk",),
    "orders.Category": ("Category 00",),
    "orders.Account": ("nadia@", "sales"),
    "orders.Transfer": ("{order}", "charge:{order}", "nadia@", "nothing"),
    "orders.PriceLevel": ("Level",),
    "orders.CustomerRate": ("nadia@", "{service}"),
    "orders.Order": ("{order}", "{upstream}", "nadia@", "{link}", "https://photos", "nothing"),
    "orders.Refill": ("{refill_order}", "nothing"),
    "orders.Cancellation": ("{order}", "nothing"),
    "orders.Service": ("{service}", "followers", "refill days", "nothingofthiskind"),
    "providers.Placement": ("{order}", "{upstream}", "nothing"),
    "providers.Route": ("{service}", "followers", "1000", "nothingofthiskind"),
    "providers.Offer": ("1000", "followers", "nothingofthiskind"),
    "providers.Provider": ("north",),
    "accounts.User": ("nadia@", "Nadia", "nothing"),
    "accounts.ApiKey": ("{prefix}", "nadia@"),
    "sandbox.SandboxOrder": ("1", "nadia@"),
    "support.InfoPage": ("Page",),
    "support.Announcement": ("News",),
    "support.CannedReply": ("Reply",),
    "support.Ticket": ("{ticket}", "{order}", "nadia@"),
    "webhooks.Endpoint": ("{endpoint}", "nadia@"),
    "webhooks.Delivery": ("{delivery}", "nadia@", "nothing"),
    "accounting.Receipt": ("1", "{reference}"),
    "payments.Payment": ("{reference}", "nadia@", "nothing"),
    "promotions.Coupon": ("SPR",),
    "promotions.Affiliate": ("nadia@", "nadiacode"),
    "promotions.Commission": ("{reference}", "nadia@", "nothing"),
    "promotions.Bonus": ("{reference}", "nadia@", "nothing"),
    "mail.Email": ("1", "nadia@", "nothing"),
    "currencies.RateRecord": ("EUR",),
}
#: Filtered lists that pages of other models link to.
LINKED = (
    "orders/order/?user__id__exact={customer}", "orders/order/?service__id__exact={service}",
    "orders/transfer/?order__id__exact={order}", "providers/placement/?order__id__exact={order}",
    "providers/route/?offer__id__exact=1", "webhooks/delivery/?endpoint__id__exact={endpoint}",
    "orders/customerrate/?user__id__exact={customer}", "payments/paymentmethod/add/?gateway=nowpayments",
)  # fmt: skip
#: Pages of models besides list and forms.
EXTRA_PAGES = {
    "accounts_user_adjust": "accounts/user/{customer}/adjust/",
    "accounts_user_reset_second_factor": "accounts/user/{customer}/reset-second-factor/",
    "auth_user_password_change": "",
}
#: Pages of the back office that belong to no model, by the name of their URL.
REPORTS: Mapping[str, tuple[str, ...]] = {
    "accounting_profit": tuple(
        f"reports/profit/?by={name}&period={period}"
        for name in ("day", "service", "provider", "customer", "method")
        for period in ("30", "month")
    ),
    "accounting_trial_balance": ("reports/trial-balance/", "reports/trial-balance/?date={day}"),
    "accounting_trial_balance_file": ("reports/trial-balance.csv",),
    "accounting_account": ("reports/account/?account=nadia@example.com", "reports/account/?account=sales&to={day}"),
    "accounting_account_file": ("reports/account.csv?account=nadia@example.com",),
    "accounting_receipt_file": ("reports/receipts/{reference}.pdf",),
    "accounting_statement": ("reports/provider-statement/",),
    "accounting_statement_file": ("reports/provider-statement.csv",),
    "accounting_profit_file": ("reports/profit.csv?by=customer", "reports/profit.xlsx?by=day"),
}
EXTRA_ACTIONS = frozenset(
    ["accounts_user_reset_password", "accounts_user_sign_out"]
    + [f"orders_order_{act}" for act in ("cancel", "partial", "seen")]
    + [f"providers_placement_{act}" for act in ("placed", "again", "teach", "search", "back")]
    + [f"payments_payment_{act}" for act in ("approve", "refuse", "settle", "refund", "resolve-refund", "hold")]
    + [f"payments_paymentmethod_{act}" for act in ("check", "new_url")]
    + [f"support_ticket_{act}" for act in ("write", "act")]
    + ["currencies_currency_fetch", "currencies_currency_decide", "currencies_ratesource_fetch"]
)
_STANDARD = ("changelist", "add", "history", "delete", "change")


def extra_url_names() -> set[str]:
    """Return the names of the URLs that models have besides the standard five."""
    found = set()
    for model, shown in admin.site._registry.items():
        info = f"{model._meta.app_label}_{model._meta.model_name}_"
        found |= {
            url.name for url in shown.get_urls() if url.name and url.name not in [info + act for act in _STANDARD]
        }
    return found


def report_url_names() -> set[str]:
    """Return the names of the URLs of the back office that belong to no model and are not Django's own."""
    own = {url.name for url in AdminSite(name="admin").get_urls() if isinstance(url, URLPattern)} | {"app_list"}
    return {url.name for url in admin.site.get_urls() if isinstance(url, URLPattern) and url.name} - own


def models_without_search() -> set[str]:
    """Return the models with a search field that are missing in ``SEARCHES``."""
    return {model._meta.label for model, shown in admin.site._registry.items() if shown.search_fields} - set(SEARCHES)


def back_office_pages(shop: LargeShop, *, is_complete: bool = True) -> Iterator[tuple[str, Page]]:
    """Yield the model and the page, for each page of the back office.

    Args:
        is_complete: Whether to include every filter choice, column and search, and Django's own pages.
    """
    numbers = known_ids(shop)
    yield "index", _page("/admin/", "")
    for path in (*LINKED, *filter(None, EXTRA_PAGES.values())):
        yield "linked", _page("/admin/" + path.format(**numbers), path)
    for name, paths in REPORTS.items():
        for path in paths[: None if is_complete else 1]:
            yield name, _page("/admin/" + path.format(**numbers), path)
    for model, shown in admin.site._registry.items():
        label = model._meta.label
        base = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        yield label, _page(base, "list")
        for key, query in _list_queries(shop, shown, base, is_complete=is_complete):
            yield label, _page(base + query, key)
        for text in SEARCHES.get(label, ())[: None if is_complete else 1]:
            yield label, _page(f"{base}?{urlencode({'q': text.format(**numbers)})}", f"q={text}")
        row = shop.customer if model is type(shop.customer) else model._default_manager.order_by("pk").first()
        if row is not None:
            yield label, _page(f"{base}{row.pk}/change/", "change")
        if is_complete and row is not None:
            yield label, _page(f"{base}{row.pk}/history/", "history")
            yield label, _page(base + "add/", "add")
        for name in shown.autocomplete_fields:
            query = {"app_label": model._meta.app_label, "model_name": model._meta.model_name, "field_name": name}
            yield label, _page(f"/admin/autocomplete/?{urlencode({**query, 'term': 'o'})}", f"choosing {name}")


def _page(path: str, key: str) -> Page:
    return Page(path, OPERATOR, (200, 302, 403), key=key)


def _list_queries(shop: LargeShop, shown: Any, base: str, *, is_complete: bool) -> Iterator[tuple[str, str]]:
    """Yield queries for a list: choices of each filter and, if complete, sorting by each column and the last page."""
    request: Any = RequestFactory().get(base)
    request.user = shop.operator
    listed = shown.get_changelist_instance(request)
    for spec in listed.filter_specs:
        choices = [choice["query_string"] for choice in spec.choices(listed)][1:]
        yield from ((query, query) for query in choices[: 10 if is_complete else 1])
    if not is_complete:
        return
    columns = [n for n, name in enumerate(listed.list_display) if _is_sortable(shown, listed, request, name)]
    yield from ((f"?o={number}", f"?o={number}") for number in columns)
    yield "last page", f"?p={listed.paginator.num_pages}"


def _is_sortable(shown: Any, listed: Any, request: Any, name: str) -> bool:
    """Return whether the list can be sorted by the column ``name``; the first column is the checkbox."""
    is_offered = name in shown.get_sortable_by(request)
    return is_offered and name != "action_checkbox" and bool(listed.get_ordering_field(name))


def sample_back_office_pages(shop: LargeShop) -> Iterator[tuple[str, Page]]:
    """Yield each list, one choice of each filter, one search and one form, which is enough for the tests."""
    return back_office_pages(shop, is_complete=False)

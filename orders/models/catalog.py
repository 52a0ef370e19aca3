"""Models of what we sell: Category, Service, and the catalog version."""

from __future__ import annotations

from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import connection, models
from django.db.models.functions import Coalesce, NullIf
from django.utils.translation import gettext_lazy as _

from orders.db.money_fields import NOT_NEGATIVE, RateField
from orders.models import languages
from orders.rules import link_patterns, service_types
from orders.rules.service_types import SERVICE_TYPES, ServiceType, has_runs

Row = TypeVar("Row", bound=models.Model)


class Category(models.Model):
    name = models.CharField(_("name"), max_length=200, unique=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class ServiceQuerySet(models.QuerySet["Service"]):
    def on_sale(self) -> ServiceQuerySet:
        """Return the services that customers can buy, in catalog order."""
        return (
            self.filter(is_active=True, category__is_active=True)
            .select_related("category")
            .order_by("category__position", "category_id", "position", "id")
        )

    def in_language(self, code: str | None = None) -> ServiceQuerySet:
        """Make ``shown_name``, ``shown_description`` and ``shown_category`` return texts in language ``code``.

        No additional query, and no join for the language in which services are named.

        Args:
            code: The language; the active one if omitted.
        """
        language = languages.lookup_language(code)
        if not language:
            return self
        joined = self.annotate(
            text=models.FilteredRelation("texts", condition=models.Q(texts__language=language)),
            category_text=models.FilteredRelation(
                "category__texts", condition=models.Q(category__texts__language=language)
            ),
        )
        return joined.annotate(
            name_read=_first_of("text__name", "name"),
            description_read=_first_of("text__description", "description"),
            category_read=_first_of("category_text__name", "category__name"),
        )

    def by_category(self, *parts: str) -> Any:
        """Return rows for counting, in catalog order: ``category_id``, the category's name ``shown``, and ``parts``."""
        name = "category_read" if self._is_translated else "category__name"
        rows = self.order_by("category__position", "category_id", *parts)
        return rows.values("category_id", *parts, shown=models.F(name))

    def by_name(self) -> ServiceQuerySet:
        return self.order_by("name_read" if self._is_translated else "name", "id")

    def matching(self, text: str) -> ServiceQuerySet:
        """Return services whose id is ``text``, or whose name, category or description contain each of its words.

        After ``in_language`` the translated texts are searched too.
        """
        if text.isascii() and text.isdigit() and len(text) < 19:
            return self.filter(pk=int(text))
        places = ["name", "category__name", "description"]
        if self._is_translated:
            places += ["name_read", "category_read", "description_read"]
        found = self
        for word in text.split()[:8]:
            anywhere = models.Q()
            for spelling in spellings(word):
                for place in places:
                    anywhere |= models.Q((f"{place}__icontains", spelling))
            found = found.filter(anywhere)
        return found

    @property
    def _is_translated(self) -> bool:
        return "name_read" in self.query.annotations

    def with_own_rates(self, user: Any) -> ServiceQuerySet:
        """Annotate each service with ``own_rate``, the custom rate of ``user`` or None, without another query."""
        if not user.is_authenticated:
            return self.annotate(own_rate=models.Value(None, RateField()))
        own = models.FilteredRelation("own_rates", condition=models.Q(own_rates__user=user.pk))
        return self.annotate(own=own, own_rate=models.F("own__rate"))


def spellings(word: str) -> set[str]:
    """Return the spellings of ``word`` to search for.

    SQLite ignores case for ASCII letters only, so other words are searched for in the usual capitalizations.
    """
    if word.isascii() or connection.vendor != "sqlite":
        return {word}
    return {word, word.lower(), word.upper(), word.capitalize()}


def _first_of(text: str, original: str) -> Coalesce:
    translated = NullIf(models.F(text), models.Value(""), output_field=models.TextField())
    return Coalesce(translated, models.F(original), output_field=models.TextField())


def with_services(rows: models.QuerySet[Row], path: str, code: str | None = None) -> models.QuerySet[Row]:
    """Load the services at ``path`` together with ``rows``, with texts in language ``code``.

    In the language in which services are named they are joined; for other languages there is one additional query.

    Args:
        code: The language; the active one if omitted.
    """
    if not languages.lookup_language(code):
        return rows.select_related(path)
    before = path.rpartition("__")[0]
    services = Service.objects.in_language(code).order_by()
    return (rows.select_related(before) if before else rows).prefetch_related(models.Prefetch(path, services))


class CatalogVersion(models.Model):
    """The catalog version: database triggers change ``version`` whenever anything in the price list changes."""

    version = models.BigIntegerField()

    def __str__(self) -> str:
        return str(self.version)


def _is_pattern(value: str) -> None:
    try:
        link_patterns.check(value)
    except link_patterns.PatternNotSupported as problem:
        raise ValidationError(
            _("This pattern isn't supported: %(problem)s. Look-around and backreferences can't be used."),
            params={"problem": problem},
        ) from None


class Service(models.Model):
    """A service that we sell, with our price."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="services", verbose_name=_("category"))
    name = models.CharField(_("name"), max_length=255)
    description = models.TextField(_("description"), blank=True)
    service_type = models.CharField(_("type"), max_length=32, choices=service_types.choices, default="default")
    rate = RateField(
        _("price"),
        validators=[NOT_NEGATIVE],
        help_text=_("In the store currency: per 1,000, or per unit if the price is flat."),
    )
    is_flat = models.BooleanField(_("flat price"), default=False, help_text=_("The price is per unit, not per 1,000."))
    min_quantity = models.PositiveBigIntegerField(_("minimum quantity"), default=1)
    max_quantity = models.PositiveBigIntegerField(_("maximum quantity"), default=1)
    link_pattern = models.CharField(
        _("link pattern"),
        max_length=255,
        blank=True,
        validators=[_is_pattern],
        help_text=_("A regular expression that the whole link must match. Leave empty to accept any link."),
    )
    link_example = models.CharField(_("link example"), max_length=255, blank=True)
    has_refill = models.BooleanField(_("refill"), default=False)
    has_cancel = models.BooleanField(_("cancel"), default=False)
    has_dripfeed = models.BooleanField(_("drip-feed"), default=False)
    is_manual = models.BooleanField(
        _("delivered by hand"),
        default=False,
        help_text=_("Staff or your own program delivers its orders. They are not sent to a provider."),
    )
    is_one_per_link = models.BooleanField(
        _("one order per link"),
        default=False,
        help_text=_("A link can be ordered again only after the open order for it has ended."),
    )
    refill_days = models.PositiveIntegerField(
        _("refill window"),
        default=30,
        help_text=_("Number of days after an order ends in which customers can request a refill."),
    )
    is_pinned = models.BooleanField(
        _("pinned price"), default=False, help_text=_("The price doesn't change when the provider's cost changes.")
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("on sale"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    objects = ServiceQuerySet.as_manager()

    class Meta:
        ordering = ["category__position", "category_id", "position", "id"]
        verbose_name = _("service")
        verbose_name_plural = _("services")
        constraints = [
            models.CheckConstraint(name="service_rate_not_negative", condition=models.Q(rate__gte=0)),
            models.CheckConstraint(
                name="service_quantity_range",
                condition=models.Q(min_quantity__gte=1, max_quantity__gte=models.F("min_quantity")),
            ),
        ]
        indexes = [models.Index(name="service_on_sale", fields=["category", "position", "id"])]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"

    @property
    def shown_name(self) -> str:
        """The name in the language of ``in_language``, or the original where it is not translated."""
        return str(self.__dict__.get("name_read", self.name))

    @property
    def shown_description(self) -> str:
        return str(self.__dict__.get("description_read", self.description))

    @property
    def shown_category(self) -> str:
        known = self.__dict__.get("category_read")
        return self.category.name if known is None else str(known)

    @property
    def type(self) -> ServiceType:
        """The service type, with its inputs and how its quantity is counted."""
        return SERVICE_TYPES[self.service_type]

    @property
    def has_runs(self) -> bool:
        """Whether its orders can be delivered in runs: drip-feed is on, and the service type allows it."""
        return self.has_dripfeed and has_runs(self.type)

    def clean(self) -> None:
        problems: dict[str, Any] = {}
        if self.min_quantity is not None and self.max_quantity is not None and self.max_quantity < self.min_quantity:
            problems["max_quantity"] = _("The maximum quantity is below the minimum.")
        if self.service_type in SERVICE_TYPES and self.type.is_flat and not self.is_flat:
            problems["is_flat"] = _("Services of this type are sold per unit. Turn on the flat price.")
        if problems:
            raise ValidationError(problems)

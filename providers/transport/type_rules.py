"""Rules by which operators assign service types to a provider's offers.

Price lists are read by these rules (see ``conversation.services``), so an assignment also applies to later lists.
"""

from __future__ import annotations

from collections import Counter

from providers import notes
from providers.models import Offer, Provider, TypeRule
from providers.notes import Note
from providers.panels.services import ANY_TYPE, TypeRules, type_key


def load_rules(provider: Provider) -> TypeRules:
    """Return the rules of ``provider``, including service types that were assigned to single offers."""
    assigned = Offer.objects.filter(provider=provider).exclude(assigned_type="").order_by()
    return TypeRules(
        by_name=dict(TypeRule.objects.filter(provider=provider).values_list("type_name", "service_type")),
        by_offer=dict(assigned.values_list("upstream_id", "assigned_type")),
    )


def set_rule(provider: Provider, *, type_name: str, service_type: str) -> None:
    """Make ``service_type`` the type of ``type_name`` in the provider's price list; "" removes the rule.

    Raises:
        ValidationError: there is no such service type.
    """
    key = ANY_TYPE if type_name.strip() == ANY_TYPE else type_key(type_name)
    rule = TypeRule.objects.filter(provider=provider, type_name=key).first()
    if not service_type:
        if rule is not None:
            rule.delete()
        return
    rule = rule or TypeRule(provider=provider, type_name=key)
    rule.service_type = service_type
    rule.full_clean()
    rule.save()


def unknown_types(provider: Provider) -> list[tuple[str, int]]:
    """Return the unknown type names of offers, which cannot be sold for that reason, the most frequent first."""
    names = Offer.objects.filter(
        provider=provider, missed_imports=0, problem__startswith=notes.beginning(Note.UNKNOWN_TYPE)
    )
    return Counter(names.order_by().values_list("type_name", flat=True)).most_common()

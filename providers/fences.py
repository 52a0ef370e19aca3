"""How many orders may be on their way to a provider at once."""

from __future__ import annotations

from django.conf import settings

from providers.models import Provider


def width(provider: Provider) -> int:
    """Return how many orders may be on their way to ``provider``: one while it is on trial after failures.

    Orders of unknown outcome do not narrow it: the numbers of all others are known, so the search can leave them out.
    """
    is_on_trial = Provider.objects.filter(pk=provider.pk, is_half_open=True).exists()
    return 1 if is_on_trial else min(provider.parallel, settings.SUBMIT_PARALLEL)

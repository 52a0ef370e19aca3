"""The worker of the chaos journey: places orders, expires leases and searches without a pause until it is killed.

    python -m tests.journeys.chaos_worker

Its time limits are short: what takes half a minute in production takes half a second here.
"""

from __future__ import annotations

import os
import time
from datetime import timedelta

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    django.setup()
    from django.conf import settings

    from providers.http import policy
    from providers.http.client import Limits
    from providers.models import Provider
    from providers.placing import submission
    from providers.reconciling import holds, id_search, id_windows

    policy.limits = lambda verb: Limits(connect=0.5, total=0.5, allow_private=True)
    settings.LEASE_GRACE, id_search.CALL_INTERVAL, id_windows.SKEW = 0.5, 0.0, timedelta(0)
    holds.HOLD = timedelta(seconds=3)
    while True:
        submission.expire_leases()
        for provider in Provider.objects.all():
            submission.submit_due(provider, is_now=True, budget=0.5)
            id_search.search(provider, is_now=True)
        time.sleep(0.02)


if __name__ == "__main__":
    main()

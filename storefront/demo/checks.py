"""A system check that keeps the demo's data out of a real shop."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection

from orders.models import Transfer
from storefront.demo import seed


@register(Tags.database)
def demo_data_stays_in_the_demo(app_configs: Any, databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Fail if a real shop uses the demo's database.

    It contains play money, which must not buy from a real panel, and an operator whose password is public.
    """
    if settings.DEMO or not databases or Transfer._meta.db_table not in connection.introspection.table_names():
        return []
    if not seed.is_demo_database():
        return []
    return [
        Error(
            "This database belongs to the demo: it contains play money and an operator whose password is public.",
            hint="Set DATABASE_URL or VAR_DIR to use a separate database for the shop.",
            id="demo.E001",
        )
    ]

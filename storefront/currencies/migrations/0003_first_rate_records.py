"""Start the history of exchange rates, and leave the currencies of before to display only, as it was promised."""

from typing import Any

from django.db import migrations

from orders.db import append_only

HISTORY = "currencies_raterecord"


def keep_rates(apps: Any, schema_editor: Any) -> None:
    currencies, records = apps.get_model("currencies", "Currency"), apps.get_model("currencies", "RateRecord")
    for currency in currencies.objects.order_by("pk"):
        at = currency.updated_at
        currencies.objects.filter(pk=currency.pk).update(is_payable=False, rate_at=at, confirmed_at=at)
        records.objects.create(currency=currency.code, rate=currency.rate, margin=0, at=at, origin="entered")


def install(apps: Any, schema_editor: Any) -> None:
    append_only.install(schema_editor, HISTORY, may_delete=True)


def remove(apps: Any, schema_editor: Any) -> None:
    append_only.remove(schema_editor, HISTORY)


class Migration(migrations.Migration):
    dependencies = [("currencies", "0002_exchange_rates")]

    operations = [
        migrations.RunPython(keep_rates, migrations.RunPython.noop),
        migrations.RunPython(install, remove),
    ]

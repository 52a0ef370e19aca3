from django.conf import settings
from django.db import migrations

HOUSE = {"sales": "sales", "adjustments": "adjustments", "bonuses": "bonuses"}


def forwards(apps, schema_editor):
    accounts = apps.get_model("orders", "Account").objects
    for code, kind in HOUSE.items():
        accounts.get_or_create(code=code, defaults={"kind": kind, "currency": settings.STORE_CURRENCY})


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_append_only_transfers")]

    operations = [migrations.RunPython(forwards, migrations.RunPython.noop)]

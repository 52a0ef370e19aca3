from django.db import migrations

from orders import catalog_stamp

# What ``providers.floor`` reads.
TABLES = {
    "providers_route": (),
    "providers_offer": ("rate", "held_rate", "is_flat", "is_available", "problem", "provider_id"),
    "providers_provider": ("exchange_rate", "is_active"),
}


def forwards(apps, schema_editor):
    catalog_stamp.install(schema_editor, TABLES)


def backwards(apps, schema_editor):
    catalog_stamp.remove(schema_editor, TABLES)


class Migration(migrations.Migration):
    dependencies = [("providers", "0002_request_ids"), ("orders", "0006_what_was_spent")]

    operations = [migrations.RunPython(forwards, backwards)]

from django.db import migrations

from orders import append_only


def forwards(apps, schema_editor):
    append_only.install(schema_editor, "orders_transfer")


def backwards(apps, schema_editor):
    append_only.remove(schema_editor, "orders_transfer")


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_initial")]

    operations = [migrations.RunPython(forwards, backwards)]

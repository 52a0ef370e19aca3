from django.conf import settings
from django.db import migrations, models


def open_account(apps, schema_editor=None):
    apps.get_model("orders", "Account").objects.get_or_create(
        code="bonuses", defaults={"kind": "bonuses", "currency": settings.STORE_CURRENCY}
    )


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0001_initial"),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(choices=[("wallet", "Customer balance"), ("sales", "Sales"), ("clearing", "Clearing"), ("adjustments", "Adjustments"), ("bonuses", "Bonuses")], max_length=12, verbose_name="type"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(choices=[("charge", "Order"), ("refund", "Refund"), ("payment", "Payment"), ("adjustment", "Adjustment"), ("bonus", "Bonus")], max_length=12, verbose_name="type"),
        ),
        migrations.RunPython(open_account, migrations.RunPython.noop),
    ]

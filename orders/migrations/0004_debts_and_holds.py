from decimal import Decimal

import orders.db.money_fields
from django.conf import settings
from django.db import migrations, models


def open_account(apps, schema_editor):
    apps.get_model("orders", "Account").objects.get_or_create(
        code="debts", defaults={"kind": "debts", "currency": settings.STORE_CURRENCY}
    )


class Migration(migrations.Migration):

    dependencies = [
        ("orders", "0003_leases_of_pulled_orders"),
    ]

    operations = [
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.CharField(choices=[("wallet", "Customer balance"), ("sales", "Sales"), ("clearing", "Clearing"), ("adjustments", "Adjustments"), ("bonuses", "Bonuses"), ("debts", "Debts of customers")], max_length=12, verbose_name="type"),
        ),
        migrations.AlterField(
            model_name="transfer",
            name="kind",
            field=models.CharField(choices=[("charge", "Order"), ("refund", "Refund"), ("payment", "Payment"), ("adjustment", "Adjustment"), ("bonus", "Bonus"), ("reversal", "Payment reversed"), ("debt", "Debt")], max_length=12, verbose_name="type"),
        ),
        migrations.AddField(
            model_name="account",
            name="is_held",
            field=models.BooleanField(default=False, help_text="The customer cannot buy anything until staff release the balance.", verbose_name="on hold"),
        ),
        migrations.AddField(
            model_name="account",
            name="debt",
            field=orders.db.money_fields.MoneyField(default=Decimal(0), help_text="What a reversed payment left uncovered. The next payments settle it first.", verbose_name="debt"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(condition=models.Q(("debt__gte", 0)), name="account_debt_not_negative"),
        ),
        migrations.RunPython(open_account, migrations.RunPython.noop),
    ]

import django.core.validators
import orders.db.money_fields
import storefront.currencies.models
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='Currency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(help_text='Three-letter code, such as EUR.', max_length=3, unique=True, validators=[storefront.currencies.models.can_be_shown], verbose_name='code')),
                ('rate', orders.db.money_fields.RateField(help_text='How many units of this currency equal one unit of the store currency. Used for display only.', validators=[django.core.validators.MinValueValidator(Decimal('1E-8'))], verbose_name='exchange rate')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('updated_at', models.DateTimeField(auto_now=True, verbose_name='changed at')),
            ],
            options={
                'verbose_name': 'display currency',
                'verbose_name_plural': 'display currencies',
                'ordering': ['code'],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='currency_rate_positive')],
            },
        ),
    ]

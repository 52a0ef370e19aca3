import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import orders.db.encrypted_field
import orders.db.money_fields
import storefront.currencies.models
from decimal import Decimal
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('currencies', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='RateSource',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=60, unique=True, verbose_name='name')),
                ('format', models.CharField(choices=[('json', 'JSON'), ('ecb', 'ECB daily rates (XML)')], default='json', max_length=8, verbose_name='format')),
                ('url', models.URLField(max_length=500, verbose_name='URL')),
                ('key', orders.db.encrypted_field.EncryptedField(default='', editable=False, verbose_name='API key')),
                ('base', models.CharField(default='USD', max_length=3, validators=[storefront.currencies.models.is_known], verbose_name='base currency')),
                ('path', models.CharField(blank=True, default='rates.{currency}', max_length=200, verbose_name='path of the rate')),
                ('is_inverse', models.BooleanField(default=False, verbose_name='inverse rates')),
                ('interval', models.PositiveIntegerField(choices=[(15, '15 minutes'), (60, '1 hour'), (180, '3 hours'), (360, '6 hours'), (720, '12 hours'), (1440, '24 hours')], default=360, verbose_name='fetch every')),
                ('max_change', orders.db.money_fields.PercentField(default=Decimal('20'), help_text='A rate that changed by more than this waits for your approval.', validators=[django.core.validators.MinValueValidator(Decimal('0.1')), django.core.validators.MaxValueValidator(Decimal('1000'))], verbose_name='largest change (%)')),
                ('stale_after', models.PositiveIntegerField(default=48, help_text='Payments in a currency stop when its rate was not updated for this many hours. Amounts on pages stay and are marked as outdated.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(1440)], verbose_name='outdated after (hours)')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('next_fetch_at', models.DateTimeField(default=django.utils.timezone.now, editable=False, verbose_name='next fetch')),
                ('fetched_at', models.DateTimeField(editable=False, null=True, verbose_name='last fetched')),
                ('failing_since', models.DateTimeField(editable=False, null=True, verbose_name='failing since')),
                ('problem', models.CharField(blank=True, default='', editable=False, max_length=20, verbose_name='problem')),
                ('detail', models.CharField(blank=True, default='', editable=False, max_length=200, verbose_name='detail')),
            ],
            options={
                'verbose_name': 'exchange rate source',
                'verbose_name_plural': 'exchange rate sources',
                'ordering': ['name'],
            },
        ),
        migrations.AlterModelOptions(
            name='currency',
            options={'ordering': ['code'], 'verbose_name': 'currency', 'verbose_name_plural': 'currencies'},
        ),
        migrations.AddField(
            model_name='currency',
            name='confirmed_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='last confirmed'),
        ),
        migrations.AddField(
            model_name='currency',
            name='is_payable',
            field=models.BooleanField(default=True, help_text='Payment methods may charge customers in this currency.', verbose_name='payments'),
        ),
        migrations.AddField(
            model_name='currency',
            name='margin',
            field=orders.db.money_fields.PercentField(default=Decimal('0'), help_text='Added to the rate that customers see and pay, to cover conversion fees and changes of the rate.', validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='margin (%)'),
        ),
        migrations.AddField(
            model_name='currency',
            name='pending_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='waiting since'),
        ),
        migrations.AddField(
            model_name='currency',
            name='pending_rate',
            field=orders.db.money_fields.RateField(editable=False, null=True, verbose_name='rate waiting for approval'),
        ),
        migrations.AddField(
            model_name='currency',
            name='problem',
            field=models.CharField(blank=True, default='', editable=False, max_length=20, verbose_name='problem'),
        ),
        migrations.AddField(
            model_name='currency',
            name='rate_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='rate since'),
        ),
        migrations.AddField(
            model_name='currency',
            name='rejected_at',
            field=models.DateTimeField(editable=False, null=True, verbose_name='rejected at'),
        ),
        migrations.AddField(
            model_name='currency',
            name='rejected_rate',
            field=orders.db.money_fields.RateField(editable=False, null=True, verbose_name='rejected rate'),
        ),
        migrations.AddField(
            model_name='currency',
            name='warned_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='currency',
            name='is_active',
            field=models.BooleanField(default=True, help_text='Customers can choose this currency in their profile.', verbose_name='display'),
        ),
        migrations.AlterField(
            model_name='currency',
            name='rate',
            field=orders.db.money_fields.RateField(blank=True, help_text='How many units of this currency equal one unit of the store currency, without the margin.', null=True, validators=[django.core.validators.MinValueValidator(Decimal('1E-8')), django.core.validators.MaxValueValidator(Decimal('1000000000'))], verbose_name='exchange rate'),
        ),
        migrations.CreateModel(
            name='RateRecord',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('rate', orders.db.money_fields.RateField(verbose_name='exchange rate')),
                ('margin', orders.db.money_fields.PercentField(verbose_name='margin (%)')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='since')),
                ('origin', models.CharField(choices=[('entered', 'Entered by hand'), ('fetched', 'Fetched'), ('approved', 'Fetched and approved')], max_length=8, verbose_name='origin')),
                ('by', models.CharField(blank=True, max_length=254, verbose_name='by')),
            ],
            options={
                'verbose_name': 'past exchange rate',
                'verbose_name_plural': 'exchange rate history',
                'ordering': ['-at', '-id'],
                'indexes': [models.Index(fields=['currency', '-at', '-id'], name='rate_record_of_currency')],
                'constraints': [models.CheckConstraint(condition=models.Q(('rate__gt', 0)), name='rate_record_positive')],
            },
        ),
        migrations.AddField(
            model_name='currency',
            name='source',
            field=models.ForeignKey(blank=True, help_text='Where the rate comes from. Leave empty to enter it by hand.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='currencies', to='currencies.ratesource', verbose_name='source'),
        ),
        migrations.AddConstraint(
            model_name='currency',
            constraint=models.CheckConstraint(condition=models.Q(('pending_rate__gt', 0)), name='currency_pending_rate_positive'),
        ),
        migrations.AddConstraint(
            model_name='currency',
            constraint=models.CheckConstraint(condition=models.Q(('margin__gte', 0)), name='currency_margin_not_negative'),
        ),
    ]

import django.core.validators
import django.db.models.deletion
import orders.rules.service_types
import orders.db.money_fields
import orders.models.catalog
import orders.models.languages
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models
from orders.db import append_only, catalog_triggers


HOUSE_ACCOUNTS = ("sales", "adjustments")


def open_house_accounts(apps):
    accounts = apps.get_model("orders", "Account").objects
    for code in HOUSE_ACCOUNTS:
        accounts.get_or_create(code=code, defaults={"kind": code, "currency": settings.STORE_CURRENCY})


def install(apps, schema_editor):
    append_only.install(schema_editor, "orders_transfer")
    catalog_triggers.install(schema_editor)
    apps.get_model("orders", "CatalogVersion").objects.get_or_create(pk=1, defaults={"version": 1})
    open_house_accounts(apps)


def uninstall(apps, schema_editor):
    catalog_triggers.remove(schema_editor)
    append_only.remove(schema_editor, "orders_transfer")


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CatalogVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='Category',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, unique=True, verbose_name='name')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, verbose_name='on sale')),
            ],
            options={
                'verbose_name': 'category',
                'verbose_name_plural': 'categories',
                'ordering': ['position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='Order',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('submitting', 'Submitting'), ('in_doubt', 'Outcome unknown'), ('pending', 'Pending'), ('processing', 'Processing'), ('in_progress', 'In progress'), ('completed', 'Completed'), ('partial', 'Partial'), ('canceled', 'Canceled'), ('failed', 'Failed')], default='queued', max_length=12, verbose_name='status')),
                ('link', models.CharField(blank=True, max_length=2048, verbose_name='link')),
                ('quantity', models.PositiveBigIntegerField(verbose_name='quantity')),
                ('fields', models.JSONField(blank=True, default=dict, verbose_name='inputs')),
                ('rate', orders.db.money_fields.RateField(help_text="The service's price when the order was placed.", verbose_name='price')),
                ('is_flat', models.BooleanField(default=False, verbose_name='flat price')),
                ('charge', orders.db.money_fields.MoneyField(verbose_name='charge')),
                ('refunded', orders.db.money_fields.MoneyField(default=Decimal('0'), verbose_name='refunded')),
                ('start_count', models.BigIntegerField(blank=True, null=True, verbose_name='start count')),
                ('remains', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='not delivered')),
                ('source', models.CharField(choices=[('page', 'Website'), ('api', 'API')], default='page', max_length=4, verbose_name='source')),
                ('request_id', models.CharField(blank=True, max_length=128, null=True, verbose_name='request ID')),
                ('fingerprint', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='fingerprint')),
                ('link_lock', models.BigIntegerField(blank=True, editable=False, null=True, verbose_name='link lock')),
                ('runs', models.PositiveIntegerField(default=1, help_text='Number of drip-feed deliveries of equal size.', verbose_name='runs')),
                ('interval', models.PositiveIntegerField(default=0, verbose_name='minutes between runs')),
                ('starts_at', models.DateTimeField(blank=True, help_text='Start time chosen by the customer.', null=True, verbose_name='starts at')),
                ('due_at', models.DateTimeField(blank=True, help_text='The order is not sent to a provider before this time.', null=True, verbose_name='not before')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='ordered at')),
                ('started_at', models.DateTimeField(blank=True, null=True, verbose_name='started at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('odd_at', models.DateTimeField(blank=True, editable=False, help_text="Set when a provider's report changed nothing. Cleared when staff mark the report as seen.", null=True, verbose_name='unexpected report at')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
            ],
            options={
                'verbose_name': 'order',
                'verbose_name_plural': 'orders',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PriceLevel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=50, unique=True, verbose_name='name')),
                ('discount', orders.db.money_fields.PercentField(help_text='Percentage taken off every price.', validators=[django.core.validators.MinValueValidator(Decimal('0')), django.core.validators.MaxValueValidator(Decimal('100'))], verbose_name='discount')),
                ('from_spend', orders.db.money_fields.MoneyField(blank=True, help_text='Customers reach this level when they have spent this amount in total. Leave empty to assign it only manually.', null=True, validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='spending threshold')),
            ],
            options={
                'verbose_name': 'price level',
                'verbose_name_plural': 'price levels',
                'ordering': ['from_spend', 'discount', 'id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('discount__gte', 0), ('discount__lte', Decimal('100'))), name='pricelevel_discount_range')],
            },
        ),
        migrations.CreateModel(
            name='Account',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('wallet', 'Customer balance'), ('sales', 'Sales'), ('clearing', 'Clearing'), ('adjustments', 'Adjustments')], max_length=12, verbose_name='type')),
                ('code', models.CharField(blank=True, max_length=64, null=True, unique=True, verbose_name='code')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('balance', orders.db.money_fields.MoneyField(blank=True, null=True, verbose_name='balance')),
                ('spent', orders.db.money_fields.MoneyField(default=Decimal('0'), help_text='Total of all charges minus refunds.', verbose_name='spent')),
                ('is_level_pinned', models.BooleanField(default=False, help_text="The price level doesn't change when the customer spends more.", verbose_name='pinned price level')),
                ('warn_below', orders.db.money_fields.MoneyField(blank=True, help_text='The customer is notified when the balance falls below this amount.', null=True, verbose_name='low balance alert')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('user', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='wallet', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
                ('level', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='wallets', to='orders.pricelevel', verbose_name='price level')),
            ],
            options={
                'verbose_name': 'ledger account',
                'verbose_name_plural': 'ledger accounts',
            },
        ),
        migrations.CreateModel(
            name='Refill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('in_progress', 'In progress'), ('completed', 'Completed'), ('rejected', 'Rejected')], default='waiting', max_length=12, verbose_name='status')),
                ('needs_operator', models.BooleanField(default=False, verbose_name='needs staff')),
                ('reason', models.CharField(blank=True, help_text='Visible to staff only.', max_length=500, verbose_name='reason')),
                ('due_at', models.DateTimeField(blank=True, help_text='When the request is sent to the provider again, because it could not be accepted yet.', null=True, verbose_name='next attempt at')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='requested at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'refill',
                'verbose_name_plural': 'refills',
                'ordering': ('-id',),
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='Run',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='Starts at 1.', verbose_name='number')),
                ('quantity', models.PositiveBigIntegerField(verbose_name='quantity')),
                ('status', models.CharField(choices=[('queued', 'Queued'), ('submitting', 'Submitting'), ('in_doubt', 'Outcome unknown'), ('pending', 'Pending'), ('processing', 'Processing'), ('in_progress', 'In progress'), ('completed', 'Completed'), ('partial', 'Partial'), ('canceled', 'Canceled'), ('failed', 'Failed')], default='queued', max_length=12, verbose_name='status')),
                ('start_count', models.BigIntegerField(blank=True, null=True, verbose_name='start count')),
                ('remains', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='not delivered')),
                ('due_at', models.DateTimeField(verbose_name='due at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='run_rows', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'run',
                'verbose_name_plural': 'runs',
                'ordering': ['order', 'number'],
            },
        ),
        migrations.CreateModel(
            name='Service',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('service_type', models.CharField(choices=orders.rules.service_types.choices, default='default', max_length=32, verbose_name='type')),
                ('rate', orders.db.money_fields.RateField(help_text='In the store currency: per 1,000, or per unit if the price is flat.', validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='price')),
                ('is_flat', models.BooleanField(default=False, help_text='The price is per unit, not per 1,000.', verbose_name='flat price')),
                ('min_quantity', models.PositiveBigIntegerField(default=1, verbose_name='minimum quantity')),
                ('max_quantity', models.PositiveBigIntegerField(default=1, verbose_name='maximum quantity')),
                ('link_pattern', models.CharField(blank=True, help_text='A regular expression that the whole link must match. Leave empty to accept any link.', max_length=255, validators=[orders.models.catalog._is_pattern], verbose_name='link pattern')),
                ('link_example', models.CharField(blank=True, max_length=255, verbose_name='link example')),
                ('has_refill', models.BooleanField(default=False, verbose_name='refill')),
                ('has_cancel', models.BooleanField(default=False, verbose_name='cancel')),
                ('has_dripfeed', models.BooleanField(default=False, verbose_name='drip-feed')),
                ('is_manual', models.BooleanField(default=False, help_text='Staff or your own program delivers its orders. They are not sent to a provider.', verbose_name='delivered by hand')),
                ('is_one_per_link', models.BooleanField(default=False, help_text='A link can be ordered again only after the open order for it has ended.', verbose_name='one order per link')),
                ('refill_days', models.PositiveIntegerField(default=30, help_text='Number of days after an order ends in which customers can request a refill.', verbose_name='refill window')),
                ('is_pinned', models.BooleanField(default=False, help_text="The price doesn't change when the provider's cost changes.", verbose_name='pinned price')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, verbose_name='on sale')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='services', to='orders.category', verbose_name='category')),
            ],
            options={
                'verbose_name': 'service',
                'verbose_name_plural': 'services',
                'ordering': ['category__position', 'category_id', 'position', 'id'],
            },
        ),
        migrations.CreateModel(
            name='PriceChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('old_rate', orders.db.money_fields.RateField(verbose_name='old price')),
                ('new_rate', orders.db.money_fields.RateField(verbose_name='new price')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='date')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='price_changes', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'price change',
                'verbose_name_plural': 'price changes',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='order',
            name='service',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='orders.service', verbose_name='service'),
        ),
        migrations.CreateModel(
            name='DeliveryStats',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('start_median', models.PositiveIntegerField(null=True, verbose_name='average start')),
                ('start_p90', models.PositiveIntegerField(null=True, verbose_name='start time, 90th percentile')),
                ('finish_median', models.PositiveIntegerField(null=True, verbose_name='average completion')),
                ('finish_p90', models.PositiveIntegerField(null=True, verbose_name='completion time, 90th percentile')),
                ('completed', models.PositiveIntegerField(default=0, verbose_name='completed')),
                ('partial', models.PositiveIntegerField(default=0, verbose_name='partial')),
                ('canceled', models.PositiveIntegerField(default=0, verbose_name='canceled')),
                ('measured_at', models.DateTimeField(auto_now=True, verbose_name='measured at')),
                ('sample', models.PositiveIntegerField(default=0, verbose_name='orders measured')),
                ('finish_p10', models.PositiveIntegerField(null=True, verbose_name='completion time, 10th percentile')),
                ('service', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='delivery_stats', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'delivery statistics',
                'verbose_name_plural': 'delivery statistics',
            },
        ),
        migrations.CreateModel(
            name='CustomerRate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('rate', orders.db.money_fields.RateField(validators=[django.core.validators.MinValueValidator(Decimal('0'))], verbose_name='price')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='own_rates', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='own_rates', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'custom rate',
                'verbose_name_plural': 'custom rates',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='ServiceText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=orders.models.languages.translation_languages, max_length=10, verbose_name='language')),
                ('name', models.CharField(blank=True, max_length=255, verbose_name='name')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'translation',
                'verbose_name_plural': 'translations',
                'ordering': ['language'],
            },
        ),
        migrations.CreateModel(
            name='Transfer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('charge', 'Order'), ('refund', 'Refund'), ('payment', 'Payment'), ('adjustment', 'Adjustment')], max_length=12, verbose_name='type')),
                ('reference', models.CharField(max_length=200, unique=True, verbose_name='reference')),
                ('amount', orders.db.money_fields.MoneyField(verbose_name='amount')),
                ('wallet_after', orders.db.money_fields.MoneyField(blank=True, null=True, verbose_name='balance after')),
                ('note', models.CharField(blank=True, max_length=255, verbose_name='note')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='date')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('order', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='orders.order', verbose_name='order')),
                ('source', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='outgoing', to='orders.account', verbose_name='from')),
                ('target', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='incoming', to='orders.account', verbose_name='to')),
                ('wallet', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='transfers', to='orders.account', verbose_name='customer account')),
            ],
            options={
                'verbose_name': 'transaction',
                'verbose_name_plural': 'transactions',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='CategoryText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=orders.models.languages.translation_languages, max_length=10, verbose_name='language')),
                ('name', models.CharField(blank=True, max_length=200, verbose_name='name')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='orders.category', verbose_name='category')),
            ],
            options={
                'verbose_name': 'translation',
                'verbose_name_plural': 'translations',
                'ordering': ['language'],
                'constraints': [models.UniqueConstraint(fields=('category', 'language'), name='category_text_once')],
            },
        ),
        migrations.CreateModel(
            name='Cancellation',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('waiting', 'Waiting'), ('sent', 'Sent'), ('in_progress', 'In progress'), ('completed', 'Completed'), ('rejected', 'Rejected')], default='waiting', max_length=12, verbose_name='status')),
                ('needs_operator', models.BooleanField(default=False, verbose_name='needs staff')),
                ('reason', models.CharField(blank=True, help_text='Visible to staff only.', max_length=500, verbose_name='reason')),
                ('due_at', models.DateTimeField(blank=True, help_text='When the request is sent to the provider again, because it could not be accepted yet.', null=True, verbose_name='next attempt at')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='requested at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='requested by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='%(class)ss', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'cancellation',
                'verbose_name_plural': 'cancellations',
                'ordering': ('-id',),
                'abstract': False,
                'indexes': [models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['needs_operator', 'status', 'id'], name='cancellation_open')],
                'constraints': [models.UniqueConstraint(condition=models.Q(('status__in', ('waiting', 'sent', 'in_progress'))), fields=('order',), name='cancellation_one_open')],
            },
        ),
        migrations.CreateModel(
            name='OrderEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('accepted', 'Accepted'), ('refused', 'Rejected by the provider'), ('not_sent', 'Returned to the queue'), ('in_doubt', 'Outcome unknown'), ('resolved', 'Outcome decided'), ('status', 'Status changed'), ('refunded', 'Refunded'), ('run', 'Run'), ('refill', 'Refill'), ('cancellation', 'Cancellation'), ('oddity', 'Unexpected report'), ('note', 'Note')], max_length=12, verbose_name='event')),
                ('data', models.JSONField(default=dict, verbose_name='data')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='date')),
                ('actor', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='events', to='orders.order', verbose_name='order')),
            ],
            options={
                'verbose_name': 'order event',
                'verbose_name_plural': 'order events',
                'ordering': ['id'],
                'indexes': [models.Index(fields=['order', 'id'], name='order_timeline')],
            },
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('balance__isnull', False), ('code__isnull', True), ('kind', 'wallet'), ('user__isnull', False)), models.Q(models.Q(('kind', 'wallet'), _negated=True), ('balance__isnull', True), ('code__isnull', False), ('user__isnull', True)), _connector='OR'), name='account_wallet_or_house'),
        ),
        migrations.AddConstraint(
            model_name='account',
            constraint=models.CheckConstraint(condition=models.Q(('balance__gte', 0)), name='account_balance_not_negative'),
        ),
        migrations.AddIndex(
            model_name='refill',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['needs_operator', 'status', 'id'], name='refill_open'),
        ),
        migrations.AddConstraint(
            model_name='refill',
            constraint=models.UniqueConstraint(condition=models.Q(('status__in', ('waiting', 'sent', 'in_progress'))), fields=('order',), name='refill_one_open'),
        ),
        migrations.AddIndex(
            model_name='run',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['status', 'due_at'], name='run_open'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.UniqueConstraint(fields=('order', 'number'), name='run_once'),
        ),
        migrations.AddConstraint(
            model_name='run',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='run_quantity_positive'),
        ),
        migrations.AddIndex(
            model_name='service',
            index=models.Index(fields=['category', 'position', 'id'], name='service_on_sale'),
        ),
        migrations.AddConstraint(
            model_name='service',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gte', 0)), name='service_rate_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='service',
            constraint=models.CheckConstraint(condition=models.Q(('max_quantity__gte', models.F('min_quantity')), ('min_quantity__gte', 1)), name='service_quantity_range'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['user', '-id'], name='order_of_user'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['user', 'status', '-id'], name='order_of_user_by_status'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(fields=['user', 'created_at'], name='order_of_user_by_day'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['service', '-ended_at'], name='order_ended_of_service'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='order_ended'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['status', '-id'], name='order_ended_by_status'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('odd_at__isnull', False)), fields=['odd_at'], name='order_odd'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['status', 'id'], name='order_open'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('quantity__gt', 0)), name='order_quantity_positive'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('charge__gte', 0)), name='order_charge_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.CheckConstraint(condition=models.Q(('refunded__gte', 0), ('refunded__lte', models.F('charge'))), name='order_refunded_within_charge'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(fields=('user', 'request_id'), name='order_request_once'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('fingerprint__isnull', False), ('request_id__isnull', True)), fields=('user', 'fingerprint'), name='order_twin_once'),
        ),
        migrations.AddConstraint(
            model_name='order',
            constraint=models.UniqueConstraint(condition=models.Q(('ended_at__isnull', True), ('link_lock__isnull', False)), fields=('link_lock',), name='order_link_once'),
        ),
        migrations.AddConstraint(
            model_name='customerrate',
            constraint=models.UniqueConstraint(fields=('user', 'service'), name='customerrate_once'),
        ),
        migrations.AddConstraint(
            model_name='customerrate',
            constraint=models.CheckConstraint(condition=models.Q(('rate__gte', 0)), name='customerrate_not_negative'),
        ),
        migrations.AddConstraint(
            model_name='servicetext',
            constraint=models.UniqueConstraint(fields=('service', 'language'), name='service_text_once'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['wallet', '-id'], name='transfer_statement'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['wallet', 'kind', '-id'], name='transfer_statement_by_kind'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(fields=['wallet', 'created_at'], name='transfer_of_period'),
        ),
        migrations.AddIndex(
            model_name='transfer',
            index=models.Index(condition=models.Q(('order__isnull', True)), fields=['kind', '-id'], name='transfer_without_order'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gt', 0)), name='transfer_amount_positive'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('wallet__isnull', True), ('wallet_after__isnull', True)), models.Q(('wallet__isnull', False), ('wallet_after__isnull', False)), _connector='OR'), name='transfer_wallet_with_balance'),
        ),
        migrations.AddConstraint(
            model_name='transfer',
            constraint=models.CheckConstraint(condition=models.Q(('source', models.F('target')), _negated=True), name='transfer_between_two'),
        ),
        migrations.RunPython(install, uninstall),
    ]

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import orders.db.encrypted_field
import orders.db.money_fields
import providers.models.provider
import orders.rules.service_types
from decimal import Decimal
from django.db import migrations, models
from orders.db import catalog_triggers


#: What ``providers.placing.cost_floor`` reads.
TABLES = {
    "providers_route": (),
    "providers_offer": ("rate", "pending_rate", "is_flat", "is_available", "problem", "provider_id"),
    "providers_provider": ("exchange_rate", "is_active"),
}


def install(apps, schema_editor):
    catalog_triggers.install(schema_editor, TABLES)


def uninstall(apps, schema_editor):
    catalog_triggers.remove(schema_editor, TABLES)


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orders', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Heartbeat',
            fields=[
                ('name', models.CharField(max_length=32, primary_key=True, serialize=False)),
                ('at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Offer',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('upstream_id', models.CharField(max_length=64, verbose_name='provider service ID')),
                ('name', models.CharField(max_length=255, verbose_name='name')),
                ('category', models.CharField(blank=True, max_length=200, verbose_name='category')),
                ('description', models.TextField(blank=True, verbose_name='description')),
                ('type_name', models.CharField(blank=True, max_length=64, verbose_name='type in the price list')),
                ('service_type', models.CharField(blank=True, max_length=32, verbose_name='service type')),
                ('assigned_type', models.CharField(blank=True, choices=orders.rules.service_types.choices, help_text='Replaces the type in the price list, also in later ones. Leave empty to use the price list.', max_length=32, verbose_name='assigned service type')),
                ('rate', orders.db.money_fields.RateField(verbose_name='cost')),
                ('is_flat', models.BooleanField(default=False, verbose_name='flat price')),
                ('min_quantity', models.PositiveBigIntegerField(default=1, verbose_name='minimum quantity')),
                ('max_quantity', models.PositiveBigIntegerField(default=1, verbose_name='maximum quantity')),
                ('has_refill', models.BooleanField(default=False, verbose_name='refill')),
                ('has_cancel', models.BooleanField(default=False, verbose_name='cancel')),
                ('has_dripfeed', models.BooleanField(default=False, verbose_name='drip-feed')),
                ('problem', models.CharField(blank=True, max_length=255, verbose_name='reason it cannot be sold')),
                ('is_available', models.BooleanField(default=True, verbose_name='available')),
                ('is_pending_approval', models.BooleanField(default=False, help_text='Its cost changed by more than the price jump, or it may be another service now.', verbose_name='waits for approval')),
                ('pending_rate', orders.db.money_fields.RateField(blank=True, help_text='Takes effect when it is approved.', null=True, verbose_name='new cost')),
                ('missed_imports', models.PositiveIntegerField(default=0, verbose_name='consecutive price lists without it')),
                ('seen_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='last listed at')),
            ],
            options={
                'verbose_name': 'provider service',
                'verbose_name_plural': 'provider services',
                'ordering': ['provider', 'id'],
            },
        ),
        migrations.CreateModel(
            name='QueuedTask',
            fields=[
                ('name', models.CharField(max_length=300, primary_key=True, serialize=False)),
                ('message', models.TextField(blank=True)),
            ],
        ),
        migrations.CreateModel(
            name='Turn',
            fields=[
                ('name', models.CharField(max_length=100, primary_key=True, serialize=False)),
                ('holder', models.CharField(blank=True, max_length=32)),
                ('until', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='OfferChange',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('what', models.CharField(choices=[('new', 'New'), ('rate', 'Cost'), ('limits', 'Quantity limits'), ('details', 'Details'), ('gone', 'No longer listed'), ('back', 'Listed again')], max_length=8, verbose_name='change')),
                ('old', models.CharField(blank=True, max_length=255, verbose_name='before')),
                ('new', models.CharField(blank=True, max_length=255, verbose_name='after')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='time')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='changes', to='providers.offer', verbose_name='provider service')),
            ],
            options={
                'verbose_name': 'provider service change',
                'verbose_name_plural': 'provider service changes',
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='Provider',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.SlugField(max_length=64, unique=True, verbose_name='name')),
                ('url', models.URLField(help_text="The full API URL from the provider's documentation.", max_length=500, verbose_name='API URL')),
                ('key', orders.db.encrypted_field.EncryptedField(default='', editable=False, verbose_name='API key')),
                ('dialect_name', models.CharField(choices=providers.models.provider.dialect_choices, max_length=32, verbose_name='dialect')),
                ('currency', models.CharField(default='USD', help_text='The currency the provider bills in.', max_length=3, verbose_name='currency')),
                ('exchange_rate', orders.db.money_fields.RateField(default=Decimal('1'), help_text="The value of one unit of the provider's currency in the store currency.", validators=[django.core.validators.MinValueValidator(Decimal('1E-8'))], verbose_name='exchange rate')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('auth', models.CharField(blank=True, choices=[('bearer', 'Bearer token'), ('key', 'Parameter'), ('both', 'Bearer token and parameter')], help_text='Leave empty to use the location of the dialect.', max_length=8, verbose_name='API key location')),
                ('encoding', models.CharField(blank=True, choices=[('form', 'POST form'), ('json', 'POST JSON'), ('query', 'GET query')], help_text='Leave empty to use the format of the dialect.', max_length=8, verbose_name='request format')),
                ('has_request_ids', models.BooleanField(default=False, help_text="Turn this on if the provider's API documents the parameter request_id. Two equal orders sent at the same time are then never taken for one.", verbose_name='supports request IDs')),
                ('parallel', models.PositiveIntegerField(default=32, help_text='The maximum number of calls at the same time.', validators=[django.core.validators.MinValueValidator(1)], verbose_name='parallel calls')),
                ('calls_per_minute', models.PositiveIntegerField(blank=True, help_text='Leave empty for no limit.', null=True, verbose_name='calls per minute')),
                ('price_jump', models.PositiveIntegerField(default=25, help_text='A cost that changes by more than this waits for approval.', verbose_name='price jump (%)')),
                ('has_failure_refunds', models.BooleanField(default=False, help_text='Turn this on if the provider refunds us for such orders.', verbose_name='refund orders the provider reports as failed')),
                ('paused_until', models.DateTimeField(blank=True, null=True, verbose_name='paused until')),
                ('pause_reason', models.CharField(blank=True, max_length=500, verbose_name='pause reason')),
                ('failures', models.PositiveIntegerField(default=0, editable=False, verbose_name='consecutive failures')),
                ('pauses', models.PositiveIntegerField(default=0, editable=False, verbose_name='consecutive pauses')),
                ('is_half_open', models.BooleanField(default=False, editable=False, verbose_name='sends one order at a time after failures')),
                ('is_search_allowed', models.BooleanField(default=True, help_text="Orders without a clear answer are searched for among the provider's order numbers. The search starts when a check has shown that the provider shows us only our own orders, and stops when it doesn't.", verbose_name='search for orders whose outcome is unknown')),
                ('search_check_result', models.CharField(blank=True, editable=False, max_length=500, verbose_name='result of the last check')),
                ('search_checked_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='last check passed')),
                ('settle_seconds', models.PositiveIntegerField(default=120, help_text='How long after a lost answer the provider may still place the order.', verbose_name='seconds until a lost order counts as not placed')),
                ('balance', orders.db.money_fields.MoneyField(blank=True, null=True, verbose_name='balance')),
                ('balance_seen_at', models.DateTimeField(blank=True, null=True, verbose_name='balance updated at')),
                ('funds_limit', orders.db.money_fields.MoneyField(blank=True, editable=False, null=True, verbose_name='maximum cost of an order')),
                ('funds_balance', orders.db.money_fields.MoneyField(blank=True, editable=False, null=True)),
                ('funds_seen_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('funds_retry_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='next attempt for orders above the maximum')),
                ('funds_attempts', models.PositiveIntegerField(default=0, editable=False)),
                ('idle_balance', orders.db.money_fields.MoneyField(blank=True, editable=False, null=True, verbose_name='settled balance')),
                ('idle_balance_at', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='balance settled at')),
                ('sync_paused_until', models.DateTimeField(blank=True, editable=False, null=True, verbose_name='status checks paused until')),
                ('sync_failures', models.PositiveIntegerField(default=0, editable=False, verbose_name='consecutive failed status checks')),
                ('batch_refused_at', models.DateTimeField(blank=True, editable=False, help_text='For a day after this, statuses are requested one order at a time.', null=True, verbose_name='rejected status checks of several orders at')),
                ('order_currency', models.CharField(blank=True, editable=False, help_text="A currency other than the provider's that its order statuses contain. It is reported once.", max_length=3, verbose_name='currency in order statuses')),
                ('imported_at', models.DateTimeField(blank=True, null=True, verbose_name='price list imported at')),
                ('price_list_error', models.CharField(blank=True, editable=False, max_length=500, verbose_name='why the last price list was not imported')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
            ],
            options={
                'verbose_name': 'provider',
                'verbose_name_plural': 'providers',
                'ordering': ['name'],
                'constraints': [models.CheckConstraint(condition=models.Q(('exchange_rate__gt', 0)), name='provider_exchange_rate_positive')],
            },
        ),
        migrations.CreateModel(
            name='Placement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('run', models.PositiveIntegerField(default=0, verbose_name='run')),
                ('state', models.CharField(choices=[('submitting', 'Submitting'), ('in_doubt', 'Outcome unknown'), ('accepted', 'Accepted'), ('closed', 'Closed'), ('refused', 'Rejected'), ('not_sent', 'Not sent')], default='submitting', max_length=12, verbose_name='state')),
                ('upstream_id', models.CharField(blank=True, max_length=64, verbose_name='provider order ID')),
                ('quantity', models.PositiveBigIntegerField(verbose_name='quantity')),
                ('cost', orders.db.money_fields.MoneyField(help_text="In the provider's currency, from its price list.", verbose_name='cost')),
                ('charged', orders.db.money_fields.MoneyField(blank=True, help_text='As the provider last reported it.', null=True, verbose_name='charged by the provider')),
                ('first_charged', orders.db.money_fields.MoneyField(blank=True, help_text='Before the provider changed it.', null=True, verbose_name='first charge by the provider')),
                ('refunded', orders.db.money_fields.MoneyField(blank=True, help_text='As stated when the provider accepted the cancellation.', null=True, verbose_name='refunded by the provider')),
                ('currency', models.CharField(max_length=3, verbose_name='currency')),
                ('exchange_rate', orders.db.money_fields.RateField(help_text='The rate when the order was submitted.', verbose_name='exchange rate')),
                ('panel_error', models.CharField(blank=True, max_length=600, verbose_name='provider message')),
                ('reason', models.CharField(blank=True, choices=[('duplicate', 'Active order with this link'), ('funds', 'Balance at the provider too low'), ('busy', 'Provider busy or too many requests'), ('key', 'API key rejected'), ('service', 'Service not available'), ('quantity', 'Invalid quantity'), ('link', 'Invalid link'), ('request', 'Invalid request'), ('order', 'Order unknown to the provider'), ('early', 'Too early for a refill'), ('final', 'Not possible'), ('other', 'Other reason')], max_length=16, verbose_name='rejection reason')),
                ('panel_status', models.CharField(blank=True, max_length=64, verbose_name='provider status')),
                ('evidence', models.JSONField(blank=True, default=dict, help_text='Signs that the order was placed, or was not.', verbose_name='evidence')),
                ('next_search_at', models.DateTimeField(blank=True, null=True, verbose_name='next search')),
                ('answered_at', models.DateTimeField(blank=True, null=True, verbose_name='answered at')),
                ('in_doubt_at', models.DateTimeField(blank=True, help_text='Kept after the outcome is known.', null=True, verbose_name='outcome unknown since')),
                ('lease_until', models.DateTimeField(verbose_name='answer expected by')),
                ('sync_at', models.DateTimeField(blank=True, null=True, verbose_name='next status check')),
                ('synced_at', models.DateTimeField(blank=True, null=True, verbose_name='last status check')),
                ('missed_checks', models.PositiveIntegerField(default=0, verbose_name='status checks without an answer')),
                ('first_missed_at', models.DateTimeField(blank=True, null=True, verbose_name='without an answer since')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='placements', to='providers.offer', verbose_name='provider service')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='placements', to='orders.order', verbose_name='order')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='placements', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'submission',
                'verbose_name_plural': 'submissions',
                'ordering': ['id'],
            },
        ),
        migrations.CreateModel(
            name='PanelCall',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=16, verbose_name='action')),
                ('outcome', models.CharField(choices=[('accepted', 'Accepted'), ('refused', 'Rejected'), ('not_sent', 'Not sent'), ('in_doubt', 'Outcome unknown'), ('late', 'Late answer'), ('no_answer', 'No answer'), ('unreadable', 'Unreadable answer'), ('error', 'Error')], max_length=16, verbose_name='outcome')),
                ('request', models.TextField(blank=True, verbose_name='request')),
                ('status', models.PositiveIntegerField(blank=True, null=True, verbose_name='HTTP status')),
                ('answer', models.TextField(blank=True, verbose_name='response')),
                ('elapsed_ms', models.PositiveIntegerField(default=0, verbose_name='duration (ms)')),
                ('created_at', models.DateTimeField(auto_now_add=True, db_index=True, verbose_name='time')),
                ('placement', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='calls', to='providers.placement', verbose_name='submission')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'call',
                'verbose_name_plural': 'call log',
                'ordering': ['-id'],
            },
        ),
        migrations.AddField(
            model_name='offer',
            name='provider',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offers', to='providers.provider', verbose_name='provider'),
        ),
        migrations.CreateModel(
            name='Markup',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('percent', models.DecimalField(decimal_places=2, default=Decimal('30'), max_digits=8, verbose_name='percentage')),
                ('fixed', orders.db.money_fields.MoneyField(default=Decimal('0'), help_text='In the store currency, per 1,000 pieces, or per order if the price is flat.', verbose_name='fixed amount')),
                ('category', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='orders.category', verbose_name='category')),
                ('service', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='orders.service', verbose_name='service')),
                ('provider', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'markup',
                'verbose_name_plural': 'markups',
            },
        ),
        migrations.CreateModel(
            name='CallStats',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('verb', models.CharField(max_length=16, verbose_name='action')),
                ('hour', models.DateTimeField(verbose_name='hour')),
                ('calls', models.PositiveIntegerField(default=0, verbose_name='calls')),
                ('failures', models.PositiveIntegerField(default=0, verbose_name='failures')),
                ('elapsed_ms', models.PositiveBigIntegerField(default=0, verbose_name='total duration (ms)')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='call_stats', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'call statistics',
                'verbose_name_plural': 'call statistics',
                'ordering': ['-hour'],
            },
        ),
        migrations.CreateModel(
            name='ProviderStats',
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
                ('provider', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='stats', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'provider statistics',
                'verbose_name_plural': 'provider statistics',
            },
        ),
        migrations.CreateModel(
            name='RefusalText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('text', models.CharField(max_length=600, verbose_name='error text')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='saved at')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refusal_texts', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'saved rejection',
                'verbose_name_plural': 'saved rejections',
                'ordering': ['provider', 'text'],
            },
        ),
        migrations.CreateModel(
            name='Route',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('priority', models.PositiveIntegerField(default=0, verbose_name='priority')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
                ('is_withdrawn', models.BooleanField(default=False, editable=False, help_text='The service goes back on sale when the provider service can be bought again.', verbose_name='service taken off sale')),
                ('offer', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='providers.offer', verbose_name='provider service')),
                ('service', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='routes', to='orders.service', verbose_name='service')),
            ],
            options={
                'verbose_name': 'route',
                'verbose_name_plural': 'routes',
                'ordering': ['service', 'priority', 'id'],
            },
        ),
        migrations.CreateModel(
            name='TypeRule',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type_name', models.CharField(help_text='As the provider writes it. * stands for every other unknown type.', max_length=64, verbose_name='type in the price list')),
                ('service_type', models.CharField(choices=orders.rules.service_types.choices, max_length=32, verbose_name='service type')),
                ('provider', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='type_rules', to='providers.provider', verbose_name='provider')),
            ],
            options={
                'verbose_name': 'service type rule',
                'verbose_name_plural': 'service type rules',
                'ordering': ['provider', 'type_name'],
            },
        ),
        migrations.CreateModel(
            name='UpstreamRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('state', models.CharField(choices=[('submitting', 'Submitting'), ('in_doubt', 'Outcome unknown'), ('accepted', 'Accepted'), ('closed', 'Closed'), ('refused', 'Rejected'), ('not_sent', 'Not sent')], default='submitting', max_length=12, verbose_name='state')),
                ('upstream_id', models.CharField(blank=True, max_length=64, verbose_name='provider order ID')),
                ('panel_error', models.CharField(blank=True, max_length=600, verbose_name='provider message')),
                ('lease_until', models.DateTimeField(verbose_name='answer expected by')),
                ('sync_at', models.DateTimeField(blank=True, null=True, verbose_name='next status check')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created at')),
                ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended at')),
                ('cancellation', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='upstream_requests', to='orders.cancellation', verbose_name='cancellation')),
                ('placement', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='upstream_requests', to='providers.placement', verbose_name='submission')),
                ('refill', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='upstream_requests', to='orders.refill', verbose_name='refill')),
            ],
            options={
                'verbose_name': 'request to the provider',
                'verbose_name_plural': 'requests to providers',
                'ordering': ['id'],
            },
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('sync_at__isnull', False)), fields=['provider', 'sync_at', 'id'], name='placement_to_sync'),
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['provider', '-ended_at'], name='placement_closed'),
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['state', '-id'], name='placement_ended_by_state'),
        ),
        migrations.AddIndex(
            model_name='placement',
            index=models.Index(condition=models.Q(('ended_at__isnull', True)), fields=['state', 'lease_until'], name='placement_open'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('submitting', 'in_doubt', 'accepted'))), fields=('order', 'run'), name='placement_one_live'),
        ),
        migrations.AddConstraint(
            model_name='placement',
            constraint=models.UniqueConstraint(condition=models.Q(('upstream_id', ''), _negated=True), fields=('provider', 'upstream_id'), name='placement_upstream_once'),
        ),
        migrations.AddConstraint(
            model_name='offer',
            constraint=models.UniqueConstraint(fields=('provider', 'upstream_id'), name='offer_once'),
        ),
        migrations.AddConstraint(
            model_name='markup',
            constraint=models.CheckConstraint(condition=models.Q(('fixed__gte', 0), ('percent__gte', 0)), name='markup_never_below_cost'),
        ),
        migrations.AddConstraint(
            model_name='callstats',
            constraint=models.UniqueConstraint(fields=('provider', 'verb', 'hour'), name='call_stats_once'),
        ),
        migrations.AddConstraint(
            model_name='refusaltext',
            constraint=models.UniqueConstraint(fields=('provider', 'text'), name='refusal_text_once'),
        ),
        migrations.AddConstraint(
            model_name='route',
            constraint=models.UniqueConstraint(fields=('service', 'offer'), name='route_once'),
        ),
        migrations.AddConstraint(
            model_name='typerule',
            constraint=models.UniqueConstraint(fields=('provider', 'type_name'), name='type_rule_once'),
        ),
        migrations.AddIndex(
            model_name='upstreamrequest',
            index=models.Index(condition=models.Q(('sync_at__isnull', False)), fields=['sync_at'], name='upstream_request_to_sync'),
        ),
        migrations.AddConstraint(
            model_name='upstreamrequest',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('cancellation__isnull', True), ('refill__isnull', False)), models.Q(('cancellation__isnull', False), ('refill__isnull', True)), _connector='OR'), name='upstream_request_for_one_request'),
        ),
        migrations.AddConstraint(
            model_name='upstreamrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('submitting', 'in_doubt', 'accepted'))), fields=('refill',), name='upstream_request_one_live_refill'),
        ),
        migrations.AddConstraint(
            model_name='upstreamrequest',
            constraint=models.UniqueConstraint(condition=models.Q(('state__in', ('submitting', 'in_doubt', 'accepted'))), fields=('cancellation',), name='upstream_request_one_live_cancellation'),
        ),
        migrations.RunPython(install, uninstall),
    ]

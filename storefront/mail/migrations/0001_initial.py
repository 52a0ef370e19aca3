import django.db.models.deletion
import django.utils.timezone
import orders.db.money_fields
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Preferences',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('has_receipts', models.BooleanField(default=True, help_text='A payment was added to your balance.', verbose_name='Payment receipts')),
                ('has_orders', models.BooleanField(default=True, help_text='Orders were canceled or only partially delivered. One email covers up to 15 minutes.', verbose_name='Order problems')),
                ('has_tickets', models.BooleanField(default=True, help_text='We replied to one of your tickets.', verbose_name='Support replies')),
                ('has_balance', models.BooleanField(default=True, help_text='Your balance fell below your threshold.', verbose_name='Low balance')),
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='mail_preferences', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'email preferences',
                'verbose_name_plural': 'email preferences',
            },
        ),
        migrations.CreateModel(
            name='Switches',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('has_receipts', models.BooleanField(default=True, help_text='A payment was added to your balance.', verbose_name='Payment receipts')),
                ('has_orders', models.BooleanField(default=True, help_text='Orders were canceled or only partially delivered. One email covers up to 15 minutes.', verbose_name='Order problems')),
                ('has_tickets', models.BooleanField(default=True, help_text='We replied to one of your tickets.', verbose_name='Support replies')),
                ('has_balance', models.BooleanField(default=True, help_text='Your balance fell below your threshold.', verbose_name='Low balance')),
            ],
            options={
                'verbose_name': 'email types',
                'verbose_name_plural': 'email types',
                'constraints': [models.CheckConstraint(condition=models.Q(('pk', 1)), name='mail_switches_are_one')],
            },
        ),
        migrations.CreateModel(
            name='Email',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('attempts', models.PositiveIntegerField(default=0, verbose_name='attempts')),
                ('due_at', models.DateTimeField(blank=True, null=True, verbose_name='next attempt')),
                ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='leased until')),
                ('given_up_at', models.DateTimeField(blank=True, null=True, verbose_name='retries stopped at')),
                ('address', models.EmailField(max_length=254, verbose_name='email address')),
                ('kind', models.CharField(choices=[('confirmation', 'Email confirmation'), ('reset', 'Password reset'), ('security', 'Account security'), ('receipt', 'Payment receipts'), ('orders', 'Order problems'), ('ticket', 'Support replies'), ('balance', 'Low balance')], max_length=12, verbose_name='type')),
                ('subject', models.CharField(max_length=200, verbose_name='subject')),
                ('text', models.TextField(blank=True, verbose_name='text')),
                ('html', models.TextField(blank=True, verbose_name='HTML')),
                ('language', models.CharField(max_length=10, verbose_name='language')),
                ('key', models.UUIDField(default=uuid.uuid4, editable=False)),
                ('has_lost_answer', models.BooleanField(default=False, verbose_name='may have arrived already')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent at')),
                ('error', models.CharField(blank=True, max_length=300, verbose_name='last error')),
                ('created_at', models.DateTimeField(db_index=True, default=django.utils.timezone.now, verbose_name='created at')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='emails', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
            ],
            options={
                'verbose_name': 'email',
                'verbose_name_plural': 'emails',
                'ordering': ['-id'],
                'indexes': [models.Index(condition=models.Q(('due_at__isnull', False)), fields=['due_at', 'id'], name='email_due'), models.Index(condition=models.Q(('lease_until__isnull', False)), fields=['lease_until'], name='email_in_flight'), models.Index(condition=models.Q(('given_up_at__isnull', False)), fields=['-id'], name='email_given_up')],
            },
        ),
        migrations.CreateModel(
            name='PendingNotification',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('confirmation', 'Email confirmation'), ('reset', 'Password reset'), ('security', 'Account security'), ('receipt', 'Payment receipts'), ('orders', 'Order problems'), ('ticket', 'Support replies'), ('balance', 'Low balance')], max_length=12)),
                ('order_id', models.BigIntegerField(null=True)),
                ('balance', orders.db.money_fields.MoneyField(null=True)),
                ('below', orders.db.money_fields.MoneyField(null=True)),
                ('noted_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('user', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'indexes': [models.Index(fields=['user', 'kind', 'id'], name='note_of_user'), models.Index(fields=['kind', 'noted_at'], name='note_waiting')],
            },
        ),
    ]

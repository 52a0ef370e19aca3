import django.db.models.deletion
import django.utils.timezone
import orders.models.languages
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('orders', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='CannedReply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=100, verbose_name='title')),
                ('text', models.TextField(help_text="{name} is replaced with the customer's name, {order} with the number of the ticket's first order.", max_length=5000, verbose_name='text')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, verbose_name='active')),
            ],
            options={
                'verbose_name': 'canned reply',
                'verbose_name_plural': 'canned replies',
                'ordering': ('position', 'title'),
            },
        ),
        migrations.CreateModel(
            name='InfoPage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(help_text="The last part of the page's address, such as terms or faq.", unique=True, verbose_name='address')),
                ('title', models.CharField(max_length=150, verbose_name='title')),
                ('text', models.TextField(help_text='Plain text. Separate paragraphs with an empty line. Begin headings with “# ” and list items with “- ”. Addresses that begin with https:// become links.', max_length=100000, verbose_name='text')),
                ('position', models.PositiveIntegerField(default=0, help_text='Order of the links in the footer of every page.', verbose_name='position')),
                ('is_published', models.BooleanField(default=False, verbose_name='published')),
                ('changed_at', models.DateTimeField(auto_now=True, verbose_name='changed at')),
            ],
            options={
                'verbose_name': 'page',
                'verbose_name_plural': 'pages',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='TicketCategory',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=100, unique=True, verbose_name='name')),
                ('position', models.PositiveIntegerField(default=0, verbose_name='position')),
                ('is_active', models.BooleanField(default=True, help_text='Customers can choose it for new tickets.', verbose_name='active')),
            ],
            options={
                'verbose_name': 'ticket category',
                'verbose_name_plural': 'ticket categories',
                'ordering': ('position', 'id'),
            },
        ),
        migrations.CreateModel(
            name='Announcement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('news', 'News'), ('maintenance', 'Maintenance'), ('update', 'Update')], default='news', max_length=12, verbose_name='type')),
                ('title', models.CharField(max_length=150, verbose_name='title')),
                ('text', models.TextField(blank=True, help_text='Plain text. Separate paragraphs with an empty line. Begin headings with “# ” and list items with “- ”. Addresses that begin with https:// become links.', max_length=10000, verbose_name='text')),
                ('is_pinned', models.BooleanField(default=False, help_text='Shown at the top of every page until it ends or the reader dismisses it.', verbose_name='pinned')),
                ('starts_at', models.DateTimeField(default=django.utils.timezone.now, verbose_name='starts at')),
                ('ends_at', models.DateTimeField(blank=True, help_text='Leave empty for no end.', null=True, verbose_name='ends at')),
            ],
            options={
                'verbose_name': 'announcement',
                'verbose_name_plural': 'announcements',
                'ordering': ('-id',),
                'constraints': [models.CheckConstraint(condition=models.Q(('ends_at__isnull', True), ('ends_at__gt', models.F('starts_at')), _connector='OR'), name='announcement_ends_after_its_start', violation_error_message='The end must be after the start.')],
            },
        ),
        migrations.CreateModel(
            name='Message',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('is_staff', models.BooleanField(default=False, verbose_name='from staff')),
                ('is_internal', models.BooleanField(default=False, verbose_name='internal note')),
                ('text', models.TextField(verbose_name='text')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='sent at')),
                ('author', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='author')),
            ],
            options={
                'verbose_name': 'message',
                'verbose_name_plural': 'messages',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(max_length=200, unique=True, verbose_name='storage name')),
                ('name', models.CharField(max_length=150, verbose_name='name')),
                ('content_type', models.CharField(max_length=50, verbose_name='type')),
                ('size', models.PositiveIntegerField(verbose_name='size in bytes')),
                ('message', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attachments', to='support.message', verbose_name='message')),
            ],
            options={
                'verbose_name': 'attachment',
                'verbose_name_plural': 'attachments',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='Ticket',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('question', 'Question'), ('refill', 'Refill'), ('cancel', 'Cancel'), ('speed_up', 'Speed up')], default='question', max_length=12, verbose_name='type')),
                ('subject', models.CharField(max_length=150, verbose_name='subject')),
                ('status', models.CharField(choices=[('open', 'Open'), ('answered', 'Answered'), ('waiting', 'Waiting for customer'), ('closed', 'Closed')], default='open', max_length=12, verbose_name='status')),
                ('last_message', models.BigIntegerField(editable=False, null=True, verbose_name='newest message')),
                ('is_unread_by_customer', models.BooleanField(default=False, verbose_name='unread by the customer')),
                ('is_unread_by_staff', models.BooleanField(default=True, verbose_name='unread by staff')),
                ('waiting_since', models.DateTimeField(blank=True, null=True, verbose_name='waiting since')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='opened at')),
                ('changed_at', models.DateTimeField(auto_now_add=True, verbose_name='last message at')),
                ('closed_at', models.DateTimeField(blank=True, null=True, verbose_name='closed at')),
                ('assignee', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='assignee')),
                ('merged_into', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='support.ticket', verbose_name='merged into')),
                ('user', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to=settings.AUTH_USER_MODEL, verbose_name='customer')),
                ('wanted_for', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='orders.order', verbose_name='requested order')),
                ('category', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='support.ticketcategory', verbose_name='category')),
            ],
            options={
                'verbose_name': 'ticket',
                'verbose_name_plural': 'tickets',
                'ordering': ('-id',),
            },
        ),
        migrations.AddField(
            model_name='message',
            name='ticket',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='messages', to='support.ticket', verbose_name='ticket'),
        ),
        migrations.CreateModel(
            name='TicketOrder',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('order', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='orders.order', verbose_name='order')),
                ('ticket', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='attached', to='support.ticket', verbose_name='ticket')),
            ],
            options={
                'verbose_name': 'ticket order',
                'verbose_name_plural': 'ticket orders',
                'ordering': ('id',),
            },
        ),
        migrations.CreateModel(
            name='PageText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(choices=orders.models.languages.translation_languages, max_length=10, verbose_name='language')),
                ('title', models.CharField(max_length=150, verbose_name='title')),
                ('text', models.TextField(max_length=100000, verbose_name='text')),
                ('page', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='texts', to='support.infopage', verbose_name='page')),
            ],
            options={
                'verbose_name': 'translation',
                'verbose_name_plural': 'translations',
                'ordering': ('language',),
                'constraints': [models.UniqueConstraint(fields=('page', 'language'), name='page_text_once')],
            },
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['ticket', '-id'], name='message_of_ticket'),
        ),
        migrations.AddIndex(
            model_name='message',
            index=models.Index(fields=['author', '-created_at'], name='message_rate'),
        ),
        migrations.AddConstraint(
            model_name='message',
            constraint=models.CheckConstraint(condition=models.Q(('is_internal', False), ('is_staff', True), _connector='OR'), name='message_note_by_staff'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['user', '-last_message'], name='ticket_of_user'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(fields=['user', 'status', '-last_message'], name='ticket_of_user_by_status'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('waiting_since__isnull', False)), fields=['waiting_since', 'id'], name='ticket_queue'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(condition=models.Q(('closed_at__isnull', True)), fields=['id'], name='ticket_not_closed'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'open'), ('waiting_since__isnull', False)), models.Q(models.Q(('status', 'open'), _negated=True), ('waiting_since__isnull', True)), _connector='OR'), name='ticket_open_waits'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('closed_at__isnull', False), ('status', 'closed')), models.Q(models.Q(('status', 'closed'), _negated=True), ('closed_at__isnull', True)), _connector='OR'), name='ticket_closed_at_its_end'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into__isnull', True), ('status', 'closed'), _connector='OR'), name='ticket_merged_is_closed'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(condition=models.Q(('closed_at__isnull', True), ('wanted_for__isnull', False)), fields=('wanted_for', 'kind'), name='ticket_one_open_request'),
        ),
        migrations.AddConstraint(
            model_name='ticket',
            constraint=models.UniqueConstraint(fields=('last_message',), name='ticket_newest_message_once'),
        ),
        migrations.AddConstraint(
            model_name='ticketorder',
            constraint=models.UniqueConstraint(fields=('ticket', 'order'), name='ticket_order_once'),
        ),
    ]

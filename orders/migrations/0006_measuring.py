from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('orders', '0005_queue_after_purchase'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['service', '-ended_at'], name='order_ended_of_service'),
        ),
        migrations.AddIndex(
            model_name='order',
            index=models.Index(condition=models.Q(('ended_at__isnull', False)), fields=['ended_at'], name='order_ended'),
        ),
    ]

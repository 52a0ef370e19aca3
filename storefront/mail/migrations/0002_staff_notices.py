from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mail', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='email',
            name='kind',
            field=models.CharField(choices=[('confirmation', 'Email confirmation'), ('reset', 'Password reset'), ('security', 'Account security'), ('receipt', 'Payment receipts'), ('orders', 'Order problems'), ('ticket', 'Support replies'), ('balance', 'Low balance'), ('staff', 'Staff notices')], max_length=12, verbose_name='type'),
        ),
        migrations.AlterField(
            model_name='pendingnotification',
            name='kind',
            field=models.CharField(choices=[('confirmation', 'Email confirmation'), ('reset', 'Password reset'), ('security', 'Account security'), ('receipt', 'Payment receipts'), ('orders', 'Order problems'), ('ticket', 'Support replies'), ('balance', 'Low balance'), ('staff', 'Staff notices')], max_length=12),
        ),
    ]

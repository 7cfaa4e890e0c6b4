from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("moderation", "0002_append_only")]

    operations = [
        migrations.AddField("notice", "text", models.CharField(default="", max_length=500), preserve_default=False),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("sessions", "0002_columns_for_lookups")]

    operations = [
        AddIndexConcurrently("session", models.Index(fields=["user"], name="sessions_by_user")),
    ]

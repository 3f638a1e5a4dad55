import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def forget_names(apps, schema_editor):
    """What was stored so far has the names as they were typed. It would be kept for an hour."""
    apps.get_model("accounts", "LoginFailure").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
    ]

    operations = [
        migrations.RunPython(forget_names, migrations.RunPython.noop, elidable=True),
        migrations.AddField(
            model_name="loginfailure",
            name="user",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="Who goes by that name, if anybody does.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="person",
            ),
        ),
        migrations.AlterField(
            model_name="loginfailure",
            name="account",
            field=models.CharField(
                blank=True,
                default="",
                help_text="A hash of the name that was given, which may have been a password.",
                max_length=64,
                verbose_name="account",
            ),
        ),
    ]

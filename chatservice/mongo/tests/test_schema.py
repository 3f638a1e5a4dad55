"""What migrations leave behind: collections, indexes, and documents that follow their model."""

import datetime

import pytest
from bson import Decimal128, ObjectId
from django.core.management import call_command
from django.db import IntegrityError, NotSupportedError, connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.test.utils import CaptureQueriesContext

from chatservice.mongo.client import database
from chatservice.mongo.fields import ObjectIdField
from chatservice.mongo.indexes import TTLIndex

NOTE = "schema_note"
KEY = ("id", ObjectIdField(primary_key=True, default=ObjectId, db_column="_id"))


class Migrator:
    """Applies operations one after the other, as `migrate` would, and takes them back."""

    def __init__(self):
        self.state = ProjectState()
        self.done = []

    def apply(self, *operations):
        for operation in operations:
            before, after = self.state, self.state.clone()
            operation.state_forwards("schema", after)
            with connection.schema_editor() as editor:
                operation.database_forwards("schema", editor, before, after)
            self.done.append((operation, before, after))
            self.state = after

    def take_back(self):
        operation, before, after = self.done.pop()
        with connection.schema_editor() as editor:
            operation.database_backwards("schema", editor, after, before)
        self.state = before

    def model(self, name="Note"):
        return self.state.apps.get_model("schema", name)


@pytest.fixture
def migrator(db):
    yield Migrator()
    for name in database().list_collection_names(filter={"name": {"$regex": "^schema_"}}):
        database().drop_collection(name)
    database()["__schema__"].delete_many({"name": {"$regex": "^schema_"}})


def create(*fields, name="Note", **options):
    return migrations.CreateModel(name, [KEY, *fields], options=options)


def indexes(collection=NOTE):
    """The indexes by name: their keys and the options that matter."""
    found = {}
    for index in database()[collection].list_indexes():
        options = {
            option: index[option]
            for option in ("unique", "partialFilterExpression", "expireAfterSeconds")
            if option in index
        }
        found[index["name"]] = (dict(index["key"]), options)
    del found["_id_"]
    return found


def keys(collection=NOTE):
    return sorted(tuple(columns.items()) for columns, _ in indexes(collection).values())


TEXT = ("text", models.TextField(default=""))
TITLE = ("title", models.CharField(max_length=9))
AT = ("at", models.DateTimeField(null=True))


# Indexes


def test_unique_field(migrator):
    migrator.apply(create(("slug", models.SlugField(unique=True))))
    [(name, (columns, options))] = indexes().items()
    assert name.endswith("_uniq")
    assert (columns, options) == ({"slug": 1}, {"unique": True})
    migrator.model().objects.create(slug="a")
    with pytest.raises(IntegrityError):
        migrator.model().objects.create(slug="a")


def test_unique_field_takes_any_number_of_nulls(migrator):
    migrator.apply(create(("slug", models.SlugField(unique=True, null=True))))
    note = migrator.model().objects
    assert [note.create(slug=None).slug, note.create(slug=None).slug] == [None, None]
    note.create(slug="")
    with pytest.raises(IntegrityError):
        note.create(slug="")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        (models.IntegerField(null=True, unique=True), -(2**31)),
        (models.BooleanField(null=True, unique=True), False),
        (models.DateField(null=True, unique=True), datetime.date(1, 1, 1)),
        (models.DecimalField(null=True, unique=True, max_digits=5, decimal_places=1), -5),
        (models.UUIDField(null=True, unique=True), "00000000-0000-0000-0000-000000000000"),
        (models.BinaryField(null=True, unique=True), b""),
        (ObjectIdField(null=True, unique=True), "0" * 24),
        (models.DurationField(null=True, unique=True), datetime.timedelta(days=-9)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_least_value_of_each_kind_is_unique_too(migrator, field, value):
    migrator.apply(create(("x", field)))
    note = migrator.model().objects
    note.create(x=None)
    note.create(x=None)
    note.create(x=value)
    with pytest.raises(IntegrityError):
        note.create(x=value)


def test_foreign_keys_are_indexed(migrator):
    migrator.apply(
        create(TITLE),
        create(("note", models.ForeignKey("schema.Note", models.CASCADE)), name="Page"),
    )
    assert keys("schema_page") == [(("note_id", 1),)]


def test_many_to_many(migrator):
    migrator.apply(
        create(TITLE), create(("notes", models.ManyToManyField("schema.Note")), name="Page")
    )
    assert (("page_id", 1), ("note_id", 1)) in keys("schema_page_notes")
    migrator.apply(migrations.DeleteModel("Page"))
    assert "schema_page_notes" not in database().list_collection_names()


def test_meta_indexes_and_constraints(migrator):
    active = Q(at__isnull=True)
    migrator.apply(
        create(
            TITLE,
            AT,
            ("number", models.IntegerField(null=True)),
            indexes=[
                models.Index(fields=["title", "-at"], name="by_title"),
                models.Index(fields=["number"], name="small", condition=Q(number__lt=10)),
                TTLIndex(fields=["at"], expire_after_seconds=60, name="expires"),
            ],
            constraints=[
                models.UniqueConstraint(fields=["title"], name="one_active", condition=active),
                models.UniqueConstraint(
                    fields=["number", "title"],
                    name="present",
                    condition=Q(number__isnull=False) & Q(title__gt="a"),
                ),
                models.UniqueConstraint(fields=["at"], name="with_null", nulls_distinct=False),
            ],
        )
    )
    found = indexes()
    assert found["by_title"] == ({"title": 1, "at": -1}, {})
    assert found["small"][1] == {"partialFilterExpression": {"number": {"$lt": 10}}}
    assert found["expires"] == ({"at": 1}, {"expireAfterSeconds": 60})
    assert found["one_active"] == (
        {"title": 1},
        {"unique": True, "partialFilterExpression": {"at": {"$eq": None}}},
    )
    assert found["with_null"] == ({"at": 1}, {"unique": True})
    assert found["present"][0] == {"number": 1, "title": 1}

    note = migrator.model().objects
    moment = datetime.datetime(2025, 1, 1, tzinfo=datetime.UTC)
    note.create(title="x", number=1)
    note.create(title="x", number=2, at=moment)
    with pytest.raises(IntegrityError, match="one_active"):
        note.create(title="x", number=3)
    with pytest.raises(IntegrityError, match="present"):
        note.create(title="x", number=2, at=moment + datetime.timedelta(1))


def test_a_collection_and_its_indexes_are_one_step(migrator):
    with CaptureQueriesContext(connection) as asked:
        migrator.apply(
            create(
                ("text", models.CharField(max_length=9, unique=True)),
                ("number", models.IntegerField(db_index=True)),
                indexes=[models.Index(fields=["number", "text"], name="both")],
            ),
            create(name="Plain"),
        )

    steps = [query["sql"] for query in asked if "schema_" in query["sql"]]
    assert [step.partition("(")[0] for step in steps] == [
        "db.schema_note.createIndexes",
        "db.createCollection",
    ]
    assert len(indexes()) == 3
    assert "schema_plain" in database().list_collection_names()


def test_planner_uses_the_partial_index_of_a_nullable_field(migrator):
    migrator.apply(create(("slug", models.SlugField(unique=True, null=True))))
    plan = database()[NOTE].find({"slug": "a"}).explain()["queryPlanner"]["winningPlan"]
    assert "IXSCAN" in str(plan)


@pytest.mark.parametrize(
    "constraint",
    [
        models.UniqueConstraint(Lower("title"), name="x"),
        models.UniqueConstraint(fields=["title"], name="x", condition=~Q(title="a")),
        models.UniqueConstraint(fields=["title"], name="x", condition=Q(title="a") | Q(title="b")),
        models.UniqueConstraint(fields=["title"], name="x", condition=Q(title__contains="a")),
        models.UniqueConstraint(fields=["title"], name="x", condition=Q(title=F("text"))),
        models.UniqueConstraint(fields=["title"], name="x", include=["text"]),
        models.UniqueConstraint(fields=["title"], name="x", deferrable=models.Deferrable.DEFERRED),
        models.CheckConstraint(condition=Q(title__gt="a"), name="x"),
    ],
    ids=range(8),
)
def test_what_no_index_can_enforce_is_refused(migrator, constraint):
    migrator.apply(create(TITLE, TEXT))
    with pytest.raises(NotSupportedError, match="^x: "):
        migrator.apply(migrations.AddConstraint("note", constraint))


@pytest.mark.parametrize(
    "index",
    [
        models.Index(Lower("title"), name="x"),
        models.Index(fields=["title"], name="x", include=["text"]),
        models.Index(fields=["title"], name="x", opclasses=["text_ops"]),
    ],
    ids=range(3),
)
def test_indexes_of_other_databases_are_refused(migrator, index):
    migrator.apply(create(TITLE, TEXT))
    with pytest.raises(NotSupportedError, match="^x: "):
        migrator.apply(migrations.AddIndex("note", index))


def test_indexes_come_and_go(migrator):
    migrator.apply(create(TITLE, TEXT, AT))
    steps = [
        migrations.AddIndex("note", models.Index(fields=["title"], name="a")),
        migrations.AddConstraint("note", models.UniqueConstraint(fields=["text"], name="b")),
        migrations.AddIndex("note", TTLIndex(fields=["at"], name="c")),
        migrations.RenameIndex("note", new_name="a2", old_name="a"),
        migrations.AlterUniqueTogether("note", {("title", "text")}),
    ]
    migrator.apply(*steps)
    assert {"a2", "b", "c"} < set(indexes())
    assert (("title", 1), ("text", 1)) in keys()
    while len(migrator.done) > 1:
        migrator.take_back()
    assert indexes() == {}


# Documents


@pytest.fixture
def notes(migrator):
    """A model with two documents, one of which the native driver wrote, without `text`."""
    migrator.apply(create(TITLE, TEXT, AT))
    migrator.model().objects.create(title="orm", text="t")
    database()[NOTE].insert_one({"title": "native"})
    return migrator


def documents(*fields):
    return sorted(
        tuple(document.get(field, "missing") for field in fields)
        for document in database()[NOTE].find()
    )


def test_missing_fields_read_as_null(notes):
    note = notes.model().objects
    assert note.get(title="native").text is None
    assert note.get(text=None).title == note.get(text__isnull=True).title == "native"
    assert note.exclude(text="t").count() == 0  # as in SQL: unknown is not different
    assert list(note.order_by("text").values_list("title", flat=True)) == ["native", "orm"]


def test_add_field_fills_its_default_in(notes):
    notes.apply(migrations.AddField("note", "size", models.IntegerField(default=7, db_index=True)))
    assert documents("size") == [(7,), (7,)]
    assert keys() == [(("size", 1),)]
    notes.take_back()
    assert documents("size") == [("missing",), ("missing",)]
    assert indexes() == {}


def test_add_nullable_field_writes_nothing(notes):
    notes.apply(migrations.AddField("note", "size", models.IntegerField(null=True)))
    assert documents("size") == [("missing",), ("missing",)]
    assert list(notes.model().objects.values_list("size", flat=True)) == [None, None]


def test_rename_field_takes_values_and_indexes_along(notes):
    notes.apply(
        migrations.AlterField("note", "title", models.SlugField(unique=True, null=True)),
        migrations.AddIndex("note", models.Index(fields=["at", "title"], name="both")),
        migrations.RenameField("note", "title", "name"),
    )
    assert documents("name", "title") == [("native", "missing"), ("orm", "missing")]
    assert indexes()["both"] == ({"at": 1, "name": 1}, {})
    assert ({"name": 1}, {"unique": True, "partialFilterExpression": {"name": {"$gte": ""}}}) in (
        indexes().values()
    )
    with pytest.raises(IntegrityError):
        notes.model().objects.create(name="orm")
    notes.model().objects.create(name=None)


def test_alter_field_to_unique_and_back(notes):
    notes.apply(migrations.AlterField("note", "title", models.CharField(max_length=9, unique=True)))
    with pytest.raises(IntegrityError):
        notes.model().objects.create(title="orm")
    notes.take_back()
    assert indexes() == {}


def test_unique_index_follows_null(notes):
    notes.apply(
        migrations.AlterUniqueTogether("note", {("title", "text")}),
        migrations.AlterField("note", "text", models.TextField(null=True)),
    )
    note = notes.model().objects
    note.create(title="x", text=None)
    note.create(title="x", text=None)
    note.create(title="y", text="z")
    with pytest.raises(IntegrityError):
        note.create(title="y", text="z")


def test_alter_field_to_not_null_fills_the_default_in(notes):
    notes.apply(
        migrations.AlterField("note", "text", models.TextField(null=True)),
        migrations.AlterField("note", "text", models.TextField(default="none")),
    )
    assert documents("text") == [("none",), ("t",)]


def test_alter_type_converts_the_documents(migrator):
    migrator.apply(create(("x", models.IntegerField(null=True))))
    migrator.model().objects.create(x=5)
    migrator.model().objects.create(x=None)
    for field, stored in [
        (models.CharField(max_length=9, null=True), "5"),
        (models.DecimalField(max_digits=9, decimal_places=1, null=True), Decimal128("5")),
        (models.FloatField(null=True), 5.0),
        (models.BigIntegerField(null=True), 5),
    ]:
        migrator.apply(migrations.AlterField("note", "x", field))
        assert [document["x"] for document in database()[NOTE].find()] == [stored, None]
        assert migrator.model().objects.filter(x=5).count() == 1


def test_alter_type_that_has_no_conversion_is_refused(notes):
    with pytest.raises(NotSupportedError, match="RunPython"):
        notes.apply(migrations.AlterField("note", "title", models.DateField()))


def test_rename_and_delete_model(notes):
    notes.apply(
        migrations.AddIndex("note", models.Index(fields=["title"], name="a")),
        migrations.RenameModel("Note", "Page"),
    )
    assert notes.model("Page").objects.count() == 2
    assert set(indexes("schema_page")) == {"a"}
    notes.apply(migrations.DeleteModel("Page"))
    assert not {NOTE, "schema_page"} & set(database().list_collection_names())


def test_run_python_sees_the_documents(notes):
    def shout(apps, editor):
        apps.get_model("schema", "Note").objects.update(title="LOUD")

    notes.apply(migrations.RunPython(shout))
    assert documents("title") == [("LOUD",), ("LOUD",)]


def test_numbered_keys(migrator):
    migrator.apply(
        migrations.CreateModel("Note", [("id", models.BigAutoField(primary_key=True)), TITLE])
    )
    note = migrator.model().objects
    assert [note.create(title="a").pk, note.create(title="b").pk] == [1, 2]
    assert note.create(pk=10, title="c").pk == 10
    assert [one.pk for one in note.bulk_create([migrator.model()(title="d")] * 1)] == [11]
    with pytest.raises(IntegrityError):
        note.create(pk=10, title="e")
    migrator.apply(migrations.RenameModel("Note", "Page"))
    assert migrator.model("Page").objects.create(title="f").pk == 12


def test_documents_have_no_counter(notes):
    assert database()["__schema__"].find_one({"name": NOTE}) is None


@pytest.mark.parametrize(
    "field",
    [
        models.IntegerField(db_default=3),
        models.CharField(max_length=3, db_collation="nocase"),
        models.GeneratedField(
            expression=F("title"), output_field=models.TextField(), db_persist=True
        ),
    ],
    ids=lambda field: type(field).__name__,
)
def test_fields_that_need_an_sql_server_are_refused(notes, field):
    with pytest.raises(NotSupportedError):
        notes.apply(migrations.AddField("note", "x", field))


# Commands


def test_migrating_again_does_and_says_nothing(db, capfd):
    call_command("migrate", verbosity=0)
    call_command("migrate", verbosity=0)
    assert capfd.readouterr() == ("", "")


def test_every_migration_of_the_project_is_quiet(db, capfd):
    """From nothing, in a database of its own."""
    settings_dict = connection.settings_dict
    name, settings_dict["NAME"] = settings_dict["NAME"], f"{settings_dict['NAME']}_empty"
    connection.close()
    try:
        call_command("migrate", verbosity=0)
        assert capfd.readouterr() == ("", "")
        assert (("app_label", 1), ("model", 1)) in keys("django_content_type")
    finally:
        database().client.drop_database(settings_dict["NAME"])
        settings_dict["NAME"] = name
        connection.close()


def test_sqlmigrate_shows_what_would_be_done(db, capsys):
    call_command("sqlmigrate", "contenttypes", "0001")
    assert 'db.createCollection("django_content_type");' in capsys.readouterr().out


def test_inspectdb_says_why_not(db, capsys):
    call_command("inspectdb", "django_content_type")
    assert "MongoDB keeps no columns" in capsys.readouterr().out


def test_flush_empties_every_collection(notes):
    from django.contrib.auth.models import Group

    Group.objects.create(name="a")
    call_command("flush", verbosity=0, interactive=False)
    assert not Group.objects.exists()
    assert Group.objects.create(name="b").pk == 1


def test_an_index_may_take_longer_than_a_question(db):
    profiled = database()["system.profile"]
    database().command("profile", 2)
    try:
        with connection.schema_editor() as editor:
            editor.call(NOTE, "create_index", [("text", 1)])
        [build] = profiled.find({"command.createIndexes": NOTE})
    finally:
        database().command("profile", 0)
        profiled.drop()
        database()[NOTE].drop()

    assert build["command"]["maxTimeMS"] > 60 * 60 * 1_000

"""Models of their own registry, so that no migration and no admin of the project knows them."""

from django.apps.registry import Apps
from django.db import models
from django.db.migrations.state import AppConfigStub

from chatservice.mongo.models import Document

registry = Apps()
app_config = AppConfigStub("shapes")
app_config.apps = registry
app_config.models = registry.all_models["shapes"]
registry.app_configs["shapes"] = app_config


class Person(Document):
    name = models.CharField(max_length=80)
    email = models.EmailField(unique=True)
    nickname = models.CharField(max_length=80, null=True)  # noqa: DJ001  (null is the point)
    boss = models.ForeignKey("self", models.CASCADE, null=True, related_name="staff")
    born = models.DateField(null=True)
    joined_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True)
    is_active = models.BooleanField(default=True)
    is_verified = models.BooleanField(null=True)
    height = models.FloatField(null=True)
    balance = models.DecimalField(max_digits=9, decimal_places=2, null=True)

    class Meta:
        apps = registry
        app_label = "shapes"

    def __str__(self):
        return self.name


class Profile(Document):
    person = models.OneToOneField(Person, models.CASCADE, related_name="profile")
    about = models.TextField(blank=True)

    class Meta:
        apps = registry
        app_label = "shapes"


class Tag(models.Model):
    id = models.BigAutoField(primary_key=True)
    word = models.SlugField(unique=True)

    class Meta:
        apps = registry
        app_label = "shapes"
        ordering = ["word"]

    def __str__(self):
        return self.word


class Room(Document):
    title = models.CharField(max_length=80)
    topic = models.CharField(max_length=80, null=True)  # noqa: DJ001
    owner = models.ForeignKey(Person, models.CASCADE, related_name="owned_rooms")
    members = models.ManyToManyField(Person, through="Membership", related_name="rooms")
    tags = models.ManyToManyField(Tag, related_name="rooms")
    size = models.IntegerField(default=0)
    limit = models.IntegerField(null=True)
    made_at = models.DateTimeField()

    class Meta:
        apps = registry
        app_label = "shapes"


class Membership(Document):
    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")
    person = models.ForeignKey(Person, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, default="member")
    joined_on = models.DateField()
    muted_by = models.ForeignKey(
        Person, models.SET_NULL, null=True, related_name="muted_memberships"
    )

    class Meta:
        apps = registry
        app_label = "shapes"
        unique_together = [("room", "person")]


class Message(Document):
    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(Person, models.SET_NULL, null=True, related_name="messages")
    reply_to = models.ForeignKey("self", models.SET_NULL, null=True, related_name="replies")
    number = models.PositiveIntegerField()
    text = models.TextField()
    likes = models.IntegerField(default=0)
    sent_at = models.DateTimeField()
    edited_at = models.DateTimeField(null=True)
    at_time = models.TimeField(null=True)
    took = models.DurationField(null=True)
    token = models.UUIDField(null=True)
    raw = models.BinaryField(null=True)
    data = models.JSONField(null=True)
    big = models.BigIntegerField(null=True)

    class Meta:
        apps = registry
        app_label = "shapes"
        constraints = [models.UniqueConstraint(fields=["room", "number"], name="shapes_number")]


registry.clear_cache()
MODELS = [Person, Profile, Tag, Room, Membership, Message]

"""The base of this project's models."""

from bson import ObjectId
from django.db import models

from .fields import ObjectIdField


class Document(models.Model):
    """A model whose key is an `ObjectId` made here, so it is known before anything is stored."""

    id = ObjectIdField(
        primary_key=True, default=ObjectId, db_column="_id", editable=False, verbose_name="ID"
    )

    class Meta:
        abstract = True

"""Where the bytes are when they are in an object store."""

from botocore.config import Config
from django.utils.functional import cached_property
from storages.backends import s3

# boto3 would wait for a minute and try five times; the person who uploads waits with it.
PATIENCE = Config(connect_timeout=5, read_timeout=30, retries={"total_max_attempts": 2})


class S3Storage(s3.S3Storage):
    """django-storages' S3, quick to connect and quick to give up.

    It keeps a connection for each thread, but under ASGI a request has a thread of its own, and
    boto3 takes 70 ms to make one. The process has one here: what is used of it, the client and
    fresh objects of the bucket, may be shared.
    """

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.client_config = self.client_config.merge(PATIENCE)

    @cached_property
    def connection(self):
        return super().connection

"""Questions with one right answer, by name."""

from .calculations import CALCULATIONS
from .combinations import COMBINATIONS
from .dates import DATES
from .filters import FILTERS
from .listings import LISTINGS
from .relations import RELATIONS

GROUPS = [FILTERS, LISTINGS, DATES, RELATIONS, CALCULATIONS, COMBINATIONS]
READS = {name: question for group in GROUPS for name, question in group.items()}
assert len(READS) == sum(map(len, GROUPS)), "two questions have one name"

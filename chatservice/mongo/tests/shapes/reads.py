"""Questions with one right answer, by name."""

from .calculations import CALCULATIONS
from .dates import DATES
from .filters import FILTERS
from .listings import LISTINGS
from .relations import RELATIONS

READS = FILTERS | LISTINGS | DATES | RELATIONS | CALCULATIONS
assert len(READS) == sum(map(len, [FILTERS, LISTINGS, DATES, RELATIONS, CALCULATIONS]))

"""How many seeds are tried: a few by all tests, many by `make seeds`, before a change lands."""

import os

SEEDS = int(os.environ.get("LAMPLIGHTER_SEEDS", "10"))
MANY = SEEDS >= 200
"""Whether what one seed shows is shown by others, too."""

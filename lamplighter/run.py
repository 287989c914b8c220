"""The program `lamplighter`: finds the packages of the service, and starts the command line.

Installed, they lie in `lamplighter/service/`, so that none of their names (`api`, `store`, ...) can
meet another package's of the same name in `site-packages`; in a checkout they lie beside this
package. That folder comes first in this process's path, and in no other's.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PLACES = (HERE / "service", HERE.parent)
"""Of an installation, and of a checkout."""


def main() -> None:
    """Run the command line. Ends with its exit code."""
    home = next(place for place in PLACES if (place / "actors").is_dir())
    sys.path.insert(0, str(home))
    from api.cli import main as command_line

    command_line()

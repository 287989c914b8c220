"""`replace` for msgspec structs, with the names and types of the fields checked by mypy.

msgspec declares its own `replace` as taking any keyword. To mypy a struct is a dataclass, and what
it knows of `dataclasses.replace` it applies to structs as well: so it is shown that one.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import replace
else:
    from msgspec.structs import replace

__all__ = ["replace"]

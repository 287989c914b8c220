"""A table that stays readable where the terminal is narrow.

Rich alone folds every cell until the table fits, down to columns of three letters. Here columns
that say least go first, and what is left out is said below the table; only columns of prose fold.
"""

from collections.abc import Mapping, Sequence
from copy import copy

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.table import Column, Table


class Fitting(Table):
    """`drop` are headings in the order in which they go, `prose` those that fold, with the least
    width of each. Those of `often_empty` are left out where they have nothing to say."""

    def __init__(
        self,
        *headings: str,
        drop: Sequence[str] = (),
        prose: Mapping[str, int] | None = None,
        often_empty: Sequence[str] = (),
    ) -> None:
        super().__init__(
            box=box.SIMPLE_HEAD,
            pad_edge=False,
            header_style="bold",
            caption_justify="left",
            caption_style="dim",
        )
        for heading in headings:
            self.add_column(heading, overflow="fold")
        self._drop = drop
        self._often_empty = often_empty
        self._prose = dict(prose or {})

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table as wide as there is room."""
        yield from self._fitted(console, options).super_render(console, options)

    def super_render(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As rich does it."""
        return super().__rich_console__(console, options)

    def _fitted(self, console: Console, options: ConsoleOptions) -> "Fitting":
        columns = {str(column.header): column for column in self.columns}
        for heading in self._often_empty:
            if not any(map(str, columns[heading].cells)):
                del columns[heading]
        widths = {one: _width(columns[one], console, options) for one in columns}
        gone: list[str] = []
        for heading in self._drop:
            if self._fits(widths, options.max_width):
                break
            if heading in columns:
                gone.append(heading)
                del columns[heading], widths[heading]
        made = copy(self)
        made.columns = [copy(column) for column in columns.values()]
        fits = self._fits(widths, options.max_width)
        for index, (heading, column) in enumerate(columns.items()):
            made.columns[index]._index = index  # noqa: SLF001 - rich finds cells' columns by it
            made.columns[index].no_wrap = (fits and heading not in self._prose) or column.no_wrap
        if gone:
            made.caption = f"Not shown for want of room: {', '.join(gone)}"
        return made

    def _fits(self, widths: Mapping[str, int], room: int) -> bool:
        """Whether all stand beside each other with prose at its least; two blanks and the box's
        divider lie between columns."""
        needed = sum(min(width, self._prose.get(one, width)) for one, width in widths.items())
        return needed + 3 * len(widths) - 1 <= room


def _width(column: Column, console: Console, options: ConsoleOptions) -> int:
    cells = (column.header, *column.cells)
    return max(Measurement.get(console, options, cell).maximum for cell in cells)

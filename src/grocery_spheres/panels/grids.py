"""How do baskets become complete grids: store by day, household by week?"""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw
import polars as pl
from narwhals.typing import IntoFrameT

from grocery_spheres.panels.engine import entered, first_rows, left_as, pushed, read_small
from grocery_spheres.panels.measures import typed
from grocery_spheres.panels.refusals import refuse
from grocery_spheres.panels.study import calendar, spans_of, study_of, trading
from grocery_spheres.tables import ContractError

_NEEDED = ("household_id", "store_id", "date", "lines", "sales_usd")  # what panels read of a basket
_STORE_DAYS = ("store_id", "date", "baskets", "lines", "sales_usd", "households")
_HOUSEHOLD_WEEKS = ("household_id", "week_start", "days", "baskets", "lines", "sales_usd", "stores")


def store_days(
    baskets: IntoFrameT,
    *,
    stores: Any = None,
    masked: Any = None,
    start: date | str | None = None,
    end: date | str | None = None,
) -> IntoFrameT:
    """Count baskets, lines, sales and households of every store on every day that it traded.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, as `baskets` returns. A lazy frame is passed over once for the first and
        last date of each store (collected: one row a store) and once more where `masked` is given.
    stores : any Narwhals frame, optional
        One row = one store: store_id, opened, closed (inclusive dates, null = edge of the study). Read
        into memory. Without it every store seen counts as open through the whole study.
    masked : any Narwhals frame, optional
        One row = one store and date whose records are missing. Read into memory. Cells that lie outside
        the panel have no effect.
    start, end : date or ISO text, optional
        The study, inclusive. Default: first and last date over the whole table.

    Returns
    -------
    same kind of frame
        One row = one store and date within its trading: baskets, lines, sales_usd, households (distinct
        buyers that day). Zeros on days without sales, nulls where masked.

    Raises
    ------
    ContractError
        Sales outside the study or a store's trading dates, of an unlisted store, or behind a mask.

    Examples
    --------
    >>> sold = pl.DataFrame({"household_id": [1, 1], "store_id": [7, 7], "lines": [2, 1],
    ...     "date": [date(2017, 11, 4), date(2017, 11, 6)], "sales_usd": [3.5, 1.0]})
    >>> store_days(sold)["baskets"].to_list()
    [1, 0, 1]
    """
    table, eager = _enter_baskets(baskets)
    spans = spans_of(table)
    study = study_of(spans, start, end)
    sites = pushed(trading(spans, stores, table, study), table)
    days = pushed(calendar(*study).select("date"), table)
    sold = _measured(table, ["store_id", "date"], "household_id", "households")
    open_days = nw.col("date") >= nw.col("opened"), nw.col("date") <= nw.col("closed")
    cells = sites.join(days, how="cross").filter(*open_days).select("store_id", "date")
    panel = typed(cells.join(sold, on=["store_id", "date"], how="left"), _STORE_DAYS)
    if masked is not None:
        panel = _masked_to_null(panel, table, masked)
    return left_as(panel, eager, ["store_id", "date"])


def household_weeks(
    baskets: IntoFrameT,
    *,
    households: Any = None,
    start: date | str | None = None,
    end: date | str | None = None,
) -> IntoFrameT:
    """Count baskets, lines, sales and stores of every household in every Monday week of the study.

    A household counts from the first to the last week of the study, never from its first to its last
    purchase: that would delete those who left.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, as `baskets` returns. A lazy frame is passed over once for the study's
        dates (collected: one row) and once more where `households` is given.
    households : any Narwhals frame, optional
        One row = one household: household_id; those that never bought get zeros. Read into memory.
        Default: every household seen.
    start, end : date or ISO text, optional
        The study, inclusive. Default: first and last date over the whole table.

    Returns
    -------
    same kind of frame
        One row = one household and week: week_start (Monday), days (days of the study in that week,
        below 7 in a partial week: leave those out of rates), baskets, lines, sales_usd, stores (distinct).

    Raises
    ------
    ContractError
        Sales outside the study, or of an unlisted household.

    Examples
    --------
    >>> sold = pl.DataFrame({"household_id": [1, 1], "store_id": [7, 8], "lines": [2, 1],
    ...     "date": [date(2017, 11, 5), date(2017, 11, 6)], "sales_usd": [3.5, 1.0]})
    >>> household_weeks(sold).select("week_start", "days", "sales_usd").rows()
    [(datetime.date(2017, 10, 30), 1, 3.5), (datetime.date(2017, 11, 6), 1, 1.0)]
    """
    table, eager = _enter_baskets(baskets)
    days = calendar(*study_of(spans_of(table), start, end))
    weeks = pushed(days.group_by("week_start").agg(days=pl.len().cast(pl.Int64)), table)
    placed = table.join(pushed(days, table), on="date")
    sold = _measured(placed, ["household_id", "week_start"], "store_id", "stores")
    cells = _buyers(table, households).join(weeks, how="cross")
    panel = cells.join(sold, on=["household_id", "week_start"], how="left")
    return left_as(typed(panel, _HOUSEHOLD_WEEKS), eager, ["household_id", "week_start"])


def _measured(table: nw.LazyFrame[Any], keys: list[str], who: str, name: str) -> nw.LazyFrame[Any]:
    """Count and sum baskets by keys, and count the distinct `who` among them.

    Distinct counts are wrong on some engines (Dask adds them up over partitions), so two stages count
    them with a plain length. On Polars they are right, and a fifth cheaper in one.
    """
    sums = nw.col("lines", "sales_usd").sum()
    if table.implementation.is_polars():
        return table.group_by(keys).agg(nw.len().alias("baskets"), sums, nw.col(who).n_unique().alias(name))
    first = table.group_by([*keys, who]).agg(nw.len().alias("baskets"), sums)
    return first.group_by(keys).agg(nw.col("baskets", "lines", "sales_usd").sum(), nw.len().alias(name))


def _buyers(table: nw.LazyFrame[Any], households: Any) -> nw.LazyFrame[Any]:
    """Return the households of the panel: those listed (then nobody else may buy), or those seen."""
    if households is None:
        return table.select("household_id").unique()
    listed = pushed(read_small(households, "households", ["household_id"], table).unique(), table)
    strangers = table.join(listed, on="household_id", how="anti").group_by("household_id")
    refuse(
        first_rows(strangers.agg(nw.len().alias("baskets")), ["household_id"]),
        "Baskets belong to households that the table `households` does not list",
        "Add them to `households`, or filter their baskets out first.",
    )
    return listed


def _masked_to_null(panel: nw.LazyFrame[Any], table: nw.LazyFrame[Any], masked: Any) -> nw.LazyFrame[Any]:
    """Set the measures of masked cells to null, and refuse a mask over cells that hold sales."""
    cell = ["store_id", "date"]
    cells = read_small(masked, "masked", cell, table).with_columns(pl.col("date").cast(pl.Date)).unique()
    if cells.is_empty():
        return panel
    hidden = pushed(cells.with_columns(masked=pl.lit(1)), table)
    sold = table.join(hidden, on=cell, how="semi").group_by(cell).agg(nw.len().alias("baskets"))
    refuse(
        first_rows(sold, cell),
        "The table `masked` hides store-days that hold sales",
        "Take these cells out of `masked`, or filter their baskets out first.",
    )
    shown = [nw.when(nw.col("masked").is_null()).then(nw.col(name)).alias(name) for name in _STORE_DAYS[2:]]
    return panel.join(hidden, on=cell, how="left").select(*cell, *shown)


def _enter_baskets(frame: Any) -> tuple[nw.LazyFrame[Any], bool]:
    """Return baskets ready for a panel: whole days only, because a time of day would match no calendar."""
    table, eager = entered(frame, _NEEDED, "baskets")
    kind = table.collect_schema()["date"]
    if kind == nw.Date:
        return table, eager
    if isinstance(kind, nw.Datetime) and kind.time_zone is None:
        return table.with_columns(nw.col("date").dt.truncate("1d")), eager
    raise ContractError(
        f"The column `date` of the table `baskets` is {kind}, and the store's local date is wanted. Make the "
        "baskets with `baskets(lines)`, or convert the column first."
    )

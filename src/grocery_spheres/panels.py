"""How do lines become panels? Baskets first, then store-days and household-weeks, on any Narwhals engine.

The same kind of frame goes in and comes out: Polars (eager or lazy), pandas, DuckDB, Dask, PySpark. The
result of a lazy engine is never collected here; what is collected is small, and each function says what.
On a lazy engine write the baskets to a file (or collect them) before both panels are built from them:
baskets are a tenth of the lines, and an unwritten plan reads all the lines again at every pass.

Only operations that give equal answers on every engine are used: no distinct counts, weekdays, weekly
truncation, rounding or conditions inside an aggregate. Dates are Date columns, in pandas and Dask
datetimes at midnight. Counts are 64-bit integers; pandas turns them into floats where a mask sets nulls.
Eager frames come sorted by their first columns, lazy ones in no order.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

import narwhals as nw
import polars as pl
import polars.selectors as cs
from narwhals.typing import IntoFrameT

from grocery_spheres.tables import ContractError, check_table, require_columns, to_polars

_KEYS = ("basket_id", "household_id", "store_id", "sold_at")  # of each basket_id exactly one of the others
_NEEDED = ("household_id", "store_id", "date", "lines", "sales_usd")  # what panels read of a basket
_BASKETS = ("household_id", "store_id", "basket_id", "sold_at", "date", "lines", "sales_usd", "discount_usd")
_STORE_DAYS = ("store_id", "date", "baskets", "lines", "sales_usd", "households")
_HOUSEHOLD_WEEKS = ("household_id", "week_start", "days", "baskets", "lines", "sales_usd", "stores")
_COUNTS = ("baskets", "lines", "households", "stores", "days")
_MONEY = ("sales_usd", "discount_usd")
_SPAN = ("store_id", "first_sale", "last_sale")
_EXAMPLES = 3  # bad rows that a refusal names


def baskets(lines: IntoFrameT, *, check: bool = True) -> IntoFrameT:
    """Collapse lines to baskets, one row a checkout: the step that every panel starts from.

    Parameters
    ----------
    lines : any Narwhals frame
        One row = one product in one basket, columns of the contract (`tables.LINES`). Missing amounts
        count as zero.
    check : bool
        Refuse what `check_baskets` refuses. An eager frame is checked on the result in hand. A lazy one
        pays a second pass over the key columns and collects a handful of bad rows at most; with False
        nothing is read, and nothing is lost: a mixed basket becomes several rows, for `check_baskets` to
        find once they are written.

    Returns
    -------
    same kind of frame
        One row = one basket: household_id, store_id, basket_id, sold_at (local), date (local), lines
        (count), sales_usd, discount_usd. Sorted by basket_id if eager.

    Raises
    ------
    ContractError
        A missing column, a zone-aware `sold_at`, and what `check_baskets` refuses.

    Examples
    --------
    >>> noon = datetime(2017, 11, 5, 12)
    >>> lines = pl.DataFrame({"household_id": [1, 1], "store_id": [7, 7], "basket_id": [5, 5],
    ...     "product_id": [1, 2], "sold_at": [noon, noon], "quantity": [1, 1],
    ...     "sales_usd": [2.5, 1.0], "discount_usd": [0.0, 0.5]})
    >>> baskets(lines).select("basket_id", "lines", "sales_usd").rows()
    [(5, 2, 3.5)]
    """
    check_table(lines, "lines")
    table, eager = _enter(lines, (), "lines")
    whole = table.group_by(_KEYS).agg(nw.len().alias("lines"), nw.col(_MONEY).sum())
    result = _leave(_typed(whole.with_columns(_local_date(table)), _BASKETS), eager, ["basket_id"])
    return check_baskets(result) if check else result


def check_baskets(baskets: IntoFrameT) -> IntoFrameT:
    """Refuse baskets without a key, or with two households, stores or times; return the others as they came.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket, as `baskets` returns. A lazy frame is passed over; a few bad rows at most
        are collected.

    Raises
    ------
    ContractError
        Names up to three baskets, with both values.

    Examples
    --------
    >>> noon = datetime(2017, 11, 5, 12)
    >>> check_baskets(pl.DataFrame({"basket_id": [5, 5], "household_id": [1, 1], "store_id": [7, 8],
    ...                             "sold_at": [noon, noon]}))
    Traceback (most recent call last):
        ...
    grocery_spheres.tables.ContractError: A basket is one row, with one household, store and time, and these
    are not: basket_id 5, store_id 7 and 8. Give every checkout its own basket_id, ...
    """
    table, _ = _enter(baskets, _KEYS, "baskets")
    _refuse_null_keys(table, _KEYS)
    rows = table.group_by("basket_id").agg(nw.len().alias("rows"))
    doubled = [row["basket_id"] for row in _some(rows.filter(nw.col("rows") > 1), ["basket_id"])]
    if doubled:
        _refuse_mixed(_collect(table.select(_KEYS).filter(nw.col("basket_id").is_in(doubled))))
    return baskets


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
    spans = _spans(table)
    study = _study(spans, start, end)
    sites = _push(_numbered(_trading(spans, stores, table, study), "site"), table)
    days = _push(_numbered(_calendar(*study).select("date"), "day"), table)
    # one integer for store and date: a third cheaper to group and join than the two of them
    cell = (nw.col("site") * ((study[1] - study[0]).days + 1) + nw.col("day")).alias("cell")
    placed = table.join(sites, on="store_id").join(days, on="date").with_columns(cell)
    sold = (
        _summed(placed, ["cell", "household_id"])
        .group_by("cell")
        .agg(nw.col("baskets", "lines", "sales_usd").sum(), nw.len().alias("households"))
    )
    open_days = nw.col("date") >= nw.col("opened"), nw.col("date") <= nw.col("closed")
    cells = sites.join(days, how="cross").filter(*open_days).select("store_id", "date", cell)
    panel = _typed(cells.join(sold, on="cell", how="left"), _STORE_DAYS)
    if masked is not None:
        panel = _masked_to_null(panel, table, masked)
    return _leave(panel, eager, ["store_id", "date"])


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
    calendar = _calendar(*_study(_spans(table), start, end))
    weeks = _push(calendar.group_by("week_start").agg(days=pl.len().cast(pl.Int64)), table)
    sold = (
        _summed(table.join(_push(calendar, table), on="date"), ["household_id", "week_start", "store_id"])
        .group_by("household_id", "week_start")
        .agg(nw.col("baskets", "lines", "sales_usd").sum(), nw.len().alias("stores"))
    )
    cells = _buyers(table, households).join(weeks, how="cross")
    panel = cells.join(sold, on=["household_id", "week_start"], how="left")
    return _leave(_typed(panel, _HOUSEHOLD_WEEKS), eager, ["household_id", "week_start"])


# --- what goes into the panels --------------------------------------------------------------------------


def _summed(table: nw.LazyFrame[Any], keys: list[str]) -> nw.LazyFrame[Any]:
    """Count and sum baskets: the first stage, after which the second counts distinct with a plain length."""
    return table.group_by(keys).agg(nw.len().alias("baskets"), nw.col("lines", "sales_usd").sum())


def _typed(table: nw.LazyFrame[Any], columns: Sequence[str]) -> nw.LazyFrame[Any]:
    """Select, with zeros and one dtype for the measures: engines differ in both."""
    kinds = {**dict.fromkeys(_COUNTS, nw.Int64), **dict.fromkeys(_MONEY, nw.Float64)}
    return table.select(
        *[nw.col(name).fill_null(0).cast(kinds[name]) if name in kinds else nw.col(name) for name in columns]
    )


def _local_date(table: nw.LazyFrame[Any]) -> nw.Expr:
    """Return the date of `sold_at`; where an engine has no plain date, midnight."""
    sold_at = nw.col("sold_at").dt
    return (sold_at.truncate("1d") if _lacks_dates(table) else sold_at.date()).alias("date")


def _lacks_dates(table: nw.LazyFrame[Any]) -> bool:
    return table.implementation.is_pandas_like() or table.implementation.is_dask()


def _calendar(first: date, last: date) -> pl.DataFrame:
    """Return one row a day of the study with its Monday: engines have no common truncation to weeks."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    mondays = [day - timedelta(days=day.weekday()) for day in days]
    return pl.DataFrame({"date": days, "week_start": mondays})


def _numbered(small: pl.DataFrame, name: str) -> pl.DataFrame:
    return small.with_row_index(name).with_columns(pl.col(name).cast(pl.Int64))


def _buyers(table: nw.LazyFrame[Any], households: Any) -> nw.LazyFrame[Any]:
    """Return the households of the panel: those listed (then nobody else may buy), or those seen."""
    if households is None:
        return table.select("household_id").unique()
    listed = _push(_read(households, "households", ["household_id"], table).unique(), table)
    strangers = table.join(listed, on="household_id", how="anti").group_by("household_id")
    _refuse(
        _some(strangers.agg(nw.len().alias("baskets")), ["household_id"]),
        "Baskets belong to households that the table `households` does not list",
        "Add them to `households`, or filter their baskets out first.",
    )
    return listed


def _trading(
    spans: pl.DataFrame, stores: Any, table: nw.LazyFrame[Any], study: tuple[date, date]
) -> pl.DataFrame:
    """Return store_id, opened, closed of every store, and refuse sales that this leaves out."""
    if stores is None:
        return spans.select("store_id", opened=pl.lit(study[0]), closed=pl.lit(study[1]))
    listed = _read(stores, "stores", ["store_id", "opened", "closed"], table).with_columns(
        pl.col("opened").cast(pl.Date).fill_null(study[0]), pl.col("closed").cast(pl.Date).fill_null(study[1])
    )
    _refuse(
        listed.filter(pl.col("store_id").is_duplicated()).to_dicts(),
        "The table `stores` lists a store twice",
        "Keep one row a store: a second one would double its days.",
    )
    _refuse(
        spans.join(listed, on="store_id", how="anti").select(_SPAN).to_dicts(),
        "Baskets belong to stores that the table `stores` does not list",
        "Add them to `stores`, or filter their baskets out first.",
    )
    outside = (pl.col("first_sale") < pl.col("opened")) | (pl.col("last_sale") > pl.col("closed"))
    _refuse(
        spans.select(_SPAN).join(listed, on="store_id").filter(outside).to_dicts(),
        "Stores sold before they opened or after they closed",
        "Correct `opened` and `closed` (both inclusive) in `stores`, or filter these baskets out first.",
    )
    return listed


def _masked_to_null(panel: nw.LazyFrame[Any], table: nw.LazyFrame[Any], masked: Any) -> nw.LazyFrame[Any]:
    """Set the measures of masked cells to null, and refuse a mask over cells that hold sales."""
    cell = ["store_id", "date"]
    cells = _read(masked, "masked", cell, table).with_columns(pl.col("date").cast(pl.Date)).unique()
    if cells.is_empty():
        return panel
    hidden = _push(cells.with_columns(masked=pl.lit(1)), table)
    sold = table.join(hidden, on=cell, how="semi").group_by(cell).agg(nw.len().alias("baskets"))
    _refuse(
        _some(sold, cell),
        "The table `masked` hides store-days that hold sales",
        "Take these cells out of `masked`, or filter their baskets out first.",
    )
    shown = [nw.when(nw.col("masked").is_null()).then(nw.col(name)).alias(name) for name in _STORE_DAYS[2:]]
    return panel.join(hidden, on=cell, how="left").select(*cell, *shown)


# --- refusals -------------------------------------------------------------------------------------------


def _refuse(rows: list[dict[str, Any]], wrong: str, way_out: str) -> None:
    """Raise if there are bad rows, and name the first of them."""
    if rows:
        named = [
            ", ".join(f"{name} {'null' if v is None else v}" for name, v in row.items())
            for row in rows[:_EXAMPLES]
        ]
        more = "; and more" if len(rows) > _EXAMPLES else ""
        raise ContractError(f"{wrong}: {'; '.join(named)}{more}. {way_out}")


def _refuse_null_keys(table: nw.LazyFrame[Any], keys: Sequence[str]) -> None:
    missing = reduce(or_, [nw.col(key).is_null() for key in keys])
    _refuse(
        _some(table.select(keys).filter(missing), keys),
        "Baskets (or their lines) lack a key",
        "Every row needs all of these: fill them in, or set such rows apart and count them.",
    )


def _refuse_mixed(rows: pl.DataFrame) -> None:
    """Refuse rows that share a basket_id, and show in what they differ."""
    named = []
    for row in rows.group_by("basket_id").agg(pl.all().unique().sort()).sort("basket_id").to_dicts():
        basket = {"basket_id": row.pop("basket_id")}
        named.append(basket | {name: " and ".join(map(str, v)) for name, v in row.items() if len(v) > 1})
    _refuse(
        named,
        "A basket is one row, with one household, store and time, and these are not",
        "Give every checkout its own basket_id, for example household, store and time written as one text.",
    )


def _spans(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Collect the first and last date of every store, and refuse nulls in what the panels group by."""
    known = [nw.col(name).count().alias(f"{name}_known") for name in ("household_id", "date")]
    dates = [nw.col("date").min().alias("first_sale"), nw.col("date").max().alias("last_sale")]
    spans = _collect(table.group_by("store_id").agg(*dates, nw.len().alias("rows"), *known))
    gaps = pl.col("store_id").is_null() | (pl.min_horizontal(cs.ends_with("_known")) < pl.col("rows"))
    if spans.filter(gaps).height:
        _refuse_null_keys(table, ("household_id", "store_id", "date"))
    return (
        _plain(spans, "store_id")
        .with_columns(pl.col("first_sale", "last_sale").cast(pl.Date))
        .sort("store_id")
    )


def _study(spans: pl.DataFrame, start: date | str | None, end: date | str | None) -> tuple[date, date]:
    """Return the first and last day of the study, and refuse sales outside it."""
    first = _as_date(start, "start") or spans["first_sale"].min()
    last = _as_date(end, "end") or spans["last_sale"].max()
    if not (isinstance(first, date) and isinstance(last, date) and first <= last):
        raise ContractError(
            f"The study from {first!s} to {last!s} has no days. Give `start` and `end` as dates, start "
            "first; only where there are baskets can they be left out."
        )
    outside = spans.filter((pl.col("first_sale") < first) | (pl.col("last_sale") > last))
    _refuse(
        outside.select(_SPAN).to_dicts(),
        f"Stores sold outside the study ({first} to {last})",
        "Widen `start` and `end`, or filter these baskets out first: a panel drops no sale silently.",
    )
    return first, last


def _as_date(value: date | str | None, name: str) -> date | None:
    """Read an inclusive date of the study."""
    if value is None or not isinstance(value, str | datetime):
        return value
    try:
        return datetime.fromisoformat(value).date() if isinstance(value, str) else value.date()
    except ValueError as error:
        raise ContractError(f"`{name}` is {value!r}, and a date like '2017-11-05' is wanted.") from error


# --- in and out of the engine ---------------------------------------------------------------------------


def _enter(frame: Any, needed: Sequence[str], name: str) -> tuple[nw.LazyFrame[Any], bool]:
    """Return the frame with lazy methods on its own engine, and whether it came eager."""
    table = nw.from_native(frame)
    require_columns(table.collect_schema().names(), needed, name)
    return table.lazy(), isinstance(table, nw.DataFrame)


def _enter_baskets(frame: Any) -> tuple[nw.LazyFrame[Any], bool]:
    """Return baskets ready for a panel: whole days only, because a time of day would match no calendar."""
    table, eager = _enter(frame, _NEEDED, "baskets")
    kind = table.collect_schema()["date"]
    if kind == nw.Date:
        return table, eager
    if isinstance(kind, nw.Datetime) and kind.time_zone is None:
        return table.with_columns(nw.col("date").dt.truncate("1d")), eager
    raise ContractError(
        f"The column `date` of the table `baskets` is {kind}, and the store's local date is wanted. Make the "
        "baskets with `baskets(lines)`, or convert the column first."
    )


def _leave(table: nw.LazyFrame[Any], eager: bool, order: list[str]) -> Any:
    """Give back the kind of frame that came in; only an eager kind is computed."""
    if not eager:
        return table.to_native()
    return nw.maybe_reset_index(_run(table.sort(order))).to_native()


def _run(table: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Compute; Polars streams, because what a small result is made from may not fit into memory."""
    return table.collect(engine="streaming") if table.implementation.is_polars() else table.collect()


def _collect(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    return to_polars(_run(table))


def _some(table: nw.LazyFrame[Any], order: Sequence[str]) -> list[dict[str, Any]]:
    """Collect the first few rows, one more than a refusal names."""
    return _collect(table.sort(*order).head(_EXAMPLES + 1)).to_dicts()


def _read(frame: Any, name: str, columns: list[str], like: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Read columns of a small table of any engine; the first is an id, of the same kind as in the baskets."""
    key = columns[0]
    require_columns(nw.from_native(frame).collect_schema().names(), columns, name)
    small = to_polars(frame).select(columns).drop_nulls(key)
    kinds = small[key].dtype, like.collect_schema()[key]
    if small.height and kinds[0].is_integer() != kinds[1].is_integer():
        raise ContractError(
            f"The column `{key}` is {kinds[0]} in the table `{name}` and {kinds[1]} in the baskets. Ids are "
            "strings or integers, never mixed: convert one of them."
        )
    return _plain(small, key)


def _plain(small: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give an id its widest kind, so that small tables of different origin can be joined."""
    return small.with_columns(pl.col(key).cast(pl.Int64 if small[key].dtype.is_integer() else pl.String))


def _push(small: pl.DataFrame, like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Hand a small table to the engine and session of `like`, with the dtypes of its columns there."""
    schema = like.collect_schema()
    engine, native = like.implementation, like.to_native()
    if _lacks_dates(like):
        small = small.with_columns(cs.date().cast(pl.Datetime("us")))
    if engine.is_duckdb():
        arrow = small.to_arrow()  # noqa: F841  # found by its name, on the connection that `like` belongs to
        frame = nw.from_native(native.query("baskets", "select * from arrow"))
    elif engine.is_polars() or engine.is_pandas_like() or engine.is_pyarrow():
        frame = nw.from_arrow(small, backend=engine).lazy()
    else:
        frame = nw.from_native(small).lazy(engine, session=getattr(native, "sparkSession", None))
    return frame.select(
        *[nw.col(name).cast(schema[name]) if name in schema else nw.col(name) for name in small.columns]
    )

"""Which kind of store sold each basket, and in which period? Labels come from the stores, any words."""

from __future__ import annotations

import re
from typing import Any

import polars as pl

from grocery_spheres.formats.doors import taken
from grocery_spheres.tables import ContractError, require_columns

TELL_APART = "Say by `label=` which column tells the kinds of store apart, or add the column."
SHOWN = 3  # of the stores that a refusal names


def store_labels(stores: Any, label: str = "format") -> pl.DataFrame:
    """Return each store's label.

    Parameters
    ----------
    stores : any Narwhals frame
        One row = one store: `store_id` (unique) and the column `label` (text or whole numbers).
    label : str
        Column to compare stores by: format, chain, town, whatever the stores carry.

    Returns
    -------
    polars.DataFrame
        One row = one store: `store_id`, `label` (text).

    Raises
    ------
    ContractError
        A column is missing, a store stands twice or has no label.

    Examples
    --------
    >>> store_labels(pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})).rows()
    [(7, 'sphere'), (8, 'grocer')]
    """
    table = taken(stores, "stores")
    require_columns(table.columns, ["store_id"], "stores")
    require_columns(table.columns, [label], "stores", way=TELL_APART)
    named = table.select("store_id", pl.col(label).cast(pl.String).alias("label"))
    doubled = named.filter(pl.col("store_id").is_duplicated())
    if doubled.height:
        raise ContractError(
            f"The table `stores` lists store_id {doubled['store_id'][0]!r} twice: its baskets would count "
            "twice. Keep one row a store."
        )
    blank = named.filter(pl.col("label").is_null())
    if blank.height:
        raise ContractError(
            f"{blank.height:,} of {named.height:,} stores have no `{label}` (the first: "
            f"{_listed(blank['store_id'])}). Give each store one, for example 'unknown'."
        )
    return named


def labelled(
    baskets: pl.DataFrame, stores: Any, label: str = "format", *, of: str = "baskets"
) -> pl.DataFrame:
    """Add to each basket the label of its store, as the column `label`.

    Parameters
    ----------
    baskets : polars.DataFrame
        One row = one basket, with `store_id`; what `tables.read_baskets` returned.
    stores, label
        As `store_labels` takes them.
    of : str
        What a row is, for the refusal.

    Raises
    ------
    ContractError
        As `store_labels`; or baskets were sold at stores that `stores` does not list.

    Examples
    --------
    >>> baskets = pl.DataFrame({"household_id": [1, 1], "store_id": [7, 8]})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> labelled(baskets, stores)["label"].to_list()
    ['sphere', 'grocer']
    """
    named = store_labels(stores, label)
    if named["store_id"].dtype.is_integer() != baskets["store_id"].dtype.is_integer():
        raise ContractError(
            f"`store_id` is {baskets['store_id'].dtype} in the baskets and {named['store_id'].dtype} in "
            "`stores`. Ids are strings or integers, never mixed: convert one of them."
        )
    # A store whose id does not fit into the baskets' kind of id sold nothing there.
    kind = pl.col("store_id").cast(baskets["store_id"].dtype, strict=False)
    joined = baskets.join(named.with_columns(kind), on="store_id", how="left", maintain_order="left")
    lost = joined.filter(pl.col("label").is_null())["store_id"]
    if len(lost):
        raise ContractError(
            f"{len(lost):,} {of} were sold at stores that the table `stores` does not list (the first: "
            f"{_listed(lost.unique(maintain_order=True))}). Add them, or set such {of} apart and count "
            "them."
        )
    return joined


def with_period(labels: pl.DataFrame, every: str) -> pl.DataFrame:
    """Add the period that each date falls in: `period` (its first day) and `whole`.

    Parameters
    ----------
    labels : polars.DataFrame
        With a column `date`.
    every : str
        Length of a period as Polars writes it: "1d", "1w" (from Monday), "1mo", "1q", "1y".

    Returns
    -------
    polars.DataFrame
        With `period`, and `whole`: whether all days of the period lie between the first and last date here.
        A period that begins before the first date or ends after the last is kept and marked.

    Raises
    ------
    ContractError
        `every` is no length in whole days, weeks, months, quarters or years.

    Examples
    --------
    >>> import datetime as dt
    >>> sold = pl.DataFrame({"date": [dt.date(2045, 1, 1), dt.date(2045, 2, 3)]})
    >>> with_period(sold, "1mo").select("period", "whole").rows()
    [(datetime.date(2045, 1, 1), True), (datetime.date(2045, 2, 1), False)]
    """
    if not isinstance(every, str) or not re.fullmatch(r"[1-9]\d*(d|w|mo|q|y)", every):
        raise ContractError(f"`every` is {every!r}: give a length such as '1d', '1w', '1mo' or '1q'.")
    placed = labels.with_columns(period=pl.col("date").dt.truncate(every))
    ends = pl.col("period").dt.offset_by(every)
    first, last = pl.col("date").min(), pl.col("date").max()
    return placed.with_columns(whole=(pl.col("period") >= first) & (ends.dt.offset_by("-1d") <= last))


def _listed(ids: pl.Series) -> str:
    more = ", and more" if len(ids) > SHOWN else ""
    return ", ".join(map(repr, ids.head(SHOWN).to_list())) + more

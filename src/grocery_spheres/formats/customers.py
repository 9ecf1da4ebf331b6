"""Which customers were gained, kept and lost between two windows, and where did they come from and go?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.formats.shoppers import draw, read_shoppers
from grocery_spheres.formats.spans import Window, as_window
from grocery_spheres.formats.sums import household_sums, resampled, tidied
from grocery_spheres.tables import ContractError

NOWHERE = "nowhere"
BASES = {  # each group of customers, and the group that its share is of
    "customers before": None,
    "customers after": None,
    "kept": "customers before",
    "lost": "customers before",
    "gained": "customers after",
    "shared": "customers after",
    "sole": "customers after",
    "lost to": "lost",
    "gained from": "gained",
}
_DIRECTED = {"lost to": "lost", "gained from": "gained"}
_GROUP = pl.Enum(list(BASES))
_WHO = ["household_id", "label"]

Array = npt.NDArray[np.float64]


def customer_flows(
    baskets: Any,
    stores: Any,
    *,
    before: Window,
    after: Window,
    label: str = "format",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Count each label's customers gained, kept and lost from one window to the next.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`): `household_id`, `store_id`, `date`, `sales_usd`.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    before, after : (date, date)
        First and last day of each window, both inclusive (dates, or text such as "2045-01-31"); `before`
        ends before `after` begins, and both lie within the dates of the baskets.
    label : str
        Column of `stores` to compare by.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households with any basket in the data are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null.

    Returns
    -------
    polars.DataFrame
        One row = one label, group and measure: `label`, `group`, `other`, `measure`, `of`, `unit`, `value`,
        `low`, `high`. `measure` is "customers" (households with a basket at the label in the window) or
        "share", from 0 to 1, of the group that `of` names; null where that group is empty.

        - "customers before", "customers after": in each window.
        - "kept" (both windows) and "lost" (before only), of customers before; they add to these.
        - "gained" (after only), of customers after; kept and gained add to these.
        - "sole" (in `after` at no other label) and "shared" (also at another), of customers after.
        - "lost to", "gained from": where the lost took most of their baskets in `after`, and the gained in
          `before`, of the lost and the gained. `other` names that label, or "nowhere" for no basket at all;
          of labels with equally many, the first by name. Only what occurred has a row.

        A longer window catches more customers, and who comes seldom may look lost: take windows of equal
        length, long against the time between trips. The interval reads: if other households like these had
        been drawn (percentiles); null where a draw may miss the base, and where all draws agree.

    Raises
    ------
    ContractError
        As `read_shoppers`; a window is no pair of dates, is turned round, overlaps, leaves the dates of the
        baskets, or holds no basket; a label is called "nowhere"; `alpha` or `draws` do not fit.

    Examples
    --------
    Household 1 leaves the grocer for the Sphere, household 2 stays and tries the Sphere, 3 is gone.

    >>> import datetime as dt
    >>> baskets = pl.DataFrame({"household_id": [1, 2, 3, 1, 2, 2], "store_id": [8, 8, 8, 7, 7, 8],
    ...     "date": [dt.date(2045, 1, 1)] * 3 + [dt.date(2045, 1, 2)] * 3, "sales_usd": [5.0] * 6})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> flows = customer_flows(baskets, stores, before=("2045-01-01", "2045-01-01"),
    ...                        after=("2045-01-02", "2045-01-02"), intervals=False)
    >>> grocer = flows.filter(pl.col("label") == "grocer", pl.col("measure") == "customers")
    >>> shown = grocer.filter(pl.col("group").is_in(["kept", "lost", "lost to"]))
    >>> shown.select("group", "other", "value").rows()
    [('kept', None, 1.0), ('lost', None, 2.0), ('lost to', 'nowhere', 1.0), ('lost to', 'sphere', 1.0)]
    """
    bought = read_shoppers(baskets, stores, label=label)
    if NOWHERE in bought.labels:
        raise ContractError(
            f"A label in the column `{label}` of `stores` is {NOWHERE!r}, which here names customers without "
            "a basket in the other window. Rename that label."
        )
    weights = draw(bought.homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    early, late = _windows(bought.baskets["date"], before, after)
    facts = _facts(_used(bought.baskets, early, "before"), _used(bought.baskets, late, "after"))
    cells = _cells(facts, bought.labels)
    sums, _ = household_sums(facts, bought.homes, ["label", "group", "other"], "one", cells)
    base = _base(cells)

    def counts_and_shares(sums: Array) -> Array:
        return np.concatenate([sums, sums / sums[..., base]], axis=-1)

    units = {"customers": "households", "share": "share"}
    rows = tidied(cells, units, resampled(sums, counts_and_shares, weights, alpha))
    of = pl.when(pl.col("measure") == "share").then(pl.col("group").cast(pl.String).replace_strict(BASES))
    named = rows.with_columns(pl.col("group").cast(pl.String), of=of)
    kept = named.filter((pl.col("measure") == "customers") | pl.col("of").is_not_null())
    return kept.select("label", "group", "other", "measure", "of", "unit", "value", "low", "high")


def _windows(dates: pl.Series, before: Window, after: Window) -> tuple[Window, Window]:
    """Read both windows, and refuse those that hold no comparison."""
    early, late = _window(dates, before, "before"), _window(dates, after, "after")
    if early[1] >= late[0]:
        raise ContractError(
            f"`before` ends on {early[1]} and `after` begins on {late[0]}: give windows that do not overlap, "
            "the earlier one as `before`."
        )
    return early, late


def _window(dates: pl.Series, window: Window, name: str) -> Window:
    first, last = as_window(window, name)
    seen: Any = (dates.min(), dates.max())
    if first < seen[0] or last > seen[1]:
        raise ContractError(
            f"`{name}` runs from {first} to {last}, and the baskets from {seen[0]} to {seen[1]}: days "
            "without data would make customers look lost or gained. Keep the window within these dates."
        )
    if not dates.is_between(first, last).any():
        raise ContractError(
            f"`{name}` holds no basket: none was sold from {first} to {last}. Choose days with sales."
        )
    return first, last


def _used(baskets: pl.DataFrame, window: Window, name: str) -> pl.DataFrame:
    """Count baskets in a window. One row = one household and label."""
    inside = baskets.filter(pl.col("date").is_between(*window))
    return inside.group_by(_WHO).agg(pl.len().cast(pl.Int64).alias(name))


def _facts(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """List the groups that each customer of a label belongs to. One row = household, label, group, other."""
    both = before.join(after, on=_WHO, how="full", coalesce=True).with_columns(
        labels=pl.col("after").is_not_null().sum().over("household_id")
    )
    was, is_now = pl.col("before").is_not_null(), pl.col("after").is_not_null()
    rules = {
        "customers before": was,
        "customers after": is_now,
        "kept": was & is_now,
        "lost": was & ~is_now,
        "gained": ~was & is_now,
        "shared": is_now & (pl.col("labels") > 1),
        "sole": is_now & (pl.col("labels") == 1),
    }
    nowhere_named = pl.lit(None, dtype=pl.String)
    facts = [
        both.filter(rule).select(*_WHO, group=pl.lit(name), other=nowhere_named)
        for name, rule in rules.items()
    ]
    for name, most in {"lost to": _most(after, "after"), "gained from": _most(before, "before")}.items():
        moved = both.filter(rules[_DIRECTED[name]]).join(most, on="household_id", how="left")
        facts.append(moved.select(*_WHO, group=pl.lit(name), other=pl.col("most").fill_null(NOWHERE)))
    return pl.concat(facts).with_columns(pl.col("group").cast(_GROUP), one=pl.lit(1.0))


def _most(used: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the label where a household took most of its baskets in a window."""
    ranked = used.sort("household_id", name, "label", descending=[False, True, False])
    return ranked.group_by("household_id", maintain_order=True).agg(most=pl.first("label"))


def _cells(facts: pl.DataFrame, labels: list[str]) -> pl.DataFrame:
    """Return every label and group, and each move that occurred. One row = label, group, other."""
    groups = pl.DataFrame(
        {"group": pl.Series([name for name in BASES if name not in _DIRECTED], dtype=_GROUP)}
    )
    plain = pl.DataFrame({"label": labels}).join(groups, how="cross")
    moves = facts.filter(pl.col("other").is_not_null()).select("label", "group", "other").unique()
    listed = pl.concat([plain.with_columns(other=pl.lit(None, dtype=pl.String)), moves])
    return listed.sort("label", "group", "other")


def _base(cells: pl.DataFrame) -> npt.NDArray[np.int64]:
    """Return the place of the cell that each cell's share is of; its own where it has none."""
    own = cells.with_row_index("own").with_columns(pl.col("group").cast(pl.String))
    bases = own.filter(pl.col("other").is_null()).select("label", of="group", place="own")
    sought = own.with_columns(of=pl.col("group").replace_strict(BASES))
    found = sought.join(bases, on=["label", "of"], how="left", maintain_order="left")
    return found.select(pl.coalesce("place", "own")).to_series().to_numpy().astype(np.int64)

"""How do baskets at two kinds of store differ, once those who choose them are made alike?"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.formats.shoppers import (
    Shoppers,
    draw,
    read_households,
    read_shoppers,
    refuse_strangers,
    side_by_side,
)
from grocery_spheres.formats.sums import Interval, resampled, tidied
from grocery_spheres.tables import ContractError

OUTCOMES = {  # what is summed, over what, and the unit of the mean
    "value of a basket": ("sales_usd", "one", "USD"),
    "lines of a basket": ("lines", "one", "lines"),
    "sales a line": ("sales_usd", "lines", "USD"),
}
ASSUMES = {
    "raw": "nothing: it holds the difference of the stores and of those who choose them",
    "standardised": "within a group, those who chose either label would buy alike at the same one",
    "within households": "a household's own trips to both labels serve the same errands at the same times",
}
_SUMMED = ("base top", "base bottom", "other top", "other bottom")
_AT_BOTH = (pl.col("base bottom") > 0) & (pl.col("other bottom") > 0)

Array = npt.NDArray[np.float64]


def adjusted_difference(
    baskets: Any,
    stores: Any,
    households: Any,
    *,
    base: str,
    other: str,
    measure: str = "value of a basket",
    group: str = "income",
    label: str = "format",
    alpha: float = 0.05,
    seed: int = 2045,
    draws: int = 500,
    intervals: bool = True,
) -> pl.DataFrame:
    """Set the raw difference of two labels beside two that make their customers more alike.

    Parameters
    ----------
    baskets : any Narwhals frame
        One row = one basket (`schema.BASKETS`): `household_id`, `store_id`, `date`, `sales_usd`, and `lines`
        where the measure asks for lines.
    stores : any Narwhals frame
        One row = one store: `store_id`, and the column `label`.
    households : any Narwhals frame
        One row = one household: `household_id`, and the column `group`.
    base, other : str
        Labels; a difference is other minus base.
    measure : str
        "value of a basket" (USD), "lines of a basket" or "sales a line" (USD), each a sum over a sum.
    group : str
        Column of `households` with groups: text, whole numbers or true and false.
    label : str
        Column of `stores` that `base` and `other` stand in.
    alpha : float
        One minus the level of the intervals.
    seed, draws : int
        Of the intervals: households with a basket at either label are drawn again, `draws` times.
    intervals : bool
        False leaves `low` and `high` null.

    Returns
    -------
    polars.DataFrame
        One row = one method and form: `method`, `outcome` (the measure asked for), `measure`, `unit`,
        `value`, `low`, `high`, `households` and `baskets` it rests on, `set_apart` (groups it leaves out,
        by name, with their baskets; empty: none), `assumes`. `measure` is "difference" (other - base) or
        "relative difference" (other / base - 1, of the two means that the method compares).

        - "raw": mean at `other` less mean at `base`, over baskets (over lines for "sales a line").
        - "standardised": the same difference in each group, weighted by the group's part of all baskets
          (lines) at both labels: direct standardisation. A group seen at one label only is set apart.
        - "within households": the difference inside each household that uses both, weighted by
          m n / (m + n) for its m and n baskets (lines) at the two. That is least squares with a dummy a
          household (fixed effects). Null where no household uses both.

        None of the three is causal. They describe; each assumes what its column says, and if they agree
        that shows no more than that the groups, and the households, did not matter. The interval reads: if
        other households like these had been drawn (percentiles); null where a draw may miss a part.

    Raises
    ------
    ContractError
        As `read_shoppers`; `measure`, `base` or `other` is unknown, both are one, or one sold nothing; a
        household lacks its group; `group` holds fractions; every group was seen at one label only.

    Examples
    --------
    The rich spend 30 everywhere, the poor 10; the rich choose the Sphere. Raw, the Sphere seems dearer.

    >>> import datetime as dt
    >>> baskets = pl.DataFrame({"household_id": [1, 1, 1, 2, 2, 2], "store_id": [7, 7, 8, 7, 8, 8],
    ...     "date": [dt.date(2045, 1, 1)] * 6, "lines": [1] * 6, "sales_usd": [30.0] * 3 + [10.0] * 3})
    >>> stores = pl.DataFrame({"store_id": [7, 8], "format": ["sphere", "grocer"]})
    >>> households = pl.DataFrame({"household_id": [1, 2], "income": ["high", "low"]})
    >>> found = adjusted_difference(baskets, stores, households, base="grocer", other="sphere",
    ...                             intervals=False)
    >>> usd = found.filter(pl.col("measure") == "difference")
    >>> usd.select("method", pl.col("value").round(2)).rows()
    [('raw', 6.67), ('standardised', 0.0), ('within households', 0.0)]
    """
    if measure not in OUTCOMES:
        raise ContractError(f"`measure` is {measure!r}: choose one of {', '.join(map(repr, OUTCOMES))}.")
    more = ["lines"] if "lines" in OUTCOMES[measure][:2] else []
    bought = read_shoppers(baskets, stores, label=label, more=more)
    rows = _two_sides(bought, base, other)
    spent = _spent(rows, *OUTCOMES[measure][:2]).join(
        _groups(households, group, rows, bought), on="household_id"
    )
    seen = spent.group_by("group").agg(pl.col(*_SUMMED, "baskets").sum()).sort("group")
    parts = {
        "raw": spent.with_columns(group=pl.lit("")),
        "standardised": spent.join(seen.filter(_AT_BOTH), on="group", how="semi"),
        "within households": spent.filter(_AT_BOTH),
    }
    apart = _set_apart(seen.filter(~_AT_BOTH), base, other)
    if parts["standardised"].is_empty():
        raise ContractError(
            f"Every group was seen at one label only: {apart}. Make the groups of `{group}` coarser."
        )
    homes = spent["household_id"].sort()
    weights = draw(homes, draws=draws, seed=seed, alpha=alpha, intervals=intervals)
    found = []
    for method, part in parts.items():
        estimate = _within if method == "within households" else _across
        said = {"method": method, "outcome": measure, "apart": apart if method == "standardised" else ""}
        found.append(_table(part, estimate(part, homes, weights, alpha), said))
    return pl.concat(found)


def _two_sides(bought: Shoppers, base: str, other: str) -> pl.DataFrame:
    """Return the baskets at the two labels, with `side`; refuse labels that cannot be compared."""
    for name, side in (("base", base), ("other", other)):
        if side not in bought.labels:
            raise ContractError(
                f"`{name}` is {side!r}; the labels are: {', '.join(map(repr, bought.labels))}."
            )
    if base == other:
        raise ContractError(f"`base` and `other` are both {base!r}: name two labels.")
    rows = bought.baskets.filter(pl.col("label").is_in([base, other]))
    for side in (base, other):
        if not (rows["label"] == side).any():
            raise ContractError(f"No basket was sold at {side!r}, so it cannot be compared.")
    return rows.with_columns(
        side=pl.when(pl.col("label") == base).then(pl.lit("base")).otherwise(pl.lit("other"))
    )


def _spent(rows: pl.DataFrame, top: str, bottom: str) -> pl.DataFrame:
    """Sum top and bottom of the measure by side. One row = one household."""
    counted = rows.with_columns(one=pl.lit(1.0))
    sums = [
        pl.col(column).filter(pl.col("side") == side).sum().cast(pl.Float64).alias(f"{side} {part}")
        for side in ("base", "other")
        for part, column in (("top", top), ("bottom", bottom))
    ]
    return counted.group_by("household_id").agg(*sums, baskets=pl.len())


def _groups(households: Any, group: str, rows: pl.DataFrame, bought: Shoppers) -> pl.DataFrame:
    """Return the group of each household at the two labels, as text."""
    listed = read_households(households, [group])
    if listed[group].dtype.is_float():
        raise ContractError(
            f"`{group}` in `households` is {listed[group].dtype}, and groups are wanted. Cut it into "
            f"classes first, in Polars: pl.col({group!r}).qcut(5).cast(pl.String); in pandas: "
            f"pd.qcut(households[{group!r}], 5).astype(str)."
        )
    places = rows["household_id"].unique().sort()
    ids = bought.buyers.gather(places)
    refuse_strangers(listed["household_id"], ids)
    named = listed.select(
        pl.col("household_id").cast(ids.dtype, strict=False), group=pl.col(group).cast(pl.String)
    )
    theirs = pl.DataFrame({"household_id": ids, "place": places}).join(named, on="household_id", how="left")
    blank = theirs.filter(pl.col("group").is_null())["household_id"]
    if len(blank):
        raise ContractError(
            f"{len(blank):,} households with baskets have no `{group}` (the first: {blank[0]!r}). Give each "
            "one, for example 'unknown'."
        )
    return theirs.select("group", household_id="place")


def _set_apart(alone: pl.DataFrame, base: str, other: str) -> str:
    """Name the groups that were seen at one label only, with that label."""
    named = []
    for row in alone.iter_rows(named=True):
        where = next(
            (repr(name) for side, name in (("base", base), ("other", other)) if row[f"{side} bottom"]), "none"
        )
        named.append(f"{row['group']!r} (baskets {row['baskets']:,}, only at {where})")
    return ", ".join(named)


def _across(part: pl.DataFrame, homes: pl.Series, weights: Array | None, alpha: float) -> Interval:
    """Compare the means of the two labels, group by group, each group weighted by its part of all."""
    groups = part.select("group").unique().sort("group")

    def compared(sums: Array) -> Array:
        base_top, base_bottom, other_top, other_bottom = np.split(sums, len(_SUMMED), axis=-1)
        both = base_bottom + other_bottom
        mix = both / both.sum(axis=-1, keepdims=True)
        means = [
            (mix * top / bottom).sum(axis=-1, keepdims=True)
            for top, bottom in ((base_top, base_bottom), (other_top, other_bottom))
        ]
        return _forms(*means)

    return resampled(side_by_side(part, homes, groups, _SUMMED), compared, weights, alpha)


def _within(part: pl.DataFrame, homes: pl.Series, weights: Array | None, alpha: float) -> Interval:
    """Compare the two labels inside each household, weighted as least squares with household dummies."""
    base, other = pl.col("base bottom"), pl.col("other bottom")
    weighted = part.select(
        "household_id",
        group=pl.lit(""),
        weight=base * other / (base + other),
        base=pl.col("base top") * other / (base + other),
        other=pl.col("other top") * base / (base + other),
    )
    sums = side_by_side(weighted, homes, pl.DataFrame({"group": [""]}), ["weight", "base", "other"])
    return resampled(
        sums, lambda s: _forms(s[..., 1:2] / s[..., :1], s[..., 2:] / s[..., :1]), weights, alpha
    )


def _forms(base: Array, other: Array) -> Array:
    return np.concatenate([other - base, other / base - 1], axis=-1)


def _table(part: pl.DataFrame, found: Interval, said: dict[str, str]) -> pl.DataFrame:
    """Write one method's two rows."""
    cell = pl.DataFrame({"method": [said["method"]], "outcome": [said["outcome"]]})
    units = {"difference": OUTCOMES[said["outcome"]][2], "relative difference": "share"}
    return tidied(cell, units, found).with_columns(
        households=pl.lit(part.height, dtype=pl.Int64),
        baskets=pl.lit(part["baskets"].sum(), dtype=pl.Int64),
        set_apart=pl.lit(said["apart"]),
        assumes=pl.lit(ASSUMES[said["method"]]),
    )

"""What was lost, diverted, delayed and forgone in expectation, and how sure is that of the draws?

The definitions are those of DESIGN section 6. Every number comes with its Monte Carlo error: the standard
error that is left because only so many mornings were drawn. It is not an interval for an estimate.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.county.redraws import LATE_DAYS, LIVES, MEASURES, Redrawn
from grocery_spheres.county.world import World

OUTAGE, AFTER, LATE = range(3)
_STAYS = {
    "forced switchers who stay": ("factual", "no outage"),
    "forced switchers who stay, that day's learning undone": (
        "factual, that day's learning undone",
        "no outage, that day's learning undone",
    ),
    "forced switchers who stay, that day's habit undone": (
        "factual, that day's habit undone",
        "no outage, that day's habit undone",
    ),
}
KINDS = ("independent", "chain")

Array = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


def together(parts: Sequence[Redrawn]) -> Redrawn:
    """Put the towns of several blocks side by side."""
    return Redrawn(
        np.concatenate([one.towns for one in parts]),
        *(
            np.concatenate([getattr(one, name) for one in parts], axis=-1)
            for name in ("change", "forced", "switched")
        ),
    )


def account(world: World, redrawn: Redrawn) -> pl.DataFrame:
    """Return the expected account of the outage.

    Returns
    -------
    polars.DataFrame
        One row = one group of towns (all, event, no event), measure (baskets, sales_usd) and part (lost;
        diverted, and of it to independent and chain grocers; delayed; forgone): `expected` a draw,
        `share_of_lost`, and the Monte Carlo standard error of each, `mc_error` and `mc_error_share`;
        `draws`. Diverted, delayed and forgone add to lost.
    """
    rows = []
    for group, towns in groups(world, redrawn).items():
        for measure, name in enumerate(MEASURES):
            parts = account_draws(world, redrawn, measure, towns)
            rows += [_row(group, name, part, drawn, parts["lost"]) for part, drawn in parts.items()]
    return pl.DataFrame(rows, orient="row", infer_schema_length=None)


def account_draws(world: World, redrawn: Redrawn, measure: int, towns: Flags) -> Mapping[str, Array]:
    """Return each part of the account, draw by draw, summed over some towns."""
    change = redrawn.change[:, :, measure][..., towns]
    slot = np.arange(change.shape[2])
    independent = (slot >= 1) & (slot <= world.parameters.independents)
    lost = -change[:, OUTAGE, 0].sum(axis=-1)
    by_kind = {
        kind: change[:, OUTAGE][:, keep].sum(axis=(1, 2))
        for kind, keep in zip(KINDS, (independent, (slot > 0) & ~independent), strict=True)
    }
    diverted = sum(by_kind.values(), np.zeros(len(change)))
    delayed = change[:, AFTER].sum(axis=(1, 2))
    return {
        "lost": lost,
        "diverted": diverted,
        **{f"diverted to {kind} grocers": drawn for kind, drawn in by_kind.items()},
        "delayed": delayed,
        "forgone": lost - diverted - delayed,
    }


def diversion(world: World, redrawn: Redrawn) -> pl.DataFrame:
    """Return where each dark Sphere's baskets go.

    Returns
    -------
    polars.DataFrame
        One row = one dark Sphere and one grocer of its town: `dark_id`, `store_id`, `kind`, `diverted`
        (expected baskets), `lost`, `ratio` (the diversion ratio), `mc_error` (of the ratio).
    """
    known = world.stores.select("store_id", "town_id", "slot", "kind")
    change = redrawn.change[:, OUTAGE, 0]
    rows = []
    for place, town in enumerate(redrawn.towns):
        lost = -change[:, 0, place]
        for store, _, slot, kind in known.filter(
            (pl.col("town_id") == int(town)) & (pl.col("slot") > 0)
        ).rows():
            to = change[:, slot, place]
            ratio, error = ratio_of(to, lost)
            rows.append((f"sphere-{town}", store, kind, float(to.mean()), float(lost.mean()), ratio, error))
    columns = ["dark_id", "store_id", "kind", "diverted", "lost", "ratio", "mc_error"]
    return pl.DataFrame(rows, schema=columns, orient="row")


def outcomes(world: World, redrawn: Redrawn) -> pl.DataFrame:
    """Return what remains: outcomes that the assumptions lead to, not assumptions.

    Returns
    -------
    polars.DataFrame
        One row = one outcome and group of towns: `group`, `outcome`, `window`, `value`, `mc_error`.
        *Forced switchers who stay*: of the households that the outage sent to another store, the share of
        trips that goes to others than the Sphere, with the outage less without; then the same with that
        day's learning (or habit) undone in both arms. The two do not add up: they feed each other in the
        weeks after. *Retention*: mean daily gain at others over their gain on the day of the outage
        (DESIGN section 6).
    """
    window = f"days {LATE_DAYS[0]} to {LATE_DAYS[1]}"
    days = LATE_DAYS[1] - LATE_DAYS[0] + 1
    rows = []
    for group, towns in groups(world, redrawn).items():
        late = dict(zip(LIVES, np.moveaxis(redrawn.forced[..., towns].sum(axis=-1), 1, 0), strict=True))
        gain = redrawn.change[:, LATE, 0, 1:][..., towns].sum(axis=(1, 2)) / days
        on_day = redrawn.change[:, OUTAGE, 0, 1:][..., towns].sum(axis=(1, 2))
        kept, kept_error = ratio_of(gain, on_day)
        for outcome, (with_it, without) in _STAYS.items():
            rows.append((group, outcome, window, *_difference(late[with_it], late[without])))
        rows.append((group, "retention", window, kept, kept_error))
    return pl.DataFrame(rows, schema=["group", "outcome", "window", "value", "mc_error"], orient="row")


def groups(world: World, redrawn: Redrawn) -> dict[str, Flags]:
    """Return which of the dark towns belong to each group."""
    events = set(world.towns.filter("event")["town_id"])
    event = np.array([int(town) in events for town in redrawn.towns])
    return {"all": np.ones_like(event), "event": event, "no event": ~event}


def ratio_of(top: Array, bottom: Array) -> tuple[float, float]:
    """Return a ratio of means over draws and its Monte Carlo standard error (delta method).

    Examples
    --------
    >>> ratio, error = ratio_of(np.array([1.0, 3.0]), np.array([4.0, 4.0]))
    >>> ratio, round(error, 3)
    (0.5, 0.25)
    """
    if len(top) < 2 or bottom.mean() == 0:
        return float("nan"), float("nan")
    ratio = top.mean() / bottom.mean()
    spread = (top - ratio * bottom).std(ddof=1) / np.sqrt(len(top))
    return float(ratio), float(spread / abs(bottom.mean()))


def _difference(with_it: Array, without: Array) -> tuple[float, float]:
    """Return the difference of two shares (columns: Sphere, others) and its Monte Carlo error."""
    share = [ratio_of(one[:, 1], one.sum(axis=1))[0] for one in (with_it, without)]
    gaps = (with_it[:, 1] - share[0] * with_it.sum(axis=1)) / with_it.sum(axis=1).mean() - (
        without[:, 1] - share[1] * without.sum(axis=1)
    ) / without.sum(axis=1).mean()
    return share[0] - share[1], float(gaps.std(ddof=1) / np.sqrt(len(gaps)))


def _row(group: str, measure: str, part: str, drawn: Array, lost: Array) -> dict[str, object]:
    share, error = ratio_of(drawn, lost)
    return {
        "group": group,
        "measure": measure,
        "part": part,
        "expected": float(drawn.mean()),
        "mc_error": float(drawn.std(ddof=1) / np.sqrt(len(drawn))) if len(drawn) > 1 else None,
        "share_of_lost": share,
        "mc_error_share": error,
        "draws": len(drawn),
    }

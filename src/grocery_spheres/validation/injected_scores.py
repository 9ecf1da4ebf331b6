"""How far off are estimates of injected outages, beside the Poisson floor, and which intervals cover?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from grocery_spheres.validation.injected_proof import DEFAULT, MAIN

SIZES = ("small", "middle", "large")  # thirds of the stores by the baskets expected a day
_ALIKE = 4.0  # times the baskets of a store that one taken for it may sell, up or down (2 in their spread)
_DRAWS, _SEED = 500, 2045  # of the bootstrap over replications


def main_rows(table: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of the main table, with errors and the thirds of stores by size.

    Parameters
    ----------
    table : polars.DataFrame
        As `injected_proof.replicate` makes it, of many seeds.

    Returns
    -------
    polars.DataFrame
        With `error` (estimate minus truth, baskets) and `size`.
    """
    main = table.filter(pl.col("reaction").is_in(MAIN), pl.col("rivals"))
    a_day = pl.col("expected") / pl.col("days")
    third = a_day.rank("ordinal").over("days", "method") * 3 / (pl.len().over("days", "method") + 1)
    size = third.floor().clip(0, 2).cast(pl.Int64).replace_strict(dict(enumerate(SIZES)))
    return main.with_columns(error=pl.col("estimate") - pl.col("truth"), size=size)


def ratios(table: pl.DataFrame) -> pl.DataFrame:
    """Return each method's error beside the Poisson floor.

    Parameters
    ----------
    table : polars.DataFrame
        As `injected_proof.replicate` makes it.

    Returns
    -------
    polars.DataFrame
        One row = one length and method: `days`, `method`, `outages`, `rmse`, `floor` (root of the mean of
        expected baskets), `ratio`, `low`, `high` (95 %, outages drawn again), `bias`, `bias_error`.
    """
    rows = []
    for (days, method), part in main_rows(table).group_by("days", "method", maintain_order=True):
        squares = (part["error"] ** 2).to_numpy()
        expected = part["expected"].to_numpy()
        rng = np.random.default_rng(_SEED)
        drawn = rng.integers(0, len(part), size=(_DRAWS, len(part)))
        spread = np.sqrt(squares[drawn].mean(axis=1) / expected[drawn].mean(axis=1))
        low, high = np.quantile(spread, [0.025, 0.975])
        rmse, floor = float(np.sqrt(squares.mean())), float(np.sqrt(expected.mean()))
        error = part["error"].to_numpy()
        bias = (float(error.mean()), float(error.std(ddof=1) / len(error) ** 0.5))
        rows.append((days, method, len(part), rmse, floor, rmse / floor, float(low), float(high), *bias))
    names = ["days", "method", "outages", "rmse", "floor", "ratio", "low", "high", "bias", "bias_error"]
    return pl.DataFrame(rows, schema=names, orient="row")


def covered(table: pl.DataFrame) -> pl.DataFrame:
    """Say of each main outage whether the default method's intervals held the truth.

    Parameters
    ----------
    table : polars.DataFrame
        As `injected_proof.replicate` makes it.

    Returns
    -------
    polars.DataFrame
        One row = one outage, level and kind of interval: `days`, `size`, `level` (90, 95), `interval`,
        `covered`. Kinds: "own" (the method's); "corrected" (by the ranks of studentized errors of other
        stores, of similar size, in other windows: calibration and scoring share neither store nor days);
        "default" (as `estimate_outage` gives it, where it was run).
    """
    rows = main_rows(table).filter(pl.col("method") == DEFAULT).sort("days", "seed")
    parts = [part.with_columns(**_corrected(part)) for _, part in rows.group_by("days", maintain_order=True)]
    joined = pl.concat(parts)
    kinds = []
    for level in (90, 95):
        suffix = "90" if level == 90 else ""
        held = {
            "own": pl.col("truth").is_between(f"low{suffix}", f"high{suffix}"),
            "corrected": pl.col(f"corrected{level}"),
            "default": pl.col("truth").is_between(f"best_low{suffix}", f"best_high{suffix}"),
        }
        kinds += [
            joined.select("seed", "days", "size", level=pl.lit(level), interval=pl.lit(kind), covered=rule)
            for kind, rule in held.items()
        ]
    return pl.concat(kinds).filter(pl.col("covered").is_not_null())


def _corrected(part: pl.DataFrame) -> dict[str, pl.Series]:
    """Rank each studentized error among those of other stores of similar size in other windows."""
    size = np.abs((part["error"] / part["scale"]).to_numpy())
    apart = _apart(part)
    held = {}
    for level in (90, 95):
        inside = [_inside(size[place], size[row], level) for place, row in enumerate(apart)]
        held[f"corrected{level}"] = pl.Series(inside, dtype=pl.Boolean)
    return held


def _inside(own: float, others: npt.NDArray[np.float64], level: int) -> bool:
    rank = int(np.floor((100 - level) / 100 * (len(others) + 1) + 1e-9))
    return bool(rank < 1 or own <= np.sort(others)[::-1][rank - 1])


def _apart(part: pl.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which outages share neither store nor days and are of similar size, (outages, outages)."""
    store, start, days = (part[name].to_numpy() for name in ("store", "start", "days"))
    a_day = part["expected"].to_numpy() / days
    elsewhere = store[:, None] != store[None, :]
    another_time = np.abs(start[:, None] - start[None, :]) >= days[:, None]
    alike = np.abs(np.log(a_day[:, None] / a_day[None, :])) <= np.log(_ALIKE)
    return np.asarray(elsewhere & another_time & alike)

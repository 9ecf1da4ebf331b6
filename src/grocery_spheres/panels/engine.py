"""How does a frame of any engine come in, and go out as the same kind?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw
import polars as pl
import polars.selectors as cs

from grocery_spheres.tables import ContractError, require_columns, to_polars

EXAMPLES = 3  # bad rows that a refusal names


def entered(frame: Any, needed: Sequence[str], name: str) -> tuple[nw.LazyFrame[Any], bool]:
    """Return the frame with lazy methods on its own engine, and whether it came eager."""
    table = nw.from_native(frame)
    require_columns(table.collect_schema().names(), needed, name)
    return table.lazy(), isinstance(table, nw.DataFrame)


def left_as(table: nw.LazyFrame[Any], eager: bool, order: list[str]) -> Any:
    """Give back the kind of frame that came in; only an eager kind is computed."""
    if not eager:
        return table.to_native()
    return nw.maybe_reset_index(computed(table.sort(order))).to_native()


def computed(table: nw.LazyFrame[Any]) -> nw.DataFrame[Any]:
    """Compute; Polars streams, because what a small result is made from may not fit into memory."""
    return table.collect(engine="streaming") if table.implementation.is_polars() else table.collect()


def collected(table: nw.LazyFrame[Any]) -> pl.DataFrame:
    """Compute and bring to Polars: for small results only."""
    return to_polars(computed(table))


def first_rows(table: nw.LazyFrame[Any], order: Sequence[str]) -> list[dict[str, Any]]:
    """Collect the first few rows, one more than a refusal names."""
    return collected(table.sort(*order).head(EXAMPLES + 1)).to_dicts()


def read_small(frame: Any, name: str, columns: list[str], like: nw.LazyFrame[Any]) -> pl.DataFrame:
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
    return plain_id(small, key)


def plain_id(small: pl.DataFrame, key: str) -> pl.DataFrame:
    """Give an id its widest kind, so that small tables of different origin can be joined."""
    return small.with_columns(pl.col(key).cast(pl.Int64 if small[key].dtype.is_integer() else pl.String))


def pushed(small: pl.DataFrame, like: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Hand a small table to the engine and session of `like`, with the dtypes of its columns there."""
    schema = like.collect_schema()
    engine, native = like.implementation, like.to_native()
    if lacks_dates(like):
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


def lacks_dates(table: nw.LazyFrame[Any]) -> bool:
    """Say whether an engine has no plain dates, so that midnight stands for them."""
    return table.implementation.is_pandas_like() or table.implementation.is_dask()

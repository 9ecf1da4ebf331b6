"""How do lines become panels? Baskets first, then store-days and household-weeks, on any Narwhals engine.

The same kind of frame goes in and comes out: Polars (eager or lazy), pandas, DuckDB, Dask, PySpark. The
result of a lazy engine is never collected here; what is collected is small, and each function says what.
On a lazy engine write the baskets to a file (or collect them) before both panels are built from them:
baskets are a tenth of the lines, and an unwritten plan reads all the lines again at every pass.

Only operations that give equal answers on every engine are used: no weekdays, weekly truncation, rounding
or conditions inside an aggregate, and distinct counts on Polars alone. Dates are Date columns, in pandas
and Dask datetimes at midnight. Counts are 64-bit integers; pandas turns them into floats where a mask sets
nulls. Eager frames come sorted by their first columns, lazy ones in no order.
"""

from grocery_spheres.panels.collapse import baskets, check_baskets
from grocery_spheres.panels.grids import household_weeks, store_days

__all__ = ["baskets", "check_baskets", "household_weeks", "store_days"]

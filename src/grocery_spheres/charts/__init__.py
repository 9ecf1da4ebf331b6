"""What the charts look like, and which function draws which.

`enable()` switches on the house style in a notebook. Each notebook's charts are drawn by one module here.
"""

__all__ = ["enable"]


def enable() -> None:
    """Switch on the house style: fonts, Altair theme and the renderer that works in JupyterLab offline.

    Calling it twice changes nothing. It returns nothing, so that a notebook cell may end with it.
    Altair is imported at the call, because modules that only check words need no charts.

    Examples
    --------
    >>> from grocery_spheres import charts
    >>> charts.enable()
    >>> import altair as alt
    >>> alt.theme.active
    'grocery-spheres'
    """
    from grocery_spheres.charts import theme  # noqa: PLC0415 - see above

    theme.enable()

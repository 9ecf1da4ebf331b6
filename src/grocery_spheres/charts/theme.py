"""What all charts share: colours, fonts, sizes, and how Altair is told.

The tokens are constants, so that a chart names `theme.SPHERE` and never a hex code. A colour means the
same thing in every figure. `enable()` tells Altair; nothing happens at import.

Contrast on white: sphere 5.2, grocer 3.9, context 4.5, green 3.4, purple 3.1. Thin lines and marks need 3,
text needs 4.5, so grocer, green and purple are for marks, and for large or bold labels beside their mark.
"""

from functools import cache
from pathlib import Path
from typing import Any, cast

import altair as alt
import vl_convert

from grocery_spheres.charts import renderer

SPHERE = "#0072B2"
"""Blue: the Spheres, or the subject of a figure."""
GROCER = "#D55E00"
"""Vermillion: traditional grocers, or what the subject is set against."""
CONTEXT = "#767676"
"""Mid grey: everything that is there for comparison."""
GREEN = "#009E73"
"""A third kind; never beside vermillion without labels."""
PURPLE = "#CC79A7"
"""A fourth kind; fills and marks only."""
WINDOW = "#EBEBEB"
"""Pale grey: the band of an outage or another window of time."""
INK = "#1A1A1A"
"""Text that is read first: titles, labels, annotations."""
SOFT = "#595959"
"""Text that is read second: axes, subtitles, sources (7.0 on white)."""
GRID = "#E3E3E3"
"""Grid lines."""
CARD = "#FFFFFF"
"""The white card that pictures stand on, also on a dark page; halos behind labels."""

FONT = "Inter, Helvetica, Arial, sans-serif"
"""Inter is shipped here; the generic name stands last, or text would vanish where Inter is missing."""
REGULAR, BOLD = 400, 600
"""Weights of text and of headings; Inter is shipped in these two."""
FONT_FOLDER = Path(__file__).parent / "fonts"
"""Holds ttf (for the exporter), woff2 (for pages) and the licence. Cut from Inter 4.1 (npm: inter-ui) to
Latin, some Greek, arrows and comparison signs; it has no reserved font name."""

TITLE_SIZE = 18
"""Pixels, article width."""
PHONE_TITLE_SIZE = 16
"""Pixels, phone width."""
SUBTITLE_SIZE = 13
"""Pixels."""
LABEL_SIZE = 12
"""Pixels: axes, labels, annotations."""
SOURCE_SIZE = 11
"""Pixels: the footer."""
SMALLEST_SIZE = 11
"""Pixels: no text in a figure is smaller at its final size."""

NUMBERS = {
    "decimal": ".",
    "thousands": ",",
    "grouping": [3],
    "currency": ["$", ""],
    "percent": "\u00a0%",
}
"""How charts write numbers; as in the prose, a space stands before the per cent sign."""

WIDE = 640
"""Pixels: `draw` is called with it for the article."""
PHONE = 320
"""Pixels: `draw` is called with it for the phone."""

NAME = "grocery-spheres"
"""Under this name Altair knows the theme and the renderer."""

# On a page the ground is light or dark: inks follow the text around the chart, greys let the ground through.
_ON_ANY_GROUND = {
    INK: "currentColor",
    SOFT: "currentColor",
    GRID: "rgba(118,118,118,0.25)",
    WINDOW: "rgba(118,118,118,0.18)",
    CARD: "transparent",
}


def enable() -> None:
    """Register fonts, theme and renderer with Altair and switch them on; again changes nothing.

    Examples
    --------
    >>> enable()
    >>> alt.theme.active, alt.renderers.active
    ('grocery-spheres', 'grocery-spheres')
    """
    register_fonts()
    alt.theme.register(NAME, enable=True)(_altair_theme)
    alt.renderers.register(NAME, renderer.mimebundle)
    alt.renderers.enable(NAME)


@cache
def register_fonts() -> None:
    """Tell the exporter where the shipped fonts are, once a process.

    Examples
    --------
    >>> register_fonts()
    """
    vl_convert.register_font_directory(str(FONT_FOLDER))


def config() -> dict[str, Any]:
    """Build the Vega-Lite config of the house style: dark text on a white card.

    Returns
    -------
    dict
        A fresh `config` object for a Vega-Lite spec.

    Examples
    --------
    >>> config()["font"].startswith("Inter,") and config()["font"].endswith("sans-serif")
    True
    """
    return {
        "background": CARD,
        "font": FONT,
        "locale": {"number": NUMBERS},
        "view": {"stroke": None, "continuousWidth": 560, "continuousHeight": 280},
        "title": _title(),
        "axis": _axis(),
        "axisBand": {"grid": False, "ticks": False, "domain": False, "labelPadding": 6},
        "axisTemporal": {"grid": False},
        "axisQuantitative": {"domain": False, "ticks": False, "tickCount": 5},
        # A title that lies flat above its axis: rotated text is hard to read.
        "axisY": {
            "titleAngle": 0,
            "titleAlign": "left",
            "titleAnchor": "start",
            "titleBaseline": "bottom",
            "titleX": 0,
            "titleY": -8,
        },
        "legend": _legend(),
        "header": _header(),
        "range": {"category": [SPHERE, GROCER, CONTEXT, GREEN, PURPLE], "ramp": {"scheme": "blues"}},
        "mark": {"color": SPHERE},
        "bar": {"color": SPHERE, "cornerRadiusEnd": 1},
        "line": {"color": SPHERE, "strokeWidth": 2},
        "area": {"color": SPHERE, "fillOpacity": 0.18, "line": False},
        "point": {"color": SPHERE, "filled": True, "size": 48},
        "rule": {"color": SOFT, "strokeWidth": 1},
        "text": {"color": INK, "fontSize": LABEL_SIZE, "font": FONT},
    }


def for_page(spec: dict[str, Any]) -> dict[str, Any]:
    """Make a spec fit a page of any ground: nothing behind it, inks that follow the page's text colour.

    Parameters
    ----------
    spec : dict
        A Vega-Lite spec that names colours by the tokens of this module.

    Returns
    -------
    dict
        A copy in which ink is `currentColor` and greys are translucent. Data values stay as they are.

    Examples
    --------
    >>> for_page({"mark": {"type": "text", "color": INK}})
    {'mark': {'type': 'text', 'color': 'currentColor'}, 'background': 'transparent'}
    """
    return {**_recoloured(spec), "background": "transparent"}


def _recoloured(node: Any) -> Any:
    if isinstance(node, dict):
        return {
            key: value if key in renderer.DATA_KEYS else _recoloured(value) for key, value in node.items()
        }
    if isinstance(node, list):
        return [_recoloured(value) for value in node]
    if isinstance(node, str):
        return _ON_ANY_GROUND.get(node.upper(), node)
    return node


def _altair_theme() -> alt.theme.ThemeConfig:
    return cast("alt.theme.ThemeConfig", {"config": config()})


def _title() -> dict[str, Any]:
    return {
        "anchor": "start",
        "color": INK,
        "fontSize": PHONE_TITLE_SIZE,
        "fontWeight": BOLD,
        "subtitleColor": SOFT,
        "subtitleFontSize": SUBTITLE_SIZE,
        "subtitlePadding": 4,
        "offset": 16,
    }


def _axis() -> dict[str, Any]:
    return {
        "labelFontSize": LABEL_SIZE,
        "labelColor": SOFT,
        "labelLimit": 200,
        "titleFontSize": LABEL_SIZE,
        "titleFontWeight": REGULAR,
        "titleColor": SOFT,
        "titlePadding": 8,
        "labelPadding": 5,
        "gridColor": GRID,
        "domainColor": CONTEXT,
        "tickColor": CONTEXT,
        "labelOverlap": True,
    }


def _legend() -> dict[str, Any]:
    return {
        "orient": "top",
        "direction": "horizontal",
        "title": None,
        "labelFontSize": LABEL_SIZE,
        "labelColor": INK,
        "titleFontSize": LABEL_SIZE,
        "titleColor": SOFT,
        "labelLimit": 240,
    }


def _header() -> dict[str, Any]:
    return {
        "labelFontSize": LABEL_SIZE,
        "labelFontWeight": BOLD,
        "labelColor": INK,
        "labelAnchor": "start",
        # Leaves a line for the flat title of a vertical axis between header and plot.
        "labelPadding": 24,
        "titleFontSize": LABEL_SIZE,
        "titleColor": SOFT,
        "title": None,
    }

"""How a bare chart becomes a picture that explains itself: title, chart and source on one card.

The exporter puts neither title nor description into its svg, and it has no footer. So the chart is drawn
bare, and the words are set around it here, broken to the width of the picture.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

import vl_convert

from grocery_spheres.charts import renderer, theme, wrap
from grocery_spheres.publishable import PublishError

IMAGE_WIDTH = {theme.WIDE: 640, theme.PHONE: 360}
"""Pixels: width of the whole picture, by the width that the chart was drawn for."""
PADDING = {theme.WIDE: 16, theme.PHONE: 20}
"""Pixels left and right of the words, and of the chart where it leaves room."""
PNG_SCALE = 2
"""Pixels of the png per pixel of the svg."""

LINE_HEIGHT = 1.3
"""Distance of two baselines over the font size."""
ASCENT = 0.97
"""Height of Inter above its baseline over the font size."""
GAP = 12
"""Pixels between words and chart."""
FITTING_ROUNDS = 5
"""Drawings at most to find a plot width; two or three are enough unless tick labels come and go."""
SMALLEST_PLOT = 40
"""Pixels: a plot is not made narrower, the chart is refused instead."""

_SVG_ROOT = re.compile(r'<svg\b[^>]*?\bwidth="(?P<width>[\d.]+)"[^>]*?\bheight="(?P<height>[\d.]+)"[^>]*>')
_FONT_SIZE = re.compile(r'font-size="([\d.]+)(?:px)?"')
_ID = re.compile(r'\bid="([^"]+)"')


@dataclass(frozen=True)
class Words:
    """What stands on a card beside the chart: title, subtitle and footer, one line each."""

    title: str
    subtitle: str
    footer: str


@dataclass(frozen=True)
class Card:
    """A finished picture: svg text, and its width and height in pixels."""

    svg: str
    width: int
    height: int


@dataclass(frozen=True)
class _Style:
    """How words look, and how their lines are broken."""

    size: int
    colour: str
    weight: int
    broken: Callable[[str, str, float, float], tuple[str, ...]]


@dataclass(frozen=True)
class _Block:
    """Words set in one style: their lines and where they begin."""

    lines: tuple[str, ...]
    top: float
    style: _Style

    @property
    def bottom(self) -> float:
        return self.top + len(self.lines) * self.style.size * LINE_HEIGHT


_TITLE = {
    theme.WIDE: _Style(theme.TITLE_SIZE, theme.INK, theme.BOLD, wrap.balanced),
    theme.PHONE: _Style(theme.PHONE_TITLE_SIZE, theme.INK, theme.BOLD, wrap.balanced),
}
_SUBTITLE = _Style(theme.SUBTITLE_SIZE, theme.SOFT, theme.REGULAR, wrap.balanced)
_SOURCE = _Style(theme.SOURCE_SIZE, theme.SOFT, theme.REGULAR, wrap.wrapped)


def draw(slug: str, spec: dict[str, Any], words: Words, *, alt: str, width: int) -> Card:
    """Set a chart and its words on one white card.

    Parameters
    ----------
    slug : str
        The figure's name; ids inside the svg begin with it, so that two pictures share a page.
    spec : dict
        The bare chart as a Vega-Lite spec with its rows inside.
    words : Words
        Title, subtitle and footer.
    alt : str
        The description for those who do not see the picture.
    width : int
        640 or 320: the width that the chart was drawn for.

    Returns
    -------
    Card
        The svg (640 or 360 pixels wide), with role, title and description.

    Raises
    ------
    PublishError
        When the chart is too wide, holds text below 11 pixels, or a word does not fit on a line.

    Examples
    --------
    >>> spec = {"data": {"values": [{"a": 1}]}, "mark": "point", "config": theme.config()}
    >>> card = draw("dot", spec, Words("One dot", "A dot", "Source: none"), alt="A dot.", width=320)
    >>> card.width, "<title" in card.svg, 'role="img"' in card.svg
    (360, True, True)
    """
    theme.register_fonts()
    prefix = f"{slug}-{'wide' if width == theme.WIDE else 'phone'}"
    chart = renderer.svg(_for_export(spec))
    chart_width, chart_height, start = _size(chart)
    inside = _renumbered(chart[start : chart.rindex("</svg>")], prefix)
    _check_chart(slug, inside, chart_width, width)
    head = _head(slug, words, width)
    chart_top = head[-1].bottom + GAP
    foot = _block(slug, _bound(words.footer), chart_top + chart_height + GAP / 2, _SOURCE, width)
    height = round(foot.bottom + PADDING[width] / 2)
    left = min(PADDING[width], (IMAGE_WIDTH[width] - chart_width) / 2)
    body = [_meaning(prefix, words.title, alt), f'<rect width="100%" height="100%" fill="{theme.CARD}"/>']
    body.extend(_text(block, width) for block in (*head, foot))
    body.append(f'<g transform="translate({left:g},{chart_top:g})">{inside}</g>')
    return Card(_svg(prefix, "".join(body), width, height), IMAGE_WIDTH[width], height)


def fitted(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """Choose the plot width of a chart of one view so that axes and labels fill the card and no more.

    The exporter's own fitting looks once, before labels at the end of bars and lines have moved; so this
    one draws, measures and draws again.

    Parameters
    ----------
    spec : dict
        The bare chart.
    width : int
        640 or 320: the width that it was drawn for.

    Returns
    -------
    dict
        A copy with another `width`; charts of several views, and those whose width follows the number of
        their bars, are returned as they are.

    Examples
    --------
    >>> spec = {"data": {"values": [{"a": 1}]}, "mark": "point", "width": 320}
    >>> fitted(spec, 320)["width"]
    310
    """
    several = {"facet", "row", "column"} & set(spec.get("encoding", {}))
    if several or not {"mark", "layer"} & set(spec) or not isinstance(spec.get("width"), int | float):
        return spec
    theme.register_fonts()
    room = IMAGE_WIDTH[width] - 2 * PADDING[width]
    plot = float(room)
    for _ in range(FITTING_ROUNDS):
        total = _size(renderer.svg(_for_export({**spec, "width": plot})))[0]
        if room - 1 < total <= room:
            break
        plot = max(math.floor(plot + room - total), SMALLEST_PLOT)
    return {**spec, "width": int(plot)}


def png(card: Card) -> bytes:
    """Turn a card into a png of twice its size.

    Parameters
    ----------
    card : Card
        A finished picture.

    Returns
    -------
    bytes
        The png file.

    Examples
    --------
    >>> png(Card('<svg xmlns="http://www.w3.org/2000/svg" width="4" height="2"/>', 4, 2))[1:4]
    b'PNG'
    """
    theme.register_fonts()
    return vl_convert.svg_to_png(card.svg, scale=PNG_SCALE)


def _for_export(spec: dict[str, Any]) -> dict[str, Any]:
    # The card is the ground; labels on each mark say nothing inside one image with one description.
    return {**spec, "background": "transparent", "config": {**spec.get("config", {}), "aria": False}}


def _size(svg: str) -> tuple[float, float, int]:
    """Return width, height, and where the content begins."""
    root = _SVG_ROOT.match(svg)
    if root is None:
        raise PublishError(f"the exporter wrote no svg that begins as expected: {svg[:80]!r}.")
    return float(root["width"]), float(root["height"]), root.end()


def _renumbered(svg: str, prefix: str) -> str:
    # The exporter counts its ids on through the process: unless renumbered, a picture would depend on
    # what was drawn before it, and two pictures on a page would share clip paths.
    new = {old: f"{prefix}-{place}" for place, old in enumerate(dict.fromkeys(_ID.findall(svg)))}
    svg = _ID.sub(lambda found: f'id="{new[found[1]]}"', svg)
    return re.sub(r"url\(#([^)]+)\)", lambda found: f"url(#{new.get(found[1], found[1])})", svg)


def _check_chart(slug: str, inside: str, chart_width: float, width: int) -> None:
    room = IMAGE_WIDTH[width]
    if not 0 < chart_width <= room:
        message = (
            f"{slug!r}: drawn for {width} pixels, its chart is {chart_width:g} pixels wide with its "
            f"axes; {room} are allowed. Draw narrower panels or shorter labels for that width."
        )
        raise PublishError(message)
    small = sorted({float(size) for size in _FONT_SIZE.findall(inside)})
    if small and small[0] < theme.SMALLEST_SIZE:
        message = (
            f"{slug!r}: drawn for {width} pixels, it holds text of {small[0]:g} pixels; the least is "
            f"{theme.SMALLEST_SIZE}. Leave the font size to the theme."
        )
        raise PublishError(message)


def _head(slug: str, words: Words, width: int) -> tuple[_Block, _Block]:
    title = _block(slug, words.title, PADDING[width] * 0.75, _TITLE[width], width)
    return title, _block(slug, words.subtitle, title.bottom + 2, _SUBTITLE, width)


def _block(slug: str, text: str, top: float, style: _Style, width: int) -> _Block:
    room = IMAGE_WIDTH[width] - 2 * PADDING[width]
    return _Block(style.broken(slug, text, style.size, room), top, style)


def _bound(footer: str) -> str:
    """Keep each middle dot on the line of the words before it."""
    return footer.replace(" · ", "\u00a0· ")


def _text(block: _Block, width: int) -> str:
    style = block.style
    look = (
        f'font-family="{theme.FONT}" font-size="{style.size}px" '
        f'font-weight="{style.weight}" fill="{style.colour}"'
    )
    return "".join(
        f'<text x="{PADDING[width]}" y="{baseline:.2f}" {look}>{escape(line, quote=False)}</text>'
        for line, baseline in zip(block.lines, _baselines(block), strict=True)
    )


def _baselines(block: _Block) -> Iterator[float]:
    for place in range(len(block.lines)):
        yield block.top + block.style.size * (ASCENT + place * LINE_HEIGHT)


def _meaning(prefix: str, title: str, alt: str) -> str:
    return (
        f'<title id="{prefix}-title">{escape(title, quote=False)}</title>'
        f'<desc id="{prefix}-desc">{escape(alt, quote=False)}</desc>'
    )


def _svg(prefix: str, content: str, width: int, height: int) -> str:
    across = IMAGE_WIDTH[width]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img" '
        f'aria-labelledby="{prefix}-title {prefix}-desc" width="{across}" height="{height}" '
        f'viewBox="0 0 {across} {height}">'
        f"{content}</svg>\n"
    )

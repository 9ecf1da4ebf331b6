"""How a chart is handed to a notebook, so that it appears in JupyterLab without a network.

Altair's own renderers fail here: one names a MIME type that JupyterLab does not draw, another loads scripts
from the network. This one hands over the spec in the version that JupyterLab bundles, a picture for
everything that runs no scripts, and words.
"""

import re
from collections.abc import Iterator
from typing import Any

import vl_convert

from grocery_spheres.publishable import MAX_ROWS, PublishError

LAB_MIME = "application/vnd.vegalite.v5+json"
"""The newest Vega-Lite that JupyterLab 4.6 draws."""
LAB_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.6.1.json"
"""The very version that JupyterLab 4.6 bundles; another one draws too, but with a warning."""
VEGALITE = "6.4"
"""The version that Altair 6.3 writes and the exporter draws."""
DATA_KEYS = frozenset({"datasets", "values"})
"""Keys of a spec below which rows of data stand."""

# Not allowed in XML at all. The exporter does not refuse them: it ends the whole process.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def mimebundle(spec: dict[str, Any], **_options: object) -> dict[str, Any]:
    """Bundle one chart for a notebook: an interactive spec, a picture and words.

    Parameters
    ----------
    spec : dict
        A complete Vega-Lite spec with its rows inside, as Altair hands it to a renderer.

    Returns
    -------
    dict
        Keys `application/vnd.vegalite.v5+json`, `image/svg+xml` and `text/plain`.

    Raises
    ------
    PublishError
        When the rows are not inside the spec, are too many, or hold a character that no picture can carry.

    Examples
    --------
    >>> bundle = mimebundle({"description": "A dot.", "data": {"values": [{"a": 1}]}, "mark": "point"})
    >>> bundle["text/plain"], sorted(bundle)
    ('A dot.', ['application/vnd.vegalite.v5+json', 'image/svg+xml', 'text/plain'])
    """
    return {LAB_MIME: lab_spec(spec), "image/svg+xml": svg(spec), "text/plain": words(spec)}


def lab_spec(spec: dict[str, Any]) -> dict[str, Any]:
    """Name the Vega-Lite version that JupyterLab bundles.

    Parameters
    ----------
    spec : dict
        A Vega-Lite spec of version 5 or 6.

    Returns
    -------
    dict
        A shallow copy with another `$schema`.

    Examples
    --------
    >>> lab_spec({"mark": "bar"})["$schema"].endswith("v5.6.1.json")
    True
    """
    return {**spec, "$schema": LAB_SCHEMA}


def svg(spec: dict[str, Any]) -> str:
    """Draw a spec as svg text, after checking that it carries what it needs.

    Parameters
    ----------
    spec : dict
        A complete Vega-Lite spec.

    Returns
    -------
    str
        The picture. Text stays text; fonts are named, not embedded.

    Raises
    ------
    PublishError
        See `check_spec`.

    Examples
    --------
    >>> svg({"data": {"values": [{"a": 1}]}, "mark": "point"})[:4]
    '<svg'
    """
    check_spec(spec)
    # The empty list forbids the exporter to fetch anything, a picture named by a row included.
    return vl_convert.vegalite_to_svg(spec, vl_version=VEGALITE, allowed_base_urls=[])


def words(spec: dict[str, Any]) -> str:
    """Say in words what a chart shows: its description, else its title, else just "Chart".

    Parameters
    ----------
    spec : dict
        A Vega-Lite spec.

    Returns
    -------
    str
        One line.

    Examples
    --------
    >>> words({"title": {"text": ["Two", "lines"]}}), words({})
    ('Two lines', 'Chart')
    """
    if spec.get("description"):
        return str(spec["description"])
    title = spec.get("title")
    text = title.get("text") if isinstance(title, dict) else title
    if isinstance(text, list):
        text = " ".join(str(line) for line in text)
    return text if isinstance(text, str) and text else "Chart"


def check_spec(spec: dict[str, Any]) -> None:
    """Refuse a spec whose rows are elsewhere, too many, or not fit for a picture.

    Parameters
    ----------
    spec : dict
        A Vega-Lite spec.

    Raises
    ------
    PublishError
        When data are named by an address, when there are more than 5000 rows, or when a text holds a
        control character.

    Examples
    --------
    >>> check_spec({"data": {"url": "vegafusion+dataset://table_1"}, "mark": "bar"})
    Traceback (most recent call last):
    ...
    grocery_spheres.publishable.PublishError: this chart names its data by the address ...
    """
    for address in _addresses(spec):
        message = (
            f"this chart names its data by the address {address!r}, which no page or notebook can read "
            "later. Aggregate first and pass the frame itself; leave VegaFusion's data transformer off."
        )
        raise PublishError(message)
    rows = inline_rows(spec)
    if rows > MAX_ROWS:
        message = (
            f"this chart carries {rows:,} rows; {MAX_ROWS:,} are allowed. Aggregate or sample before drawing."
        )
        raise PublishError(message)
    for text in _texts(spec):
        if _NOT_XML.search(text):
            message = (
                f"this chart holds the text {text!r} with a control character, which no picture can carry. "
                "Clean the data first."
            )
            raise PublishError(message)


def inline_rows(spec: dict[str, Any]) -> int:
    """Count the rows of data that a spec carries, each data set once.

    Parameters
    ----------
    spec : dict
        A Vega-Lite spec.

    Returns
    -------
    int
        Rows in `datasets` and in every `data.values`.

    Examples
    --------
    >>> inline_rows({"datasets": {"a": [{"x": 1}, {"x": 2}]}, "layer": [{"data": {"values": [{"x": 3}]}}]})
    3
    """
    named = sum(len(rows) for rows in spec.get("datasets", {}).values() if isinstance(rows, list))
    placed = (data.get("values") for data in _data_nodes(spec))
    return named + sum(len(rows) for rows in placed if isinstance(rows, list))


def _addresses(spec: dict[str, Any]) -> list[str]:
    return [str(data["url"]) for data in _data_nodes(spec) if "url" in data]


def _data_nodes(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for value in node:
            yield from _data_nodes(value)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("data"), dict):
        yield node["data"]
    for key, value in node.items():
        if key not in DATA_KEYS:
            yield from _data_nodes(value)


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)

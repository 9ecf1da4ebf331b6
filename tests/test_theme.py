"""The house style: shipped fonts, contrast, sizes, and what Altair is told."""

import re
import struct
import subprocess
import sys
from pathlib import Path

import altair as alt
import pytest
import vl_convert

from grocery_spheres.charts import renderer, theme

WEIGHTS = {"Inter-Regular": 400, "Inter-SemiBold": 600}
NEEDED = "0123456789−–×±%≤≥·°’“”…$€ABCXYZabcxyzäéñ\u00a0"


def tables(path: Path) -> dict[str, bytes]:
    raw = path.read_bytes()
    count = struct.unpack(">H", raw[4:6])[0]
    found = {}
    for place in range(count):
        tag, _, offset, length = struct.unpack(">4sLLL", raw[12 + 16 * place : 28 + 16 * place])
        found[tag.decode()] = raw[offset : offset + length]
    return found


def has_letter(cmap: bytes, letter: str) -> bool:
    for place in range(struct.unpack(">H", cmap[2:4])[0]):
        offset = struct.unpack(">HHL", cmap[4 + 8 * place : 12 + 8 * place])[2]
        if struct.unpack(">H", cmap[offset : offset + 2])[0] != 4:
            continue
        half = struct.unpack(">H", cmap[offset + 6 : offset + 8])[0]
        ends = struct.unpack(f">{half // 2}H", cmap[offset + 14 : offset + 14 + half])
        starts = struct.unpack(f">{half // 2}H", cmap[offset + 16 + half : offset + 16 + 2 * half])
        return any(start <= ord(letter) <= end for start, end in zip(starts, ends, strict=True))
    raise AssertionError("no cmap of format 4")


def names(path: Path) -> dict[int, str]:
    name = tables(path)["name"]
    count, texts = struct.unpack(">HH", name[2:6])
    found = {}
    for place in range(count):
        platform, _, _, key, length, offset = struct.unpack(">6H", name[6 + 12 * place : 18 + 12 * place])
        if platform == 3:
            found[key] = name[texts + offset : texts + offset + length].decode("utf-16-be")
    return found


def contrast(first: str, second: str) -> float:
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def sizes_in(node: object) -> list[float]:
    if not isinstance(node, dict):
        return []
    own = [value for key, value in node.items() if key.lower().endswith("fontsize")]
    return own + [size for value in node.values() for size in sizes_in(value)]


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_shipped_font_has_the_named_family_its_weight_and_every_sign(name: str) -> None:
    path = theme.FONT_FOLDER / f"{name}.ttf"
    named = names(path)
    assert named.get(16, named[1]) == theme.FONT.split(",")[0]
    parts = tables(path)
    assert struct.unpack(">H", parts["OS/2"][4:6])[0] == WEIGHTS[name]
    assert [letter for letter in NEEDED if not has_letter(parts["cmap"], letter)] == []


@pytest.mark.parametrize("name", WEIGHTS)
def test_a_page_gets_the_same_font_as_woff2(name: str) -> None:
    raw = (theme.FONT_FOLDER / f"{name}.woff2").read_bytes()
    assert raw[:4] == b"wOF2"
    assert len(raw) < 30_000


def test_the_font_licence_is_shipped_and_reserves_no_name() -> None:
    licence = (theme.FONT_FOLDER / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence
    assert "with Reserved Font Name" not in licence.split("PREAMBLE")[0]


def test_the_exporter_draws_with_the_shipped_font() -> None:
    theme.register_fonts()
    spec = {
        "data": {"values": [{"t": "WWWWWWWWWW"}]},
        "mark": {"type": "text", "fontSize": 100, "align": "left"},
        "encoding": {"text": {"field": "t"}, "x": {"value": 0}, "y": {"value": 0}},
        "width": 1,
        "padding": 0,
        "config": {"view": {"stroke": None}, "font": theme.FONT},
    }
    width = re.search(r'width="(\d+)"', vl_convert.vegalite_to_svg(spec, vl_version="6.4"))
    # Ten W of Inter are about 1,000 pixels wide at this size, those of the exporter's own font 944.
    assert width is not None
    assert 980 < int(width[1]) < 1020


@pytest.mark.parametrize("colour", [theme.SPHERE, theme.CONTEXT, theme.INK, theme.SOFT])
def test_colours_for_text_reach_the_contrast_of_text(colour: str) -> None:
    assert contrast(colour, theme.CARD) >= 4.5


@pytest.mark.parametrize("ground", [theme.CARD, "#121212"])
@pytest.mark.parametrize("colour", [theme.SPHERE, theme.GROCER, theme.CONTEXT, theme.GREEN, theme.PURPLE])
def test_colours_for_marks_reach_the_contrast_of_graphics(colour: str, ground: str) -> None:
    assert contrast(colour, ground) >= 3


def test_no_text_of_the_theme_is_below_eleven_pixels() -> None:
    sizes = sizes_in(theme.config())
    assert len(sizes) >= 6
    assert min([*sizes, theme.SOURCE_SIZE]) >= theme.SMALLEST_SIZE == 11


def test_enable_again_changes_nothing() -> None:
    theme.enable()
    theme.enable()
    assert alt.theme.active == alt.renderers.active == theme.NAME
    assert alt.renderers.get() is renderer.mimebundle
    assert alt.Chart({"values": [{"a": 1}]}).mark_point().to_dict()["config"] == theme.config()


def test_importing_tells_altair_nothing() -> None:
    code = (
        "import altair as alt; import grocery_spheres.charts.theme, grocery_spheres.publish;"
        "raise SystemExit(alt.theme.active != 'default' or alt.renderers.active != 'default')"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_percentages_are_written_as_in_prose() -> None:
    theme.enable()
    spec = {
        "data": {"values": [{"a": 0.261}]},
        "mark": "text",
        "encoding": {"text": {"field": "a", "type": "quantitative", "format": ".1%"}},
        "config": theme.config(),
    }
    assert ">26.1\u00a0%<" in renderer.svg(spec)


def test_on_a_page_inks_follow_the_text_and_data_stay_as_they_are() -> None:
    spec = {
        "mark": {"type": "text", "color": theme.INK.lower()},
        "encoding": {"color": {"scale": {"range": [theme.SPHERE, theme.SOFT]}}},
        "datasets": {"rows": [{"colour": theme.INK}]},
        "config": theme.config(),
    }
    before = repr(spec)
    page = theme.for_page(spec)
    assert page["background"] == "transparent"
    assert page["mark"]["color"] == "currentColor"
    assert page["encoding"]["color"]["scale"]["range"] == [theme.SPHERE, "currentColor"]
    assert page["datasets"] == {"rows": [{"colour": theme.INK}]}
    assert theme.INK not in repr(page["config"])
    assert theme.CARD not in repr(page["config"])
    assert repr(spec) == before

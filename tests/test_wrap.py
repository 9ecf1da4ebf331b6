"""Words are broken to lines that surely fit in Inter."""

import struct
from pathlib import Path

import pytest

from grocery_spheres.charts import theme, wrap
from grocery_spheres.publishable import PublishError


def advances(path: Path) -> dict[str, float]:
    """Read each letter's width over the font size from a ttf."""
    raw = path.read_bytes()
    parts = {}
    for place in range(struct.unpack(">H", raw[4:6])[0]):
        tag, _, offset, length = struct.unpack(">4sLLL", raw[12 + 16 * place : 28 + 16 * place])
        parts[tag] = raw[offset : offset + length]
    em = struct.unpack(">H", parts[b"head"][18:20])[0]
    metrics = struct.unpack(">H", parts[b"hhea"][34:36])[0]
    widths = [struct.unpack(">H", parts[b"hmtx"][4 * g : 4 * g + 2])[0] / em for g in range(metrics)]
    glyphs = glyph_of(parts[b"cmap"])
    return {letter: widths[min(glyph, metrics - 1)] for letter, glyph in glyphs.items()}


def glyph_of(cmap: bytes) -> dict[str, int]:
    for place in range(struct.unpack(">H", cmap[2:4])[0]):
        offset = struct.unpack(">HHL", cmap[4 + 8 * place : 12 + 8 * place])[2]
        if struct.unpack(">H", cmap[offset : offset + 2])[0] == 4:
            return segments(cmap[offset:])
    raise AssertionError("no cmap of format 4")


def segments(table: bytes) -> dict[str, int]:
    half = struct.unpack(">H", table[6:8])[0]
    rows = [14, 16 + half, 16 + 2 * half, 16 + 3 * half]
    found = {}
    for place in range(0, half, 2):
        end, start, delta, jump = (
            struct.unpack(">H", table[row + place : row + place + 2])[0] for row in rows
        )
        for code in range(start, min(end, 0xFFFE) + 1):
            at = rows[3] + place + jump + 2 * (code - start)
            glyph = struct.unpack(">H", table[at : at + 2])[0] if jump else code
            if glyph:
                found[chr(code)] = (glyph + delta) % 65536
    return found


@pytest.mark.parametrize("name", ["Inter-Regular", "Inter-SemiBold"])
def test_no_letter_is_estimated_narrower_than_it_is(name: str) -> None:
    real = advances(theme.FONT_FOLDER / f"{name}.ttf")
    assert real["W"] == pytest.approx(1.0, abs=0.05)
    assert real["i"] == pytest.approx(0.25, abs=0.02)
    too_narrow = {
        letter: width for letter, width in real.items() if wrap.text_width(letter, 1) < width - 1e-9
    }
    assert too_narrow == {}


def test_the_estimate_of_a_sentence_wastes_less_than_a_fifth() -> None:
    sentence = "Half of what households spend goes to packaged groceries, 26.1 % in 2017"
    real = advances(theme.FONT_FOLDER / "Inter-Regular.ttf")
    width = sum(real[letter] for letter in sentence)
    assert width < wrap.text_width(sentence, 1) < 1.2 * width


def test_lines_fit_keep_every_word_and_are_about_equally_long() -> None:
    text = "Sundays are busiest, and busy all day long in most of the stores"
    lines = wrap.balanced("week", text, 16, 320)
    assert len(lines) == len(wrap.wrapped("week", text, 16, 320)) == 2
    assert " ".join(lines) == text
    widths = [wrap.text_width(line, 16) for line in lines]
    assert max(widths) <= 320
    assert min(widths) > 0.6 * max(widths)


def test_a_no_break_space_holds_words_together() -> None:
    assert wrap.wrapped("week", "up 26.1\u00a0% now", 10, 45) == ("up", "26.1\u00a0%", "now")


def test_a_word_wider_than_a_line_is_refused_by_name() -> None:
    with pytest.raises(PublishError, match="'week': the word 'Lebensmittelgeschäft' is wider"):
        wrap.wrapped("week", "Lebensmittelgeschäft im Ort", 16, 100)

"""How numbers are cited and written in prose."""

import pytest

from grocery_spheres.numbers import Number
from grocery_spheres.prose import citation
from grocery_spheres.publishable import PublishError


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (0.2613, ".1%", "26.1 %"),
        (-0.2613, "+.0%", "−26 %"),
        (0.2613, "+.1%", "+26.1 %"),
        (1_469_307, ",.0f", "1,469,307"),
        (1_469_307, "x1e-6 .1f", "1.5"),
        (1234.5, "$,.0f", "$1,234"),
        (-1234.5, "$,.2f", "−$1,234.50"),
        (-0.032, "x-1 .1%", "3.2 %"),
        (0.05, "x100 .1f", "5.0"),
        (-0.0004, ".1f", "0.0"),
        (12, ".0f", "12"),
    ],
)
def test_numbers_are_written_as_prose_does(value: float, form: str, text: str) -> None:
    assert citation.written(value, form) == text
    # What is written is found again as a whole; otherwise an update would write beside it.
    line = f"about {text}<!-- a.b.value|{form} --> more"
    found = list(citation.citations(line))
    assert [line[one.start : one.end] for one in found] == [text]


@pytest.mark.parametrize("form", ["", ".1", "d", "r", ">10.1f", "x100.1f", "$.1%%", ".1f}", ".11f"])
def test_other_formats_are_refused(form: str) -> None:
    with pytest.raises(PublishError, match="the format"):
        citation.written(1.0, form)


@pytest.mark.parametrize(
    ("before", "number"),
    [
        ("fell by 3.2 %", "3.2 %"),
        ("fell by 3.2\u00a0%", "3.2\u00a0%"),
        ("from 2–5", "5"),
        ("from 2-5", "5"),
        ("in 2017, 1,469,307", "1,469,307"),
        ("(−0.5", "−0.5"),
        ("**26.1 %", "26.1 %"),
        ("it cost −$12", "−$12"),
        ("26.1 % ", ""),
        ("12,", ""),
        ("none", ""),
    ],
)
def test_the_number_right_before_a_comment_is_found(before: str, number: str) -> None:
    text = f"{before}<!-- a.b.low|.1f --> after"
    (found,) = citation.citations(text)
    assert text[found.start : found.end] == number
    assert found.end == text.index("<!--")


def test_code_other_comments_and_fences_are_left_alone() -> None:
    text = (
        "`1<!-- a.b.value|.1f -->` and ``2`<!-- a.b.value|.1f -->``\n"
        "```md\n3<!-- a.b.value|.1f -->\n~~~\n```\n"
        "<!-- a plain note --> <!-- todo: a|b -->\n"
        "4<!-- a.b.value|.1f -->, 5<!--a.c.high\\|.0f-->\r\n"
    )
    found = list(citation.citations(text))
    assert [(one.cited, one.form, one.line, text[one.start : one.end]) for one in found] == [
        ("a.b.value", ".1f", 7, "4"),
        ("a.c.high", ".0f", 7, "5"),
    ]


def test_what_is_cited_is_looked_up_or_refused_with_what_is_close() -> None:
    known = {
        "relocation.retained": Number(
            "relocation.retained", 0.5, None, None, "share", "public", "grocery_spheres.a.b"
        )
    }
    assert citation.looked_up("relocation.retained.value", known) == 0.5
    with pytest.raises(
        PublishError, match=r"no number 'relocation\.kept'\. Close to it: relocation\.retained"
    ):
        citation.looked_up("relocation.kept.value", known)
    with pytest.raises(PublishError, match=r"does not end in \.value, \.low or \.high"):
        citation.looked_up("relocation.retained", known)
    with pytest.raises(PublishError, match="has no low"):
        citation.looked_up("relocation.retained.low", known)

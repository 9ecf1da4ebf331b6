"""Words that may stand around a figure, and those that may not."""

from dataclasses import replace

import pytest

from grocery_spheres import publishable
from grocery_spheres.publishable import Caption, PublishError

GOOD = Caption("week", "People shop most on Sundays", "Baskets by weekday", ["key"], "public", "baskets")


def test_a_whole_caption_passes_with_and_without_a_note() -> None:
    publishable.check_caption(GOOD)
    publishable.check_caption(replace(GOOD, note="A note.", evidence="injected + public"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"slug": "../week"}, "slug '../week'"),
        ({"slug": "Week"}, "slug 'Week'"),
        ({"slug": "week-"}, "slug 'week-'"),
        ({"slug": ""}, "slug ''"),
        ({"title": "Sales by week"}, "3 words"),
        ({"title": " ".join(["word"] * 17)}, "17 words"),
        ({"title": "People shop most on Sundays."}, "full stop"),
        ({"title": "People shop\nmost on Sundays"}, "line break"),
        ({"title": ""}, "title is missing"),
        ({"subtitle": ""}, "subtitle is missing"),
        ({"subtitle": " padded"}, "spaces around"),
        ({"sources": []}, "no card key"),
        ({"sources": "complete_journey"}, "no card key"),
        ({"unit": ""}, "unit is missing"),
        ({"unit": None}, "unit is missing"),
        ({"evidence": ""}, "evidence ''"),
        ({"evidence": "real"}, "evidence 'real'"),
        ({"evidence": "public+injected"}, "not allowed"),
        ({"evidence": "public + public"}, "not allowed"),
        ({"note": "two\nlines"}, "note 'two"),
    ],
)
def test_a_caption_that_lacks_something_is_refused(change: dict, message: str) -> None:
    with pytest.raises(PublishError, match=message) as refused:
        publishable.check_caption(replace(GOOD, **change))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("alt", "message"),
    [
        ("", "alternative text is missing"),
        ("Bars of baskets", "full stop"),
        ("people shop MOST on Sundays.", "repeats the title"),
    ],
)
def test_an_alternative_text_that_says_nothing_more_is_refused(alt: str, message: str) -> None:
    with pytest.raises(PublishError, match=message):
        publishable.check_alt("week", alt, GOOD.title)


def test_the_footer_sets_its_parts_apart_and_drops_full_stops() -> None:
    assert publishable.footer("Source: A.", "public", "Note.") == "Source: A · Evidence: public · Note"

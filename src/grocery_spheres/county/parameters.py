"""Which numbers make the county of 2045? Every assumption, with unit, plausible range and source.

Nothing numeric about the world stands anywhere else. What comes out of the world (how many forced
switchers stay, which grocers close, what a Sphere sells) is an outcome and has no field here. "Shaped on The
Complete Journey" marks defaults that were set so that the county, seen through that retailer's lens, meets
the targets of notebook 02; sources marked "recalled" were not re-read.

Utility has two scales (see `behaviour`): "among stores" is what choosing between stores runs on, and counts
`nest` times as much against staying at home, which "utility of going" is measured by.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from typing import Any

from grocery_spheres.county.assumptions import ParameterError, assumed, bring_to_kind, refuse_bad, stated
from grocery_spheres.county.consistency import contradictions

SHAPED = "shaped on The Complete Journey"
RECALLED = "recalled from the choice literature; assumed here"
LARCOM = "assumed; tuned with the other learning terms to the outcome of Larcom, Rauch and Willems (2017)"


# fmt: off
@dataclass(frozen=True)
class Department:
    """One department of the stores: one row of the assortment's law.

    Raises
    ------
    ParameterError
        A number is of the wrong kind or outside its bounds.
    """

    name: str = stated("", "text", None, None, "of the department", "the story and The Complete Journey", least=None)
    grocer: float = stated(0.0, "share of lines", 0.0, 0.8, "of a grocer's lines; over departments they add to 1", SHAPED, most=1)
    sphere: float = stated(0.0, "share of lines", 0.0, 0.5, "of a Sphere's lines; over departments they add to 1", most=1)
    price_usd: float = stated(0.0, "USD of 2045", 1.0, 20.0, "mean list price of a package sold", SHAPED, least=0.05)
    price_spread: float = stated(0.0, "log price", 0.3, 0.9, "standard deviation between products", SHAPED)
    weight_g: float = stated(0.0, "grams", 50.0, 2_000.0, "median weight of a package", least=10)
    stored: float = stated(0.0, "share of a line", 0.0, 1.0, "that goes into the home stock", most=1)
    meals: float = stated(0.0, "share of a line", 0.0, 1.0, "that is a meal eaten on the spot", most=1)
    products: int = stated(1, "products", 20, 1_000, "to choose from", least=1, most=5_000)
    lens: str = stated("", "text", None, None, "department of The Complete Journey it is held against; empty: none", "public", least=None)

    def __post_init__(self) -> None:
        """Refuse values that are out of bounds."""
        bring_to_kind(self)
        refuse_bad(self)


DEPARTMENTS = (
    # name, share of a grocer's and of a Sphere's lines, price, its spread, weight, stored, meals, products, lens
    Department("pantry and dairy", 0.650, 0.27, 3.95, 0.50, 500.0, 1.0, 0.0, 420, "GROCERY"),
    Department("household and drug", 0.108, 0.06, 5.90, 0.70, 400.0, 0.0, 0.0, 140, "DRUG GM"),
    Department("fresh local food", 0.107, 0.00, 3.55, 0.50, 600.0, 1.0, 0.0, 120, "PRODUCE"),
    Department("meat and fish", 0.085, 0.00, 7.80, 0.55, 700.0, 1.0, 0.0, 90, "MEAT"),
    Department("deli and bakery", 0.050, 0.00, 5.70, 0.55, 350.0, 0.8, 0.0, 70, "DELI"),
    Department("digital produce", 0.000, 0.30, 4.00, 0.50, 450.0, 1.0, 0.0, 110, ""),
    Department("sustainably sourced meat", 0.000, 0.13, 11.00, 0.55, 500.0, 1.0, 0.0, 60, ""),
    Department("robotic-chef meals", 0.000, 0.24, 10.80, 0.45, 550.0, 0.0, 1.0, 80, ""),
)


@dataclass(frozen=True)
class Parameters:
    """Every assumption of the county. Change one with `change`; list all with `assumptions.table`.

    Raises
    ------
    ParameterError
        A value is of the wrong kind, outside its bounds, or contradicts another; before anything is built.

    Examples
    --------
    >>> Parameters().towns, Parameters(habit=0).habit
    (64, 0.0)
    >>> Parameters(outage_date=dt.date(2050, 1, 1))
    Traceback (most recent call last):
        ...
    grocery_spheres.county.assumptions.ParameterError: The assumption `outage_date` is ...; allowed: 2044-01-01 to 2045-12-31 ...
    """

    # -- the county
    towns: int = assumed(64, "towns", 12, 600, "towns; nobody shops across them", least=4, most=9_000)
    households: int = assumed(300, "households a town", 40, 1000, "households of a town that are followed", least=1, most=9_999)
    town_scale: float = assumed(22.0, "households", 10.0, 40.0, "households of the town behind each one followed", least=0.001)
    never_towns: int = assumed(12, "towns", 1, 60, "towns that never get a Sphere")
    large_share: float = assumed(0.5, "share of towns", 0.0, 1.0, "towns that are large", most=1)
    chain_small: int = assumed(5, "stores", 1, 6, "stores of the grocery chain in a small town", most=14)
    chain_large: int = assumed(8, "stores", 1, 10, "stores of the grocery chain in a large town", most=14)
    independents: int = assumed(1, "stores", 1, 3, "independent grocers in each town; the story's town has Leo's first", most=8)
    homes_km: float = assumed(2.5, "km", 1.0, 8.0, "spread of homes around the centre (standard deviation, each direction)", least=0.01)
    stores_km: float = assumed(2.5, "km", 1.0, 8.0, "spread of grocers around the centre (standard deviation, each direction)", least=0.01)
    sphere_km: float = assumed(3.0, "km", 0.0, 10.0, "distance of a Sphere from the centre, in any direction")

    # -- the calendar
    start: dt.date = assumed(dt.date(2044, 1, 1), "date", None, None, "first day on record", least=dt.date(2040, 1, 1), most=dt.date(2049, 12, 31))
    end: dt.date = assumed(dt.date(2045, 12, 31), "date", None, None, "last day on record", least=dt.date(2040, 1, 1), most=dt.date(2049, 12, 31))
    burn_in_days: int = assumed(540, "days", 420, 900, "lived before the first day, so that beliefs, habits and stocks settle", least=60, most=2000)
    settling_days: int = assumed(360, "days", 180, 360, "of the burn-in, before what a grocer sells counts as its usual", most=1900)
    closed_days: tuple[str, ...] = assumed(("12-25",), "month-day", None, None, "days on which every store is closed", SHAPED, may_be_empty=True)
    first_entry: dt.date = assumed(dt.date(2044, 3, 1), "date", None, None, "first Spheres open", least=None)
    last_entry: dt.date = assumed(dt.date(2044, 12, 12), "date", None, None, "last Spheres open, six months before the outage", least=None)
    cohorts: int = assumed(9, "dates", 2, 12, "opening dates, evenly spaced; a cohort is the towns that share one", least=1, most=60)
    event_date: dt.date = assumed(dt.date(2045, 6, 17), "date", None, None, "the community event", "the story", least=None)
    outage_date: dt.date = assumed(dt.date(2045, 6, 17), "date", None, None, "the Spheres fail", "the story", least=None)

    # -- the event and the outage
    event_pull: float = assumed(1.2, "utility among stores", 0.0, 2.5, "the event draws to the independent grocers that day", least=None)
    event_trips: float = assumed(0.25, "utility of going", 0.0, 0.6, "the event draws out of the house that day", least=None)
    event_authenticity: float = assumed(0.15, "belief", 0.0, 0.3, "a visit during the event shows that much more authenticity", most=1)
    wholly_dark: float = assumed(0.7, "share of Spheres", 0.3, 1.0, "failing Spheres that are dark all day", most=1)
    dark_from: tuple[int, ...] = assumed((8, 14), "hour", 6, 16, "the others go dark between these hours", most=23)
    dark_hours: tuple[int, ...] = assumed((4, 10), "hours", 2, 12, "and stay dark between this many hours", least=1, most=24)
    dark_depth: tuple[float, ...] = assumed((0.5, 1.0), "share of customers", 0.3, 1.0, "and turn away between these shares of customers", least=0.01, most=1)

    # -- weather, by the hour (drones will fly in it)
    wet_stays: float = assumed(0.85, "chance an hour", 0.7, 0.95, "a wet hour is followed by a wet one", most=0.999)
    wet_begins: float = assumed(0.03, "chance an hour", 0.01, 0.08, "a dry hour is followed by a wet one", least=1e-6, most=0.999)
    wet_trips: float = assumed(-0.3, "utility of going", -0.8, 0.0, "a day that is wet throughout keeps at home", least=None, most=None)

    # -- who the households are
    income_spread: float = assumed(0.6, "log income", 0.4, 0.9, "standard deviation of log income")
    price_response: float = assumed(2.5, "utility among stores a log price", 1.0, 3.0, "lost as a store's price index rises; its share times less one is the elasticity; median household", RECALLED)
    price_income: float = assumed(-0.3, "utility a log price and log income", -0.6, 0.0, "how price response changes with income", least=None)
    distance_cost: float = assumed(0.08, "utility among stores a km", 0.02, 0.1, "median household; at a basket of 30 USD and the default price response, 1 USD of 2017 a km", RECALLED)
    distance_spread: float = assumed(0.4, "log", 0.2, 0.7, "standard deviation of log distance cost")
    virtual_spread: float = assumed(0.8, "utility among stores", 0.5, 1.3, "standard deviation of the taste for the virtual", RECALLED)
    virtual_income: float = assumed(0.0, "utility among stores a log income", 0.0, 1.5, "how the taste for the virtual rises with income; turn it up and richer households choose Spheres", least=None)
    local_spread: float = assumed(0.8, "utility among stores", 0.5, 1.3, "standard deviation of the taste for the local", RECALLED)
    taste_correlation: float = assumed(-0.4, "correlation", -0.7, 0.2, "between the two tastes", least=-0.99, most=0.99)
    store_spread: float = assumed(0.33, "utility among stores", 0.1, 1.5, "standard deviation of a household's liking of one store", SHAPED)

    # -- where they go
    sphere_appeal: float = assumed(0.9, "utility among stores", 0.0, 2.5, "a Sphere beside a chain store, all else equal", least=None)
    independent_appeal: float = assumed(-0.3, "utility among stores", -1.0, 0.5, "an independent grocer beside a chain store, all else equal", least=None)
    leo_appeal: float = assumed(0.6, "utility among stores", 0.0, 1.5, "Leo's grocery beside another independent grocer", "the story: he is still there", least=None)
    appeal_spread: float = assumed(0.4, "utility among stores", 0.2, 0.8, "standard deviation of a store's appeal to all", SHAPED)
    nest: float = assumed(0.55, "dissimilarity", 0.2, 1.0, "of the stores as one nest against staying at home (1 is plain logit)", least=0.05, most=1)
    habit: float = assumed(2.3, "utility among stores", 0.5, 3.0, "a store that took all recent trips beside one that took none; a trip moves `habit_gain` of it", LARCOM)
    habit_gain: float = assumed(0.25, "share a trip", 0.05, 0.3, "share of the habit stock that a trip renews", RECALLED, most=1)
    authenticity_weight: float = assumed(3.3, "utility among stores", 0.0, 4.0, "believed authenticity of one beside none", LARCOM, least=None)
    belief_gain: float = assumed(0.5, "share a visit", 0.1, 0.6, "of the surprise that goes into the belief", LARCOM, most=1)
    belief_fade: float = assumed(0.04, "share a week", 0.0, 0.05, "of the way back to what one believes of a store never visited", LARCOM, most=1)
    signal_spread: float = assumed(0.15, "belief", 0.05, 0.3, "standard deviation of what one visit shows")
    belief_grocer: float = assumed(0.25, "belief", 0.2, 0.7, "about a grocer never visited", LARCOM, most=1)
    belief_sphere: float = assumed(0.60, "belief", 0.3, 0.8, "about a Sphere never visited", most=1)
    authentic_chain: float = assumed(0.65, "belief", 0.5, 0.9, "what visits to a chain store show on average", most=1)
    authentic_independent: float = assumed(0.85, "belief", 0.6, 1.0, "what visits to an independent grocer show on average", most=1)
    authentic_sphere: float = assumed(0.40, "belief", 0.2, 0.7, "what visits to a Sphere show on average", most=1)
    match_spread: float = assumed(0.16, "belief", 0.0, 0.3, "standard deviation of how a store strikes one household rather than another, found out by visits", LARCOM)
    authentic_spread: float = assumed(0.05, "belief", 0.0, 0.1, "standard deviation between stores of a kind")

    # -- when they go
    trip_chance: float = assumed(0.149, "chance a day", 0.05, 0.3, "of a trip with one basket in stock, were the town's grocers known well; median household", SHAPED, least=1e-4, most=0.9)
    trip_spread: float = assumed(0.91, "log odds", 0.5, 1.2, "standard deviation of a household's trip chance", SHAPED)
    stock_effect: float = assumed(0.5, "utility of going a basket", 0.2, 1.0, "one more basket in stock keeps at home", SHAPED)
    stock_half: float = assumed(0.6, "baskets", 0.3, 2.0, "home stock at which consumption is half of its most", least=0.001)
    meal_replaces: float = assumed(1.5, "packages", 0.5, 3.0, "of home stock that a meal eaten out spares, up to the day's own need")
    weekdays: tuple[float, ...] = assumed((-0.01, -0.06, -0.08, -0.07, -0.04, 0.14, 0.19), "utility of going", None, None, "of a trip on Monday to Sunday", SHAPED, least=None)
    month_start: float = assumed(0.04, "utility of going", 0.0, 0.2, "of a trip on the first seven days of a month", SHAPED, least=None)
    hours: tuple[float, ...] = assumed((0.0080, 0.0039, 0.0049, 0.0019, 0.0014, 0.0019, 0.0064, 0.0125, 0.0193, 0.0283, 0.0427, 0.0590, 0.0665, 0.0675, 0.0708, 0.0770, 0.0899, 0.1011, 0.0949, 0.0807, 0.0658, 0.0490, 0.0307, 0.0160), "share of trips", None, None, "by hour of the day, 0 to 23", SHAPED)

    # -- what a basket holds
    departments: tuple[Department, ...] = DEPARTMENTS
    basket_spread: float = assumed(0.57, "log lines", 0.3, 0.7, "standard deviation between households", SHAPED)
    main_share: float = assumed(0.32, "share of trips", 0.2, 0.5, "main trips, with one basket in stock", SHAPED, least=0.001, most=0.999)
    main_stock: float = assumed(-0.3, "log odds a basket", -1.0, 0.0, "one more basket in stock makes a main trip less likely", SHAPED, least=None)
    main_lines: float = assumed(18.0, "lines", 10.0, 25.0, "median of a main trip", SHAPED, least=1)
    main_spread: float = assumed(0.47, "log lines", 0.3, 0.8, "standard deviation within a household's main trips", SHAPED)
    fill_lines: float = assumed(2.9, "lines", 2.0, 5.0, "median of a fill-in trip", SHAPED, least=0.5)
    fill_spread: float = assumed(0.8, "log lines", 0.5, 1.1, "standard deviation within a household's fill-in trips", SHAPED)
    sphere_lines: float = assumed(0.8, "ratio", 0.4, 1.0, "lines of a Sphere's basket beside a grocer's", least=0.01)
    most_lines: int = assumed(180, "lines", 100, 250, "no basket holds more", least=1, most=250)
    quantities: tuple[float, ...] = assumed((0.800, 0.147, 0.026, 0.027), "share of lines", None, None, "of one, two, three and four packages", SHAPED)

    # -- prices
    price_level: float = assumed(1.74, "ratio", 1.3, 2.5, "USD of 2045 a USD of 2017: two per cent a year", least=0.01)
    price_tilt: float = assumed(0.35, "log odds a log price", 0.0, 0.8, "how much more often the richest third picks what costs more in its department; the poorest, less", SHAPED, least=None)
    few_lines: int = assumed(4, "lines", 1, 8, "a basket of so many lines or fewer is a quick one", SHAPED)
    few_tilt: float = assumed(0.5, "log odds a log price", 0.0, 1.0, "how much more often a quick basket holds what costs more", SHAPED, least=None)
    popularity: float = assumed(0.7, "exponent", 0.4, 1.1, "of the rank in a department's sales (Zipf)")
    weight_spread: float = assumed(0.5, "log grams", 0.2, 0.8, "standard deviation of log package weight between the products of a department")
    sphere_price: float = assumed(1.05, "ratio", 0.9, 1.3, "a Sphere's price index beside the chain's", least=0.01)
    independent_price: float = assumed(1.03, "ratio", 0.95, 1.15, "an independent grocer's price index beside the chain's", least=0.01)
    store_price_spread: float = assumed(0.02, "log price", 0.0, 0.05, "standard deviation between stores")
    grocer_response: float = assumed(-0.011, "log price", -0.02, 0.0, "grocers' prices once a Sphere has opened in town", "Basker and Noel (2009), as summarised in demand.md", least=-1, most=1)
    promoted: float = assumed(0.50, "share of lines", 0.3, 0.6, "on promotion at a grocer, mean over weeks", SHAPED, most=1)
    promoted_sphere: float = assumed(0.25, "share of lines", 0.0, 0.5, "on promotion at a Sphere, mean over weeks", most=1)
    promoted_spread: float = assumed(0.12, "share of lines", 0.05, 0.2, "standard deviation over a store's weeks")
    depths: tuple[float, ...] = assumed((0.10, 0.16, 0.22, 0.27, 0.40, 0.54), "share of shelf price", None, None, "off a promoted product, equally likely", SHAPED, most=0.99)

    # -- grocers' fate
    margin: float = assumed(0.28, "share of sales", 0.22, 0.32, "gross margin of a grocer", most=1)
    handling: float = assumed(0.10, "share of sales", 0.06, 0.14, "costs that follow sales", most=1)
    cushion: float = assumed(0.45, "share of contribution", 0.1, 0.6, "by which contribution exceeds fixed cost at the start, mean over grocers", least=-1, most=0.99)
    leo_cushion: float = assumed(0.60, "share of contribution", 0.3, 0.8, "by which Leo's contribution exceeds his fixed cost at the start", "the story: he is still there", least=-1, most=0.99)
    cushion_spread: float = assumed(0.10, "share of contribution", 0.05, 0.2, "standard deviation between grocers")
    patience: int = assumed(6, "months", 3, 12, "a grocer closes when the mean contribution over these falls below fixed cost", least=1, most=24)
    tolerance: float = assumed(0.02, "share of fixed cost", 0.0, 0.1, "loss that a grocer bears")

    # fmt: on
    def __post_init__(self) -> None:
        """Refuse values that are out of bounds, or that contradict each other."""
        bring_to_kind(self)
        refuse_bad(self)
        for name, broken, allowed in contradictions(self):
            if broken:
                raise ParameterError(
                    f"The assumption `{name}` is {getattr(self, name)!r}; allowed: {allowed}."
                )

    def change(self, **changes: Any) -> Parameters:
        """Return the assumptions with some changed.

        Raises
        ------
        ParameterError
            There is no such assumption, or the value is refused.

        Examples
        --------
        >>> Parameters().change(habit=0.5).habit
        0.5
        """
        known = [one.name for one in fields(self)]
        for name in changes:
            if name not in known:
                raise ParameterError(f"There is no assumption `{name}`; there are: {', '.join(known)}.")
        return replace(self, **changes)

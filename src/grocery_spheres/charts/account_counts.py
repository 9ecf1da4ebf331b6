"""Which numbers of notebook 04 does prose cite? By id, with interval and unit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from grocery_spheres.accounting.results import Account
from grocery_spheres.accounting.wording import by_part
from grocery_spheres.charts import account_proofs as proofs
from grocery_spheres.validation.account_county_proof import LARGE, RETENTION

Counts = dict[str, tuple[Any, ...]]

_MEAN = {"bias": "mean", "two": "two_lost_mean"}  # numbers of mean truths, beside those of mean errors
_OF_LOST = "share of what was lost"
_SHORT = {
    "lost": "lost",
    "diverted": "diverted",
    "diverted to independent grocers": "independent",
    "diverted to chain grocers": "chain",
    "diverted to other stores": "left",
    "delayed": "delayed",
    "forgone": "forgone",
    "dark stores' net loss": "net_dark",
    "not followed": "not_followed",
    "lost in all": "lost_in_all",
    "before, at the dark stores": "before_dark",
    "before, elsewhere": "before_elsewhere",
}


def account_counts(found: Account, prefix: str = "account") -> Counts:
    """Count each part in baskets, as a share of what was lost, and what it rests on."""
    counts: Counts = {
        f"{prefix}.placebos": (float(len(found.errors)), "placebo outages"),
        f"{prefix}.dark": (float(len(found.facts["dark"])), "dark stores"),
        f"{prefix}.followed": (float(found.facts["followed"]), "households"),
        f"{prefix}.compared": (float(found.facts["compared"]), "households"),
        f"{prefix}.followed_share": (found.facts["followed_share"]["baskets"], "share of baskets"),
    }
    rows = by_part(found, "baskets")
    for part, short in _SHORT.items():
        if part in rows:
            row = rows[part]
            counts[f"{prefix}.{short}"] = (row["estimate"], row["low"], row["high"], "baskets")
            counts[f"{prefix}.{short}_seen"] = (row["detectable"], "baskets")
            ends = (row["share_low"], row["share_high"])
            counts[f"{prefix}.{short}_share"] = (row["share"], *ends, _OF_LOST)
            counts[f"{prefix}.{short}_p"] = (row["pvalue"], "p-value")
    return counts


def later_counts(found: Account) -> Counts:
    """Count retention, with its interval; and what the money says of diversion."""
    kept = found.retention
    rows = by_part(found, "sales_usd")
    counts: Counts = {
        "account.lost_usd": (*(rows["lost"][name] for name in ("estimate", "low", "high")), "USD of 2045"),
        "account.diverted_usd": (
            *(rows["diverted"][name] for name in ("share", "share_low", "share_high")),
            _OF_LOST,
        ),
    }
    if kept is not None:
        counts["account.retention"] = (kept.value, *kept.interval(found.alpha), "share of the first gain")
    return counts


def truth_counts(expected: pl.DataFrame, true: Mapping[str, float]) -> Counts:
    """Count what was so in truth: in expectation for all households, and realised for the followed."""
    every = expected.filter(group="all", measure="baskets")
    shares = dict(every.select("part", "share_of_lost").iter_rows())
    counts: Counts = {
        f"account.true_{short}": (shares[part], _OF_LOST) for part, short in _SHORT.items() if part in shares
    }
    counts["account.true_all"] = (every.filter(part="lost")["expected"].item(), "baskets")
    return counts | {
        f"account.realised_{short}": (true[part], "baskets") for part, short in _SHORT.items() if part in true
    }


def county_counts() -> Counts:
    """Count errors in large counties and coverage in small ones."""
    rows = proofs.county_rows().to_dicts()
    names = {**_SHORT, RETENTION: "retention"}
    counts: Counts = {
        f"account.error_{names[row['part']]}": (
            row["mean error"],
            row["low"],
            row["high"],
            "percentage points",
        )
        for row in rows
    }
    counts |= {
        f"account.spread_{names[row['part']]}": (row["error of one county"], "percentage points")
        for row in rows
    }
    held = proofs.small_coverage().to_dicts()
    counts |= {
        f"account.held_{names[row['part']]}": (row["coverage"], row["low"], row["high"], "share of intervals")
        for row in held
    }
    shares = [row["coverage"] for row in held]
    return counts | {
        "account.held_least": (min(shares), "share of intervals"),
        "account.held_most": (max(shares), "share of intervals"),
        "account.signs": (proofs.signs(), "share of counties"),
        "account.large": (float(LARGE), "counties"),
        "account.small": (float(max(row["intervals"] for row in held)), "counties"),
        "account.true_retention": (
            next(row["expected (%)"] for row in rows if row["part"] == RETENTION) / 100,
            "share of the first gain",
        ),
    }


def injected_counts() -> Counts:
    """Count coverage, verdicts and false finds in public records with injected outages."""
    counts: Counts = {}
    for row in proofs.held_rows().to_dicts():
        ends = (row["coverage"] / 100, row["low"] / 100, row["high"] / 100)
        counts[f"accounts_injected.injected_{_SHORT[row['part']]}_{row['level']}"] = (
            *ends,
            "share of intervals",
        )
        counts["accounts_injected.injected"] = (float(row["outages"]), "outages")
    for row in proofs.verdict_rows().filter(pl.col("verdict") == "not estimable here").to_dicts():
        counts[f"accounts_injected.unknown_{_SHORT[row['part']]}"] = (
            row["accounts (%)"] / 100,
            "share of accounts",
        )
    for row in proofs.never_rows().to_dicts():
        ends = tuple(row[name] / 100 for name in ("found at 5 %", "low", "high"))
        counts[f"accounts_injected.never_{_SHORT[row['part']]}"] = (*ends, "share of accounts")
    for name, table in {"bias": proofs.mean_errors(), "two": proofs.two_stores()}.items():
        for row in table.to_dicts():
            reach = 1.96 * row["mc_error"]
            ends = (row["bias"], row["bias"] - reach, row["bias"] + reach)
            counts[f"accounts_injected.{name}_{_SHORT[row['part']]}"] = (*ends, "baskets")
            counts[f"accounts_injected.{_MEAN[name]}_{_SHORT[row['part']]}"] = (row["truth"], "baskets")
            if name == "two":
                counts["accounts_injected.two"] = (float(row["replications"]), "outages")
    return counts | {"accounts_injected.refused": (float(proofs.refused()), "accounts")}


def fading_counts(rows: pl.DataFrame) -> Counts:
    """Count how much less regular customers buy once the weeks that chose them are over."""
    means = dict(rows.group_by("days").agg(pl.mean("baskets a day")).iter_rows())
    chosen = means["chosen on these"]
    return {
        "regulars.fade_chosen": (chosen, "baskets a day"),
        "regulars.fade_usual": (means["what was usual"] / chosen - 1, "change"),
        "regulars.fade_after": (means["measured"] / chosen - 1, "change"),
        "regulars.fade_apart": (means["measured"] / means["what was usual"] - 1, "change"),
    }

"""Which modules make an account of an outage, so that a change of them makes its proofs outdated?

What words, pictures and examples say of an account is not among them.
"""

ACCOUNTS = (
    "accounting.cases",
    "accounting.effects",
    "accounting.estimate",
    "accounting.following",
    "accounting.moments",
    "accounting.parts",
    "accounting.placebos",
    "accounting.ratios",
    "accounting.records",
    "accounting.results",
    "accounting.rivals",
    "accounting.spans",
    "accounting.verdict",
    "outage.calibration",
    "outage.certainty",
    "outage.outages",
    "validation.account_truth",
)
"""Dotted names below the package."""

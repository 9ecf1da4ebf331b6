"""Which modules make an estimate of an outage, so that a change of them makes its proofs outdated?

What words, pictures and examples say of an estimate is not among them.
"""

ESTIMATES = (
    "outage.calibration",
    "outage.certainty",
    "outage.clock",
    "outage.clusters",
    "outage.conformal",
    "outage.covariance",
    "outage.did",
    "outage.donor_factors",
    "outage.donor_mix",
    "outage.donors",
    "outage.error_grid",
    "outage.estimate",
    "outage.expected",
    "outage.gaps",
    "outage.in_space",
    "outage.inference",
    "outage.long_panel",
    "outage.methods",
    "outage.mixture",
    "outage.naive",
    "outage.one_thread",
    "outage.outages",
    "outage.placebos",
    "outage.results",
    "outage.simplex",
    "outage.structural",
    "outage.study",
    "outage.synthetic_control",
    "outage.synthetic_did",
)
"""Dotted names below the package."""

"""A published table, reproduced from data that a test dependency brings along."""

import numpy as np
import polars as pl
import pytest

from grocery_spheres.outage.did import did
from grocery_spheres.outage.estimate import estimate_outage
from grocery_spheres.outage.expected import Options, Target
from grocery_spheres.outage.outages import Outage
from grocery_spheres.tables import ContractError

REFORM = 4  # the quarter from which California asked its drivers to choose: the third of 2011


@pytest.fixture(scope="module")
def states():
    data = pytest.importorskip("causaldata", reason="causaldata is not installed (test extra)")
    return pl.from_pandas(data.organ_donations.load_pandas().data)


def test_active_choice_lowered_donor_registration_as_published(states):
    """Kessler and Roth (2014): difference in differences over 27 states, -0.0225 of the drivers."""
    wide = states.pivot(on="Quarter_Num", index="State", values="Rate")
    own = wide.filter(pl.col("State") == "California").drop("State").to_numpy()[0]
    others = wide.filter(pl.col("State") != "California").drop("State").to_numpy()
    quarters = np.array([int(name) for name in wide.columns[1:]])
    dark = (quarters >= REFORM).astype(float)
    found = did(Target(own, dark, dark == 0), others, Options())
    effect = float((own - found.path)[dark > 0].mean())
    assert len(others) == 26
    assert effect == pytest.approx(-0.0225, abs=5e-5)


def test_so_short_a_record_is_refused_where_an_interval_is_asked_for(states):
    asked = {"unit": "State", "time": "Quarter_Num", "outcome": "Rate", "method": "did"}
    with pytest.raises(ContractError, match="at least 10 are needed"):
        estimate_outage(states, Outage("California", REFORM, 6), calibrate=False, **asked)

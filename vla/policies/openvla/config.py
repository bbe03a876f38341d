"""`model` of a checkpoint in OpenVLA's layout."""

from typing import Literal

from pydantic import PositiveInt

from vla.config.imported import ImportedModel

# Packages that decide what the family computes, beyond those of every evaluation.
DISTRIBUTIONS = ("pillow", "tokenizers", "transformers")


class Config(ImportedModel):
    """An OpenVLA checkpoint (Kim et al. 2024, arXiv 2406.09246), taken as it comes."""

    type: Literal["openvla"] = "openvla"
    """Policy family."""
    chunk_length: Literal[1] = 1
    """Actions predicted at once (control steps): OpenVLA looks again after every one."""
    unnorm_key: str | None = None
    """Data whose action statistics undo the normalisation: a key of the checkpoint's `norm_stats` or `dataset_statistics.json`; by default the only one there is."""
    picture_size: PositiveInt = 256
    """The simulator's pictures (pixels), which are made smaller as OpenVLA's evaluation does; it draws LIBERO at 256."""
    center_crop: bool = True
    """Show the middle 90 % of a picture's area: for checkpoints that were fine-tuned with random crops, as OpenVLA's on LIBERO. False for others."""
    gripper: Literal["close-positive", "open-positive", "unchanged"] = "close-positive"
    """What the simulator takes for the gripper, which OpenVLA's data has from 0 (close) to 1 (open): `close-positive` gives -1 (open) or 1 (close), as LIBERO takes it; `open-positive` the opposite, as CALVIN does; `unchanged` what the checkpoint says."""

"""How this folder was made: LeRobot's own ACT writes and runs two tiny checkpoints.

Not part of the tests. In an environment of its own, with PyTorch 2.13.0 and this project's root on the path:

    pip install --no-deps lerobot==0.4.4 torchvision==0.28.0
    pip install draccus==0.10.0 einops datasets deepdiff pyserial    # what importing LeRobot asks for
    python -m tests.data.lerobot_act.make FOLDER
"""

import importlib.util
import json
import sys
import types
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from tests.checkpoints import draw

# torchvision's Python is used, not its library of native code, of which it declares two operators.
LIBRARY = torch.library.Library("torchvision", "DEF")
for operator in ("nms", "qnms"):
    LIBRARY.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
# The package imports every policy there is, and a type that only annotations name: ACT needs neither.
policies = types.ModuleType("lerobot.policies")
found = importlib.util.find_spec("lerobot").submodule_search_locations
policies.__path__ = [str(Path(next(iter(found))) / "policies")]
training = types.ModuleType("lerobot.configs.train")
training.TrainPipelineConfig = object
sys.modules |= {"lerobot.policies": policies, "lerobot.configs.train": training}

from lerobot.configs.types import FeatureType, NormalizationMode, PolicyFeature  # noqa: E402
from lerobot.policies.act.configuration_act import ACTConfig  # noqa: E402
from lerobot.policies.act.modeling_act import ACTPolicy  # noqa: E402
from lerobot.policies.act.processor_act import make_act_pre_post_processors  # noqa: E402

SIZE, STATE, ACTION = 64, 4, 4
SMALL = {
    **{"dim_model": 32, "n_heads": 2, "dim_feedforward": 48, "n_encoder_layers": 2},
    **{"latent_dim": 8, "n_vae_encoder_layers": 1, "chunk_size": 8, "n_action_steps": 4},
}
MEAN_STD = dict.fromkeys(("VISUAL", "STATE", "ACTION"), NormalizationMode.MEAN_STD)
MIN_MAX = dict.fromkeys(("STATE", "ACTION"), NormalizationMode.MIN_MAX)


def make(folder: Path, cameras: list[str], modes: dict[str, NormalizationMode], **values) -> None:
    """Write one checkpoint with its golden inputs and actions into `folder`."""
    visual = PolicyFeature(FeatureType.VISUAL, (3, SIZE, SIZE))
    state = PolicyFeature(FeatureType.STATE, (STATE,))
    config = ACTConfig(
        input_features={"observation.state": state, **dict.fromkeys(cameras, visual)},
        output_features={"action": PolicyFeature(FeatureType.ACTION, (ACTION,))},
        normalization_mapping=modes,
        device="cpu",
        pretrained_backbone_weights=None,
        **SMALL | values,
    )
    policy = ACTPolicy(config).eval()
    fixed = "pos_enc"  # computed, not learnt
    weights = {
        name: tensor if name.endswith(fixed) else draw(name, tuple(tensor.shape))
        for name, tensor in policy.state_dict().items()
    }
    policy.load_state_dict(weights)
    random = np.random.RandomState(7)
    processors = make_act_pre_post_processors(config, _statistics(cameras, random))
    for part in (policy, *processors):
        part.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    shapes = {name: list(tensor.shape) for name, tensor in weights.items()}
    (folder / "shapes.json").write_text(json.dumps(shapes, indent=0))
    pictures = random.randint(0, 256, (2, len(cameras), 3, SIZE, SIZE)).astype(np.uint8)
    seen = {
        "pictures": torch.from_numpy(pictures),
        "state": torch.from_numpy(random.uniform(-0.5, 0.5, (2, STATE)).astype(np.float32)),
    }
    batch = {name: seen["pictures"][:, n].float() / 255 for n, name in enumerate(cameras)}
    before, after = processors
    batch = before(batch | {"observation.state": seen["state"]})
    observed = {name: value for name, value in batch.items() if name.startswith("observation")}
    chunk = policy.predict_action_chunk(observed)
    actions = torch.stack([after(chunk[:, step]) for step in range(chunk.shape[1])], 1)
    save_file(seen | {"actions": actions.contiguous()}, folder / "golden.safetensors")


def _statistics(cameras: list[str], random: np.random.RandomState) -> dict:
    statistics = {}
    for name in cameras:
        mean, std = random.uniform(0.3, 0.6, (3, 1, 1)), random.uniform(0.1, 0.3, (3, 1, 1))
        low, high = np.zeros((3, 1, 1)), np.ones((3, 1, 1))
        statistics[name] = {"mean": mean, "std": std, "min": low, "max": high}
    for name in ("observation.state", "action"):
        low = random.uniform(-1, -0.2, 4)
        mean, std = random.uniform(-0.2, 0.2, 4), random.uniform(0.1, 0.5, 4)
        high = low + random.uniform(0.5, 1.5, 4)
        statistics[name] = {"mean": mean, "std": std, "min": low, "max": high}
    return {
        name: {key: torch.tensor(value, dtype=torch.float32) for key, value in values.items()}
        for name, values in statistics.items()
    }


if __name__ == "__main__":
    target = Path(sys.argv[1])
    make(target / "mean_std", ["observation.image"], MEAN_STD)
    make(
        target / "min_max",
        ["observation.images.top", "observation.images.side"],
        {"VISUAL": NormalizationMode.IDENTITY, **MIN_MAX},
        pre_norm=True,
        use_vae=False,
        feedforward_activation="gelu",
        vision_backbone="resnet34",
        n_decoder_layers=2,
    )

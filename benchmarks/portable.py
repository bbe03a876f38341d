"""What portable arithmetic costs: milliseconds a step of one policy in one mode, in a process of its own.

    python -m benchmarks.portable MODE ENCODER

How a processor is used is settled once in each process, so modes are measured in turn, each in a new one.
"""

import statistics
import sys
from pathlib import Path

import torch

from benchmarks.measuring import PAIRS, ROOT, row, run, seconds
from vla.config.training import TrainingSection
from vla.data.spec import DataSpec
from vla.policies.bc.config import Config
from vla.policies.bc.policy import build
from vla.process.determinism import set_determinism
from vla.training.optimizer import build_optimizer, optimise

# Vision encoder -> picture (pixels), batch, steps
SIZES = {"ConvStem/16": (64, 32, 20), "ViT-B/16": (224, 2, 3)}


def bench_portable(_: Path) -> None:
    """Training steps in portable mode against strict mode: the demo's policy, and a ViT-B."""
    for encoder in SIZES:
        pairs = [(_step("portable", encoder), _step("strict", encoder)) for _ in range(PAIRS)]
        ratio = statistics.median(one / other for one, other in pairs)
        took = statistics.median(one for one, _ in pairs)
        row(f"a training step with {encoder}, portable / strict", ratio, f"{took:.0f} ms, CPU")


def _step(mode: str, encoder: str) -> float:
    printed = run(sys.executable, "-m", "benchmarks.portable", mode, encoder, folder=ROOT)
    return float(printed)


def main(mode: str, encoder: str) -> None:
    set_determinism(1, mode)
    size, batch, steps = SIZES[encoder]
    spec = DataSpec(("front",), size, ("open it",), (0.0,) * 4, (1.0,) * 4, (-1.0,) * 4, (1.0,) * 4)
    config, training = Config(vision_encoder=encoder), TrainingSection()
    policy = build(config, spec).train()
    optimizer = build_optimizer(policy, training)
    inputs = {
        "pictures": torch.randint(0, 256, (batch, 1, 3, size, size), dtype=torch.uint8),
        "words": torch.zeros(batch, config.max_words, dtype=torch.int64),
        "state": torch.randn(batch, 4),
        "actions": torch.rand(batch, config.chunk_length, 4) * 2 - 1,
        "valid": torch.ones(batch, config.chunk_length, dtype=torch.bool),
    }

    def train() -> None:
        for _ in range(steps):
            optimise(policy, optimizer, [inputs], 1e-3, training)

    train()  # kernels are made at their first use
    print(1000 * seconds(train) / steps)


if __name__ == "__main__":
    main(*sys.argv[1:])

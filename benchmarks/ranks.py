"""What a training step costs in parts, and on two processes: the demo's policy on CPU."""

import multiprocessing
import statistics
import tempfile
from pathlib import Path

import torch

from benchmarks.measuring import PAIRS, row, seconds
from vla.config.training import TrainingSection
from vla.data.spec import DataSpec
from vla.policies.bc.config import Config
from vla.policies.bc.policy import build
from vla.process.determinism import set_determinism
from vla.training.optimizer import build_optimizer, optimise
from vla.training.ranks import Ranks
from vla.training.together import join_ranks

BATCH, STEPS = 32, 20


def bench_ranks(_: Path) -> None:
    """A batch in two parts against the whole one, and two processes against one."""
    measured = [(_step(1, 1), _step(2, 1), _step(2, 2)) for _ in range(PAIRS)]
    parts = statistics.median(two / whole for whole, two, _ in measured)
    sides = statistics.median(both / two for _, two, both in measured)
    took = statistics.median(whole for whole, _, _ in measured)
    row("a training step in 2 micro-batches / in one", parts, f"{took:.0f} ms, CPU")
    row("a training step on 2 processes / on one", sides, "the same bits; one core each")


def _step(parts: int, count: int) -> float:
    """Milliseconds a step, of rank 0."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    with tempfile.TemporaryDirectory() as folder:
        ranks = [
            context.Process(target=_train, args=(rank, count, parts, folder, answers))
            for rank in range(count)
        ]
        for process in ranks:
            process.start()
        took = answers.get()
        for process in ranks:
            process.join()
    return took


def _train(rank: int, count: int, parts: int, folder: str, answers) -> None:
    set_determinism(1, "portable")
    alone = Ranks()
    cpu = torch.device("cpu")
    ranks = join_ranks(rank, count, cpu, f"{folder}/meeting") if count > 1 else alone
    spec = DataSpec(("side",), 64, ("open it",), (0.0,) * 4, (1.0,) * 4, (-1.0,) * 4, (1.0,) * 4)
    config = Config(fusion={"width": 64}, max_words=8)
    training = TrainingSection(batch_size=BATCH, micro_batches=parts)
    policy = build(config, spec).train()
    optimizer = build_optimizer(policy, training)
    size = BATCH // parts
    inputs = {
        "pictures": torch.randint(0, 256, (size, 1, 3, 64, 64), dtype=torch.uint8),
        "words": torch.zeros(size, config.max_words, dtype=torch.int64),
        "state": torch.randn(size, 4),
        "actions": torch.rand(size, config.chunk_length, 4) * 2 - 1,
        "valid": torch.ones(size, config.chunk_length, dtype=torch.bool),
    }
    own = [inputs] * len(ranks.parts(parts))

    def train() -> None:
        for _ in range(STEPS):
            optimise(policy, optimizer, own, 1e-3, training, ranks)

    train()  # kernels are made at their first use
    took = 1000 * seconds(train) / STEPS
    if rank == 0:
        answers.put(took)

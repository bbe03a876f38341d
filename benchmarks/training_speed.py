"""How fast a policy trains on this machine: samples a second, MFU, memory, and time spent waiting for data.

    python -m benchmarks.training_speed exp_101_rt2_calvin
    python -m benchmarks.training_speed exp_101_rt2_calvin --small    # fits a laptop, says nothing of the large one

The experiment's own configuration, training loop and loader run, on made-up pictures of CALVIN's size in
a real prepared store; nothing is saved.

    MFU = operations of a training step / (seconds a step x the device's peak operations a second)

(Chowdhery et al. 2022, appendix B). Operations are counted by PyTorch's `FlopCounterMode` in one forward and
one backward pass: matrix products, convolutions and attention, a multiplication and an addition as
two. The peak is the vendor's for dense bf16; beside it stands what one large matrix product reaches here,
in the precision that the experiment trains in.
"""

import argparse
import platform
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.made_up_reader import Reader
from benchmarks.measuring import ROOT, seconds
from vla.config.complete import ExperimentConfig
from vla.data.opening import open_store
from vla.data.preparation import prepare
from vla.data.sampling import Sampler
from vla.files.atomic import write_json
from vla.plan.reading import load_experiment
from vla.policies.building import build_policy
from vla.policies.protocol import Policy, to_device
from vla.process.determinism import choose_device, set_determinism, training_mode
from vla.training.loop import Step, TrainingRun, fit

PICTURE = 200  # pixels: CALVIN's static camera
EPISODES, LENGTH = 16, 64
FIRST = 5  # steps before the clock starts: kernels are chosen, memory is reserved
# Dense bf16, operations a second, from the data sheets of NVIDIA.
PEAKS = {"A100": 312e12, "H100 PCIe": 756e12, "H100": 989e12, "H200": 989e12, "L40S": 362e12}
SMALL = {
    "vision_encoder": "ViT-Ti/16",
    "language_model": {
        "width": 192,
        "layers": 4,
        "heads": 3,
        "key_value_heads": 3,
        "mlp_width": 512,
    },
    "num_params": None,
}


class Clock:
    """The supervision of a run that only takes its time. Seconds; `waited` is part of `took`."""

    def __init__(self, steps: int):
        self.steps = steps
        self.took = self.waited = self._started = 0.0

    def __enter__(self) -> "Clock":
        return self

    def __exit__(self, *error: object) -> None: ...

    def resume(self, policy: Policy, optimizer: torch.optim.Optimizer) -> int:
        return 0

    @contextmanager
    def waiting(self) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.waited += time.perf_counter() - started

    def after_step(self, step: Step) -> None:
        if step.done == FIRST:
            step.loss.item()  # waits for the device
            self._started, self.waited = time.perf_counter(), 0.0
        elif step.done == self.steps:
            self.loss = step.loss.item()
            self.took = time.perf_counter() - self._started

    def finish(self) -> tuple[float, float]:
        return self.loss, self.took


def operations(policy: Policy, sampler: Sampler, bf16: bool) -> float:
    """Of one sample's forward and backward pass, counted on a batch."""
    inputs = to_device(policy.processor(sampler.batch(0)), policy.device)
    with (
        FlopCounterMode(display=False) as counter,
        torch.autocast(policy.device.type, torch.bfloat16, enabled=bf16),
    ):
        policy.loss(inputs).backward()
    policy.zero_grad(set_to_none=True)
    return counter.get_total_flops() / sampler.batch_size


def reached_by_product(device: torch.device, dtype: torch.dtype) -> float:
    """Operations a second of one large matrix product."""
    size = 8192 if device.type == "cuda" else 2048
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))

    def multiply() -> None:
        for _ in range(10):
            a @ b
        if device.type == "cuda":
            torch.cuda.synchronize()

    multiply()
    return 10 * 2 * size**3 / min(seconds(multiply) for _ in range(3))


def small(config: ExperimentConfig) -> ExperimentConfig:
    """The same families and settings, shrunk to what a CPU trains in seconds."""
    return config.model_copy(
        update={
            "model": type(config.model)(**config.model.model_dump() | SMALL),
            "training": config.training.model_copy(update={"batch_size": 8, "precision": "fp32"}),
            "resources": config.resources.model_copy(
                update={"accelerator": "auto", "loader_workers": 1}
            ),
        }
    )


def measure(config: ExperimentConfig, steps: int, folder: Path) -> dict[str, str]:
    """What is printed, by name."""
    accelerator = "cuda" if torch.cuda.is_available() else "cpu"
    training = config.training.model_copy(update={"num_steps": steps})
    config = config.model_copy(update={"training": training})
    set_determinism(
        config.resources.training_threads, training_mode(training.determinism, accelerator)
    )
    device, bf16 = choose_device(accelerator), training.precision == "bf16"
    write_json(
        folder / "data/sizes.json", {"episodes": EPISODES, "steps": LENGTH, "pixels": PICTURE}
    )
    prepare(Reader, folder / "data", config.data.cameras, folder / "store")
    store = open_store(folder / "store")
    sampler = Sampler(
        store,
        seed=0,
        batch_size=training.batch_size // training.micro_batches,
        chunk_length=config.model.chunk_length,
        augmentation=config.data.augmentation,
    )
    policy = build_policy(config.model, store.spec).to(device).train()
    needed = operations(policy, sampler, bf16)
    reached = reached_by_product(device, torch.bfloat16 if bf16 else torch.float32)
    clock = Clock(steps)
    fit(TrainingRun(config, 0, store, device, clock), policy, sampler)

    counted = steps - FIRST
    rate = counted * training.batch_size / clock.took
    name = torch.cuda.get_device_name() if device.type == "cuda" else _processor()
    peak = next((value for part, value in PEAKS.items() if part in name), None)
    memory = (
        torch.cuda.max_memory_allocated()
        if device.type == "cuda"
        else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    )
    return {
        "device": name,
        "PyTorch": torch.__version__,
        "parameters": f"{sum(p.numel() for p in policy.parameters()) / 1e6:.1f} M",
        "batch, precision, determinism": f"{training.batch_size}, {training.precision}, "
        f"{training_mode(training.determinism, accelerator)}",
        "operations a sample": f"{needed / 1e9:.1f} G",
        "milliseconds a step": f"{1000 * clock.took / counted:.1f}",
        "samples a second": f"{rate:.1f}",
        "MFU": f"{needed * rate / peak:.1%}" if peak and bf16 else "no peak is known for it",
        "of a large matrix product's rate": f"{needed * rate / reached:.1%} of {reached / 1e12:.2f} T",
        "memory at the peak": f"{memory / 1e9:.2f} GB",
        "waiting for data": f"{clock.waited / clock.took:.2%}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return f"CPU, {names[0] if names else platform.processor()}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_speed")
    parser.add_argument("experiment", nargs="?", default="exp_101_rt2_calvin")
    parser.add_argument(
        "--steps", type=int, default=30, help="steps, of which the first 5 do not count"
    )
    parser.add_argument("--small", action="store_true", help="a small model and batch, for a CPU")
    arguments = parser.parse_args()
    if arguments.steps <= FIRST:
        parser.error(f"--steps has to be more than {FIRST}")
    config = load_experiment(ROOT / f"experiments/{arguments.experiment}/config.yaml")
    if arguments.small:
        config = small(config)
    with tempfile.TemporaryDirectory() as folder:
        found = measure(config, arguments.steps, Path(folder))
    for name, value in found.items():
        print(f"| {name} | {value} |")


if __name__ == "__main__":
    main()

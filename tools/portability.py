"""`make portability`: one short training of every policy family on several processors, and their bits.

Processors but this one are emulated (QEMU in user mode: slow, and faithful to what code a processor
chooses and how it rounds). Then each setting of portable arithmetic is left out in turn: on some
processor the bits must change, or the setting would be needless. Exits with 1 when processors differ.

    python -m tools.portability                            # the table
    python -m tools.portability train ConvStem/16          # on this processor, as JSON
    python -m tools.portability train ConvStem/16 MKL_CBWR # without that setting
    python -m tools.portability train VLM                  # families on a vision-language model
    python -m tools.portability simulate                   # states and pictures of a simulated task
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys

from vla.process.variables import choose_portable

QEMU = "qemu-x86_64"
# With AVX2, of both makers, with other caches; QEMU does not emulate AVX-512.
PROCESSORS = ("EPYC", "Haswell", "Skylake-Server")
SETTINGS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR")
VLM = {
    "vision_encoder": "ViT-Ti/16",
    "language_model": {"width": 64, "layers": 2, "heads": 4, "key_value_heads": 2, "mlp_width": 96},
}
# What is trained -> policy family -> its settings.
MODELS = {
    **{
        encoder: {name: {"vision_encoder": encoder} for name in ("bc", "rt1")}
        for encoder in ("ConvStem/16", "ViT-Ti/16")
    },
    "VLM": dict.fromkeys(("rt2", "oft", "flow"), VLM),
}
STEPS = 2
WORDS, TOKENS = 10, 80  # of an instruction, as the families have them by default

Hashes = dict[str, str]


def train(what: str, without: str = "") -> Hashes:
    """SHA-256 of the weights after a short training, and of the actions that they then choose.

    By policy family; `what`: one of MODELS. Made-up samples: nothing is read. Call in a process that
    has computed nothing yet.
    """
    import torch  # here: the table needs none of it

    from vla.config.training import TrainingSection
    from vla.data.spec import DataSpec
    from vla.plan.reading import model_settings
    from vla.policies.building import build_policy
    from vla.process import variables
    from vla.process.determinism import set_determinism
    from vla.training.optimizer import build_optimizer, optimise

    variables.PORTABLE.pop(without, None)
    set_determinism(1, "portable")
    spec = DataSpec(
        ("front",), 32, ("open it", "close it"), (0.0,) * 4, (1.0,) * 4, (-1.0,) * 4, (1.0,) * 4
    )
    training = TrainingSection(num_steps=STEPS, warmup_steps=0)
    found = {}
    for name, settings in MODELS[what].items():
        config = model_settings({"type": name}).model_validate(settings)
        random = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        policy = build_policy(config, spec).train()
        optimizer = build_optimizer(policy, training)
        inputs = {
            "pictures": torch.randint(
                0, 256, (3, 1, 3, 32, 32), dtype=torch.uint8, generator=random
            ),
            "words": torch.randint(0, 4, (3, WORDS), generator=random),
            "state": torch.randn(3, 4, generator=random),
            "actions": torch.rand(3, config.chunk_length, 4, generator=random) * 2 - 1,
            "valid": torch.rand(3, config.chunk_length, generator=random) < 0.9,
            "tokens": torch.randint(0, 256, (3, TOKENS), generator=random),
            "said": torch.arange(TOKENS) < torch.tensor([[20], [80], [1]]),
            "noise": torch.randn(3, config.chunk_length, 4, generator=random),
            "time": torch.rand(3, generator=random),
        }
        for _ in range(STEPS):
            optimise(policy, optimizer, [inputs], 1e-3, training)
        digest = hashlib.sha256()
        for tensor in (*policy.state_dict().values(), policy.eval().act(inputs)):
            digest.update(tensor.contiguous().numpy())
        found[name] = digest.hexdigest()
    return found


def simulate() -> Hashes:
    """SHA-256 of the states and pictures of one task, in Meta-World under random actions."""
    import numpy as np

    from vla.plugins import find_plugin
    from vla.simulation.finding import load_simulator

    settings = find_plugin("simulators", "metaworld").load("config").Config()
    simulator = load_simulator(settings)
    task = simulator.make("faucet-open-v3", simulator.cameras[:1], 64, 60)
    state, _ = task.reset(seed=simulator.seed("faucet-open-v3", 0, 0))
    random = np.random.default_rng(0)
    states, pictures = hashlib.sha256(state), hashlib.sha256()
    for _ in range(40):
        states.update(task.step(random.uniform(-1, 1, 4).astype(np.float32))[0])
    for picture in task.pictures().values():
        pictures.update(np.ascontiguousarray(picture))
    task.close()
    return {"states": states.hexdigest(), "pictures": pictures.hexdigest()}


def on_processor(processor: str = "", *arguments: str) -> Hashes:
    """`train` or `simulate` on an emulated processor, or on this one; empty where it ends with an
    error."""
    emulator = [QEMU, "-cpu", processor] if processor else []
    command = [*emulator, sys.executable, "-m", "tools.portability", *arguments]
    environment = dict(os.environ)
    choose_portable(environment)  # NumPy and Mesa read it at once
    for name in SETTINGS:  # of PyTorch, which the training chooses itself
        environment.pop(name, None)
    finished = subprocess.run(command, capture_output=True, text=True, env=environment)
    return json.loads(finished.stdout) if finished.returncode == 0 else {}


def _row(processor: str, what: str, without: str, hashes: Hashes) -> str:
    shown = "  ".join(value[:12] for value in hashes.values()) or "refused"
    return f"{processor or 'this one':16} {what:20} {without or '-':20} {shown}"


def main() -> int:
    if not shutil.which(QEMU):
        print(f"{QEMU} is missing: apt-get install qemu-user", file=sys.stderr)
        return 1
    same = True
    print(
        f"{'processor':16} {'what':20} {'without':20} SHA-256 (policies: bc, rt1; rt2, oft, flow)"
    )
    for arguments in (*(("train", what) for what in MODELS), ("simulate",)):
        what = " ".join(arguments)
        here = on_processor("", *arguments)
        print(_row("", what, "", here), flush=True)
        for processor in PROCESSORS:
            hashes = on_processor(processor, *arguments)
            same &= hashes == here != {}
            print(_row(processor, what, "", hashes), flush=True)
    for setting in SETTINGS:
        for processor in ("", PROCESSORS[0]):
            arguments = ("train", "ConvStem/16", setting)
            hashes = on_processor(processor, *arguments)
            print(_row(processor, " ".join(arguments[:2]), setting, hashes), flush=True)
    print("The bits are the same on all." if same else "Processors differ.")
    return 0 if same else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        print(json.dumps(train(*sys.argv[2:])))
    elif sys.argv[1:2] == ["simulate"]:
        print(json.dumps(simulate()))
    else:
        sys.exit(main())

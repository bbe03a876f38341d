"""`make portability`: one short training of every policy family on several processors, and their bits.

Processors but this one are emulated (QEMU in user mode: slow, and faithful to what code a processor
chooses and how it rounds). Then each setting of portable arithmetic is left out in turn: on some
processor the bits must change, or the setting would be needless. Exits with 1 when processors differ.

    python -m tools.portability                            # the table
    python -m tools.portability train ConvStem/16          # on this processor, as JSON
    python -m tools.portability train ConvStem/16 MKL_CBWR # without that setting
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping

QEMU = "qemu-x86_64"
# With AVX2, of both makers, with other caches; QEMU does not emulate AVX-512.
PROCESSORS = ("EPYC", "Haswell", "Skylake-Server")
SETTINGS = ("ATEN_CPU_CAPABILITY", "ONEDNN_MAX_CPU_ISA", "MKL_CBWR")
ENCODERS = ("ConvStem/16", "ViT-Ti/16")
STEPS = 2

Hashes = dict[str, str]


def train(encoder: str, without: str = "") -> Hashes:
    """SHA-256 of the weights after a short training, and of the actions that they then choose.

    By policy family. Made-up samples: nothing is read. Call in a process that has computed nothing yet.
    """
    import torch  # here: the table needs none of it

    from vla.config.training import TrainingSection
    from vla.data.spec import DataSpec
    from vla.plugins import plugins
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
    for name, plugin in plugins("policies").items():
        config = plugin.load("config").Config(vision_encoder=encoder)
        random = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        policy = build_policy(config, spec).train()
        optimizer = build_optimizer(policy, training)
        inputs = {
            "pictures": torch.randint(
                0, 256, (3, 1, 3, 32, 32), dtype=torch.uint8, generator=random
            ),
            "words": torch.randint(0, 4, (3, config.max_words), generator=random),
            "state": torch.randn(3, 4, generator=random),
            "actions": torch.rand(3, config.chunk_length, 4, generator=random) * 2 - 1,
            "valid": torch.rand(3, config.chunk_length, generator=random) < 0.9,
        }
        for _ in range(STEPS):
            optimise(policy, optimizer, inputs, 1e-3, training)
        digest = hashlib.sha256()
        for tensor in (*policy.state_dict().values(), policy.eval().act(inputs)):
            digest.update(tensor.contiguous().numpy())
        found[name] = digest.hexdigest()
    return found


def on_processor(processor: str = "", encoder: str = "ConvStem/16", without: str = "") -> Hashes:
    """`train` on an emulated processor, or on this one; empty where it ends with an error."""
    emulator = [QEMU, "-cpu", processor] if processor else []
    command = [*emulator, sys.executable, "-m", "tools.portability", "train", encoder, without]
    finished = subprocess.run(command, capture_output=True, text=True, env=_clean(os.environ))
    return json.loads(finished.stdout) if finished.returncode == 0 else {}


def _clean(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if name not in SETTINGS}


def _row(processor: str, encoder: str, without: str, hashes: Hashes) -> str:
    shown = "  ".join(value[:12] for value in hashes.values()) or "refused"
    return f"{processor or 'this one':16} {encoder:12} {without or '-':20} {shown}"


def main() -> int:
    if not shutil.which(QEMU):
        print(f"{QEMU} is missing: apt-get install qemu-user", file=sys.stderr)
        return 1
    same = True
    print(f"{'processor':16} {'encoder':12} {'without':20} policies")
    for encoder in ENCODERS:
        here = on_processor("", encoder)
        print(_row("", encoder, "", here), flush=True)
        for processor in PROCESSORS:
            hashes = on_processor(processor, encoder)
            same &= hashes == here != {}
            print(_row(processor, encoder, "", hashes), flush=True)
    for setting in SETTINGS:
        for processor in ("", PROCESSORS[0]):
            hashes = on_processor(processor, without=setting)
            print(_row(processor, ENCODERS[0], setting, hashes), flush=True)
    print("The bits are the same on all." if same else "Processors differ.")
    return 0 if same else 1


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        print(json.dumps(train(*sys.argv[2:])))
    else:
        sys.exit(main())

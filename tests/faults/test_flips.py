"""One flipped bit in anything that is read later, or a missing end, is found before it is used."""

import random
from collections import Counter

import pytest
import torch

from vla.config.operation import CheckpointsSection
from vla.data.manifest import read_manifest
from vla.data.opening import open_store
from vla.data.places import manifest_file, pointer_file
from vla.data.pointer import check_pointer
from vla.data.verification import current_record, verify
from vla.errors import UserError
from vla.plan.reading import load_registry
from vla.records.kinds import record_model
from vla.training.checkpoint import Checkpoints

FLIPS = 1000


@pytest.fixture(scope="module")
def project(undisturbed, tmp_path_factory):
    return undisturbed[0].copy(tmp_path_factory.mktemp("flips") / "project", alone=True)


def use_dataset(root):
    entry = load_registry(root)["metaworld-4tasks"]
    record = current_record(entry, root)
    if not record.exists():
        verify(entry, root, record)


def use_artefacts(record, folder):
    """As evaluating, plotting and reporting do."""
    record_model(record).read(record).check_files(folder)


def artefacts(root):
    """(file, what reads it) of everything that is read later."""
    dataset = root / "data/metaworld-4tasks"
    for path in filter(lambda path: path.is_file(), dataset.rglob("*")):
        yield path, lambda: use_dataset(root)
    for record in root.glob("data/.prepared/*/prepared.json"):
        for path in (*record.parent.glob("*.json"), *record.parent.glob("*.npy")):
            yield path, lambda record=record: open_store(record.parent)
    for experiment in root.glob("experiments/*"):
        for pattern in ("run.json", "evaluation.json", "film.json", "figures.json"):
            for record in experiment.glob(f"results/**/{pattern}"):
                yield from with_files(record, experiment)
        for pattern in ("summary.json", "models.json", "check.json"):
            for record in experiment.glob(f"results/*/{pattern}"):
                yield record, lambda record=record: record_model(record).read(record)
    for record in root.glob("results/*/comparison.json"):
        yield from with_files(record, record.parent)
    for record in root.glob("data/.state/*/*.verified.json"):
        yield record, lambda: use_dataset(root)


def with_files(record, folder):
    for path in (
        record,
        *(folder / file.path for file in record_model(record).read(record).all_files()),
    ):
        yield path, lambda: use_artefacts(record, folder)


def flip(path, chance) -> tuple[int, int]:
    """Flip one bit; flipping it again mends it."""
    position, bit = chance.randrange(path.stat().st_size), 1 << chance.randrange(8)
    change(path, position, bit)
    return position, bit


def change(path, position: int, bit: int) -> None:
    with open(path, "r+b") as stream:
        stream.seek(position)
        byte = stream.read(1)[0]
        stream.seek(position)
        stream.write(bytes([byte ^ bit]))


def test_flips_in_data_stores_records_and_results_are_all_found(project, record_property):
    chance = random.Random(0)
    known = list(artefacts(project.root))
    by_kind = Counter()
    for _ in range(FLIPS - FLIPS // 5):
        path, use = chance.choice(known)
        position, bit = flip(path, chance)
        with pytest.raises(UserError) as found:
            use()
        assert path.name in str(found.value)
        change(path, position, bit)
        by_kind[path.suffix] += 1
    record_property("flips found", dict(by_kind))


def test_flips_in_what_pins_the_data_are_found_or_change_nothing(project):
    """Text that git keeps, not sealed: another space or line end is the same pin."""
    chance = random.Random(3)
    entry = load_registry(project.root)["metaworld-4tasks"]
    pins = manifest_file(entry, project.root), pointer_file(entry, project.root)
    pinned = read_manifest(pins[0])
    found = 0
    for _ in range(300):
        path = chance.choice(pins)
        position, bit = flip(path, chance)
        try:
            assert read_manifest(pins[0]) == pinned
            check_pointer(pinned, pins[1], project.root)
        except UserError as error:
            found += 1
            assert path.name in str(error)
        except AssertionError:
            with pytest.raises(UserError):
                check_pointer(read_manifest(pins[0]), pins[1], project.root)
                use_dataset(project.root)
            found += 1
        change(path, position, bit)
    assert found > 150


def test_missing_ends_are_all_found(project):
    """As after a torn copy or a file system that lost the last writes."""
    chance = random.Random(2)
    by_suffix = {}
    for path, use in artefacts(project.root):
        by_suffix.setdefault(path.suffix, []).append((path, use))
    assert {".json", ".parquet", ".safetensors", ".npy", ".svg", ".gif", ".csv"} <= by_suffix.keys()
    for known in by_suffix.values():
        for path, use in chance.sample(known, min(len(known), 10)):
            whole = path.read_bytes()
            path.write_bytes(whole[: chance.randrange(len(whole))])
            with pytest.raises(UserError) as found:
                use()
            assert path.name in str(found.value)
            path.write_bytes(whole)


def test_flips_in_checkpoints_are_all_found(tmp_path, caplog):
    """The newest checkpoint is set aside, named, and the one before is used."""
    chance = random.Random(1)
    policy = torch.nn.Linear(30, 30)
    optimizer = torch.optim.AdamW(policy.parameters())
    policy(torch.ones(1, 30)).sum().backward()
    optimizer.step()
    for trial in range(FLIPS // 5):
        folder = tmp_path / str(trial)
        checkpoints = Checkpoints(folder, "k", CheckpointsSection())
        for step in (1, 2):
            checkpoints.save(step, {}, 0.5, policy, optimizer)
        checkpoints.wait()
        path = folder / chance.choice(["step_00000002.json", "step_00000002.safetensors"])
        flip(path, chance)
        caplog.clear()
        assert checkpoints.resume(policy, optimizer)[0] == 1
        assert path.name in caplog.text
        checkpoints.close()

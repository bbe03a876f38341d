"""Samples are functions of (seed, sample): what came before, and beside them, does not matter."""

import threading
from dataclasses import replace

import numpy as np
import pytest

from vla.data.loading import batches
from vla.data.mixture import Mixture, quotas
from vla.data.order import BLOCK, WINDOW, BlockShuffle, permute
from vla.data.sampling import Sampler
from vla.data.store import Shards
from vla.errors import UserError

FRAMES = 40
CHUNK = 4
LONG = 3 * WINDOW + 2 * BLOCK + 77  # frames: several windows, and some that fill no block


@pytest.fixture
def sampler(store):
    def make(seed: int = 0, batch_size: int = 7, augmentation: bool = False, data=None) -> Sampler:
        return Sampler(
            data or store,
            seed=seed,
            batch_size=batch_size,
            chunk_length=CHUNK,
            augmentation=augmentation,
        )

    return make


@pytest.fixture
def mixture(store) -> Mixture:
    """A quarter of the samples from the store, the rest from one like it with other row numbers."""
    action = store.action.copy()
    action[:, 0] += 1000
    return Mixture(("small", "other"), (store, replace(store, action=action)), (0.25, 0.75))


def equal(one, other) -> bool:
    same = one.instructions == other.instructions
    names = ("pictures", "state", "actions", "valid")
    return same and all(np.array_equal(getattr(one, n), getattr(other, n)) for n in names)


def rows(batch) -> np.ndarray:
    """Which frames a batch holds: the store's first action dimension numbers them."""
    return batch.actions[:, 0, 0].astype(int)


@pytest.mark.parametrize("augmentation", [False, True])
@pytest.mark.parametrize("mixed", [False, True])
def test_batch_does_not_depend_on_what_was_drawn_before(sampler, mixture, augmentation, mixed):
    data = mixture if mixed else None
    drawn = sampler(augmentation=augmentation, data=data)
    in_order = [drawn.batch(step) for step in range(14)]
    for step in (13, 5, 6, 0):  # epochs begin within steps 5 and 11
        assert equal(sampler(augmentation=augmentation, data=data).batch(step), in_order[step])
        assert equal(drawn.batch(step), in_order[step])


@pytest.mark.parametrize("mixed", [False, True])
def test_sample_does_not_depend_on_the_batch_it_comes_in(sampler, mixture, mixed):
    """Sample 4 of step 3 in batches of 7 is sample 25, whatever the size of the batches."""
    data = mixture if mixed else None
    seven = sampler(batch_size=7, augmentation=True, data=data).batch(3)
    alone = sampler(batch_size=1, augmentation=True, data=data).batch(25)
    assert seven.instructions[4] == alone.instructions[0]
    for name in ("pictures", "state", "actions", "valid"):
        assert np.array_equal(getattr(seven, name)[4], getattr(alone, name)[0])


@pytest.mark.parametrize("workers", [1, 3])
def test_loader_gives_the_same_batches_with_any_number_of_workers(sampler, workers):
    """Batches of 7 from 40 frames: workers are in different epochs at the same time."""
    steps = range(2, 60)
    made = list(batches(sampler(augmentation=True).batch, steps, workers))
    expected = list(batches(sampler(augmentation=True).batch, steps, 0))
    assert len(made) == len(expected) == len(steps)
    assert all(equal(one, other) for one, other in zip(made, expected, strict=True))


def test_loader_tells_what_went_wrong_and_leaves_no_thread(sampler):
    drawn = sampler()

    def broken(step):
        if step == 4:
            raise OSError("the disk is gone")
        return drawn.batch(step)

    loader = batches(broken, range(10), 2)
    assert len([next(loader) for _ in range(4)]) == 4
    with pytest.raises(OSError, match="the disk is gone"):
        next(loader)
    stopped = batches(drawn.batch, range(10), 2)
    next(stopped)
    stopped.close()
    assert not [thread for thread in threading.enumerate() if "loader" in thread.name]


def test_every_epoch_visits_every_frame_once_in_an_order_of_its_own(sampler):
    drawn = sampler()
    visited = np.concatenate([rows(drawn.batch(step)) for step in range(12)])
    first, second = visited[:FRAMES], visited[FRAMES : 2 * FRAMES]
    assert sorted(first) == sorted(second) == list(range(FRAMES))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("length", [1, BLOCK - 1, BLOCK, WINDOW, WINDOW + 1, LONG])
def test_every_frame_once_an_epoch_for_any_number_of_frames(length):
    order = BlockShuffle(length, seed=3)
    for epoch in range(2):
        visited = order.rows(np.arange(length) + epoch * length)
        assert np.array_equal(np.sort(visited), np.arange(length))


def test_order_of_one_frame_is_computed_without_those_before():
    length = 10**12  # a permutation of them all would fill 8 TB
    far = np.arange(32) + 5 * length + length // 3
    found = BlockShuffle(length, seed=1).rows(far)
    assert len(set(found.tolist())) == 32
    assert found.min() >= 0
    assert found.max() < length
    assert np.array_equal(BlockShuffle(length, seed=1).rows(far[7:9]), found[7:9])


def test_batches_mix_episodes_and_windows_stay_local():
    order = BlockShuffle(LONG, seed=0)
    visited = order.rows(np.arange(WINDOW // 2))
    blocks = [len(set((visited[i : i + 32] // BLOCK).tolist())) for i in range(0, 4096, 32)]
    assert np.mean(blocks) > 20, "a batch of 32 comes from as many places"
    assert len(set((visited // BLOCK).tolist())) <= WINDOW // BLOCK + 2


def test_order_is_as_good_as_random():
    """Mean distance between neighbours of a random order is a third of the length."""
    order = BlockShuffle(LONG, seed=5).rows(np.arange(LONG))
    firsts = BlockShuffle(LONG, seed=6).rows(np.arange(LONG))
    assert abs(np.corrcoef(order, np.arange(LONG))[0, 1]) < 0.1
    assert abs(np.corrcoef(order, firsts)[0, 1]) < 0.1


@pytest.mark.parametrize("count", [1, 2, 3, 10, 255, 1000, 4099])
def test_permutation_reaches_every_place_once(count):
    keys = np.random.default_rng(count).integers(0, 2**63, 6, np.uint64)
    assert sorted(permute(np.arange(count), count, keys)) == list(range(count))


def test_batch_larger_than_the_data_goes_on_with_the_next_epoch(sampler):
    visited = rows(sampler(batch_size=100).batch(0))
    assert sorted(visited[:FRAMES]) == list(range(FRAMES))
    assert len(visited) == 100


def test_sample_is_picture_state_and_actions_of_one_frame(sampler, store):
    batch = sampler(batch_size=FRAMES).batch(0)
    taken = rows(batch)
    assert np.array_equal(batch.pictures, store.pictures[taken])
    assert np.array_equal(batch.state, store.state[taken])


def test_pictures_are_gathered_over_shards(sampler, store):
    parts = [store.pictures[:8], store.pictures[8:9], store.pictures[9:]]
    sharded = replace(store, pictures=Shards(parts))
    one, other = (sampler(batch_size=FRAMES, data=data).batch(0) for data in (store, sharded))
    assert equal(one, other)


def test_actions_never_reach_into_another_episode(sampler, store):
    batch = sampler(batch_size=FRAMES).batch(0)
    end = np.cumsum(np.bincount(np.cumsum(store.step == 0) - 1))  # first row after each episode
    for row, actions, valid in zip(rows(batch), batch.actions, batch.valid, strict=True):
        last = end[np.searchsorted(end, row, side="right")] - 1
        wanted = [min(row + offset, last) for offset in range(CHUNK)]
        assert np.array_equal(actions, store.action[wanted])
        assert valid.tolist() == [row + offset <= last for offset in range(CHUNK)]


def test_instructions_are_paraphrases_of_the_frames_task(sampler, store):
    batch = sampler(batch_size=10 * FRAMES).batch(0)
    seen = {}
    for row, sentence in zip(rows(batch), batch.instructions, strict=True):
        seen.setdefault(int(store.task[row]), set()).add(sentence)
    for number, task in enumerate(store.tasks):
        assert seen[number] == set(task["instructions"])


def test_other_seed_other_order_and_other_paraphrases(sampler, store):
    first = {task["instructions"][0] for task in store.tasks}
    drawn = [sampler(seed, FRAMES).batch(0) for seed in (0, 1)]
    picks = [[sentence in first for sentence in batch.instructions] for batch in drawn]
    assert not np.array_equal(rows(drawn[0]), rows(drawn[1]))
    assert picks[0] != picks[1]


def test_augmentation_changes_pictures_only_and_by_little(sampler):
    plain, augmented = sampler().batch(3), sampler(augmentation=True).batch(3)
    before, after = plain.pictures, augmented.pictures
    assert (after.shape, after.dtype) == (before.shape, np.uint8)
    assert not np.array_equal(after, before)
    assert equal(augmented._replace(pictures=before), plain)
    brightness = (after.astype(float) - before).mean(axis=(1, 2, 3, 4)) / 255
    assert np.abs(brightness).max() < 0.2
    assert len(set(np.round(brightness, 6))) == len(brightness), "each sample has its own"


def test_mixture_gives_each_dataset_its_share_and_visits_all_of_it(sampler, mixture):
    drawn = sampler(batch_size=160, data=mixture)
    visited = np.concatenate([rows(drawn.batch(step)) for step in range(256)])  # ten blocks
    other = visited >= 1000
    assert other.mean() == 0.75
    assert abs(other[: 4096 // 2].mean() - 0.75) < 0.03, "mixed evenly"
    for numbers in (visited[~other], visited[other] - 1000):
        for epoch in range(5):
            one = numbers[epoch * FRAMES : (epoch + 1) * FRAMES]
            assert sorted(one) == list(range(FRAMES))


def test_spec_of_a_mixture_is_that_of_its_samples(mixture, store):
    other = replace(store.spec, state_mean=(1.0,) * 4, state_std=(2.0,) * 4, sentences=("wave",))
    mixed = Mixture(mixture.names, (store, replace(store, spec=other)), mixture.shares).spec
    random = np.random.default_rng(0)
    parts = [
        random.normal(spec.state_mean, spec.state_std, (n, 4))
        for spec, n in (
            (store.spec, 100_000),
            (other, 300_000),
        )
    ]
    assert np.allclose(mixed.state_mean, np.concatenate(parts).mean(0), atol=0.02)
    assert np.allclose(mixed.state_std, np.concatenate(parts).std(0), rtol=0.02)
    assert mixed.sentences == (*store.spec.sentences, "wave")
    assert mixture.spec.action_low == store.spec.action_low


def test_stores_that_do_not_fit_together_are_refused_naming_both(store):
    wide = replace(store, state=np.zeros((FRAMES, 9), np.float32))
    with pytest.raises(UserError, match="a and b cannot be mixed: state dimensions 4 and 9"):
        Mixture(("a", "b"), (store, wide), (0.5, 0.5))
    with pytest.raises(UserError, match="cameras side and top"):
        Mixture(("a", "b"), (store, replace(store, cameras=("top",))), (0.5, 0.5))


def test_tasks_of_a_mixture_are_those_of_all_and_no_trained_sentence_is_held_out(store):
    trained = {"name": "door-v3", "instructions": ["hit the switch"], "held_out": ["knock"]}
    mixed = Mixture(("a", "b"), (store, replace(store, tasks=(trained,), seeds=(3,))), (0.5, 0.5))
    assert [task["name"] for task in mixed.tasks] == [*(t["name"] for t in store.tasks), "door-v3"]
    assert mixed.tasks[0]["held_out"] == []
    assert mixed.tasks[-1]["held_out"] == ["knock"]
    assert mixed.seeds == (3, *store.seeds)


def test_shares_that_cannot_be_met_are_refused():
    assert sum(quotas((1 / 3, 1 / 3, 1 / 3))) == sum(quotas((0.0002, 0.9998))) == 4096
    assert quotas((0.0002, 0.9998))[0] == 1
    with pytest.raises(UserError, match="the least is"):
        quotas((1e-6, 1 - 1e-6))


def test_ranges_come_from_the_data(store):
    assert store.spec.action_low[0] == 0
    assert store.spec.action_high[0] == FRAMES - 1
    assert np.allclose(store.spec.state_mean, store.state.mean(0), atol=1e-6)
    assert "hit the switch" not in store.spec.sentences  # held out
    assert "press the red button" in store.spec.sentences

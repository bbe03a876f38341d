"""Training samples as functions of (seed, step, sample): any batch without those before it.

Samples are numbered through: sample i of step n has the number n times the batch size plus i. All
that is random about a sample follows from the seed and that number.
"""

import numpy as np

from vla.data.mixture import Mixture, Schedule
from vla.data.order import BlockShuffle
from vla.data.randomness import AUGMENTATION, CHOICE, POLICY, as_floats, as_integers, sample_words
from vla.data.samples import Samples
from vla.data.store import PreparedStore

MAX_SHIFT = 3  # pixels
MAX_JITTER = 0.1


class Sampler:
    """Batches of a store or of several that are mixed.

    Each epoch is a new order of all frames, each sample a random paraphrase of its task's sentences.
    """

    def __init__(
        self,
        data: PreparedStore | Mixture,
        *,
        seed: int,
        batch_size: int,
        chunk_length: int,
        augmentation: bool,
    ):
        mixed = isinstance(data, Mixture)
        self.stores = data.stores if mixed else (data,)
        self.schedule = Schedule(data.shares, seed) if mixed and len(data.stores) > 1 else None
        self.seed, self.batch_size, self.chunk_length = seed, batch_size, chunk_length
        self.augmentation = augmentation
        self.orders = [BlockShuffle(len(store), seed, n) for n, store in enumerate(self.stores)]

    def batch(self, step: int) -> Samples:
        """The batch of optimiser step `step`, counted from 0."""
        first = step * self.batch_size
        picks = sample_words(self.seed, CHOICE, first, self.batch_size)[:, 0]
        numbers = np.arange(first, first + self.batch_size)
        if self.schedule is None:
            samples = self._read(0, numbers, picks)
        else:
            datasets, positions = self.schedule.draw(numbers)
            samples = self._read_mixed(datasets, positions, picks)
        if self.augmentation:
            words = sample_words(self.seed, AUGMENTATION, first, self.batch_size)
            samples = samples._replace(pictures=augment(samples.pictures, words))
        return samples._replace(words=sample_words(self.seed, POLICY, first, self.batch_size))

    def _read(self, dataset: int, positions: np.ndarray, picks: np.ndarray) -> Samples:
        """Samples of one dataset, by their positions in its own order."""
        store = self.stores[dataset]
        rows = self.orders[dataset].rows(positions)
        sentences = [store.tasks[task]["instructions"] for task in store.task[rows].tolist()]
        chosen = as_integers(picks, [len(choice) for choice in sentences]).tolist()
        offsets = np.arange(self.chunk_length)
        remaining = store.length[rows] - 1 - store.step[rows]
        future = rows[:, None] + np.minimum(offsets, remaining[:, None])
        return Samples(
            pictures=store.pictures[rows],
            instructions=[s[pick] for s, pick in zip(sentences, chosen, strict=True)],
            state=store.state[rows],
            actions=store.action[future],
            valid=offsets <= remaining[:, None],
        )

    def _read_mixed(
        self, datasets: np.ndarray, positions: np.ndarray, picks: np.ndarray
    ) -> Samples:
        """Each dataset's samples are read together, then put where they belong in the batch."""
        present = np.unique(datasets)
        groups = [np.flatnonzero(datasets == dataset) for dataset in present]
        parts = [
            self._read(int(dataset), positions[group], picks[group])
            for dataset, group in zip(present, groups, strict=True)
        ]
        back = np.argsort(np.concatenate(groups))
        instructions = [sentence for part in parts for sentence in part.instructions]
        arrays = {
            name: np.concatenate([getattr(part, name) for part in parts])[back]
            for name in ("pictures", "state", "actions", "valid")
        }
        return Samples(instructions=[instructions[place] for place in back], **arrays)


def augment(pictures: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Shift each sample by up to 3 pixels (edges repeated) and jitter brightness and contrast.

    `pictures`: uint8 (batch, cameras, 3, size, size), all cameras of a sample alike; `words`: each
    sample's own random bits, uint64 (batch, 4).
    """
    size = pictures.shape[-1]
    padding = [(0, 0)] * 3 + [(MAX_SHIFT, MAX_SHIFT)] * 2
    padded = np.pad(pictures, padding, mode="edge")
    shifts = as_integers(words[:, :2], 2 * MAX_SHIFT + 1)
    jitter = MAX_JITTER * (2 * as_floats(words[:, 2:]) - 1)
    contrast, brightness = 1 + jitter[:, :1], 255 * jitter[:, 1:]
    # Bytes have 256 values: what becomes of each is computed once a sample, and then looked up.
    jittered = (np.arange(256) - 127.5) * contrast + 127.5 + brightness
    tables = np.clip(np.rint(jittered), 0, 255).astype(np.uint8)
    augmented = np.empty_like(pictures)
    for sample, (y, x) in enumerate(shifts):
        shifted = padded[sample, :, :, y : y + size, x : x + size]
        np.take(tables[sample], shifted, out=augmented[sample], mode="clip")
    return augmented

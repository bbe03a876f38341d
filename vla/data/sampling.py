"""Training batches as a function of (seed, step): any step's batch without the steps before it."""

import numpy as np

from vla.data.samples import Samples
from vla.data.store import PreparedStore

ORDER, CHOICE = 0, 1  # streams of randomness: order of the samples; what is done to a batch
MAX_SHIFT = 3  # pixels
MAX_JITTER = 0.1


def generator(seed: int, stream: int, position: int) -> np.random.Generator:
    """Counter-based generator (Philox, Salmon et al. 2011): no state is carried between steps."""
    return np.random.Generator(np.random.Philox(key=[seed, stream], counter=[0, 0, 0, position]))


class Sampler:
    """Batches of a store: each epoch is a new order of all frames, each sample a random paraphrase."""

    def __init__(
        self,
        store: PreparedStore,
        *,
        seed: int,
        batch_size: int,
        chunk_length: int,
        augmentation: bool,
    ):
        self.store, self.seed = store, seed
        self.batch_size, self.chunk_length = batch_size, chunk_length
        self.augmentation = augmentation
        self._epoch: tuple[int, np.ndarray] = (-1, np.empty(0))

    def batch(self, step: int) -> Samples:
        """The batch of optimiser step `step`, counted from 0."""
        rows = self._rows(step)
        choice = generator(self.seed, CHOICE, step)
        picks = choice.integers(0, 2**31, self.batch_size)
        sentences = [self.store.tasks[task]["instructions"] for task in self.store.task[rows]]
        pictures = self.store.pictures[rows]
        if self.augmentation:
            pictures = augment(pictures, choice)
        offsets = np.arange(self.chunk_length)
        remaining = self.store.length[rows] - 1 - self.store.step[rows]
        valid = offsets <= remaining[:, None]
        future = rows[:, None] + np.minimum(offsets, remaining[:, None])
        return Samples(
            pictures=pictures,
            instructions=[s[pick % len(s)] for s, pick in zip(sentences, picks, strict=True)],
            state=self.store.state[rows],
            actions=self.store.action[future],
            valid=valid,
        )

    def _rows(self, step: int) -> np.ndarray:
        positions = np.arange(step * self.batch_size, (step + 1) * self.batch_size)
        epochs, offsets = np.divmod(positions, len(self.store))
        return np.array([self._order(e)[o] for e, o in zip(epochs, offsets, strict=True)])

    def _order(self, epoch: int) -> np.ndarray:
        known, order = self._epoch  # one read: another thread may be in another epoch
        if known != epoch:
            order = generator(self.seed, ORDER, epoch).permutation(len(self.store))
            self._epoch = (epoch, order)
        return order


def augment(pictures: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Shift each sample by up to 3 pixels (edges repeated) and jitter brightness and contrast.

    `pictures`: uint8 (batch, cameras, 3, size, size); all cameras of a sample alike.
    """
    batch, size = len(pictures), pictures.shape[-1]
    padding = [(0, 0)] * 3 + [(MAX_SHIFT, MAX_SHIFT)] * 2
    padded = np.pad(pictures, padding, mode="edge")
    shifts = random.integers(0, 2 * MAX_SHIFT + 1, (batch, 2))
    contrast = 1 + random.uniform(-MAX_JITTER, MAX_JITTER, (batch, 1))
    brightness = 255 * random.uniform(-MAX_JITTER, MAX_JITTER, (batch, 1))
    # Bytes have 256 values: what becomes of each is computed once a sample, and then looked up.
    jittered = (np.arange(256) - 127.5) * contrast + 127.5 + brightness
    tables = np.clip(np.rint(jittered), 0, 255).astype(np.uint8)
    augmented = np.empty_like(pictures)
    for sample, (y, x) in enumerate(shifts):
        shifted = padded[sample, :, :, y : y + size, x : x + size]
        np.take(tables[sample], shifted, out=augmented[sample], mode="clip")
    return augmented

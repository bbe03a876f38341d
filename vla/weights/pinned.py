"""Pretrained weights as they are pinned in `config/weights.yaml`."""

from dataclasses import dataclass
from pathlib import Path

from vla.config.weights import WeightsEntry
from vla.errors import UserError
from vla.files.described import File
from vla.files.hashing import sha256_json
from vla.weights.places import weights_folder


@dataclass(frozen=True)
class PinnedWeights:
    """An entry of the registry in the project at `root`."""

    name: str
    entry: WeightsEntry
    root: Path

    @property
    def folder(self) -> Path:
        return weights_folder(self.name, self.root)

    @property
    def source(self) -> str:
        """Where they come from, for people."""
        if self.entry.repository:
            return f"{self.entry.repository} at {self.entry.revision}"
        return str(self.entry.folder)

    @property
    def files(self) -> tuple[File, ...]:
        """What is pinned, relative to `folder`; `UserError` before anything was."""
        if not self.entry.files:
            raise UserError(
                f"config/weights.yaml pins no files of {self.name}.",
                f"vla pin weights/{self.name} brings them here and writes their SHA-256; commit it.",
            )
        return tuple(
            File(path, file.bytes, file.sha256) for path, file in sorted(self.entry.files.items())
        )

    @property
    def content(self) -> str:
        """Identity: one hash over names and hashes of all files."""
        return sha256_json([(file.path, file.sha256) for file in self.files])

    def missing(self) -> list[File]:
        """Pinned files that are not here."""
        return [file for file in self.files if not (self.folder / file.path).is_file()]

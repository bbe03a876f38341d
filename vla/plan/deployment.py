"""Where jobs run: in locked conda environments or on the host, and what device `auto` means."""

from dataclasses import dataclass

from vla.process.accelerator import detect_accelerator


@dataclass(frozen=True)
class Deployment:
    """`use_conda`: each rule in its locked environment; `accelerator`: `cpu` or `cuda`, what
    `resources.accelerator: auto` means."""

    use_conda: bool
    accelerator: str

    @classmethod
    def here(cls, use_conda: bool = False) -> "Deployment":
        """As a workflow that starts on this machine would settle it."""
        return cls(use_conda, detect_accelerator(use_conda))

    def resolve(self, configured: str) -> str:
        """The accelerator of an experiment that asks for `configured`."""
        return self.accelerator if configured == "auto" else configured

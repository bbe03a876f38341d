"""A folder in the layout that OpenVLA publishes: text files, and weights as safetensors in several files.

Nothing is unpickled, and no code that lies there or that a configuration names (`auto_map`) is run.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vla.errors import UserError
from vla.policies.openvla.architecture import parse_json, validated

NEEDED = ("config.json", "preprocessor_config.json", "tokenizer.json")
OPTIONAL = ("dataset_statistics.json",)
INDEX, SINGLE = "model.safetensors.index.json", "model.safetensors"
SHOWN = 8  # names of weights in an error


class _Index(BaseModel):
    weight_map: dict[str, str]  # name of a weight -> file


def read_texts(folder: Path) -> dict[str, str]:
    """The text files that the policy is built by: name -> content; `UserError` for one that is missing."""
    for name in NEEDED:
        if not (folder / name).is_file():
            raise _missing(folder / name)
    names = (name for name in (*NEEDED, *OPTIONAL) if (folder / name).is_file())
    return {name: (folder / name).read_text("utf-8") for name in names}


def load_weights(network: nn.Module, folder: Path, unused: Iterable[str]) -> None:
    """Give `network`, which has no memory yet, the folder's weights, one tensor after another.

    `unused`: how names of weights begin that OpenVLA stores and never uses. Names and shapes are compared
    before any weight is read: `UserError` for what is missing, there in excess, or of another shape.
    """
    files = _files(folder)
    expected = {name: tuple(p.shape) for name, p in network.named_parameters()}
    found: dict[str, tuple[int, ...]] = {}
    for file in files:
        with _open(file) as content:
            found |= {n: tuple(content.get_slice(n).get_shape()) for n in content.keys()}  # noqa: SIM118
    unused = tuple(unused)
    found = {n: s for n, s in found.items() if n in expected or not n.startswith(unused)}
    wrong = [f"{name} is missing" for name in expected if name not in found]
    wrong += [f"{name} belongs to no part" for name in found if name not in expected]
    wrong += [
        f"{name} has the shape {shape}, not {expected[name]}"
        for name, shape in found.items()
        if shape != expected.get(name, shape)
    ]
    if wrong:
        more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
        raise UserError(
            f"The weights in {folder} are not those that its config.json says:\n  "
            + "\n  ".join(wrong[:SHOWN] + more),
            "The files are not of one checkpoint, or of another layout than OpenVLA's "
            "(docs/published_policies.md).",
        )
    for file in files:
        network.load_state_dict(dict(_tensors(file, network)), strict=False, assign=True)


def _tensors(file: Path, network: nn.Module) -> Iterator[tuple[str, Tensor]]:
    """Those of `file` that the network has, in its precision; what has it already stays in the file
    until it is used."""
    dtypes = {name: parameter.dtype for name, parameter in network.named_parameters()}
    with _open(file) as content:
        for name in content.keys():  # noqa: SIM118 - no mapping: it cannot be gone through itself
            if name in dtypes:
                yield name, content.get_tensor(name).to(dtypes[name])


def _files(folder: Path) -> list[Path]:
    """The files with weights; `UserError` for one that is named and not there."""
    index = folder / INDEX
    if not index.is_file():
        names = {SINGLE}
    else:
        content = parse_json(index.read_text("utf-8"), index)
        names = set(validated(_Index, content, index).weight_map.values())
        if strange := [name for name in names if Path(name).name != name]:
            raise UserError(
                f"{index} names {strange[0]}, which is no file of its folder.", "Bring it anew."
            )
    files = [folder / name for name in sorted(names)]
    for file in files:
        if not file.is_file():
            raise _missing(file)
    return files


def _open(file: Path) -> safe_open:
    try:
        return safe_open(file, framework="pt")
    except SafetensorError as error:
        raise UserError(f"{file} is no safetensors file: {error}", "Bring it anew.") from None


def _missing(path: Path) -> UserError:
    return UserError(
        f"{path} is missing.",
        "Take the whole checkpoint as OpenVLA publishes it, and pin it: vla pin weights/NAME.",
    )

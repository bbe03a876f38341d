"""Read a pickled NumPy file without executing what it holds.

CALVIN keeps annotations as an array of one object, a pickle, and a pickle may call anything. Here
only what builds arrays and NumPy scalars is found by name; plain containers, texts and numbers need
no name.
"""

import pickle  # restricted below
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vla.errors import UserError

# NumPy 1 and 2 call the module by different names.
_MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
ALLOWED = {
    ("numpy", "ndarray"),
    ("numpy", "dtype"),
    *((module, name) for module in _MULTIARRAY for name in ("_reconstruct", "scalar")),
    ("numpy.core.numeric", "_frombuffer"),
    ("numpy._core.numeric", "_frombuffer"),
    ("_codecs", "encode"),  # bytes, in pickles of protocol 2
}


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)


def load_restricted(path: Path) -> np.ndarray:
    """The array in `path`; `UserError` when its pickle names anything but arrays, or is damaged."""
    try:
        with open(path, "rb") as stream:
            if not _holds_objects(stream):
                stream.seek(0)
                return np.lib.format.read_array(stream, allow_pickle=False)
            return np.asarray(_Restricted(stream).load(), dtype=object)
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error}", "Fetch the dataset again.") from None
    except Exception as error:  # noqa: BLE001 - damaged pickles raise whatever they like
        raise UserError(
            f"{path} is not read: {error}.",
            "Nothing in it was executed. Fetch the dataset from where its authors publish it.",
        ) from None


def _holds_objects(stream: BinaryIO) -> bool:
    """Reads the header of a .npy file; the data comes next."""
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    _, _, dtype = read[version](stream)
    return dtype.hasobject

"""`make crate-check PACKAGE=FILE.zip`: is a package a valid crate, and can it be cited?

Validates the archive as a Provenance Run Crate, and its CITATION.cff. The validator reads two
JSON-LD contexts from w3id.org once, and then from its cache.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from vla.errors import UserError
from vla.package.unpacking import unpack

PROFILE = "provenance-run-crate"


def check(tools: Path, package: Path) -> int:
    """Exit code of the first validator that objects; `tools`: the bin folder with both."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "package"
        unpack(package, folder)
        commands = (
            ["rocrate-validator", "-y", "validate", "--no-paging", "-v", "-p", PROFILE, folder],
            ["cffconvert", "--validate", "-i", folder / "CITATION.cff"],
        )
        for program, *arguments in commands:
            code = subprocess.run([tools / program, *arguments]).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    try:
        if len(sys.argv) != 3:
            raise UserError(
                "Which package?", "make crate-check PACKAGE=results/packages/E-1.0.0.zip"
            )
        sys.exit(check(Path(sys.argv[1]).absolute(), Path(sys.argv[2])))
    except UserError as error:
        sys.exit(str(error))

"""`make crate-check PACKAGE=FILE.zip`: is a package a valid crate, and can it be cited?

Validates the archive as a Provenance Run Crate, and its CITATION.cff. Needs no network: the validator is given
the two JSON-LD contexts that it would fetch. With `SEVERITY=recommended` it also tells what the profiles recommend.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.crate_contexts import documents
from vla.errors import UserError
from vla.package.unpacking import unpack

PROFILE = "provenance-run-crate"
SEVERITIES = ("required", "recommended", "optional")


def check(tools: Path, package: Path, severity: str) -> int:
    """Exit code of the first validator that objects; `tools`: the bin folder with both."""
    with tempfile.TemporaryDirectory() as name:
        folder, cache, listing = (Path(name) / part for part in ("package", "cache", "contexts"))
        unpack(package, folder)
        listing.write_text(json.dumps(documents()))
        contexts = [tools / "python", "-m", "tools.crate_contexts", cache, listing]
        subprocess.run(contexts, check=True)
        crate = ["rocrate-validator", "-y", "validate", "--no-paging", "-v", "-p", PROFILE]
        crate += ["--offline", "--cache-path", cache, "-l", severity, folder]
        commands = (crate, ["cffconvert", "--validate", "-i", folder / "CITATION.cff"])
        for program, *arguments in commands:
            code = subprocess.run([tools / program, *arguments]).returncode
            if code:
                return code
    return 0


if __name__ == "__main__":
    try:
        if len(sys.argv) != 4 or not sys.argv[2] or sys.argv[3] not in SEVERITIES:
            raise UserError(
                "Which package, and how strictly?",
                "make crate-check PACKAGE=results/packages/E-1.0.0.zip, perhaps with "
                f"SEVERITY={', '.join(SEVERITIES[1:])}",
            )
        sys.exit(check(Path(sys.argv[1]).absolute(), Path(sys.argv[2]), sys.argv[3]))
    except UserError as error:
        sys.exit(str(error))

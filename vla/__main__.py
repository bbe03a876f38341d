"""Questions about results: `python -m vla verify A B`, `explain FILE`, `replay RUN FOLDER`."""

import argparse
import sys
from pathlib import Path

from vla.errors import UserError
from vla.reproduction.explain import explain
from vla.reproduction.replay import replay
from vla.reproduction.verify import VERDICTS, read_run, verify

RUN = "folder of a run (experiments/E/results/seed42-KEY) or its run.json"
CODES = ", ".join(f"{code} {word}" for word, code in VERDICTS.items())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m vla", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    compared = commands.add_parser(
        "verify", help="does one run reproduce another?", epilog=f"Exit codes: {CODES}, 1 mistake."
    )
    compared.add_argument("one", type=Path, help=RUN)
    compared.add_argument("other", type=Path, help=RUN)
    again = commands.add_parser(
        "replay", help="run it again in a clean folder and verify", epilog=compared.epilog
    )
    again.add_argument("run", type=Path, help=RUN)
    again.add_argument("folder", type=Path, help="a folder that does not exist yet")
    for command in (compared, again):
        command.add_argument(
            "--margin", type=float, default=0.1, help="success rates within it are equivalent"
        )
    explained = commands.add_parser("explain", help="where a result comes from")
    explained.add_argument("file", type=Path)
    arguments = parser.parse_args()
    if arguments.command == "explain":
        print(explain(arguments.file))
        return 0
    if arguments.command == "verify":
        found = verify(read_run(arguments.one), read_run(arguments.other), arguments.margin)
    else:
        root = Path(__file__).parents[1]
        found = replay(read_run(arguments.run), arguments.folder, root, arguments.margin)
    print(found)
    return VERDICTS[found.word]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))

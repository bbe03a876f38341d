"""The two exceptions that are no defects: mistakes that a user can mend, and work to go on with."""

import difflib
from collections.abc import Sequence


class UserError(Exception):
    """Names what is wrong and the way out; shown without a traceback.

    `problem` says what is wrong, naming the file, key or value.
    `way_out` says what to do next.
    """

    def __init__(self, problem: str, way_out: str):
        super().__init__(f"{problem}\n  -> {way_out}")
        self.problem = problem
        self.way_out = way_out

    def __reduce__(self) -> tuple:
        # By default an exception is unpickled from its one message: worker processes would die.
        return UserError, (self.problem, self.way_out)


class GoOnLaterError(Exception):
    """The work was asked to stop, has saved its state, and goes on when it is started again."""

    EXIT_CODE = 75  # EX_TEMPFAIL of sysexits.h: try again


def nearest(name: str, valid: Sequence[str]) -> str:
    """'did you mean X?' or the list of valid names."""
    close = difflib.get_close_matches(name, valid, n=1, cutoff=0.6)
    return f"did you mean {close[0]!r}?" if close else f"valid are: {', '.join(sorted(valid))}"

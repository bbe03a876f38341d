"""The one exception for mistakes that a user can make and mend."""


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

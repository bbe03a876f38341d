"""Stop when asked to: at the next step, with the state saved."""

import signal
import threading
from types import FrameType

# What schedulers send before they end a job (SLURM: --signal=TERM@60 or USR1@60), and Ctrl-C.
SIGNALS = (signal.SIGTERM, signal.SIGUSR1, signal.SIGINT)


class StopRequest:
    """While it is entered, a signal is noted instead of ending the process.

    `signal_name`: of the first signal that came, or None.
    """

    signal_name: str | None = None

    def __enter__(self) -> "StopRequest":
        self._before = {}
        if threading.current_thread() is threading.main_thread():  # others cannot set handlers
            self._before = {number: signal.signal(number, self._note) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.signal_name = self.signal_name or signal.Signals(number).name

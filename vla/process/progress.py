"""Progress of long work, line by line: several jobs share a terminal, so none may redraw its line."""

import logging
import time

logger = logging.getLogger("vla")
BAR = 20  # characters


class BarFormatter(logging.Formatter):
    """Puts a bar before what tells progress, for people at a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        fraction = getattr(record, "fraction", None)
        bar = ""
        if fraction is not None:
            full = int(BAR * fraction)
            bar = f"{'━' * full}{'╌' * (BAR - full)} {100 * fraction:3.0f} % "
        record.bar = bar
        return super().format(record)


class Progress:
    """Reports at most every `interval` seconds: count, rate, time left, and what else is known."""

    def __init__(self, label: str, total: int, unit: str, done: int = 0, interval: float = 10.0):
        self.label, self.total, self.unit, self.interval = label, total, unit, interval
        self.first = self.done = done
        self.started = self.reported = time.monotonic()

    def update(self, **facts: float) -> None:
        self.done += 1
        now = time.monotonic()
        if now - self.reported < self.interval and self.done < self.total:
            return
        self.reported = now
        rate = (self.done - self.first) / max(now - self.started, 1e-9)
        left = (self.total - self.done) / rate
        known = "".join(f", {name.replace('_', ' ')} {value:.3g}" for name, value in facts.items())
        logger.info(
            "%s: %s %d/%d, %.1f/s, %.0f s left%s",
            self.label,
            self.unit,
            self.done,
            self.total,
            rate,
            left,
            known,
            extra={"fraction": self.done / self.total},
        )

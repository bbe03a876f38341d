"""The processor's own meter of energy (RAPL), as Linux shows it in /sys/class/powercap.

Format: Documentation/power/powercap of the Linux kernel. Since CVE-2020-8694 only root may read it, unless
the machine's administrator lets others.
"""

from pathlib import Path

POWERCAP = Path("/sys/class/powercap")


class ProcessorMeter:
    """Counts what all processors of the machine draw from now on.

    A counter begins anew at its end (some minutes to hours of full load): ask more often than that.
    """

    def __init__(self, powercap: Path = POWERCAP):
        self._ranges = {
            zone / "energy_uj": end
            for zone in sorted(powercap.glob("*-rapl:*"))
            if zone.name.count(":") == 1  # a processor; its parts have two
            and (end := _read(zone / "max_energy_range_uj")) is not None
        }
        self._last = self._counters()
        self._microjoules = 0

    def joules(self) -> float | None:
        """Since it was made; None where no meter can be read."""
        now = self._counters()
        if not now or not self._last:
            return None
        for path, counter in now.items():
            passed = counter - self._last[path]
            self._microjoules += passed if passed >= 0 else passed + self._ranges[path]
        self._last = now
        return self._microjoules / 1e6

    def _counters(self) -> dict[Path, int] | None:
        """None unless all can be read: a part would be taken for the whole."""
        found = {path: _read(path) for path in self._ranges}
        return None if None in found.values() else found


def _read(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None

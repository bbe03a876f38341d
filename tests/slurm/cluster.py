"""A real SLURM on this machine, with pretended nodes and GPUs: started, asked, and ended by process number."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import psutil

Found = TypeVar("Found")
HERE = Path(__file__).parent
NODES = ("node1", "node2", "node3", "node4")
CPUS, MEMORY_MB = 4, 8_000  # of each node, and one GPU: a training has a node of its own
CLIENTS = (
    "srun",
    "sbatch",
    "squeue",
    "scontrol",
    "scancel",
    "sinfo",
    "sacct",
    "sacctmgr",
    "sshare",
)
PATIENCE = 600  # seconds; a loaded machine is slow, and everything but a defect ends sooner


def wait_for(what: str, find: Callable[[], Found], patience: float = PATIENCE) -> Found:
    """What `find` returns as soon as that is true; fails after `patience` seconds."""
    end = time.monotonic() + patience
    while not (found := find()):
        assert time.monotonic() < end, f"no {what} within {patience} s"
        time.sleep(0.2)
    return found


class Cluster:
    """slurmctld, a slurmd for each of `NODES`, and munged; all that they write lies in `state`.

    Has to be ended with `down`, also when `up` failed.
    """

    def __init__(self, state: Path):
        self.state = state
        self.configuration = state / "slurm.conf"
        self.daemons: dict[str, psutil.Popen] = {}

    def up(self) -> None:
        for name in ("bin", "munge", "controller", "run", "log", "gpu"):
            (self.state / name).mkdir(parents=True)
        for folder in (self.state, self.state / "munge"):
            folder.chmod(0o755)  # munged refuses others
        self._configure()
        self._wrap_clients()
        key, connection = self.state / "munge/key", self.state / "munge/socket"
        subprocess.run(["mungekey", "--create", "--keyfile", key], check=True, env=_environment())
        self._start(
            *("munged", "--foreground", "--num-threads", "2"),
            *("--key-file", key, "--socket", connection),
            *("--pid-file", self.state / "run/munged.pid"),
            *("--seed-file", self.state / "munge/seed"),
            *("--log-file", self.state / "log/munged.log"),
        )
        self._wait_for("socket of munged", connection.exists)
        self._start("slurmctld", "-D", "-c", "-f", self.configuration)
        for node in NODES:
            self.start_node(node)
        self._wait_for("idle nodes", lambda: self.states() == dict.fromkeys(NODES, "idle"))

    def down(self) -> None:
        """End all jobs, then the daemons, and whatever is left below them."""
        if "slurmctld" in self.daemons:
            self._ask("scancel", "--user", getpass.getuser(), check=False)
            with_jobs = lambda: not self._ask("squeue", "-h", check=False).strip()  # noqa: E731
            with suppress(AssertionError):  # what does not end is ended below
                wait_for("end of all jobs", with_jobs, patience=30)
        steps = [child for daemon in self.daemons.values() for child in _below(daemon)]
        for daemon in reversed(self.daemons.values()):
            _end(daemon)
        for process in {*steps, *self._strays()}:
            _end(process)

    def _strays(self) -> list[psutil.Process]:
        """What jobs have left behind, far from the daemons: all that has this cluster's commands."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                path = process.environ().get("PATH", "")
                if path.startswith(str(self.state)) and process.pid != os.getpid():
                    found.append(process)
        return found

    def start_node(self, node: str) -> None:
        (self.state / "spool" / node).mkdir(parents=True, exist_ok=True)
        self._start("slurmd", "-D", "-c", "-N", node, "-f", self.configuration, name=node)

    def fail_node(self, node: str) -> None:
        """As if its power were cut: slurmd and all that runs there die at once."""
        daemon = self.daemons.pop(node)
        mine = [daemon, *_below(daemon)]
        for process in mine:
            if process.is_running():
                process.send_signal(signal.SIGKILL)
        daemon.wait()

    def variables(self) -> dict[str, str]:
        """Environment variables under which client commands find this cluster."""
        return {
            "SLURM_CONF": str(self.configuration),
            "PATH": f"{self.state / 'bin'}:{_environment()['PATH']}",
        }

    def ask(self, *command: str) -> str:
        return self._ask(*command)

    def states(self) -> dict[str, str]:
        """Node -> state, such as `idle`."""
        lines = self._ask(
            "sinfo", "-h", "-N", "-p", "main", "-o", "%N %T", check=False
        ).splitlines()
        return dict(line.split() for line in lines)

    def job(self, number: str) -> dict[str, str]:
        """What the controller says of a job: JobState, Restarts, NodeList, StdOut and so on."""
        words = self._ask("scontrol", "show", "job", "-o", number).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def find_job(self, comment: str) -> str | None:
        """Number of the newest job whose comment (rule and wildcards) holds `comment`, if there is one."""
        lines = self._ask("squeue", "-h", "-t", "all", "-o", "%i|%k").splitlines()
        numbers = [line.split("|")[0] for line in lines if comment in line.split("|")[1]]
        return max(numbers, key=int, default=None)

    def _ask(self, *command: str, check: bool = True) -> str:
        finished = subprocess.run(
            command,
            env=os.environ | self.variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert not check or finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def _wait_for(self, what: str, find: Callable[[], bool]) -> None:
        """As `wait_for`, but no longer than all daemons live."""

        def found() -> bool:
            for name, daemon in self.daemons.items():
                assert daemon.poll() is None, f"{name} ended: {self._last_words(name)}"
            return find()

        wait_for(what, found)

    def _last_words(self, name: str) -> str:
        return "".join(path.read_text()[-2000:] for path in (self.state / "log").glob(f"{name}.*"))

    def _configure(self) -> None:
        ports = _free_ports(1 + len(NODES))
        nodes, devices = [], ["AutoDetect=off"]
        for node, port in zip(NODES, ports[1:], strict=True):
            nodes.append(
                f"NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={CPUS} "
                f"RealMemory={MEMORY_MB} Gres=gpu:fake:1 State=UNKNOWN"
            )
            # Only a character device gets a number, and CUDA_VISIBLE_DEVICES.
            device = self.state / f"gpu/{node}"
            device.symlink_to("/dev/null")
            devices.append(f"NodeName={node} Name=gpu Type=fake File={device}")
        text = (HERE / "slurm.conf.in").read_text()
        low = max(ports) + 1
        for name, value in {
            "USER": getpass.getuser(),
            "STATE": str(self.state),
            "PORT": str(ports[0]),
            "SRUN_PORTS": f"{low}-{low + 400}",
            "NODES": "\n".join(nodes),
        }.items():
            text = text.replace(f"@{name}@", value)
        self.configuration.write_text(text)
        (self.state / "gres.conf").write_text("\n".join(devices) + "\n")

    def _wrap_clients(self) -> None:
        """Commands that know the configuration: the executor's inner step drops SLURM_CONF."""
        for name in filter(shutil.which, CLIENTS):
            wrapper = self.state / "bin" / name
            real = shutil.which(name)
            wrapper.write_text(f'#!/bin/sh\nSLURM_CONF={self.configuration} exec {real} "$@"\n')
            wrapper.chmod(0o755)

    def _start(self, *command: object, name: str = "") -> None:
        name = name or str(command[0])
        with open(self.state / f"log/{name}.out", "ab") as output:
            self.daemons[name] = psutil.Popen(
                [str(word) for word in command],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


def _environment() -> dict[str, str]:
    """Without settings for another SLURM; daemons are in /usr/sbin."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("SLURM_", "SBATCH_", "SRUN_"))
    }
    return own | {"PATH": f"{own['PATH']}:/usr/sbin:/sbin"}


def _free_ports(count: int) -> list[int]:
    """Unused now; low ones, so that srun's range above them fits."""
    ports = []
    for port in range(17_000 + os.getpid() % 10_000, 32_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                ports.append(port)
        if len(ports) == count:
            return ports
    raise AssertionError("no free ports")


def _below(process: psutil.Process) -> list[psutil.Process]:
    return process.children(recursive=True) if process.is_running() else []


def _end(process: psutil.Process) -> None:
    """Ask it to end; after a while, make it."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            process.send_signal(number)
            process.wait(10)
            return
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue

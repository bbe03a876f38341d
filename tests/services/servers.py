"""A group's servers on this machine: PostgreSQL with MLflow, S3 storage, and what is between them and us."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.project import ROOT

SERVICES = ROOT / ".venv-services/bin"
PATIENCE = 120  # seconds; a loaded machine is slow


def wait_for(what: str, find: Callable[[], object], patience: float = PATIENCE) -> None:
    end = time.monotonic() + patience
    while not find():
        assert time.monotonic() < end, f"no {what} within {patience} s"
        time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


class Server:
    """A process that listens on a port, started and stopped as often as one likes."""

    def __init__(self, folder: Path, *command: object):
        self.port = free_port()
        self.command = [str(word).replace("{port}", str(self.port)) for word in command]
        self.log = folder / f"{Path(self.command[0]).name}.log"
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        # Nothing that a user's shell exports for clients is the server's business.
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        kept |= {
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"
        }  # a dozen processes that nothing here needs
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, env=kept, start_new_session=True
            )

        def ready() -> bool:
            assert self._process.poll() is None, self.log.read_text()
            return answers(self.port)

        wait_for(f"answer of {self.command[0]}", ready)

    def stop(self) -> None:
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, 9)
            self._process.wait()


class Postgres:
    """A database cluster of its own, which asks for a password. `address`: what MLflow's server takes."""

    def __init__(self, folder: Path, password: str):
        (programs,) = list(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        self._programs, self._data = programs, folder / "postgres"
        self._data.mkdir()
        # It refuses to run as root.
        self._as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
        if self._as_user:
            shutil.chown(self._data, "postgres", "postgres")
        asked = folder / "password"
        asked.write_text(password)
        asked.chmod(0o644)
        self._run(
            *("initdb", "--pgdata", self._data, "--username", "mlflow", "--pwfile", asked),
            *("--auth", "scram-sha-256", "--no-sync"),
        )
        asked.unlink()
        self.port = free_port()
        self.address = f"postgresql+psycopg2://mlflow:{password}@127.0.0.1:{self.port}/postgres"
        self._options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._data} -F"

    def start(self) -> None:
        log = self._data / "log"
        self._run("pg_ctl", "-D", self._data, "-o", self._options, "-l", log, "-w", "start")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")

    def _run(self, program: str, *arguments: object) -> None:
        command = [*self._as_user, str(self._programs / program), *map(str, arguments)]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL)


class Relay:
    """A way to a server that can be slow, and cut. `passed`: bytes that came from the server."""

    def __init__(self, target: int):
        self.target, self.passed, self.limit = target, 0, 0
        self.port = free_port()
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listening: socket.socket | None = None

    def start(self, limit: int = 1 << 40) -> None:
        """`limit`: bytes after which a connection gets no more, until the way is cut."""
        self.passed, self.limit = 0, limit
        self._listening = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._accept, args=(self._listening,), daemon=True).start()

    def cut(self) -> None:
        if self._listening:
            # A thread that waits in accept() would keep the port otherwise.
            with suppress(OSError):
                self._listening.shutdown(socket.SHUT_RDWR)
            self._listening.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
            self._open.clear()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                client, _ = listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            with self._lock:
                self._open |= {client, server}
            for way in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._pass, args=way, daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, counted: bool) -> None:
        passed = 0
        with suppress(OSError):
            while content := source.recv(1 << 16):
                if counted:
                    passed += len(content)
                    self.passed += len(content)
                    while passed > self.limit and target in self._open:
                        time.sleep(0.05)
                target.sendall(content)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

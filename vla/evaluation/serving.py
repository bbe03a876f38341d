"""A policy in one process for episodes in others: one copy of its weights, and batches of observations."""

import logging
import multiprocessing
import os
import pickle
import secrets
import socket
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing.connection import Client, Connection, Listener

import torch
from safetensors.torch import load, save
from torch import Tensor

from vla.errors import UserError
from vla.evaluation.batching import BatchedPolicy, shape_of
from vla.policies.protocol import Inputs, to_device
from vla.process.determinism import set_determinism

logger = logging.getLogger("vla")


class PolicyLostError(BaseException):
    """The process with the policy does not answer.

    No `Exception`, which `run_episode` takes for a crash of its episode: this ends the evaluation.
    """


@dataclass(eq=False)
class _Request:
    """One observation, and the actions that it waits for: float32 (1, chunk, action_dim)."""

    inputs: Inputs
    actions: Future[Tensor] = field(default_factory=Future)


class PolicyServer:
    """Acts for every `RemotePolicy` that connects to `address`, while its context lasts.

    The policy acts in a thread of its own, on as many waiting observations as a batch holds; it never
    waits for a batch to be full. Each connection has a thread that waits for it.
    """

    def __init__(self, policy: BatchedPolicy, decoding: str, mode: str):
        """`decoding`: as in `Policy.act`; `mode`: as in `set_determinism`.

        `UserError` when the policy's processor cannot be sent to other processes.
        """
        self._policy, self._decoding, self._mode = policy, decoding, mode
        self._about = _packed(policy)
        # In Linux' abstract namespace: no file to leave behind, and no path that is too long.
        self.address = f"\0vla-policy-{os.getpid()}-{secrets.token_hex(8)}"
        self._waiting: list[_Request] = []
        self._changed = threading.Condition()
        self._ended = self._closed = False
        self._error: Exception | None = None
        self._batches = self._observations = 0

    def __enter__(self) -> "PolicyServer":
        self._listener = Listener(self.address, backlog=128, authkey=_key())
        work = (self._accept, self._serve)
        self._threads = [threading.Thread(target=target, daemon=True) for target in work]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Raises what ended the policy, in place of what that led to elsewhere."""
        self._end()
        self._closed = True
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(self.address)  # wakes the thread that accepts
        for thread in self._threads:
            thread.join()
        self._listener.close()
        if self._batches:
            logger.info(
                "policy: %d batches of %d rows, %.1f observations in each",
                self._batches,
                self._policy.rows,
                self._observations / self._batches,
            )
        if self._error is not None:
            raise self._error from None

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, multiprocessing.AuthenticationError):
                continue  # who called is gone, or none of ours
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: Connection) -> None:
        """Serve one process until it or the policy ends."""
        with connection:
            try:
                connection.send_bytes(self._about)
                while True:
                    actions = self._ask(load(connection.recv_bytes())).result()
                    connection.send_bytes(save({"actions": actions}))
            except (EOFError, OSError, PolicyLostError):
                return

    def _ask(self, inputs: Inputs) -> Future[Tensor]:
        request = _Request(inputs)
        with self._changed:
            if self._ended:
                raise PolicyLostError
            self._waiting.append(request)
            self._changed.notify()
        return request.actions

    def _serve(self) -> None:
        batch: list[_Request] = []
        try:
            set_determinism(threads=1, mode=self._mode)  # some of it is each thread's own
            while batch := self._next_batch():
                self._act(batch)
        except torch.OutOfMemoryError as error:
            self._error = UserError(
                f"The policy and a batch of {self._policy.rows} observations do not fit: {error}",
                "Set a smaller evaluation.batch_size, or take a device with more memory.",
            )
        except Exception as error:  # noqa: BLE001 - raised where the server is closed
            self._error = error
        finally:
            self._end(batch)

    def _next_batch(self) -> list[_Request]:
        """The oldest observation, and others of its shape; none once the server has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            if self._ended:
                return []
            shape = shape_of(self._waiting[0].inputs)
            batch = [r for r in self._waiting if shape_of(r.inputs) == shape][: self._policy.rows]
            self._waiting = [request for request in self._waiting if request not in batch]
            return batch

    def _act(self, batch: list[_Request]) -> None:
        names = batch[0].inputs
        inputs = {name: torch.cat([request.inputs[name] for request in batch]) for name in names}
        actions = self._policy.act(to_device(inputs, self._policy.device), self._decoding).cpu()
        self._batches, self._observations = self._batches + 1, self._observations + len(batch)
        for row, request in zip(actions.split(1), batch, strict=True):
            request.actions.set_result(row.contiguous())

    def _end(self, unanswered: Sequence[_Request] = ()) -> None:
        with self._changed:
            self._ended = True
            for request in (*unanswered, *self._waiting):
                request.actions.set_exception(PolicyLostError())
            self._waiting = []
            self._changed.notify_all()


class RemotePolicy:
    """What an episode asks of a policy (`spec`, `processor`, `device`, `act`), which a `PolicyServer` has."""

    device = torch.device("cpu")  # where inputs are handed over

    def __init__(self, address: str):
        self._connection = Client(address, authkey=_key())
        self.spec, self.processor = pickle.loads(self._connection.recv_bytes())  # noqa: S301 - its parent's

    def act(self, inputs: Inputs, decoding: str) -> Tensor:
        """As `Policy.act`, of one observation; `decoding` is the server's own."""
        try:
            self._connection.send_bytes(save({n: t.contiguous() for n, t in inputs.items()}))
            return load(self._connection.recv_bytes())["actions"]
        except (EOFError, OSError):
            raise PolicyLostError from None


def _key() -> bytes:
    """What a process shares with those that it starts, and with no other."""
    return bytes(multiprocessing.current_process().authkey)


def _packed(policy: BatchedPolicy) -> bytes:
    try:
        return pickle.dumps((policy.spec, policy.processor))
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise UserError(
            f"The policy's processor cannot be sent to the processes that run episodes: {error}",
            "Keep what pickle cannot take (open files, lambdas, locks) out of it, or set "
            "evaluation.batch_size: 1.",
        ) from None

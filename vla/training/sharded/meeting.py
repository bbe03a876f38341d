"""Ranks that find each other, on one machine or on several."""

import os
import socket

import psutil
import torch
from torch import distributed as dist

from vla.errors import UserError
from vla.training.sharded.places import Place


def open_meeting(address: str, count: int) -> dist.TCPStore:
    """Where `count` ranks meet, at `address` of this machine and a free port; rank 0 holds it open."""
    return dist.TCPStore(address, 0, count, is_master=True, wait_for_workers=False)


def find_meeting(address: str, port: int, count: int) -> dist.TCPStore:
    """The meeting that rank 0 has opened."""
    return dist.TCPStore(address, port, count, is_master=False)


def join(place: Place, meeting: dist.TCPStore, device: torch.device, towards: str) -> None:
    """Join the other ranks. `towards`: the address of a machine where another rank is; Gloo takes the
    network interface that leads there, unless GLOO_SOCKET_IFNAME names another."""
    os.environ.setdefault("GLOO_SOCKET_IFNAME", interface(towards))
    backend = "gloo"  # of what ranks tell each other, and of a CPU's shards
    if device.type == "cuda":
        torch.cuda.set_device(device)
        backend = "cpu:gloo,cuda:nccl"
    dist.init_process_group(backend, store=meeting, rank=place.rank, world_size=place.count)


def interface(address: str) -> str:
    """The network interface of this machine that leads to `address`; `UserError` when none does."""
    try:
        family, *_, target = socket.getaddrinfo(address, 9, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect(target)  # sends nothing
            own = probe.getsockname()[0]
    except OSError as error:
        raise UserError(
            f"This node cannot reach {address}, where other ranks are: {error}.",
            "Ask the administrators which network joins the nodes, and set GLOO_SOCKET_IFNAME to its "
            "interface.",
        ) from None
    for name, addresses in psutil.net_if_addrs().items():
        if own in [one.address for one in addresses]:
            return name
    raise UserError(
        f"No network interface of this node has the address {own}, from which {address} is reached.",
        "Set GLOO_SOCKET_IFNAME to the interface that joins the nodes (`ip address` lists them).",
    )

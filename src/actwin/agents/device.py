"""Where agents compute: the processor or a graphics card."""

from __future__ import annotations

import copy
from typing import Any, Final, Generic, Literal, TypeVar

import torch
from torch import Tensor, nn

from actwin.errors import ConfigError

DeviceName = Literal["cpu", "cuda", "auto"]
HOST: Final = torch.device("cpu")
LARGE_BATCH: Final = 2048
"""Rows from which a graphics card gains more by bfloat16 than the conversions cost."""

Network = TypeVar("Network", bound=nn.Module)


def chosen_device(name: DeviceName) -> torch.device:
    """The device that a setting means; `auto` is a graphics card where torch can use one.

    Raises:
        ConfigError: A graphics card is wanted and there is none that torch can use; says what is missing.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return HOST
    if torch.cuda.is_available():
        return torch.device("cuda", torch.cuda.current_device())
    if torch.version.cuda is None:
        raise ConfigError(
            f"train.device is cuda, but torch {torch.__version__} was built for the CPU only. Install torch's CUDA "
            "build with the command that the start page of PyTorch gives for your system, or set train.device=cpu."
        )
    raise ConfigError(
        f"train.device is cuda, but torch {torch.__version__} finds no NVIDIA card. Look at what `nvidia-smi` says and "
        f"install a driver for CUDA {torch.version.cuda} or newer, or set train.device=cpu."
    )


def device_label(device: torch.device) -> str:
    """What a person calls the device."""
    return "cpu" if device.type == "cpu" else f"{device.type} ({torch.cuda.get_device_name(device)})"


def bfloat16_pays(device: torch.device, rows: int) -> bool:
    """Whether matrix products of so many rows are quicker in bfloat16 than in single precision.

    On a processor if it multiplies bfloat16; on a graphics card for large batches, as small ones wait for launches.
    """
    if device.type == "cuda":
        return rows >= LARGE_BATCH and torch.cuda.is_bf16_supported(including_emulation=False)
    known = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def carried(tree: Any, device: torch.device) -> Any:
    """The same nested tuples, lists and dicts with every tensor in them on a device, itself if it is there."""
    if isinstance(tree, Tensor):
        return tree.to(device)
    if isinstance(tree, dict):
        return {name: carried(value, device) for name, value in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_make"):
        return tree._make(carried(value, device) for value in tree)
    if isinstance(tree, list | tuple):
        return type(tree)(carried(value, device) for value in tree)
    return tree


class Abroad(Generic[Network]):
    """A network that changes on a device and drives on the host: the same object where the device is the host.

    Weights come home when they are asked for. Statistics and whatever else is no parameter stay what they are at home.

    Args:
        network: On the host; it drives.
        device: Where its weights change.
    """

    def __init__(self, network: Network, device: torch.device) -> None:
        self._home = network
        self.away = on(network, device)
        """The network on the device."""
        self._behind = False

    @property
    def home(self) -> Network:
        """The network on the host, with the newest weights."""
        if self._behind:
            _copy_parameters(self.away, self._home)
            self._behind = False
        return self._home

    def changed(self) -> None:
        """To be said after the weights on the device have changed."""
        self._behind = self.away is not self._home

    def send(self) -> None:
        """To be said after the weights on the host have changed."""
        if self.away is not self._home:
            _copy_parameters(self._home, self.away)
            self._behind = False


def on(network: Network, device: torch.device) -> Network:
    """A network on a device: itself if that is the host, else a copy."""
    return network if device.type == "cpu" else copy.deepcopy(network).to(device)


@torch.no_grad()
def _copy_parameters(source: nn.Module, target: nn.Module) -> None:
    for theirs, mine in zip(source.parameters(), target.parameters(), strict=True):
        mine.copy_(theirs)

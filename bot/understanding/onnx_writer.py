"""Writes ONNX models without the `onnx` package: the few message fields that a graph needs.

Field numbers are those of `onnx.proto` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto).
"""

import struct
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

_IR_VERSION = 9
_OPSET = 18
_FLOAT = 1
_TYPES = {"float32": _FLOAT, "uint8": 2, "int8": 3, "int64": 7}
_ATTRIBUTE_FLOAT, _ATTRIBUTE_INT, _ATTRIBUTE_INTS = 1, 2, 7
MICROSOFT = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""

Attribute = float | int | Sequence[int]


class GraphWriter:
    """Collects nodes and constants, and writes them as one model."""

    def __init__(self) -> None:
        self._nodes: list[bytes] = []
        self._constants: dict[str, bytes] = {}

    def constant(self, name: str, values: npt.NDArray[np.generic]) -> str:
        """Add an array that never changes and return its name."""
        dims = b"".join(_number(1, size) for size in values.shape)
        kind = _number(2, _TYPES[values.dtype.name])
        data = np.ascontiguousarray(values).tobytes()
        self._constants[name] = dims + kind + _text(8, name) + _field(9, data)
        return name

    def node(
        self,
        kind: str,
        inputs: Sequence[str],
        outputs: Sequence[str],
        domain: str = "",
        **attributes: Attribute,
    ) -> str:
        """Add an operation and return the name of its first output.

        Args:
            kind: the operator.
            inputs: names of constants, inputs and outputs of earlier nodes; "" leaves one out.
            outputs: names of what it computes.
            domain: "" for the standard operators, or `MICROSOFT`.
            attributes: the operator's settings.
        """
        parts = [_text(1, name) for name in inputs]
        parts.extend(_text(2, name) for name in outputs)
        parts.extend((_text(4, kind), _text(7, domain)))
        parts.extend(_field(5, _attribute(*pair)) for pair in attributes.items())
        self._nodes.append(b"".join(parts))
        return outputs[0]

    def model(self, inputs: dict[str, Sequence[str | int]], outputs: Iterable[str]) -> bytes:
        """Return the whole model.

        Args:
            inputs: shapes of the inputs, all of floats; a text names a length that varies.
            outputs: names of what is computed, all floats.
        """
        parts = [_field(1, node) for node in self._nodes]
        parts.append(_text(2, "graph"))
        parts.extend(_field(5, constant) for constant in self._constants.values())
        parts.extend(_field(11, _value(name, shape)) for name, shape in inputs.items())
        parts.extend(_field(12, _value(name, None)) for name in outputs)
        domains = [_text(1, "") + _number(2, _OPSET), _text(1, MICROSOFT) + _number(2, 1)]
        head = _number(1, _IR_VERSION) + b"".join(_field(8, domain) for domain in domains)
        return head + _field(7, b"".join(parts))


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, float):
        packed = _varint(2 << 3 | 5) + struct.pack("<f", value)
        return _text(1, name) + packed + _number(20, _ATTRIBUTE_FLOAT)
    if isinstance(value, int):
        return _text(1, name) + _number(3, value) + _number(20, _ATTRIBUTE_INT)
    numbers = b"".join(_number(8, number) for number in value)
    return _text(1, name) + numbers + _number(20, _ATTRIBUTE_INTS)


def _value(name: str, shape: Sequence[str | int] | None) -> bytes:
    kind = _number(1, _FLOAT)
    if shape is not None:
        sizes = (_number(1, size) if isinstance(size, int) else _text(2, size) for size in shape)
        kind += _field(2, b"".join(_field(1, size) for size in sizes))
    return _text(1, name) + _field(2, _field(1, kind))


def _varint(number: int) -> bytes:
    number &= (1 << 64) - 1
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _field(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _field(field, text.encode())

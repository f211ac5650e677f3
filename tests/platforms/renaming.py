"""Lets a contract speak of shop_small's ids to a shop that has ids of its own."""

import inspect
from collections.abc import Mapping
from typing import Any

import msgspec


class Renamed:
    """A port whose arguments and results have their ids translated, wherever they stand."""

    def __init__(self, port: object, theirs: Mapping[str, str]) -> None:
        self._port = port
        self._theirs = dict(theirs)
        self._ours = {their: our for our, their in theirs.items()}

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*arguments: object) -> object:
            given = [_translated(argument, self._theirs) for argument in arguments]
            return _translated(await method(*given), self._ours)

        return call


def _translated(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return names.get(value, value)
    if isinstance(value, tuple | list):
        return type(value)(_translated(item, names) for item in value)
    if isinstance(value, dict):
        return {key: _translated(item, names) for key, item in value.items()}
    if isinstance(value, msgspec.Struct):
        fields = {
            name: _translated(getattr(value, name), names) for name in value.__struct_fields__
        }
        return msgspec.structs.replace(value, **fields)
    return value

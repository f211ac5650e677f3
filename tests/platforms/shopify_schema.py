"""Shopify's published Admin schema, as an executable one: wrong names fail as they would there."""

import gzip
import json
import re
from functools import cache

import pytest
from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_client_schema,
    execute,
    get_named_type,
    is_interface_type,
    is_object_type,
    is_union_type,
    parse,
    validate,
    visit,
)
from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    IntValueNode,
    VariableNode,
)

VERSION = "2026-10"


@cache
def admin_schema(shared_data) -> GraphQLSchema:
    """Return the schema of the folder with the real data."""
    path = shared_data / "shopify_schema" / f"admin_{VERSION}.json.gz"
    if not path.is_file():
        pytest.skip(f"no Shopify schema at {path}: set TRESEN_SHARED to the folder above data/")
    with gzip.open(path) as file:
        data = json.load(file)
    # Shopify's schema deprecates fields of types that their interfaces do not: not quite valid.
    return build_client_schema(data.get("data", data), assume_valid=True)


def run(schema, document, variables, roots, context):
    """Execute a document; fields that the fake does not know are errors, never null.

    Args:
        schema: Shopify's.
        document: text.
        variables: by name.
        roots: resolvers of the root fields.
        context: handed to the resolvers.
    """
    try:
        parsed, problems, _ = _prepared(schema, document)
    except GraphQLError as error:
        return {"errors": [error.formatted]}
    if problems:
        return {"errors": [p.formatted for p in problems]}
    result = execute(
        schema,
        parsed,
        root_value=roots,
        context_value=context,
        variable_values=variables,
        field_resolver=_field,
        type_resolver=_type,
    )
    formatted = result.formatted
    if result.data is None and result.errors and not any(e.path for e in result.errors):
        formatted.pop("data", None)
    return formatted


def _type(value, info, abstract):
    del info, abstract
    return value["__typename"]


@cache
def _prepared(schema, document):
    """Return a document parsed, its problems, and the type of every field in it."""
    parsed = parse(document)
    types = {}
    info = TypeInfo(schema)

    class Types(Visitor):
        def enter_field(self, node, *_):
            types[id(node)] = info.get_type()

    visit(parsed, TypeInfoVisitor(info, Types()))
    return parsed, validate(schema, parsed), types


def _field(source, info, **arguments):
    name = info.field_name
    if f"{info.parent_type.name}.{name}" in info.context.broken:
        info.context.broken.remove(f"{info.parent_type.name}.{name}")
        raise GraphQLError("Internal error", extensions={"code": "INTERNAL_SERVER_ERROR"})
    if f"{info.parent_type.name}.{name}" in info.context.denied:
        raise GraphQLError("Access denied", extensions={"code": "ACCESS_DENIED"})
    if name not in source:
        raise GraphQLError(f"the fake has no {info.parent_type.name}.{name}")
    value = source[name]
    if callable(value):
        is_root = source is info.root_value
        is_keyed = info.field_name == "metafield"
        given = {"key": arguments["key"]} if is_keyed else {}
        value = value(info, **_named(arguments)) if is_root else value(**given)
    if get_named_type(info.return_type).name.endswith("Connection"):
        return page(value, **arguments)
    if isinstance(value, list) and arguments.get("first"):
        return value[: arguments["first"]]
    return value


def _named(arguments):
    """Return arguments under the names that Python would give them."""
    names = {name: re.sub(r"([A-Z])", r"_\1", name).lower() for name in arguments}
    return {
        f"{names[name]}_" if name in {"id", "input"} else names[name]: value
        for name, value in arguments.items()
    }


def page(items, first=None, after=None, reverse=False, **_):
    """Return a page of a list as a connection; cursors are positions."""
    if reverse:
        items = items[::-1]
    start = int(after or 0)
    end = min(len(items), start + (first or 50))
    info = {"hasNextPage": end < len(items), "endCursor": str(end) if end > start else None}
    return {"nodes": items[start:end], "pageInfo": info}


def cost_of(schema, document, variables):
    """Return the points a document may cost: an object 1, a mutation 10, a connection 2 and
    what its nodes cost as often as `first` says; Shopify's own count is never higher.
    """
    parsed, _, types = _prepared(schema, document)
    fragments = {
        d.name.value: d for d in parsed.definitions if isinstance(d, FragmentDefinitionNode)
    }
    operation = next(d for d in parsed.definitions if isinstance(d, OperationDefinitionNode))

    def selections(node):
        if node.selection_set is None:
            return 0
        total = 0
        for item in node.selection_set.selections:
            if isinstance(item, FieldNode):
                total += field(item)
            else:
                spread = isinstance(item, FragmentSpreadNode)
                total += selections(fragments[item.name.value] if spread else item)
        return total

    def field(node):
        named = get_named_type(types[id(node)])
        composite = is_object_type(named) or is_interface_type(named) or is_union_type(named)
        if not composite:
            return 0
        inner = selections(node)
        first = _first(node, variables)
        if named.name.endswith("Connection"):
            return 2 + (first or 0) * inner
        if named.name == "PageInfo":
            return 0
        return (1 + inner) * (first or 1)

    base = 10 if operation.operation.value == "mutation" else 0
    return base + selections(operation)


def _first(node, variables):
    for argument in node.arguments or ():
        if argument.name.value == "first":
            value = argument.value
            if isinstance(value, IntValueNode):
                return int(value.value)
            if isinstance(value, VariableNode):
                return variables.get(value.name.value)
    return None

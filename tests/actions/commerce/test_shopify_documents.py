"""Every document that we send is one that Shopify's published schema accepts, and can afford."""

import pytest
from graphql import parse, validate
from graphql.language import OperationDefinitionNode
from graphql.validation import NoDeprecatedCustomRule

from actions.commerce.shopify import mutations, queries
from tests.platforms.shopify import MOST_POINTS
from tests.platforms.shopify_schema import admin_schema, cost_of

pytestmark = pytest.mark.shared
DOCUMENTS = {
    name: text
    for module in (queries, mutations)
    for name, text in vars(module).items()
    if isinstance(text, str) and text.startswith(("\nquery ", "\nmutation "))
}
FALLS_BACK = {"PRODUCTS"}  # asks for fewer products when a page is too costly


@pytest.fixture(scope="module")
def schema(shared_data):
    return admin_schema(shared_data)


def test_there_are_documents():
    assert len(DOCUMENTS) > 30


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_document_is_valid(schema, name):
    assert [e.message for e in validate(schema, parse(DOCUMENTS[name]))] == []


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_a_document_asks_for_nothing_deprecated(schema, name):
    problems = validate(schema, parse(DOCUMENTS[name]), [NoDeprecatedCustomRule])
    assert [e.message for e in problems] == []


@pytest.mark.parametrize("name", sorted(DOCUMENTS.keys() - FALLS_BACK))
def test_a_document_costs_less_than_shopify_allows(schema, name):
    assert 0 < cost_of(schema, DOCUMENTS[name], {}) <= MOST_POINTS


def test_the_one_mutation_that_demands_a_key_has_one(schema):
    sent = {}
    for text in DOCUMENTS.values():
        for operation in parse(text).definitions:
            if isinstance(operation, OperationDefinitionNode):
                for field in operation.selection_set.selections:
                    sent[field.name.value] = [d.name.value for d in field.directives or ()]
    described = schema.mutation_type.fields
    for name, directives in sent.items():
        demands = name in described and "idempotency key is required" in (
            described[name].description or ""
        )
        assert ("idempotent" in directives) == demands, name
    assert sent["refundCreate"] == ["idempotent"]

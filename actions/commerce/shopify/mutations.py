"""The GraphQL documents that write; tests validate them against Shopify's schema.

Only `refundCreate` knows idempotency keys (and demands one since 2026-04); the other writes carry
a reference in a note or metafield by which they are found again.
"""

from actions.commerce.shopify.queries import DRAFT_PARTS, MONEY

METAFIELDS_SET = """
mutation MetafieldsSet($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { key compareDigest }
    userErrors { field message code }
  }
}
"""

ORDER_CANCEL = """
mutation OrderCancel($id: ID!, $reason: OrderCancelReason!, $note: String, $notify: Boolean) {
  orderCancel(
    orderId: $id, reason: $reason, restock: true, staffNote: $note, notifyCustomer: $notify,
    refundMethod: { originalPaymentMethodsRefund: true }
  ) {
    jobResult { id done status errors { code } }
    orderCancelUserErrors { field message code }
  }
}
"""

ORDER_UPDATE = """
mutation OrderUpdate($input: OrderInput!) {
  orderUpdate(input: $input) { order { id } userErrors { field message } }
}
"""

EDIT_PARTS = (
    """
fragment Edit on CalculatedOrder {
  id
  totalPriceSet { ...Money }
  totalOutstandingSet { ...Money }
  lineItems(first: 100) { nodes { id quantity variant { id } } }
}
"""
    + MONEY
)

EDIT_BEGIN = (
    """
mutation OrderEditBegin($id: ID!) {
  orderEditBegin(id: $id) { calculatedOrder { ...Edit } userErrors { field message } }
}
"""
    + EDIT_PARTS
)

EDIT_ADD = (
    """
mutation OrderEditAddVariant($id: ID!, $variant: ID!, $quantity: Int!) {
  orderEditAddVariant(id: $id, variantId: $variant, quantity: $quantity, allowDuplicates: true) {
    calculatedOrder { ...Edit } userErrors { field message }
  }
}
"""
    + EDIT_PARTS
)

EDIT_REMOVE = (
    """
mutation OrderEditSetQuantity($id: ID!, $line: ID!) {
  orderEditSetQuantity(id: $id, lineItemId: $line, quantity: 0, restock: true) {
    calculatedOrder { ...Edit } userErrors { field message }
  }
}
"""
    + EDIT_PARTS
)

EDIT_COMMIT = """
mutation OrderEditCommit($id: ID!, $note: String, $notify: Boolean) {
  orderEditCommit(id: $id, staffNote: $note, notifyCustomer: $notify) {
    order { id } userErrors { field message }
  }
}
"""

REFUND_CREATE = """
mutation RefundCreate($input: RefundInput!, $key: String!) {
  refundCreate(input: $input) @idempotent(key: $key) {
    refund { id } userErrors { field message }
  }
}
"""

RETURN_CREATE = """
mutation ReturnCreate($input: ReturnInput!) {
  returnCreate(returnInput: $input) { return { id } userErrors { field message code } }
}
"""

RETURN_REQUEST = """
mutation ReturnRequest($input: ReturnRequestInput!) {
  returnRequest(input: $input) { return { id } userErrors { field message code } }
}
"""

ADDRESS_UPDATE = """
mutation CustomerAddressUpdate($customer: ID!, $address: ID!, $input: MailingAddressInput!) {
  customerAddressUpdate(
    customerId: $customer, addressId: $address, address: $input, setAsDefault: true
  ) { address { id } userErrors { field message } }
}
"""

ADDRESS_CREATE = """
mutation CustomerAddressCreate($customer: ID!, $input: MailingAddressInput!) {
  customerAddressCreate(customerId: $customer, address: $input, setAsDefault: true) {
    address { id } userErrors { field message }
  }
}
"""

ADDRESS_DEFAULT = """
mutation CustomerUpdateDefaultAddress($customer: ID!, $address: ID!) {
  customerUpdateDefaultAddress(customerId: $customer, addressId: $address) {
    customer { id } userErrors { field message }
  }
}
"""

DRAFT_CALCULATE = (
    """
mutation DraftOrderCalculate($input: DraftOrderInput!) {
  draftOrderCalculate(input: $input) {
    calculatedDraftOrder {
      totalPriceSet { ...Money } totalShippingPriceSet { ...Money }
    }
    userErrors { field message }
  }
}
"""
    + MONEY
)

DRAFT_CREATE = (
    """
mutation DraftOrderCreate($input: DraftOrderInput!, $namespace: String!) {
  draftOrderCreate(input: $input) { draftOrder { ...Draft } userErrors { field message } }
}
"""
    + DRAFT_PARTS
)

DRAFT_DELETE = """
mutation DraftOrderDelete($id: ID!) {
  draftOrderDelete(input: { id: $id }) { deletedId userErrors { field message } }
}
"""

"""The GraphQL documents that read; tests validate them against Shopify's schema."""

MONEY = """
fragment Money on MoneyBag { presentmentMoney { amount currencyCode } }
"""

ADDRESS = """
fragment Place on MailingAddress {
  id firstName lastName phone address1 address2 zip city provinceCode countryCodeV2
}
"""

LINE = """
fragment Line on LineItem {
  id title quantity currentQuantity
  product { id }
  variant { id selectedOptions { name value } }
  discountedUnitPriceAfterAllDiscountsSet { ...Money }
}
"""

ORDER = (
    """
query Order($id: ID!, $namespace: String!) {
  order(id: $id) {
    id name createdAt processedAt updatedAt cancelledAt cancelReason cancellation { staffNote }
    displayFulfillmentStatus edited merchantEditable taxesIncluded presentmentCurrencyCode
    customer { id }
    shippingAddress { ...Place }
    currentTotalPriceSet { ...Money }
    currentTotalTaxSet { ...Money }
    currentShippingPriceSet { ...Money }
    totalOutstandingSet { ...Money }
    lineItems(first: 40) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
    fulfillments(first: 6) {
      id status displayStatus createdAt inTransitAt estimatedDeliveryAt deliveredAt
      trackingInfo(first: 3) { company number }
      events(first: 8, sortKey: HAPPENED_AT) { nodes { happenedAt status message city country } }
      fulfillmentLineItems(first: 20) { nodes { id quantity lineItem { id } } }
    }
    transactions(first: 20) {
      id kind status gateway processedAt amountSet { ...Money }
      parentTransaction { id }
      paymentDetails { ... on CardPaymentDetails { company number } }
    }
    refunds(first: 15) { id note createdAt transactions(first: 3) { nodes { id } } }
    returns(first: 15) { nodes { id status } }
    claim: metafield(namespace: $namespace, key: "claim") { key value compareDigest }
    metafields(first: 30, namespace: $namespace, reverse: true) { nodes { key value } }
  }
}
"""
    + LINE
    + ADDRESS
    + MONEY
)

ORDER_LINES = (
    """
query OrderLines($id: ID!, $after: String!) {
  order(id: $id) {
    lineItems(first: 100, after: $after) { nodes { ...Line } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + LINE
    + MONEY
)

ORDERS_BY_NAME = """
query OrdersByName($query: String!) {
  orders(first: 10, query: $query) { nodes { id name customer { id } } }
}
"""

CUSTOMER_ORDERS = """
query CustomerOrders($id: ID!) {
  customer(id: $id) {
    orders(first: 25, sortKey: CREATED_AT, reverse: true) { nodes { id } }
  }
}
"""

JOB = """
query CancelJob($id: ID!) {
  node(id: $id) { ... on OrderCancelJobResult { id done status errors { code } } }
}
"""

SUGGESTED_REFUND = (
    """
query SuggestedRefund($id: ID!) {
  order(id: $id) {
    suggestedRefund(suggestFullRefund: true) { maximumRefundableSet { ...Money } }
  }
}
"""
    + MONEY
)

CUSTOMER_PARTS = (
    """
fragment Person on Customer {
  id firstName lastName locale tags createdAt
  defaultEmailAddress { emailAddress }
  defaultPhoneNumber { phoneNumber }
  defaultAddress { ...Place }
  storeCreditAccounts(first: 5) { nodes { id balance { amount currencyCode } } }
  orders(first: 8, sortKey: CREATED_AT, reverse: true) {
    nodes {
      transactions(first: 4) {
        kind status gateway paymentDetails { ... on CardPaymentDetails { company number } }
      }
    }
  }
}
"""
    + ADDRESS
)

CUSTOMER = (
    """
query Customer($id: ID!) { customer(id: $id) { ...Person } }
"""
    + CUSTOMER_PARTS
)

CUSTOMER_BY = (
    """
query CustomerBy($identifier: CustomerIdentifierInput!) {
  customerByIdentifier(identifier: $identifier) { ...Person }
}
"""
    + CUSTOMER_PARTS
)

CUSTOMERS = (
    """
query Customers($query: String!, $after: String) {
  customers(first: 10, query: $query, after: $after) {
    nodes { ...Person } pageInfo { hasNextPage endCursor }
  }
}
"""
    + CUSTOMER_PARTS
)

CUSTOMER_ADDRESSES = (
    """
query CustomerAddresses($id: ID!) {
  customer(id: $id) { addressesV2(first: 50) { nodes { ...Place } } }
}
"""
    + ADDRESS
)

PRODUCT_PARTS = """
fragment Article on Product {
  id title description vendor productType status tags
  featuredMedia { preview { image { url } } }
  translations(locale: $locale) { key value }
  options(first: 3) {
    name translations(locale: $locale) { key value }
    optionValues { name translations(locale: $locale) { key value } }
  }
  collections(first: 1) { nodes { handle } }
  metafields(first: 15, namespace: $namespace) { nodes { key type value } }
  variants(first: 30) { nodes { ...Version } pageInfo { hasNextPage endCursor } }
}
fragment Version on ProductVariant {
  id price availableForSale inventoryQuantity inventoryPolicy
  selectedOptions { name value }
  inventoryItem { tracked }
}
"""

PRODUCT = (
    """
query Product($id: ID!, $locale: String!, $namespace: String!) {
  product(id: $id) { ...Article }
}
"""
    + PRODUCT_PARTS
)

VARIANT = (
    """
query Variant($id: ID!, $locale: String!, $namespace: String!) {
  productVariant(id: $id) { ...Version product { ...Article } }
}
"""
    + PRODUCT_PARTS
)

PRODUCTS = (
    """
query Products($first: Int!, $after: String, $locale: String!, $namespace: String!) {
  products(first: $first, after: $after, query: "status:active", sortKey: ID) {
    nodes { ...Article } pageInfo { hasNextPage endCursor }
  }
}
"""
    + PRODUCT_PARTS
)

PRODUCT_VARIANTS = """
query ProductVariants($id: ID!, $after: String!) {
  product(id: $id) {
    variants(first: 100, after: $after) {
      nodes { ...Version } pageInfo { hasNextPage endCursor }
    }
  }
}
fragment Version on ProductVariant {
  id price availableForSale inventoryQuantity inventoryPolicy
  selectedOptions { name value }
  inventoryItem { tracked }
}
"""

COLLECTIONS = """
query Collections($after: String, $locale: String!) {
  collections(first: 100, after: $after, sortKey: ID) {
    nodes { handle title translations(locale: $locale) { key value } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

RETURN_PARTS = (
    """
fragment Sending on Return {
  id status createdAt closedAt
  returnShippingFees { amountSet { ...Money } }
  returnLineItems(first: 20) {
    nodes {
      id quantity processedQuantity returnReasonNote customerNote
      ... on ReturnLineItem {
        fulfillmentLineItem { lineItem { id } }
        withCodeDiscountedTotalPriceSet { ...Money }
      }
    }
  }
  exchangeLineItems(first: 20) { nodes { id quantity variantId } }
  reverseFulfillmentOrders(first: 2) {
    nodes {
      reverseDeliveries(first: 3) {
        nodes {
          deliverable {
            ... on ReverseDeliveryShippingDeliverable {
              label { createdAt publicFileUrl }
              tracking { carrierName number }
            }
          }
        }
      }
    }
  }
}
"""
    + MONEY
)

ORDER_RETURNS = (
    """
query OrderReturns($id: ID!, $after: String) {
  order(id: $id) {
    returns(first: 5, after: $after) {
      nodes { ...Sending } pageInfo { hasNextPage endCursor }
    }
  }
}
"""
    + RETURN_PARTS
)

RETURN_ORDER = """
query ReturnOrder($id: ID!) { return(id: $id) { id order { id customer { id } } } }
"""

RETURNABLE = """
query Returnable($id: ID!) {
  returnableFulfillments(orderId: $id, first: 6) {
    nodes {
      returnableFulfillmentLineItems(first: 40) {
        nodes { quantity fulfillmentLineItem { id lineItem { id } } }
      }
    }
  }
}
"""

RETURN_CALCULATE = (
    """
query ReturnCalculate($input: CalculateReturnInput!) {
  returnCalculate(input: $input) {
    returnLineItems { quantity subtotalSet { ...Money } }
    exchangeLineItems { quantity subtotalSet { ...Money } }
  }
}
"""
    + MONEY
)

DRAFT_PARTS = (
    """
fragment Draft on DraftOrder {
  id status createdAt completedAt invoiceUrl presentmentCurrencyCode
  customer { id }
  shippingAddress { ...Place }
  totalPriceSet { ...Money }
  totalShippingPriceSet { ...Money }
  lineItems(first: 100) {
    nodes { quantity variant { id } originalUnitPriceSet { ...Money } }
  }
  order { id name fullyPaid }
  metafield(namespace: $namespace, key: "link") { value }
}
"""
    + ADDRESS
    + MONEY
)

DRAFT = (
    """
query DraftOrder($id: ID!, $namespace: String!) { draftOrder(id: $id) { ...Draft } }
"""
    + DRAFT_PARTS
)

RECENT_DRAFTS = """
query RecentDrafts($after: String, $namespace: String!) {
  draftOrders(first: 50, after: $after, sortKey: ID, reverse: true) {
    nodes { id createdAt metafield(namespace: $namespace, key: "link") { value } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

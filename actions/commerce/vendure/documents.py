"""The GraphQL documents that the adapter sends to the Admin API.

`isSettled` of a modification is only true when its payment and refund are asked for beside it.
"""

SETTINGS = """
query Settings {
  globalSettings { trackInventory outOfStockThreshold serverConfig { moneyStrategyPrecision } }
  activeChannel { trackInventory outOfStockThreshold }
}
"""

_ORDER_PARTS = """
fragment OrderParts on Order {
  id code state orderPlacedAt currencyCode totalWithTax shippingWithTax
  customer { id }
  shippingAddress { streetLine1 streetLine2 city province postalCode countryCode }
  lines {
    id quantity orderPlacedQuantity unitPriceWithTax
    productVariant {
      id productId
      options { code group { code } }
      product { slug translations { languageCode name } }
    }
  }
  payments {
    id method state amount createdAt
    refunds { id total state reason createdAt }
  }
  fulfillments { id state method trackingCode lines { orderLineId } }
  modifications { id note isSettled payment { id } refund { id } lines { quantity } }
  history(options: {
    take: 100
    sort: { createdAt: DESC }
    filter: { type: { in: ["ORDER_CANCELLATION", "ORDER_FULFILLMENT_TRANSITION", "ORDER_NOTE"] } }
  }) { items { id type createdAt data } }
}
"""

ORDERS_BY_CODE = (
    """
query OrdersByCode($codes: [String!]!) {
  orders(options: { filter: { code: { in: $codes }, orderPlacedAt: { isNull: false } } }) {
    items { ...OrderParts }
  }
}
"""
    + _ORDER_PARTS
)

ORDERS_OF_CUSTOMER = (
    """
query OrdersOfCustomer($id: ID!, $take: Int!, $skip: Int!) {
  customer(id: $id) {
    orders(options: {
      take: $take, skip: $skip
      sort: { orderPlacedAt: DESC }
      filter: { orderPlacedAt: { isNull: false } }
    }) { totalItems items { ...OrderParts } }
  }
}
"""
    + _ORDER_PARTS
)

_REFUSAL = "... on ErrorResult { errorCode }"

_ONCE = {
    "order": (
        "check: updateOrderNote(input: { noteId: $permit, isPublic: false }) { id }"
        " once: deleteOrderNote(id: $permit) { result }"
    ),
    "customer": (
        "check: updateCustomerNote(input: { noteId: $permit, note: $begun }) { id }"
        " once: deleteCustomerNote(id: $permit) { result }"
    ),
}
"""Fields that end their document when it has been here before."""

ANNOUNCE = {
    "order": """
mutation Announce($note: AddNoteToOrderInput!) {
  note: addNoteToOrder(input: $note) {
    id
    history(options: {
      take: 100, sort: { createdAt: DESC }, filter: { type: { eq: "ORDER_NOTE" } }
    }) { items { id data } }
  }
}
""",
    "customer": """
mutation Announce($note: AddNoteToCustomerInput!) {
  note: addNoteToCustomer(input: $note) {
    id
    history(options: {
      take: 100, sort: { createdAt: DESC }, filter: { type: { eq: "CUSTOMER_NOTE" } }
    }) { items { id data } }
  }
}
""",
}

REVOKE = {
    "order": "mutation Revoke($permit: ID!) { once: deleteOrderNote(id: $permit) { result } }",
    "customer": (
        "mutation Revoke($permit: ID!) { once: deleteCustomerNote(id: $permit) { result } }"
    ),
}

REFUND = f"""
mutation Refund($permit: ID!, $input: RefundOrderInput!) {{
  {_ONCE["order"]}
  refund: refundOrder(input: $input) {{ __typename ... on Refund {{ id state }} {_REFUSAL} }}
}}
"""

TRY_CHANGE = f"""
mutation TryChange($id: ID!, $trial: ModifyOrderInput!, $state: String!) {{
  lock: transitionOrderToState(id: $id, state: "Modifying") {{ __typename {_REFUSAL} }}
  trial: modifyOrder(input: $trial) {{ __typename ... on Order {{ totalWithTax }} {_REFUSAL} }}
  free: transitionOrderToState(id: $id, state: $state) {{ __typename {_REFUSAL} }}
}}
"""

CHANGE = f"""
mutation Change($permit: ID!, $id: ID!, $change: ModifyOrderInput!, $state: String!) {{
  {_ONCE["order"]}
  lock: transitionOrderToState(id: $id, state: "Modifying") {{ __typename {_REFUSAL} }}
  change: modifyOrder(input: $change) {{ __typename {_REFUSAL} }}
  free: transitionOrderToState(id: $id, state: $state) {{ __typename {_REFUSAL} }}
}}
"""

FREE = f"""
mutation Free($id: ID!, $state: String!) {{
  free: transitionOrderToState(id: $id, state: $state) {{ __typename {_REFUSAL} }}
}}
"""


def cancel_document(refunds: int, voids: int) -> str:
    """Return the document that cancels an order and gives its money back in one request.

    Args:
        refunds: how many settled payments are refunded, as variables `$refund0` and on.
        voids: how many authorised payments are cancelled, as variables `$void0` and on.
    """
    variables = ["$permit: ID!", "$input: CancelOrderInput!"]
    variables += [f"$refund{n}: RefundOrderInput!" for n in range(refunds)]
    variables += [f"$void{n}: ID!" for n in range(voids)]
    fields = [_ONCE["order"], f"cancel: cancelOrder(input: $input) {{ __typename {_REFUSAL} }}"]
    fields += [
        f"refund{n}: refundOrder(input: $refund{n}) {{ __typename {_REFUSAL} }}"
        for n in range(refunds)
    ]
    fields += [
        f"void{n}: cancelPayment(id: $void{n}) {{ __typename {_REFUSAL} }}" for n in range(voids)
    ]
    return f"mutation Cancel({', '.join(variables)}) {{\n  " + "\n  ".join(fields) + "\n}\n"


_CUSTOMER_PARTS = """
fragment CustomerParts on Customer {
  id firstName lastName emailAddress phoneNumber createdAt
  groups { name }
  addresses {
    id streetLine1 streetLine2 city province postalCode country { code }
    defaultShippingAddress
  }
  orders(options: { take: 50, sort: { orderPlacedAt: DESC } }) {
    items { payments { method state } }
  }
}
"""

CUSTOMER = (
    """
query Customer($id: ID!) { customer(id: $id) { ...CustomerParts } }
"""
    + _CUSTOMER_PARTS
)

CUSTOMERS = """
query Customers($filter: CustomerFilterParameter!, $take: Int!, $skip: Int!) {
  customers(options: { filter: $filter, take: $take, skip: $skip, sort: { createdAt: ASC } }) {
    totalItems
    items {
      id firstName lastName emailAddress phoneNumber
      addresses { postalCode defaultShippingAddress }
    }
  }
}
"""

CUSTOMER_NOTES = """
query CustomerNotes($id: ID!) {
  customer(id: $id) {
    id
    history(options: {
      take: 100, sort: { createdAt: DESC }, filter: { type: { eq: "CUSTOMER_NOTE" } }
    }) { items { id data } }
  }
}
"""

CHANGE_ADDRESS = f"""
mutation ChangeAddress(
  $permit: ID!, $begun: String!, $address: UpdateAddressInput!, $note: AddNoteToCustomerInput!
) {{
  {_ONCE["customer"]}
  address: updateCustomerAddress(input: $address) {{ id }}
  note: addNoteToCustomer(input: $note) {{ id }}
}}
"""

ADD_ADDRESS = f"""
mutation AddAddress(
  $permit: ID!, $begun: String!, $id: ID!, $address: CreateAddressInput!
  $note: AddNoteToCustomerInput!
) {{
  {_ONCE["customer"]}
  address: createCustomerAddress(customerId: $id, input: $address) {{ id }}
  note: addNoteToCustomer(input: $note) {{ id }}
}}
"""

_PRODUCT_PARTS = """
fragment ProductParts on Product {
  id slug enabled
  translations { languageCode name description }
  featuredAsset { source }
  facetValues { code name facet { code } }
  collections { slug breadcrumbs { id } }
  variants {
    id enabled priceWithTax trackInventory outOfStockThreshold useGlobalOutOfStockThreshold
    currencyCode
    stockLevels { stockOnHand stockAllocated }
    options { code group { code } }
    taxRateApplied { value }
  }
}
"""

PRODUCT = (
    """
query Product($id: ID!) { product(id: $id) { ...ProductParts } }
"""
    + _PRODUCT_PARTS
)

VARIANT = (
    """
query Variant($id: ID!) { productVariant(id: $id) { id product { ...ProductParts } } }
"""
    + _PRODUCT_PARTS
)

PRODUCTS = (
    """
query Products($take: Int!, $skip: Int!) {
  products(options: {
    take: $take, skip: $skip, sort: { id: ASC }, filter: { enabled: { eq: true } }
  }) { totalItems items { ...ProductParts } }
}
"""
    + _PRODUCT_PARTS
)

OPTIONS = """
query Options($take: Int!, $skip: Int!) {
  products(options: {
    take: $take, skip: $skip, sort: { id: ASC }, filter: { enabled: { eq: true } }
  }) {
    totalItems
    items {
      slug
      optionGroups {
        code translations { languageCode name }
        options { code translations { languageCode name } }
      }
    }
  }
}
"""

COLLECTIONS = """
query Collections($take: Int!, $skip: Int!) {
  collections(options: {
    take: $take, skip: $skip, sort: { position: ASC, id: ASC }
    filter: { isPrivate: { eq: false } }
  }) {
    totalItems
    items { id slug parentId translations { languageCode name } }
  }
}
"""

"""Customers, orders and parcels of shop_small in a Vendure server, through its Admin API."""

from tests.platforms.vendure_seeds import ID, Seeds, load
from tests.platforms.vendure_server import VendureServer


def _address_input(address: dict) -> dict:
    return {
        "streetLine1": address["line1"],
        "streetLine2": address["line2"],
        "postalCode": address["postcode"],
        "city": address["city"],
        "province": address["region"],
        "countryCode": address["country"],
    }


def add_customer(server: VendureServer, seeds: Seeds, customer: dict) -> None:
    """Create a customer with their default address and group."""
    customer_id = server.admin(
        "mutation($i: CreateCustomerInput!) { createCustomer(input: $i)"
        " { __typename ... on Customer { id } ... on ErrorResult { errorCode message } } }",
        i={
            "firstName": customer["first_name"],
            "lastName": customer["last_name"],
            "emailAddress": customer["email"],
            "phoneNumber": customer["phone"],
        },
    )["createCustomer"]["id"]
    seeds.customers[customer["id"]] = customer_id
    server.admin(
        "mutation($c: ID!, $i: CreateAddressInput!) {"
        f" createCustomerAddress(customerId: $c, input: $i) {ID} }}",
        c=customer_id,
        i=_address_input(customer["address"]) | {"defaultShippingAddress": True},
    )
    if customer["tier"] != "standard":
        server.admin(
            "mutation($n: String!, $c: [ID!]) {"
            f" createCustomerGroup(input: {{name: $n, customerIds: $c}}) {ID} }}",
            n=customer["tier"].title(),
            c=[customer_id],
        )


def add_order(server: VendureServer, seeds: Seeds, order: dict) -> None:
    """Place, pay and send an order."""
    order_id = server.admin(f"mutation {{ createDraftOrder {ID} }}")["createDraftOrder"]["id"]
    for line in order["lines"]:
        _add_line(server, seeds, order, line, order_id)
    error = "__typename ... on Order { id } ... on ErrorResult { errorCode message }"
    steps = (
        f"customer: setCustomerForDraftOrder(orderId: $o, customerId: $c) {{ {error} }}"
        f" address: setDraftOrderShippingAddress(orderId: $o, input: $a) {ID}"
        f" way: setDraftOrderShippingMethod(orderId: $o, shippingMethodId: 1) {{ {error} }}"
    )
    if order["discount_minor"]:
        steps += (
            f' less: applyCouponCodeToDraftOrder(orderId: $o, couponCode: "LESS25") {{{error}}}'
        )
    steps += f' pays: transitionOrderToState(id: $o, state: "ArrangingPayment") {{ {error} }}'
    steps += (
        " paid: addManualPaymentToOrder(input: {orderId: $o, method: $m, metadata: {}})"
        " { __typename ... on Order { id code state totalWithTax payments { id } }"
        " ... on ErrorResult { errorCode message } }"
    )
    paid = server.admin(
        f"mutation($o: ID!, $c: ID!, $a: CreateAddressInput!, $m: String!) {{ {steps} }}",
        o=order_id,
        c=seeds.customers[order["customer_id"]],
        a=_address_input(order["address"]),
        m=order["payments"][0]["method_id"],
    )["paid"]
    assert paid["code"] == order["number"], paid
    assert paid["totalWithTax"] == order["payments"][0]["amount_minor"], paid
    seeds.orders[order["number"]] = order_id
    seeds.payments[order["number"]] = paid["payments"][0]["id"]
    _ship(server, seeds, order, order_id)
    for line in order["lines"]:
        _price(server, seeds.variants[line["variant_id"]], _price_now(line["variant_id"]))


def _add_line(server: VendureServer, seeds: Seeds, order: dict, line: dict, order_id: str) -> None:
    variant_id = seeds.variants[line["variant_id"]]
    _price(server, variant_id, line["unit_price_minor"])
    data = server.admin(
        "mutation($o: ID!, $i: AddItemToDraftOrderInput!) {"
        " addItemToDraftOrder(orderId: $o, input: $i) { __typename"
        " ... on Order { lines { id } } ... on ErrorResult { errorCode message } } }",
        o=order_id,
        i={"productVariantId": variant_id, "quantity": line["quantity"]},
    )["addItemToDraftOrder"]
    seeds.lines[order["number"], line["id"]] = data["lines"][-1]["id"]


def _price_now(variant_id: str) -> int:
    variants = [v for p in load("products") for v in p["variants"]]
    return next(v["price_minor"] for v in variants if v["id"] == variant_id)


def _price(server: VendureServer, variant_id: str, price: int) -> None:
    _update(server, variant_id, price=price)


def _update(server: VendureServer, variant_id: str, **fields) -> None:
    server.admin(
        f"mutation($i: [UpdateProductVariantInput!]!) {{ updateProductVariants(input: $i) {ID} }}",
        i=[{"id": variant_id, **fields}],
    )


def _ship(server: VendureServer, seeds: Seeds, order: dict, order_id: str) -> None:
    states = {"shipped": ["Shipped"], "delivered": ["Shipped", "Delivered"]}
    for shipment in order["shipments"]:
        quantities = {line["id"]: line["quantity"] for line in order["lines"]}
        data = server.admin(
            "mutation($i: FulfillOrderInput!) { addFulfillmentToOrder(input: $i)"
            " { __typename ... on Fulfillment { id } ... on ErrorResult { errorCode message } } }",
            i={
                "lines": [
                    {"orderLineId": seeds.lines[order["number"], x], "quantity": quantities[x]}
                    for x in shipment["line_ids"]
                ],
                "handler": {
                    "code": "manual-fulfillment",
                    "arguments": [
                        {"name": "method", "value": shipment["carrier"]},
                        {"name": "trackingCode", "value": shipment["tracking_number"]},
                    ],
                },
            },
        )["addFulfillmentToOrder"]
        for state in states[order["status"]]:
            server.admin(
                "mutation($f: ID!, $s: String!) { transitionFulfillmentToState(id: $f, state: $s)"
                " { __typename ... on ErrorResult { errorCode message } } }",
                f=data["id"],
                s=state,
            )


def set_stock(server: VendureServer, seeds: Seeds) -> None:
    """Give every variant the stock of the folder, on top of what open orders hold."""
    for product in load("products"):
        for variant in product["variants"]:
            variant_id = seeds.variants[variant["id"]]
            data = server.admin(
                "query($v: ID!) { productVariant(id: $v) { stockLevels { stockAllocated } } }",
                v=variant_id,
            )
            held = sum(x["stockAllocated"] for x in data["productVariant"]["stockLevels"])
            _update(server, variant_id, stockOnHand=(variant["stock"] or 0) + held)

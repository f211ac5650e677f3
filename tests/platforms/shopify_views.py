"""What the store in memory answers to queries, in the shapes of Shopify's schema."""

import re

from tests.platforms.shopify_store import gid, tail


def roots(store):
    """Return the resolvers of QueryRoot."""
    return {
        "order": lambda _, id_: order(store, store.orders.get(tail(id_))),
        "orders": lambda _, query="", **_more: _orders(store, query),
        "customer": lambda _, id_: customer(store, tail(id_)),
        "customerByIdentifier": lambda _, identifier: _by_identifier(store, identifier),
        "customers": lambda _, query="", **_more: _customers(store, query),
        "product": lambda _, id_: product(store, tail(id_)),
        "productVariant": lambda _, id_: variant(store, tail(id_)),
        "products": lambda _, **_more: [product(store, p) for p in store.products],
        "collections": lambda _, **_more: [_collection(c) for c in store.categories],
        "node": lambda _, id_: job(store.jobs[tail(id_)]),
        "return": lambda _, id_: _return(store, tail(id_)),
        "returnableFulfillments": lambda _, order_id, **_more: _returnable(store, order_id),
        "returnCalculate": lambda _, input_: _calculate(store, input_),
        "draftOrder": lambda _, id_: draft(store, tail(id_)),
        "draftOrders": lambda _, **_more: [draft(store, d) for d in store.drafts],
    }


def order(store, record):
    if record is None:
        return None
    cancelled = record.cancelled or {}
    total = record.total()
    sent = {p["line"] for f in record.fulfillments for p in f["lines"]}
    whole = all(line["id"] in sent for line in record.lines if line["current"])
    return {
        "id": gid("Order", record.id),
        "name": record.name,
        "createdAt": record.created_at,
        "processedAt": record.created_at,
        "updatedAt": record.updated_at,
        "cancelledAt": cancelled.get("at"),
        "cancelReason": cancelled.get("reason"),
        "cancellation": {"staffNote": cancelled["note"]} if cancelled else None,
        "displayFulfillmentStatus": _fulfillment(record, whole=whole),
        "edited": record.edited,
        "merchantEditable": not record.fulfillments and not cancelled,
        "taxesIncluded": store.taxes_included,
        "presentmentCurrencyCode": store.currency,
        "fullyPaid": record.paid() >= total,
        "customer": lambda: customer(store, record.customer_id),
        "shippingAddress": record.address,
        "currentTotalPriceSet": store.bag(total),
        "currentTotalTaxSet": store.bag(total * 19 // 119),
        "currentShippingPriceSet": store.bag(record.shipping),
        "totalOutstandingSet": store.bag(0 if cancelled else total - record.paid()),
        "lineItems": [line_item(store, line) for line in record.lines],
        "fulfillments": [_parcel(store, record, f) for f in record.fulfillments],
        "transactions": [_transaction(store, t) for t in record.transactions],
        "refunds": [_refund(store, record, r) for r in record.refunds],
        "returns": [a_return(store, record, r) for r in record.returns],
        "metafields": _fields(store, gid("Order", record.id)),
        "metafield": lambda key: _by_key(store, gid("Order", record.id), key),
        "suggestedRefund": lambda: {"maximumRefundableSet": store.bag(record.paid())},
    }


def _fulfillment(record, *, whole):
    if record.cancelled or not record.fulfillments:
        return "UNFULFILLED"
    return "FULFILLED" if whole else "PARTIALLY_FULFILLED"


def line_item(store, line):
    return {
        "id": gid("LineItem", line["id"]),
        "title": line["title"],
        "quantity": line["quantity"],
        "currentQuantity": line["current"],
        "product": {"id": gid("Product", line["product"])},
        "variant": variant(store, line["variant"]),
        "discountedUnitPriceAfterAllDiscountsSet": store.bag(line["unit"]),
    }


def _parcel(store, record, item):
    return {
        "id": gid("Fulfillment", item["id"]),
        "status": "SUCCESS",
        "displayStatus": item["display"],
        "createdAt": item["shipped"],
        "inTransitAt": item["shipped"],
        "estimatedDeliveryAt": item["estimated"],
        "deliveredAt": item["delivered"],
        "trackingInfo": [{"company": item["company"], "number": item["number"]}],
        "events": [
            {
                "happenedAt": event["at"],
                "status": "CARRIER_PICKED_UP",
                "message": event["text"],
                "city": event["city"],
                "country": None,
            }
            for event in item["events"]
        ],
        "fulfillmentLineItems": [_part(store, record, part) for part in item["lines"]],
    }


def _part(store, record, part):
    line = next(x for x in record.lines if x["id"] == part["line"])
    return {
        "id": gid("FulfillmentLineItem", part["id"]),
        "quantity": part["quantity"],
        "lineItem": line_item(store, line),
    }


def _transaction(store, item):
    card = item["card"]
    return {
        "id": gid("OrderTransaction", item["id"]),
        "kind": item["kind"],
        "status": item["status"],
        "gateway": item["gateway"],
        "processedAt": item["at"],
        "amountSet": store.bag(item["amount"]),
        "parentTransaction": {"id": gid("OrderTransaction", item["parent"])}
        if item["parent"]
        else None,
        "paymentDetails": {"__typename": "CardPaymentDetails", **card} if card else None,
    }


def _refund(store, record, item):
    moved = [t for t in record.transactions if t["id"] in item["transactions"]]
    return {
        "id": gid("Refund", item["id"]),
        "note": item["note"],
        "createdAt": item["at"],
        "transactions": [_transaction(store, t) for t in moved],
    }


def a_return(store, record, item):
    lines = []
    for entry in item["lines"]:
        part, line = store.part(record, entry["part"])
        lines.append({
            "__typename": "ReturnLineItem",
            "id": gid("ReturnLineItem", entry["id"]),
            "quantity": entry["quantity"],
            "processedQuantity": item["processed"],
            "returnReasonNote": entry["note"],
            "customerNote": entry["customer"] or None,
            "fulfillmentLineItem": _part(store, record, part),
            "withCodeDiscountedTotalPriceSet": store.bag(line["unit"] * entry["quantity"]),
        })
    delivery = {"__typename": "ReverseDeliveryShippingDeliverable"}
    delivery |= {"label": item["label"], "tracking": item["tracking"]}
    deliveries = [{"deliverable": delivery}] if item["label"] or item["tracking"] else []
    return {
        "id": gid("Return", item["id"]),
        "status": item["status"],
        "createdAt": item["created"],
        "closedAt": None,
        "order": lambda: order(store, record),
        "returnShippingFees": [{"amountSet": store.bag(item["fee"])}] if item["fee"] else [],
        "returnLineItems": lines,
        "exchangeLineItems": [
            {
                "id": gid("ExchangeLineItem", e["id"]),
                "quantity": e["quantity"],
                "variantId": gid("ProductVariant", e["variant"]),
            }
            for e in item["exchanges"]
        ],
        "reverseFulfillmentOrders": [{"reverseDeliveries": deliveries}],
    }


def customer(store, customer_id):
    person = store.customers.get(customer_id)
    if person is None:
        return None
    credit = store.credit.get(customer_id)
    accounts = [{"id": gid("StoreCreditAccount", customer_id), "balance": store.money(credit or 0)}]
    return {
        "id": gid("Customer", customer_id),
        "firstName": person["first"],
        "lastName": person["last"],
        "locale": person["locale"],
        "tags": person["tags"],
        "createdAt": person["created"],
        "defaultEmailAddress": {"emailAddress": person["email"]},
        "defaultPhoneNumber": {"phoneNumber": person["phone"]} if person["phone"] else None,
        "defaultAddress": person["default"],
        "addressesV2": person["book"],
        "storeCreditAccounts": accounts if credit is not None else [],
        "orders": lambda: [
            order(store, o)
            for o in sorted(store.orders.values(), key=lambda o: o.created_at)
            if o.customer_id == customer_id
        ],
    }


def _orders(store, query):
    names = {name.casefold() for name in re.findall(r'name:"([^"]*)"', query)}
    return [order(store, o) for o in store.orders.values() if o.name.casefold() in names]


def _by_identifier(store, identifier):
    ((kind, value),) = identifier.items()
    field = {"emailAddress": "email", "phoneNumber": "phone"}[kind]
    for person in store.customers.values():
        if person[field] and person[field].casefold() == value.casefold():
            return customer(store, person["id"])
    return None


def _customers(store, query):
    field, text = re.fullmatch(r'(first|last)_name:"(.*)"', query).groups()
    found = [p for p in store.customers.values() if p[field].casefold() == text.casefold()]
    return [customer(store, person["id"]) for person in found]


def product(store, product_id):
    item = store.products.get(product_id)
    if item is None:
        return None
    flags = {"hygiene": item.hygiene, "personalised": item.personalised}
    tags = [*item.tags, *(tag for tag, is_set in flags.items() if is_set)]
    return {
        "id": gid("Product", item.id),
        "title": item.title["en"],
        "description": item.description.get("en", ""),
        "vendor": item.brand,
        "productType": "",
        "status": "ACTIVE",
        "tags": tags if item.returnable else [*tags, "final-sale"],
        "featuredMedia": None,
        "translations": _translations("title", item.title),
        "options": [_option(store, item, name) for name in item.option_names],
        "collections": [{"handle": item.category}],
        "metafields": [
            {"key": key, "type": "boolean", "value": str(value).lower()}
            for key, value in item.attributes.items()
        ],
        "variants": lambda: [variant(store, v.id) for v in item.variants],
    }


def _option(store, item, name):
    words = store.vocabulary.values.get(name, {})
    values = dict.fromkeys(v.options[name] for v in item.variants)
    return {
        "name": name,
        "translations": _translations("name", store.vocabulary.option_names.get(name, {})),
        "optionValues": [
            {
                "name": value,
                "translations": _translations(
                    "name", {la: w[0] for la, w in words.get(value, {}).items()}
                ),
            }
            for value in values
        ],
    }


def _translations(key, texts):
    return [{"key": key, "value": texts["de"]}] if "de" in texts else []


def variant(store, variant_id):
    if variant_id not in store.variants:
        return None
    item, version = store.variants[variant_id]
    stock = store.stock[variant_id]
    options = version.options or {"Title": "Default Title"}
    return {
        "id": gid("ProductVariant", variant_id),
        "price": store.money(store.prices[variant_id])["amount"],
        "availableForSale": stock is None or stock > 0,
        "inventoryQuantity": stock or 0,
        "inventoryPolicy": "DENY",
        "selectedOptions": [{"name": n, "value": v} for n, v in options.items()],
        "inventoryItem": {"tracked": stock is not None},
        "product": lambda: product(store, item.id),
    }


def _collection(category):
    return {
        "handle": category.id,
        "title": category.title["en"],
        "translations": _translations("title", category.title),
    }


def job(item):
    return {
        "__typename": "OrderCancelJobResult",
        "id": gid("OrderCancelJobResult", item["id"]),
        "done": item["done"],
        "status": item["status"],
        "errors": item["errors"],
    }


def _return(store, return_id):
    for record in store.orders.values():
        for item in record.returns:
            if item["id"] == return_id:
                return a_return(store, record, item)
    return None


def _returnable(store, order_gid):
    record = store.orders[tail(order_gid)]
    parts = [
        {"quantity": left, "fulfillmentLineItem": _part(store, record, part)}
        for _, part, left in store.returnable(record)
        if left > 0
    ]
    return [{"returnableFulfillmentLineItems": parts}] if parts else []


def _calculate(store, given):
    record = store.orders[tail(given["orderId"])]
    back = []
    for line in given["returnLineItems"]:
        _, item = store.part(record, tail(line["fulfillmentLineItemId"]))
        total = store.bag(item["unit"] * line["quantity"])
        back.append({"quantity": line["quantity"], "subtotalSet": total})
    new = [
        {
            "quantity": line["quantity"],
            "subtotalSet": store.bag(store.prices[tail(line["variantId"])] * line["quantity"]),
        }
        for line in given["exchangeLineItems"]
    ]
    return {"returnLineItems": back, "exchangeLineItems": new}


def draft(store, draft_id):
    item = store.drafts.get(draft_id)
    if item is None:
        return None
    record = store.orders.get(item["order"])
    goods = sum(store.prices[x["variant"]] * x["quantity"] for x in item["lines"])
    return {
        "id": gid("DraftOrder", draft_id),
        "status": item["status"],
        "createdAt": item["created"],
        "completedAt": item["completed"],
        "invoiceUrl": item["url"],
        "presentmentCurrencyCode": store.currency,
        "customer": lambda: customer(store, item["customer"]),
        "shippingAddress": item["address"],
        "totalPriceSet": store.bag(goods + item["shipping"]),
        "totalShippingPriceSet": store.bag(item["shipping"]),
        "lineItems": [
            {
                "quantity": x["quantity"],
                "variant": variant(store, x["variant"]),
                "originalUnitPriceSet": store.bag(store.prices[x["variant"]]),
            }
            for x in item["lines"]
        ],
        "order": order(store, record) if record else None,
        "metafield": lambda key: _by_key(store, gid("DraftOrder", draft_id), key),
    }


def _fields(store, owner):
    return [_field(item) for item in store.fields.get(owner, {}).values()]


def _by_key(store, owner, key):
    found = store.fields.get(owner, {}).get(key)
    return _field(found) if found else None


def _field(item):
    return {"key": item["key"], "value": item["value"], "compareDigest": item["digest"]}

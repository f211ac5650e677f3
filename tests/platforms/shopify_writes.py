"""What the store in memory does at mutations, and how it refuses."""

import json

from graphql import GraphQLError
from graphql.execution import get_directive_values

from tests.platforms.shopify_store import gid, tail
from tests.platforms.shopify_views import a_return, draft, job, order, variant


def roots(store):
    """Return the resolvers of Mutation."""
    handlers = {
        "metafieldsSet": _metafields_set,
        "orderCancel": _order_cancel,
        "orderUpdate": _order_update,
        "orderEditBegin": _edit_begin,
        "orderEditAddVariant": _edit_add,
        "orderEditSetQuantity": _edit_set,
        "orderEditCommit": _edit_commit,
        "refundCreate": _refund_create,
        "returnCreate": _return_create,
        "returnRequest": _return_request,
        "customerAddressUpdate": _address_update,
        "customerAddressCreate": _address_create,
        "customerUpdateDefaultAddress": _address_default,
        "draftOrderCalculate": _draft_calculate,
        "draftOrderCreate": _draft_create,
        "draftOrderDelete": _draft_delete,
    }
    return {name: _bound(handler, store) for name, handler in handlers.items()}


def _bound(handler, store):
    return lambda info, **arguments: handler(store, info, **arguments)


def _error(message, *, code=None, field=None):
    return {"field": field, "message": message, "code": code}


def _metafields_set(store, _, metafields):
    for given in metafields:
        present = store.fields.get(given["ownerId"], {}).get(given["key"])
        if "compareDigest" in given:
            digest = present["digest"] if present else None
            if digest != given["compareDigest"]:
                stale = _error("The resource has been updated", code="STALE_OBJECT")
                return {"metafields": None, "userErrors": [stale]}
    done = []
    for given in metafields:
        json.loads(given["value"])
        store.set_field(given["ownerId"], given["key"], given["value"])
        present = store.fields[given["ownerId"]][given["key"]]
        done.append({"key": present["key"], "compareDigest": present["digest"]})
        record = store.orders.get(tail(given["ownerId"]))
        if record:
            store.touch(record)
    return {"metafields": done, "userErrors": []}


def _order_cancel(store, _, order_id, reason, **more):
    record = store.orders.get(tail(order_id))
    if record is None:
        return _cancel_refused("Order does not exist", "NOT_FOUND")
    if record.cancelled:
        return _cancel_refused("Order has already been canceled", "INVALID")
    if record.fulfillments:
        return _cancel_refused("Cannot cancel an order with fulfillments", "INVALID")

    def work(item):
        if record.cancelled:
            item |= {"status": "FAILED", "errors": [{"code": "INVALID"}]}
            return
        if more["refund_method"].get("originalPaymentMethodsRefund"):
            parts = [(t, record.refundable(t)) for t in list(record.transactions)]
            store.refund(record, None, [(t, n) for t, n in parts if t["kind"] == "SALE" and n])
        for line in record.lines:
            if more["restock"] and store.stock[line["variant"]] is not None:
                store.stock[line["variant"]] += line["current"]
            line["current"] = 0
        record.cancelled = {"at": store.now(), "reason": reason, "note": more.get("staff_note")}
        store.touch(record)
        item["status"] = "SUCCEEDED"

    return {"jobResult": job(store.soon(work)), "orderCancelUserErrors": []}


def _cancel_refused(message, code):
    return {"jobResult": None, "orderCancelUserErrors": [_error(message, code=code)]}


def _order_update(store, _, input_):
    record = store.orders.get(tail(input_["id"]))
    if record is None:
        return {"order": None, "userErrors": [_error("Order does not exist", field=["id"])]}
    record.address = store.place_of(input_["shippingAddress"], record.address)
    for given in input_.get("metafields", ()):
        store.set_field(input_["id"], given["key"], given["value"])
    store.touch(record)
    return {"order": order(store, record), "userErrors": []}


def _edit_begin(store, _, id_):
    record = store.orders[tail(id_)]
    if record.fulfillments or record.cancelled:
        return {"calculatedOrder": None, "userErrors": [_error("The order can't be edited")]}
    edit = {"id": store.next_id(), "order": record, "changes": {}, "added": [], "open": True}
    store.edits[edit["id"]] = edit
    return {"calculatedOrder": _calculated(store, edit), "userErrors": []}


def _calculated(store, edit):
    record = edit["order"]
    lines = [
        (x["id"], x["variant"], edit["changes"].get(x["id"], x["current"]), x["unit"])
        for x in record.lines
    ]
    lines += [(n, v, q, store.prices[v]) for n, v, q in edit["added"]]
    total = sum(q * unit for _, _, q, unit in lines) + record.shipping
    return {
        "id": gid("CalculatedOrder", edit["id"]),
        "totalPriceSet": store.bag(total),
        "totalOutstandingSet": store.bag(total - record.paid()),
        "lineItems": [
            {"id": gid("CalculatedLineItem", n), "quantity": q, "variant": variant(store, v)}
            for n, v, q, _ in lines
        ],
    }


def _edit_add(store, _, id_, variant_id, quantity, **_more):
    edit = store.edits[tail(id_)]
    edit["added"].append((store.next_id(), tail(variant_id), quantity))
    return {"calculatedOrder": _calculated(store, edit), "userErrors": []}


def _edit_set(store, _, id_, line_item_id, quantity, **_more):
    edit = store.edits[tail(id_)]
    edit["changes"][tail(line_item_id)] = quantity
    return {"calculatedOrder": _calculated(store, edit), "userErrors": []}


def _edit_commit(store, _, id_, **_more):
    edit = store.edits[tail(id_)]
    if not edit["open"]:
        return {"order": None, "userErrors": [_error("The edit has been committed")]}
    edit["open"] = False
    record = edit["order"]
    for line in record.lines:
        after = edit["changes"].get(line["id"], line["current"])
        if store.stock[line["variant"]] is not None:
            store.stock[line["variant"]] += line["current"] - after
        line["current"] = after
    for line_id, variant_id, quantity in edit["added"]:
        record.lines.append(store.line(line_id, variant_id, quantity, store.prices[variant_id]))
        if store.stock[variant_id] is not None:
            store.stock[variant_id] -= quantity
    record.edited = True
    store.touch(record)
    return {"order": order(store, record), "userErrors": []}


def _refund_create(store, info, input_):
    directive = info.schema.get_directive("idempotent")
    values = get_directive_values(directive, info.field_nodes[0], info.variable_values)
    if not values:
        raise GraphQLError("An idempotency key is required", extensions={"code": "BAD_REQUEST"})
    text = json.dumps(input_, sort_keys=True, default=str)
    known = store.keys.get(values["key"])
    if known is not None:
        if known[0] == text:
            return known[1]
        message = "The same idempotency key cannot be used with different operation parameters."
        return {"refund": None, "userErrors": [_error(message)]}
    payload = _refund(store, input_)
    if not payload["userErrors"]:
        store.keys[values["key"]] = (text, payload)
    return payload


def _refund(store, given):
    record = store.orders[tail(given["orderId"])]
    transactions = {t["id"]: t for t in record.transactions}
    parts = []
    for item in given.get("transactions", ()):
        parent = transactions.get(tail(item["parentId"]))
        amount = round(float(item["amount"]) * 100)
        if parent is None or amount > record.refundable(parent):
            message = "Refund amount exceeds the maximum refundable amount"
            return {"refund": None, "userErrors": [_error(message, field=["transactions"])]}
        parts.append((parent, amount))
    for item in given.get("refundMethods", ()):
        money = item["storeCreditRefund"]["amount"]
        parts.append((None, round(float(money["amount"]) * 100)))
    if sum(amount for _, amount in parts) > record.paid():
        message = "Refund amount exceeds the maximum refundable amount"
        return {"refund": None, "userErrors": [_error(message)]}
    refund = store.refund(record, given.get("note"), parts)
    return {"refund": {"id": gid("Refund", refund["id"])}, "userErrors": []}


def _return_create(store, _, return_input):
    lines = [
        (tail(x["fulfillmentLineItemId"]), x["quantity"], x.get("returnReasonNote", ""), "")
        for x in return_input["returnLineItems"]
    ]
    exchanges = [
        (tail(x["variantId"]), x["quantity"]) for x in return_input.get("exchangeLineItems", ())
    ]
    return _register(store, return_input, lines, "OPEN", exchanges)


def _return_request(store, _, input_):
    lines = [
        (tail(x["fulfillmentLineItemId"]), x["quantity"], "", x.get("customerNote") or "")
        for x in input_["returnLineItems"]
    ]
    return _register(store, input_, lines, "REQUESTED", ())


def _register(store, given, lines, status, exchanges):
    record = store.orders[tail(given["orderId"])]
    left = {part["id"]: n for _, part, n in store.returnable(record)}
    if any(quantity > left.get(part, 0) for part, quantity, *_ in lines):
        error = _error("Quantity is not returnable", code="INVALID", field=["returnLineItems"])
        return {"return": None, "userErrors": [error]}
    money = (given.get("returnShippingFee") or {}).get("amount", {"amount": "0"})
    fee = round(float(money["amount"]) * 100)
    item = store.send_back(record, lines, status, exchanges, fee)
    return {"return": a_return(store, record, item), "userErrors": []}


def _address_update(store, _, customer_id, address_id, address, **_more):
    person = store.customers[tail(customer_id)]
    place = store.place_of(address, {"id": address_id})
    person["book"] = [place if p["id"] == address_id else p for p in person["book"]]
    person["default"] = place
    return {"address": place, "userErrors": []}


def _address_create(store, _, customer_id, address, **_more):
    person = store.customers[tail(customer_id)]
    place = store.place_of(address)
    person["book"].append(place)
    person["default"] = place
    return {"address": place, "userErrors": []}


def _address_default(store, _, customer_id, address_id):
    person = store.customers[tail(customer_id)]
    person["default"] = next(p for p in person["book"] if p["id"] == address_id)
    return {"customer": {"id": customer_id}, "userErrors": []}


def _draft_record(store, given):
    price = given["shippingLine"]["priceWithCurrency"]
    return {
        "status": "OPEN",
        "created": store.now(),
        "completed": None,
        "url": None,
        "customer": tail(given["purchasingEntity"]["customerId"]),
        "address": store.place_of(given["shippingAddress"]),
        "shipping": round(float(price["amount"]) * 100),
        "lines": [
            {"variant": tail(x["variantId"]), "quantity": x["quantity"]} for x in given["lineItems"]
        ],
        "order": None,
    }


def _draft_calculate(store, _, input_):
    store.drafts["preview"] = _draft_record(store, input_)
    view = draft(store, "preview")
    del store.drafts["preview"]
    return {"calculatedDraftOrder": view, "userErrors": []}


def _draft_create(store, _, input_):
    draft_id = store.next_id()
    store.drafts[draft_id] = _draft_record(store, input_)
    store.drafts_made += 1
    for given in input_.get("metafields", ()):
        store.set_field(gid("DraftOrder", draft_id), given["key"], given["value"])

    def work(_job):
        store.drafts[draft_id]["url"] = f"https://small.example/invoices/{draft_id}"

    store.soon(work)
    return {"draftOrder": draft(store, draft_id), "userErrors": []}


def _draft_delete(store, _, input_):
    item = store.drafts.get(tail(input_["id"]))
    if item is None:
        return {"deletedId": None, "userErrors": [_error("Draft order does not exist")]}
    if item["status"] == "COMPLETED":
        return {"deletedId": None, "userErrors": [_error("A completed draft can't be deleted")]}
    del store.drafts[tail(input_["id"])]
    return {"deletedId": input_["id"], "userErrors": []}

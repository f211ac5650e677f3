"""One real server for all tests of the interfaces, and the people of its demo shop."""

import msgspec
import pytest

from tests.integration.server import ROOT, Server


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("server")).start()
    yield server
    server.stop()


@pytest.fixture
def client(server):
    with server.client() as client:
        yield client


@pytest.fixture(scope="session")
def pending_orders():
    """Return (order, customer) of customers with exactly one pending order, none alike."""
    folder = ROOT / "data" / "demo_shop"
    customers = {c["id"]: c for c in msgspec.json.decode((folder / "customers.json").read_bytes())}
    orders = msgspec.json.decode((folder / "orders.json").read_bytes())
    pending = [order for order in orders if order["status"] == "pending"]
    owners = [order["customer_id"] for order in pending]
    found = [
        (order, customers[order["customer_id"]])
        for order in pending
        if owners.count(order["customer_id"]) == 1 and not order.get("items_modified")
    ]
    assert len(found) >= 3
    return found

"""Customers and catalogue of the demo shop."""

from collections import defaultdict

import msgspec
import phonenumbers
from sqlmodel import Session, col, select

from actions.commerce.models import Category, Customer, Product, Variant, Vocabulary
from actions.commerce.ports import Catalog, Customers
from actions.commerce.requests import ChangeDefaultAddress, CustomerFacts
from actions.commerce.spelling import plain_key
from actions.commerce.sql import ShopDatabase, customer_row, product_record, variant_row
from actions.commerce.sql_tables import (
    CategoryRow,
    CustomerRow,
    MetaRow,
    OrderRow,
    ProductRow,
    VariantRow,
    product_of,
    record_of,
    store,
)


class SqlCustomers(Customers):
    """Customers in the shop's tables."""

    def __init__(self, database: ShopDatabase, country: str) -> None:
        """Look people up in `database`.

        Args:
            database: the shop.
            country: ISO code that local phone numbers belong to.
        """
        self._database = database
        self._country = country

    async def find(self, facts: CustomerFacts) -> tuple[Customer, ...]:
        """Return the customers for whom every given fact holds; none for no facts."""
        wanted = {
            CustomerRow.email_key: facts.email.strip().casefold(),
            CustomerRow.phone_key: _digits(facts.phone, self._country),
            CustomerRow.first_name_key: plain_key(facts.first_name),
            CustomerRow.last_name_key: plain_key(facts.last_name),
            CustomerRow.postcode_key: plain_key(facts.postcode),
        }
        number_key = plain_key(facts.order_number)

        def work(session: Session) -> tuple[Customer, ...]:
            statement = select(CustomerRow)
            for column, value in wanted.items():
                if value:
                    statement = statement.where(column == value)
            if number_key:
                owner = select(OrderRow.customer_id).where(OrderRow.number_key == number_key)
                statement = statement.where(CustomerRow.id == owner.scalar_subquery())
            rows = session.exec(statement.order_by(col(CustomerRow.position))).all()
            return tuple(record_of(row, Customer) for row in rows)

        given = [text for text in msgspec.structs.astuple(facts) if text.strip()]
        matched = [value for value in (*wanted.values(), number_key) if value]
        if not given or len(given) != len(matched):
            return ()
        return await self._database.read(work)

    async def get(self, customer_id: str) -> Customer:
        """Return one customer; raises `NotFound`."""
        return await self._database.read(lambda session: customer_row(session, customer_id)[1])

    async def set_default_address(self, request: ChangeDefaultAddress, key: str) -> Customer:
        """Replace the default address and return the customer."""

        def work(session: Session) -> Customer:
            row, customer = customer_row(session, request.customer_id)
            result = msgspec.structs.replace(customer, address=request.address)
            store(session, row, result)
            return result

        return await self._database.once(key, request, Customer, work)


class SqlCatalog(Catalog):
    """Products in the shop's tables."""

    def __init__(self, database: ShopDatabase) -> None:
        """Read the catalogue of `database`."""
        self._database = database

    async def product(self, product_id: str) -> Product:
        """Return one product; raises `NotFound`."""
        return await self._database.read(lambda session: product_record(session, product_id))

    async def variant(self, variant_id: str) -> tuple[Product, Variant]:
        """Return one variant with its product; raises `NotFound`."""

        def work(session: Session) -> tuple[Product, Variant]:
            row, variant = variant_row(session, variant_id)
            return product_record(session, row.product_id), variant

        return await self._database.read(work)

    async def products(self) -> tuple[Product, ...]:
        """Return all products in the shop's order."""
        return await self._database.read(all_products)

    async def categories(self) -> tuple[Category, ...]:
        """Return all categories in the shop's order."""

        def work(session: Session) -> tuple[Category, ...]:
            rows = session.exec(select(CategoryRow).order_by(col(CategoryRow.position)))
            return tuple(record_of(row, Category) for row in rows)

        return await self._database.read(work)

    async def vocabulary(self) -> Vocabulary:
        """Return how options and values are called."""

        def work(session: Session) -> Vocabulary:
            row = session.get(MetaRow, "vocabulary")
            return msgspec.json.decode(row.value, type=Vocabulary) if row else Vocabulary()

        return await self._database.read(work)


def all_products(session: Session) -> tuple[Product, ...]:
    """Return all products with their variants, in the shop's order."""
    variants: dict[str, list[VariantRow]] = defaultdict(list)
    for variant in session.exec(select(VariantRow).order_by(col(VariantRow.position))):
        variants[variant.product_id].append(variant)
    rows = session.exec(select(ProductRow).order_by(col(ProductRow.position)))
    return tuple(product_of(row, variants[row.id]) for row in rows)


def _digits(phone: str, country: str) -> str:
    if not phone.strip():
        return ""
    try:
        number = phonenumbers.parse(phone, country)
    except phonenumbers.NumberParseException:
        return ""
    return f"{number.country_code}{number.national_number}"

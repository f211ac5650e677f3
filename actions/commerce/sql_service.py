"""Outbox and ratings of the demo shop."""

from sqlmodel import Session, col, select

from actions.commerce.errors import InvalidRequest
from actions.commerce.models import Feedback, Notification
from actions.commerce.ports import FeedbackBook, Notifications
from actions.commerce.requests import RecordFeedback, SendMessage
from actions.commerce.sql import ShopDatabase
from actions.commerce.sql_tables import (
    FeedbackRow,
    NotificationRow,
    next_number,
    record_of,
    values_of,
)

BEST_SCORE = 5


class SqlNotifications(Notifications):
    """The outbox table."""

    def __init__(self, database: ShopDatabase) -> None:
        """Keep messages in `database`."""
        self._database = database

    async def send(self, request: SendMessage, key: str) -> Notification:
        """Put a message into the outbox."""

        def work(session: Session) -> Notification:
            return put_into_outbox(self._database, session, request)

        return await self._database.once(key, request, Notification, work)

    async def sent_to(self, to: str) -> tuple[Notification, ...]:
        """Return what was sent to an address or number, the oldest first."""

        def work(session: Session) -> tuple[Notification, ...]:
            statement = select(NotificationRow).where(NotificationRow.to == to)
            rows = session.exec(statement.order_by(col(NotificationRow.position))).all()
            return tuple(record_of(row, Notification) for row in rows)

        return await self._database.read(work)


class SqlFeedback(FeedbackBook):
    """The ratings table."""

    def __init__(self, database: ShopDatabase) -> None:
        """Keep ratings in `database`."""
        self._database = database

    async def record(self, request: RecordFeedback, key: str) -> Feedback:
        """Keep a rating.

        Raises:
            InvalidRequest: the score is not 1 to 5.
        """
        if not 1 <= request.score <= BEST_SCORE:
            msg = f"score must be 1 to {BEST_SCORE}"
            raise InvalidRequest(msg)

        def work(session: Session) -> Feedback:
            result = Feedback(
                id=f"F{next_number(session, FeedbackRow):05d}",
                conversation_id=request.conversation_id,
                score=request.score,
                comment=request.comment,
                customer_id=request.customer_id,
                at=self._database.clock(),
            )
            session.add(FeedbackRow(**values_of(result)))
            return result

        return await self._database.once(key, request, Feedback, work)


def put_into_outbox(database: ShopDatabase, session: Session, request: SendMessage) -> Notification:
    """Add a message to the outbox within a transaction."""
    result = Notification(
        id=f"N{next_number(session, NotificationRow):05d}",
        kind=request.kind,
        to=request.to,
        subject=request.subject,
        body=request.body,
        at=database.clock(),
    )
    session.add(NotificationRow(**values_of(result)))
    session.flush()
    return result

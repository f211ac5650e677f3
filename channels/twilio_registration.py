"""Entering our webhook at Twilio: at a number for SMS, or at a messaging service."""

from twilio.base.exceptions import TwilioException
from twilio.rest import Client

from channels.push import SendFailed, would

_UNREADABLE = (TwilioException, ValueError, KeyError, TypeError, AttributeError)


class Registration:
    """Sets one account's webhooks up, as far as Twilio's API lets us."""

    def __init__(self, client: Client, url: str, *, dry_run: bool) -> None:
        """Enter `url` through `client`, or with `dry_run` only look."""
        self._client = client
        self._url = url
        self._dry_run = dry_run

    async def run(self, number: str, service: str, whatsapp: str) -> list[str]:
        """Enter the webhook where it is not yet; return a line for each place.

        Args:
            number: the one for SMS; empty for none.
            service: the messaging service's SID; empty for none.
            whatsapp: the WhatsApp address; empty for none.

        Raises:
            SendFailed: Twilio did not take it, or has no such number.
        """
        told: list[str] = []
        try:
            if service:
                told.append(await self._service(service))
            elif number:
                told.append(await self._number(number))
        except _UNREADABLE as error:
            raise SendFailed("unreadable", "Twilio's answer cannot be read") from error
        if whatsapp and not service:
            told.append(f"by hand: {self._url} at the WhatsApp sender, or in the sandbox")
        return told

    async def _number(self, number: str) -> str:
        """Enter the webhook at a number.

        Raises:
            SendFailed: the account has no such number, or Twilio did not take it.
        """
        listed = await self._client.incoming_phone_numbers.list_async(phone_number=number, limit=1)
        if not listed:
            raise SendFailed("no_number", f"the account has no number {number}")
        if (listed[0].sms_url, listed[0].sms_method) == (self._url, "POST"):
            return f"as it should be: {number} delivers to {self._url}"
        if not self._dry_run:
            await listed[0].update_async(sms_url=self._url, sms_method="POST")
        before = listed[0].sms_url or "nowhere"
        return f"{would(self._dry_run)}: {number} delivers to {self._url}, until now {before}"

    async def _service(self, service: str) -> str:
        """Enter the webhook at a messaging service, for all of its numbers.

        Raises:
            SendFailed: Twilio did not take it.
        """
        known = await self._client.messaging.v1.services(service).fetch_async()
        uses_own = known.use_inbound_webhook_on_number is False
        if uses_own and (known.inbound_request_url, known.inbound_method) == (self._url, "POST"):
            return f"as it should be: the messaging service delivers to {self._url}"
        before = known.inbound_request_url or "nowhere"
        if not self._dry_run:
            await known.update_async(
                inbound_request_url=self._url,
                inbound_method="POST",
                use_inbound_webhook_on_number=False,
            )
        return (
            f"{would(self._dry_run)}: the messaging service delivers to {self._url}, "
            f"until now {before}"
        )

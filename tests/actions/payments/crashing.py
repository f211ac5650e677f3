"""A provider whose caller dies at a chosen place."""

from actions.payments.ports import PaymentProvider


class Died(BaseException):
    """The process is gone; nothing that handles errors gets to see it."""


class CrashingProvider(PaymentProvider):
    """Passes on to a real provider, and dies once before or after a call."""

    def __init__(self, inner, method, place):
        self.inner = inner
        self.method = method
        self.place = place

    async def _call(self, method, *args):
        dies = self.method == method
        if dies and self.place == "before":
            self.method = ""
            raise Died
        answer = await getattr(self.inner, method)(*args)
        if dies:
            self.method = ""
            raise Died
        return answer

    async def open_checkout(self, request, key):
        return await self._call("open_checkout", request, key)

    async def get(self, checkout_id):
        return await self._call("get", checkout_id)

    async def expire(self, checkout_id):
        return await self._call("expire", checkout_id)

    async def refund(self, request, key):
        return await self._call("refund", request, key)

    def read_webhook(self, headers, body):
        return self.inner.read_webhook(headers, body)

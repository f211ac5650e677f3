"""Where Twilio's numbers and messaging services deliver, as its API tells and changes it."""

from urllib.parse import parse_qsl

from starlette.responses import JSONResponse
from starlette.routing import Route

NUMBER_SID = "PN0123456789abcdef0123456789abcdef"


class SetupFake:
    """One number and one messaging service."""

    def __init__(self, api, number, service):
        self.number = {
            "sid": NUMBER_SID,
            "account_sid": api.rpartition("/")[2],
            "phone_number": number,
            "sms_url": "",
            "sms_method": "POST",
        }
        self.service = {
            "sid": service,
            "inbound_request_url": None,
            "inbound_method": "POST",
            "use_inbound_webhook_on_number": True,
        }
        self.writes = 0
        self._api = api

    def routes(self):
        place = f"{self._api}/IncomingPhoneNumbers"
        service = f"/v1/Services/{self.service['sid']}"
        return [
            Route(f"{place}.json", self._list),
            Route(f"{place}/{NUMBER_SID}.json", self._change_number, methods=["POST"]),
            Route(service, self._show_service),
            Route(service, self._change_service, methods=["POST"]),
        ]

    async def _list(self, request):
        asked = request.query_params.get("PhoneNumber")
        found = [self.number] if asked in {None, self.number["phone_number"]} else []
        return JSONResponse({"incoming_phone_numbers": found, "page": 0, "next_page_uri": None})

    async def _change_number(self, request):
        form = dict(parse_qsl((await request.body()).decode()))
        if not set(form) <= {"SmsUrl", "SmsMethod"}:
            return JSONResponse({"code": 20001, "message": "Unknown parameter"}, 400)
        self.writes += 1
        self.number |= {"sms_url": form["SmsUrl"], "sms_method": form["SmsMethod"]}
        return JSONResponse(self.number)

    async def _show_service(self, request):
        del request
        return JSONResponse(self.service)

    async def _change_service(self, request):
        form = dict(parse_qsl((await request.body()).decode()))
        self.writes += 1
        self.service |= {
            "inbound_request_url": form["InboundRequestUrl"],
            "inbound_method": form["InboundMethod"],
            "use_inbound_webhook_on_number": form["UseInboundWebhookOnNumber"].lower() == "true",
        }
        return JSONResponse(self.service)

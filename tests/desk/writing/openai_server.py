"""A server of ours that speaks OpenAI's protocol, and does what servers do."""

import asyncio

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class OpenAiServer:
    """Answers by `manners`, the last of which stays: a text, or how it misbehaves."""

    def __init__(self, *manners):
        self.manners = list(manners)
        self.asked = []
        self.keys = []
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self.complete, methods=["POST"]),
                Route("/{path:path}", self.elsewhere, methods=["GET", "POST", "PATCH"]),
            ]
        )
        self.elsewhere_asked = []

    async def complete(self, request) -> Response:
        self.asked.append(await request.json())
        self.keys.append(request.headers.get("authorization", ""))
        manner = self.manners.pop(0) if len(self.manners) > 1 else self.manners[0]
        if manner == "slow":
            await asyncio.sleep(2)
            return JSONResponse(completion("too late"))
        if isinstance(manner, int):
            error = {"message": "no: Lena Vogt", "type": "x", "code": "x"}
            return JSONResponse({"error": error}, manner, {"retry-after-ms": "1"})
        if manner == "garbage":
            return PlainTextResponse("<html>502</html>")
        if manner == "half":
            return PlainTextResponse('{"choices": [{"mess', media_type="application/json")
        if manner == "odd":
            return JSONResponse({"choices": []})
        if manner == "refusing":
            return JSONResponse(completion(None, refusal="I will not."))
        if manner == "cut_off":
            return JSONResponse(completion("PROBLEM: The", finish="length"))
        return JSONResponse(completion(manner))

    async def elsewhere(self, request) -> Response:
        self.elsewhere_asked.append(request.url.path)
        return PlainTextResponse("", 404)


def completion(text, refusal=None, finish="stop"):
    message = {"role": "assistant", "content": text, "refusal": refusal}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }

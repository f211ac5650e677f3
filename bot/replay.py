"""`tresen replay`: a platform's recorded requests, through channel and bot, undelivered."""

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from bot.app import build_bot
from bot.assembly import Bot
from bot.channels import AnyChannel
from bot.intake import as_trigger
from bot.messages import InboundMessage
from bot.settings import Settings
from bot.yaml_source import Problem, SourceError
from channels.base import ChannelError, WebhookRequest

FORM = "application/x-www-form-urlencoded"


def replay(settings: Settings, options: argparse.Namespace) -> int:
    """Show for each recorded request what is read, what the bot says and what would be sent.

    Conversations live in memory; the shop is the one in the data directory, and what the bot
    changes there is changed.

    Returns:
        1 if a request was refused, else 0.

    Raises:
        SourceError: the channel is not in endpoints.yml, or the file is not what is expected.
    """
    if options.channel not in settings.endpoints.channels:
        known = ", ".join(settings.endpoints.channels) or "none"
        text = f"endpoints.yml has no channel '{options.channel}' (there: {known})"
        raise SourceError([Problem("endpoints.yml", 1, text, "add it below channels:")])
    requests = list(read_requests(options.file, options.channel))
    endpoints = msgspec.structs.replace(settings.endpoints, store="memory://")
    return asyncio.run(
        _play(msgspec.structs.replace(settings, endpoints=endpoints), requests, options)
    )


def read_requests(path: Path, channel: str) -> Iterator[WebhookRequest]:
    """Yield the requests of a file.

    Each line of `.jsonl`, and each item of a JSON list, is either a request (an object with
    `body` or `payload`, and perhaps `headers`, `query`, `method`) or the platform's payload itself.
    Anything that is not JSON is one form body.

    Raises:
        SourceError: a line is not JSON.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    yield _request(json.loads(line), channel)
                except json.JSONDecodeError as error:
                    problem = Problem(str(path), number, f"is not JSON: {error.msg}", "")
                    raise SourceError([problem]) from error
        return
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        yield WebhookRequest(
            "POST",
            f"/webhooks/{channel}/webhook",
            {},
            {"content-type": FORM},
            text.strip().encode(),
        )
        return
    for item in found if isinstance(found, list) else [found]:
        yield _request(item, channel)


def _request(item: dict[str, Any], channel: str) -> WebhookRequest:
    whole = "payload" in item or ("body" in item and "method" in item)
    body = item.get("payload", item.get("body")) if whole else item
    raw = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
    headers = {str(k).lower(): str(v) for k, v in (item.get("headers") or {}).items()}
    return WebhookRequest(
        str(item.get("method", "POST")) if whole else "POST",
        f"/webhooks/{channel}/webhook",
        dict(item.get("query") or {}) if whole else {},
        headers if whole else {"content-type": "application/json"},
        raw.encode("utf-8", "surrogatepass"),
    )


async def _play(
    settings: Settings, requests: list[WebhookRequest], options: argparse.Namespace
) -> int:
    bot = await build_bot(settings)
    channel = bot.hub.channel(options.channel)
    refused = 0
    try:
        for number, request in enumerate(requests, start=1):
            _show(f"── request {number}")
            try:
                if options.check:
                    channel.verify(request)
                await _one(bot, channel, request, parse_only=options.parse_only)
            except ChannelError as error:
                refused += 1
                _show(f"refused ({error.status}): {error}")
    finally:
        await bot.close()
    return 1 if refused else 0


async def _one(bot: Bot, channel: AnyChannel, request: WebhookRequest, *, parse_only: bool) -> None:
    for item in channel.parse(request):
        _show(f"{type(item).__name__} {msgspec.json.encode(item).decode()}")
        if not isinstance(item, InboundMessage) or parse_only:
            continue
        for said in await bot.exchange(as_trigger(item)):
            _show(f"  bot: {said.text}")
            for payload in channel.render(said, item.sender_id):
                _show(f"  send: {json.dumps(payload, ensure_ascii=False)}")


def _show(line: str) -> None:
    sys.stdout.write(f"{line}\n")

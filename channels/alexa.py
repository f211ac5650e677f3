"""Amazon Alexa: a custom skill's endpoint, as Amazon documents it for web services."""

import hmac
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

import httpx
import msgspec
import structlog

from bot.messages import InboundMessage, OutboundMessage
from channels.alexa_account import AccountLinking, UserInfo
from channels.alexa_parse import (
    LANGUAGES,
    MAX_NAME_CHARS,
    intent_name,
    metadata_of,
    object_field,
    skill_ids,
    system_of,
    token_of,
    user_of,
    words_of,
)
from channels.alexa_render import SILENCE, Manner, own_words, phrase, spoken_answer
from channels.alexa_signature import AMAZON, Chains, NotFromAlexa, certificate_url, trusted_roots
from channels.base import BadRequest, ExchangeChannel, Payload, Reply, WebhookRequest
from channels.push import ChannelContext, SettingsInvalid, read_settings
from channels.spoken import ssml
from channels.wire import decode_object, id_field, string_field

TOLERANCE_S = 150
MAX_BODY_BYTES = 512 * 1024
_CERTIFICATE_HEADER = "signaturecertchainurl"
_API_HOST = re.compile(r"https://api(?:\.[a-z]{2,3})?\.amazonalexa\.com")
_TALKS = frozenset({"LaunchRequest", "IntentRequest"})
_LEAVES = frozenset({"AMAZON.StopIntent", "AMAZON.NavigateHomeIntent"})
log = structlog.get_logger(__name__)


class AlexaSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands below `alexa` in endpoints.yml.

    `api_url`, `certificates_url` and `trusted_roots` (a PEM file) are Amazon's own and the
    system's; they are for tests. Requests must name Amazon's address whatever they say.
    """

    skill_id: Annotated[str, msgspec.Meta(min_length=1)]
    card_title: str = ""
    order_number_pattern: str = r"#?[A-Z]{1,3}-?\d{5,9}"
    account_linking: AccountLinking | None = None
    identity_responses: tuple[str, ...] = ("utter_ask_identity",)
    api_url: str = ""
    certificates_url: str = AMAZON
    trusted_roots: str = ""


def connect(settings: Mapping[str, Any], context: ChannelContext) -> "AlexaChannel":
    """Return the channel as endpoints.yml describes it.

    Raises:
        SettingsInvalid: naming the key and what is wrong with it.
    """
    read = read_settings("alexa", settings, AlexaSettings)
    try:
        re.compile(read.order_number_pattern)
        roots = trusted_roots(read.trusted_roots)
    except (re.error, OSError, ValueError) as error:
        message = f"channels.alexa: {error}"
        raise SettingsInvalid(message) from error
    client = httpx.AsyncClient(timeout=httpx.Timeout(3))
    return AlexaChannel(read, context, Chains(client, read.certificates_url, roots), client)


class AlexaChannel(ExchangeChannel):
    """One custom skill: its requests checked and read, its answers spoken."""

    name = "alexa"
    answer_within_s = 8.0

    def __init__(
        self,
        settings: AlexaSettings,
        context: ChannelContext,
        chains: Chains,
        client: httpx.AsyncClient,
    ) -> None:
        """Set up the channel.

        Args:
            settings: which skill, and how it answers.
            context: the clock; the language for a locale we do not speak.
            chains: the certificates that requests name.
            client: sends progressive responses.
        """
        self._settings = settings
        self._context = context
        self._client = client
        self._chains = chains
        linking = settings.account_linking
        self._accounts = UserInfo(linking, client, context.clock) if linking else None

    async def prepare(self, request: WebhookRequest) -> None:
        """Fetch the certificate chain that the request names, unless it is known and valid.

        Raises:
            NotFromAlexa: if it is not Amazon's address, the chain is not to be trusted, or the
                request is not of this moment and this skill.
            CertificateUnavailable: if it cannot be fetched now.
        """
        url = certificate_url(request.headers.get(_CERTIFICATE_HEADER, ""))
        self._check_claims(request)
        await self._chains.load(url, self._context.clock())

    def verify(self, request: WebhookRequest) -> None:
        """Check signature, certificate, time and skill; the chain must have been prepared.

        Raises:
            NotFromAlexa: naming what is missing or wrong.
        """
        url = certificate_url(request.headers.get(_CERTIFICATE_HEADER, ""))
        signature = request.headers.get("signature-256", "")
        self._chains.check(url, signature, request.body, self._context.clock())
        self._check_claims(request)

    def parse(self, request: WebhookRequest) -> list[InboundMessage]:
        """Return what the customer said; nothing for requests that bring no words.

        Opening the skill is a signal, as entering a conversation is on other channels.

        Raises:
            BadRequest: if the body is not a request of an Alexa skill; names the field.
        """
        body = decode_object(request.body, MAX_BODY_BYTES)
        asked = object_field(body, "request")
        kind = string_field(asked, "type", MAX_NAME_CHARS)
        if kind not in _TALKS:
            return []
        language = self._language(asked)
        is_launch = kind == "LaunchRequest"
        text = "" if is_launch else words_of(asked, language)
        if not text and not is_launch:
            return []
        return [
            InboundMessage(
                channel=self.name,
                sender_id=id_field(user_of(body), "userId"),
                message_id=id_field(asked, "requestId"),
                text=text,
                received_at=self._context.clock(),
                metadata={**metadata_of(body, asked), "language": language},
                signal="opened" if is_launch else "",
            )
        ]

    def render(self, outbound: OutboundMessage, recipient: str) -> list[Payload]:
        """Return the one response that says and shows the message."""
        del recipient
        payload = spoken_answer((outbound,), self._manner(outbound.language))
        return [payload] if len(object_field(payload, "response")) > 1 else []

    def answer(
        self, request: WebhookRequest, said: Sequence[OutboundMessage], *, complete: bool
    ) -> Reply:
        """Return the response to a request; pure."""
        payload = self._answer(request, said, complete=complete)
        return Reply(body=msgspec.json.encode(payload), content_type="application/json")

    async def progress(self, request: WebhookRequest) -> None:
        """Say that the answer takes a moment, over the directive service."""
        try:
            body = decode_object(request.body, MAX_BODY_BYTES)
            asked, system = object_field(body, "request"), system_of(body)
            base = self._settings.api_url or string_field(system, "apiEndpoint", MAX_NAME_CHARS)
            if str(asked.get("type")) not in _TALKS or not self._is_api(base):
                return
            speech = ssml(phrase("wait", self._language(asked)), self._language(asked))
            answer = await self._client.post(
                f"{base}/v1/directives",
                headers={"authorization": f"Bearer {system.get('apiAccessToken')}"},
                json={
                    "header": {"requestId": asked.get("requestId")},
                    "directive": {"type": "VoicePlayer.Speak", "speech": speech},
                },
            )
            answer.raise_for_status()
        except (BadRequest, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            log.info("progress_not_told", channel=self.name, error=type(error).__name__)

    async def account_email(self, request: WebhookRequest) -> str:
        """Return the verified e-mail address of the account that is linked with the skill."""
        token = token_of(decode_object(request.body, MAX_BODY_BYTES))
        return await self._accounts.email(token) if self._accounts and token else ""

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()

    def _answer(
        self, request: WebhookRequest, said: Sequence[OutboundMessage], *, complete: bool
    ) -> Payload:
        body = decode_object(request.body, MAX_BODY_BYTES)
        asked = object_field(body, "request")
        kind, language = str(asked.get("type")), self._language(asked)
        if kind == "CanFulfillIntentRequest":
            return {"version": "1.0", "response": {"canFulfillIntent": {"canFulfill": "NO"}}}
        if kind not in _TALKS:
            return SILENCE
        token = token_of(body)
        may_link = self._accounts is not None and (not token or self._accounts.is_refused(token))
        manner = self._manner(language, stays=kind == "LaunchRequest", may_link=may_link)
        if not complete:
            return own_words("later", manner, stays=True)
        if said:
            return spoken_answer(said, manner)
        if kind == "IntentRequest" and intent_name(asked) in _LEAVES:
            return own_words("bye", manner, stays=False)
        if kind == "IntentRequest" and not words_of(asked, language):
            return own_words("not_heard", manner, stays=True)
        return spoken_answer((), manner)

    def _manner(self, language: str, *, stays: bool = False, may_link: bool = False) -> Manner:
        return Manner(
            language or self._context.languages[0],
            self._settings.order_number_pattern,
            self._settings.card_title,
            stays,
            may_link,
            self._settings.identity_responses,
        )

    def _language(self, asked: Mapping[str, object]) -> str:
        spoken = str(asked.get("locale") or self._context.languages[0])[:2].lower()
        return spoken if spoken in LANGUAGES else "en"

    def _is_api(self, base: str) -> bool:
        return bool(self._settings.api_url or _API_HOST.fullmatch(base))

    def _check_claims(self, request: WebhookRequest) -> None:
        """Check that a request is of this moment and for this skill; cheap.

        Raises:
            NotFromAlexa: if it is not, or is no request at all.
        """
        try:
            body = decode_object(request.body, MAX_BODY_BYTES)
            sent_at = datetime.fromisoformat(
                string_field(object_field(body, "request"), "timestamp", MAX_NAME_CHARS)
            )
            age = self._context.clock() - sent_at
        except (BadRequest, ValueError, TypeError, OverflowError) as error:
            problem = "the body tells no time of the request"
            raise NotFromAlexa(problem) from error
        if abs(age) > timedelta(seconds=TOLERANCE_S):
            problem = f"the request is not of the last {TOLERANCE_S} s"
            raise NotFromAlexa(problem)
        expected = self._settings.skill_id.encode()
        named = skill_ids(body)
        if not named or not all(hmac.compare_digest(name.encode(), expected) for name in named):
            problem = "the request is for another skill"
            raise NotFromAlexa(problem)

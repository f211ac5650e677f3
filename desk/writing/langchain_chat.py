"""Chat models over langchain: of a provider, or of any server that speaks OpenAI's protocol."""

from typing import Annotated, Any

import msgspec
import structlog
from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import HumanMessage, SystemMessage
from langsmith import tracing_context

from desk.writing.ports import LanguageModel, ModelFailed

log = structlog.get_logger(__name__)
_OPENAI = "openai"
_NO_KEY = "none"
_BUSY = 429
_CUT_OFF = frozenset({"length", "max_tokens", "MAX_TOKENS"})


class Config(msgspec.Struct, frozen=True):
    """Which model, and how it is reached.

    Args:
        model: `provider:model`, such as openai:qwen3:8b.
        base_url: of a server that is not the provider's own.
        api_key: empty for a server that asks for none, or where the provider's variable is set.
        max_tokens: of an answer; what a model thinks aloud counts as well.
        retries: how often langchain asks again.
        temperature: null for models that take none.
        options: further arguments of langchain's class.
    """

    model: Annotated[
        str,
        msgspec.Meta(pattern="^[a-z_0-9]+:.+$", description="write provider:model"),
    ]
    base_url: Annotated[str, msgspec.Meta(pattern="^https?://", description="write http://…")] = ""
    api_key: str = ""
    max_tokens: Annotated[int, msgspec.Meta(ge=64, le=32_768)] = 800
    retries: Annotated[int, msgspec.Meta(ge=0, le=5)] = 1
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = 0.0
    options: dict[str, Any] = msgspec.field(default_factory=dict)


class LangchainModel(LanguageModel):
    """A chat model of langchain."""

    def __init__(self, chat: BaseChatModel) -> None:
        """Write with `chat`."""
        self._chat = chat

    async def write(self, instructions: str, material: str) -> str:
        """Return the answer to one system and one human message; nothing of it is traced.

        Raises:
            ModelFailed: it cannot be reached, takes no more, refuses, or stops in the middle.
        """
        messages = [SystemMessage(instructions), HumanMessage(material)]
        try:
            with tracing_context(enabled=False):
                answer = await self._chat.ainvoke(messages)
        except Exception as error:  # each provider has errors of its own
            log.warning("language_model_failed", error=type(error).__name__)
            raise ModelFailed(_why(error)) from error
        told = answer.response_metadata
        if answer.additional_kwargs.get("refusal"):
            raise ModelFailed("refused")
        if {told.get("finish_reason"), told.get("stop_reason")} & _CUT_OFF:
            raise ModelFailed("cut_off")
        if not answer.text.strip():
            raise ModelFailed("empty")
        return str(answer.text)


def connect(config: Config, timeout_s: float) -> LangchainModel:
    """Return the model; nothing is sent yet.

    Args:
        config: names it.
        timeout_s: for a whole answer.

    Raises:
        ImportError: the provider's package is missing.
        ValueError: there is no such provider, or it is missing its key.
    """
    provider, _, name = config.model.partition(":")
    given: dict[str, Any] = {
        "timeout": timeout_s,
        "max_retries": config.retries,
        "max_tokens": config.max_tokens,
    }
    if config.temperature is not None:
        given["temperature"] = config.temperature
    if config.base_url:
        given["base_url"] = config.base_url
    if config.api_key or (config.base_url and provider == _OPENAI):
        given["api_key"] = config.api_key or _NO_KEY
    if config.base_url and provider == _OPENAI:
        # langchain sends max_completion_tokens, which some servers do not know
        given["extra_body"] = {"max_tokens": config.max_tokens}
    given |= config.options
    try:
        chat = init_chat_model(name, model_provider=provider, **given)
    except ImportError:
        raise
    except Exception as error:
        raise ValueError(_first_line(error)) from error
    return LangchainModel(chat)


def _why(error: Exception) -> str:
    """Return in one word why a provider gave no answer; its own words may quote the material."""
    status = getattr(error, "status_code", None)
    if status == _BUSY:
        return "busy"
    if isinstance(status, int):
        return f"status_{status}"
    name = type(error).__name__
    return "slow" if "Timeout" in name else "unreachable" if "Connect" in name else "garbage"


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

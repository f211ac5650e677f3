"""The instructions that Twilio is given for a call: TwiML."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote, urlencode

import msgspec
from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from bot.messages import Button, OutboundMessage
from channels.base import Reply
from channels.telephony.words import PHRASES, Phrase, aloud, is_yes_asked, key_order

MAX_URL_CHARS = 3_500
_MAX_REPEATED_CHARS = 1_500
_DEAF = {"report_input_during_agent_speech": "none"}
"""While what cannot be talked over is spoken, nothing is heard: a yes comes after its plan."""
_MOST_SILENCES = 2
_MOST_WAITS = 3
_LISTEN_S = 7


_UNHEARD = {"reportInputDuringAgentSpeech": "none"}
"""Twilio's own name: what is said while the bot speaks is not told; a yes counts after the plan."""


class Voice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one language is spoken and understood; empty fields leave it to the platform.

    `provider`, `voice`, `hearing` and `speech_model` are ConversationRelay's; `say_voice` is that
    of `<Say>`.
    """

    locale: str
    provider: str = ""
    voice: str = ""
    hearing: str = ""
    speech_model: str = ""
    say_voice: str = ""


class Script(msgspec.Struct):
    """Writes the instructions of one request.

    `operator` is whom to call for a person, empty while nobody is there. `turn` numbers what is
    heard next.
    """

    webhook: str
    voices: Mapping[str, Voice]
    language: str
    turn: int
    greeting: Mapping[str, str]
    order_number_pattern: str = ""
    operator: str = ""
    ring_s: int = 25

    def nothing(self) -> Reply:
        """Return no instructions, for reports about a call that is over."""
        return _reply(VoiceResponse())

    def reject(self) -> Reply:
        """Return the refusal of a call to a number that is not ours."""
        response = VoiceResponse()
        response.reject()
        return _reply(response)

    def relay(self, socket: str, ticket: str) -> Reply:
        """Return what connects the call to our socket."""
        response = VoiceResponse()
        own = self.voices[self.language]
        connect = response.connect(action=self._url(step="relay"), method="POST")
        relay = connect.conversation_relay(
            url=socket,
            language=own.locale,
            tts_provider=own.provider or None,
            voice=own.voice or None,
            transcription_provider=own.hearing or None,
            speech_model=own.speech_model or None,
            welcome_greeting=self._welcome(),
            interruptible="any",
            **_DEAF,
            dtmf_detection=True,
            application_reconnect=True,
        )
        for voice in self.voices.values():
            relay.language(
                code=voice.locale,
                tts_provider=voice.provider or None,
                voice=voice.voice or None,
                transcription_provider=voice.hearing or None,
                speech_model=voice.speech_model or None,
            )
        relay.parameter(name="ticket", value=ticket)
        return _reply(response)

    def gather_greeting(self) -> Reply:
        """Return a greeting, and listen."""
        response = VoiceResponse()
        self._listen(response, self._greeted(self.language), ())
        return _reply(response)

    def gather(
        self, said: Sequence[OutboundMessage], buttons: Sequence[Button], *, broken: bool = False
    ) -> Reply:
        """Return the answers, and listen.

        Args:
            said: the answers in order; a plan is read to its end, the rest may be talked over.
            buttons: what may be chosen with the keys.
            broken: whether a line broke before.
        """
        response = VoiceResponse()
        if broken:
            self._say(response, self._own("line_trouble"))
        texts = self._texts(said)
        whole = is_yes_asked(buttons)
        for text in texts if whole else texts[:-1]:
            self._say(response, text)
        last = self._own("keys_yes_no") if whole else (texts[-1] if texts else "")
        self._listen(response, last or self._own("still_there"), buttons)
        return _reply(response)

    def ask_again(self, quiet: int, buttons: Sequence[Button]) -> Reply:
        """Return a question whether anybody is there; after some of them, the end.

        Args:
            quiet: how often nothing was heard before.
            buttons: what may still be chosen.
        """
        response = VoiceResponse()
        if quiet >= _MOST_SILENCES:
            self._say(response, self._own("bye"))
            response.hangup()
            return _reply(response)
        text = self._own("still_there")
        if is_yes_asked(buttons):
            text += f" {self._own('keys_yes_no')}"
        self._listen(response, text, buttons, quiet + 1)
        return _reply(response)

    def wait(self, heard: str, turn: str, waits: int) -> Reply:
        """Return a word of patience, and come back for the answer to what was heard.

        Args:
            heard: told again, since a redirected request does not bring it.
            turn: that of the request.
            waits: how often this was done for this turn; after a few times it is given up.
        """
        response = VoiceResponse()
        if waits >= _MOST_WAITS:
            self._listen(response, self._own("trouble"), ())
            return _reply(response)
        self._say(response, self._own("wait"))
        text = heard[:_MAX_REPEATED_CHARS]
        named: dict[str, object] = {"step": "gather", "turn": turn, "lang": self.language}
        response.redirect(self._url(**named, said=text, waits=waits + 1), method="POST")
        return _reply(response)

    def hang_up(self, said: Sequence[OutboundMessage] = ()) -> Reply:
        """Return the last words, and the end."""
        response = VoiceResponse()
        for text in self._texts(said):
            self._say(response, text)
        response.hangup()
        return _reply(response)

    def hand_over(self, said: Sequence[OutboundMessage], reason: str) -> Reply:
        """Return what puts a person on the line, or promises that one gets in touch.

        Args:
            said: what the bot says about it.
            reason: passed on to whoever answers.
        """
        response = VoiceResponse()
        for text in self._texts(said):
            self._say(response, text)
        if not self.operator:
            return self.promise(response)
        dial: Dial = response.dial(
            action=self._url(step="dial", lang=self.language),
            method="POST",
            timeout=self.ring_s,
            answer_on_bridge=True,
        )
        whisper = self._url(step="whisper", lang=self.language, reason=reason)
        if self.operator.startswith("sip"):
            dial.sip(f"{self.operator}?{urlencode({'x-reason': reason})}", url=whisper)
        else:
            dial.number(self.operator, url=whisper)
        return _reply(response)

    def promise(self, response: VoiceResponse | None = None) -> Reply:
        """Return that nobody can be reached now, and listen to whoever goes on with the bot."""
        response = VoiceResponse() if response is None else response
        self._say(response, self._own("promise"))
        self._listen(response, self._own("back"), ())
        return _reply(response)

    def whisper(self, reason: str) -> Reply:
        """Return what the operator hears before the caller is put through."""
        response = VoiceResponse()
        self._say(response, self._own("whisper_asked" if reason == "asked" else "whisper_other"))
        return _reply(response)

    def _texts(self, said: Sequence[OutboundMessage]) -> list[str]:
        texts = (aloud(m, m.language or self.language, self.order_number_pattern) for m in said)
        return [text for text in texts if text]

    def _listen(
        self, response: VoiceResponse, text: str, buttons: Sequence[Button], quiet: int = 0
    ) -> None:
        """Add a question that may be talked over, and where what is heard goes."""
        named: dict[str, object] = {"step": "gather", "turn": self.turn, "lang": self.language}
        action = self._url(**named, quiet=quiet)
        for number, button in enumerate(key_order(buttons), start=1):
            with_key = f"{action}&{_query({f'k{number}': button.payload})}"
            if len(with_key) > MAX_URL_CHARS:
                break
            action = with_key
        gather = Gather(
            input="speech dtmf",
            action=action,
            method="POST",
            language=self.voices[self.language].locale,
            speech_timeout="auto",
            timeout=_LISTEN_S,
            finish_on_key="#",
            action_on_empty_result=True,
        )
        self._say(gather, text)
        response.append(gather)

    def _say(self, parent: VoiceResponse | Gather, text: str) -> None:
        voice = self.voices[self.language]
        parent.say(text, language=voice.locale, voice=voice.say_voice or None)

    def _own(self, phrase: Phrase) -> str:
        return PHRASES.get(self.language, PHRASES["en"])[phrase]

    def _greeted(self, language: str) -> str:
        known = PHRASES.get(language, PHRASES["en"])
        return self.greeting.get(language) or known["greeting"]

    def _welcome(self) -> str:
        """Return the greeting of a relay, with how to change the language where there is one."""
        others = [language for language in self.voices if language != self.language]
        hints = [PHRASES[language]["other_language"] for language in others if language in PHRASES]
        return " ".join([self._greeted(self.language), *hints[:1]])

    def _url(self, **query: object) -> str:
        return f"{self.webhook}?{_query(query)}"


def _query(values: Mapping[str, object]) -> str:
    return urlencode(values, safe="", errors="replace", quote_via=quote)


def _reply(response: VoiceResponse) -> Reply:
    return Reply(200, str(response).encode(), "application/xml; charset=utf-8")

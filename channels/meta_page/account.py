"""What a page is to its channel: the account's settings, and the platform's traits as data."""

from typing import Annotated, Literal, TypeAlias

import msgspec

from channels.push import ChannelLimits

Filled: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]
PAGE_INBOX = "263902037430900"
"""The app id under which people answer in Meta's own inbox."""


class MenuItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the menu: a payload that comes back as the customer's message, or a link."""

    title: Filled
    payload: str = ""
    url: str = ""


class Question(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question that a customer may begin with: shown as it is, sent as its payload."""

    question: Filled
    payload: Filled


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the platform shows before anybody said anything; by language, such as `de`.

    `get_started` is the payload of the start button, such as `/greet`.
    """

    get_started: str = ""
    greeting: dict[str, Filled] = {}
    menu: dict[str, tuple[MenuItem, ...]] = {}
    ice_breakers: dict[str, tuple[Question, ...]] = {}


class PageSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands below the channel's name in endpoints.yml.

    `human_tag`: Meta granted the permission to let people answer within seven days.
    `inbox_app_ids`: whose answers make the bot step back; empty: only the handover protocol does.
    `lasting_buttons`: up to three buttons that stay, instead of ones that go with the next message.
    """

    account_id: Filled
    app_id: Filled
    app_secret: Filled
    access_token: Filled
    verify_token: Filled
    api_url: Filled = "https://graph.facebook.com"
    api_version: Filled = "v25.0"
    human_tag: bool = False
    inbox_app_ids: tuple[str, ...] = (PAGE_INBOX,)
    lasting_buttons: bool = False
    profile: Profile = Profile()


class Traits(msgspec.Struct, frozen=True, kw_only=True):
    """How one platform of Meta differs from the other; lengths as the platform counts them.

    `counts`: what a text's length is counted in. `echoes_name_app`: echoes tell the app that sent
    the message and hand its reference back. `is_listed`: a message in doubt is looked for in the
    conversation. `replies_on_files`: quick replies may follow a file or cards. `file_kinds`: what
    may be sent as a file. `profile_fields`: what the profile may hold. `app_fields`, `page_fields`:
    which webhooks the app and the page subscribe to.
    """

    channel: str
    object_name: str
    limits: ChannelLimits
    counts: Literal["utf16", "utf8"]
    echoes_name_app: bool
    replies_on_files: bool
    has_receipts: bool
    is_listed: bool
    file_kinds: tuple[str, ...]
    profile_fields: tuple[str, ...]
    app_fields: tuple[str, ...]
    page_fields: tuple[str, ...]
    profile_platform: str = ""
    payload_chars: int = 1_000
    card_buttons: int = 3
    lasting_text_chars: int = 640
    greeting_chars: int = 160
    menu_items: int = 20
    menu_chars: int = 30
    questions: int = 4
    question_chars: int = 80


class Page(msgspec.Struct, frozen=True):
    """One account on one platform."""

    settings: PageSettings
    traits: Traits

    @property
    def channel(self) -> str:
        """Return the channel's name."""
        return self.traits.channel

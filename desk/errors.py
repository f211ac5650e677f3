"""What can go wrong at the desk: one class per error, its docstring is the message."""


class DeskError(Exception):
    """The desk could not do it."""

    def __str__(self) -> str:
        """Return the error's sentence, and what it is about."""
        sentence = (type(self).__doc__ or "").strip().splitlines()[0]
        about = " ".join(map(str, self.args))
        return f"{sentence.rstrip('.')}: {about}" if about else sentence


class BadDeskUrl(DeskError):
    """The desk's database must be an sqlite:/// path or a postgresql:// address."""


class DeskStoreFailed(DeskError):
    """The desk's database failed."""


class UnknownOperator(DeskError):
    """There is no such operator."""


class EmailTaken(DeskError):
    """Another operator has this e-mail address."""


class ShortcutTaken(DeskError):
    """Another prepared reply has this shortcut."""


class UnknownCase(DeskError):
    """There is no such case."""


class ActUncertain(DeskError):
    """The act is kept and will be carried out; look at the conversation in a moment."""

"""Calls that ended early, and what their errors say of them."""

from inspect_ai.log import EvalSample

_NOT_SENT = "not sent: "
_NO_ANSWER = " before an answer came"
# In a sample's metadata: how many replies came that nobody could read, and that may be billed.
UNREAD_REPLIES = "unread_replies"
# In a sample's metadata: why a request of it was not sent. Code of a task may catch every error,
# and go on without the answer.
REFUSED = "refused"


class CallEnded(Exception):
    """A call ended early. inspect keeps `message` as the error of the sample."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotSent(CallEnded):
    """No request of a call was sent: nothing was paid, and nobody answered."""


class CutOff(CallEnded):
    """A call ended before its answer came. Its provider may bill it all the same."""


def ended_early(reason: str, *, is_sent: bool) -> CallEnded:
    """The end of a call for this reason, of which a request was sent or none."""
    if is_sent:
        return CutOff(f"{reason}{_NO_ANSWER}")
    return NotSent(f"{_NOT_SENT}{reason}")


def was_sent(sample: EvalSample) -> bool:
    """Whether a request was sent for a sample."""
    told = sample.error.message if sample.error else sample.metadata.get(REFUSED, "")
    return not told.startswith(_NOT_SENT) or bool(sample.model_usage)


def was_refused(error: str | None) -> bool:
    """Whether this error of a call of a task says that no request of it was sent."""
    return bool(error) and (error.startswith(_NOT_SENT) or error.endswith(_NO_ANSWER))

"""The webhook that notifications go to: it is told no secret, and nobody waits for it long."""

import html
import json
import logging
import os
import threading
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from itemeval_assets.core.errors import ConfigError
from itemeval_assets.core.text.secrets import REDACTED, without_secrets

TIMEOUT_S = 10


class Webhook:
    """Takes `{"text": ...}` by POST, as Slack does. Its URL is a secret itself.

    Raises ConfigError for a URL that is none.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or set(url) & set(" \n"):
            raise ConfigError(
                "ITEMEVAL_ASSETS_WEBHOOK_URL: no URL (not shown: it may be a secret); give one "
                "that starts with https:// or http://, or unset the variable"
            )
        self._url = url

    def tell(self, text: str, log: logging.Logger) -> None:
        """POST a text. A webhook that fails, or is silent for 10 s, is a line in the log."""
        problems: list[str] = [f"no answer within {TIMEOUT_S} s"]

        def post() -> None:
            problems[:] = self._post(html.escape(self.without_secrets(text), quote=False))

        # The time-out of a socket is that of a single read, and looking up a name has none.
        thread = threading.Thread(target=post, daemon=True)
        thread.start()
        thread.join(TIMEOUT_S)
        for problem in problems:
            log.error(self.without_secrets(f"cannot notify the webhook: {problem}\n{text}"))

    def without_secrets(self, text: str) -> str:
        """The text without this URL, what looks like a key, and the keys in the environment."""
        return without_secrets(text.replace(self._url, REDACTED), os.environ)

    def _post(self, text: str) -> list[str]:
        """What went wrong, in words that leave the URL out: it has a secret as its path."""
        body = json.dumps({"text": text}).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, body, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S):
                return []
        except urllib.error.HTTPError as error:
            return [f"it answered {error.code}"]
        except OSError as error:
            cause = getattr(error, "reason", error)
            if isinstance(cause, TimeoutError):
                return [f"no answer within {TIMEOUT_S} s"]
            return [getattr(cause, "strerror", None) or type(cause).__name__]
        except Exception as error:
            return [type(error).__name__]

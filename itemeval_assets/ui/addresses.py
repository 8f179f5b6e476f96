"""Where browsers see the web UI."""

import socket
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from itemeval_assets.core.errors import ConfigError

SETTING = "ITEMEVAL_ASSETS_UI_ORIGINS"
OWN_HOSTS = ("127.0.0.1", "localhost")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Addresses:
    """Where browsers see the UI, as their headers Origin and Host name it."""

    origins: frozenset[str]
    hosts: frozenset[str]

    @classmethod
    def of(cls, port: int, more: Iterable[str] = ()) -> "Addresses":
        """This machine's own addresses with the port, and more. Raises ConfigError."""
        own = [f"http://{host}:{port}" for host in OWN_HOSTS]
        origins, hosts = set[str](), set[str]()
        for scheme, host, number in map(_parts, [*own, *more]):
            hosts.add(f"{host}:{number}")
            if number == _DEFAULT_PORTS[scheme]:  # a browser leaves it out
                hosts.add(host)
                origins.add(f"{scheme}://{host}")
            else:
                origins.add(f"{scheme}://{host}:{number}")
        return cls(frozenset(origins), frozenset(hosts))


def _parts(address: str) -> tuple[str, str, int]:
    """Scheme, host and port of `https://evals.example.org`; a path does not matter."""
    try:
        parts = urlsplit(address.strip().lower())
        port = parts.port or _DEFAULT_PORTS[parts.scheme]
        host = parts.netloc.removesuffix(f":{parts.port}")
        if not host or set(host) & set("@*, "):
            raise ValueError
    except (KeyError, ValueError):
        raise ConfigError(
            f"{SETTING}: {address!r} is no address of a web page; write it as a browser shows "
            "it, https://evals.example.org or http://localhost:8080, several of them with ','"
        ) from None
    return parts.scheme, host, port


def listening(port: int, what: str) -> socket.socket:
    """A socket of this machine alone. Raises ConfigError for a port in use; `what` may use it."""
    try:
        return socket.create_server((OWN_HOSTS[0], port))
    except (OSError, OverflowError) as error:
        raise ConfigError(
            f"port {port} of {OWN_HOSTS[0]} cannot be used: {getattr(error, 'strerror', error)}; "
            f"{what} may run there: end it, or choose another port with --port"
        ) from None

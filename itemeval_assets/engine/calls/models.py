"""Resolving model ids to inspect models, with errors a user can act on."""

from collections.abc import Callable
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai._util.registry import RegistryInfo, registry_find, registry_unqualified_name
from inspect_ai.model import Model, get_model

from itemeval_assets.core.errors import EnvironmentMissing, ModelError
from itemeval_assets.core.money.providers import is_mock, provider_of
from itemeval_assets.core.text.nearest import did_you_mean
from itemeval_assets.engine.advice import advised, one_line
from itemeval_assets.engine.models.local_model import is_served_here, local_model_address
from itemeval_assets.engine.models.mock_models import mock_model
from itemeval_assets.engine.models.servers import Servers

from .in_flight.watching import watched


class RunModels:
    """Resolves model ids for one run, each id once: its partitions share connections.

    inspect's own memory of models outlives a run, and with it an API key or a base URL that
    has since changed in the environment.
    """

    def __init__(self) -> None:
        self._known: dict[Any, Model] = {}
        self._servers = Servers()
        # What to know of resolved models before they are called.
        self.doubts: dict[str, str] = {}

    def resolve(
        self,
        model: str,
        where: str,
        *,
        routing: dict[str, Any] | None = None,
        mock_reply: Callable[[float], str] | None = None,
    ) -> Model:
        """The inspect model for an id. Makes no call; the server of a local model is asked for it.

        `where` is the YAML path that names the model; `mock_reply`: what a mock model replies, if
        not an answer. Raises ModelError for an unknown
        provider, a provider package that is not installed, a missing API key, or a local model
        that its server does not have.
        """
        if is_mock(model):
            return self._once((model, mock_reply), lambda: mock_model(model, mock_reply))
        return self._once((model, repr(routing)), lambda: self._real(model, where, routing))

    def _real(self, model: str, where: str, routing: dict[str, Any] | None) -> Model:
        found = _new_model(model, where, routing)
        if not is_served_here(model):
            if why := self._servers.why_not(model):
                raise ModelError(f"{where}: {model}: {why}")
            if doubt := self._servers.doubt(model):
                self.doubts[model] = doubt
        return found

    def _once(self, key: Any, make: Callable[[], Model]) -> Model:
        if key not in self._known:
            self._known[key] = watched(make())
        return self._known[key]


def _new_model(model: str, where: str, routing: dict[str, Any] | None) -> Model:
    try:
        model_args: dict[str, Any] = {"provider": routing} if routing else {}
        if is_served_here(model):
            model_args |= {"base_url": local_model_address(), "api_key": "none"}
        return _without_probes(get_model(model, memoize=False, **model_args))
    except EnvironmentMissing as error:
        raise ModelError(f"{where}: {model}: {error}") from error
    except PrerequisiteError as error:
        raise ModelError(f"{where}: {model}: {advised(one_line(error))}") from error
    except (ValueError, ImportError) as error:
        raise ModelError(f"{where}: {model}: {_why_unknown(model, error)}") from error


def _why_unknown(model: str, error: Exception) -> str:
    """Why inspect_ai makes no model of this id: most often its provider is misspelt."""
    provider = provider_of(model)
    known = {registry_unqualified_name(one) for one in registry_find(_is_provider)}
    if provider in known:
        return one_line(error)
    return f"inspect_ai knows no provider {provider!r}; {did_you_mean(provider, sorted(known))}"


def _is_provider(found: RegistryInfo) -> bool:
    return found.type == "modelapi"


def _without_probes(model: Model) -> Model:
    """inspect asks OpenAI's models once whether they sum up their reasoning, which no table of
    ours has: a paid request that no log tells of."""
    if hasattr(model.api, "reasoning_summaries"):

        async def none() -> bool:
            return False

        model.api.reasoning_summaries = none  # type: ignore[attr-defined]
    return model

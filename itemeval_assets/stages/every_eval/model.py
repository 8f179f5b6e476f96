"""A model as Every Eval Ever names it: by who makes it, not by who serves it."""

import os
import re
from typing import Any

from itemeval_assets.core.money.providers import is_local, is_mock, provider_of

# In an inspect id of three parts: `openai/azure/gpt-5` names a service of the maker's models.
_SERVICES = {"azure", "bedrock", "vertex"}
# What no file of all systems may have in its name.
_NOT_PORTABLE = re.compile(r'[<>:"\\|?*\x00-\x1f]')


def model_info(model: str) -> dict[str, Any]:
    """The section of one model. Nothing tells whether its weights are open."""
    at_home = is_mock(model) or is_local(model, os.environ)
    return {
        "name": model,
        "id": model_id(model),
        "inference_platform": model.partition("/")[0],
        "additional_details": {
            "deployment_type": "self_deployed" if at_home else "unknown",
            "model_availability": "unknown",
        },
    }


def model_id(model: str) -> str:
    """`<maker>/<model>` of an inspect id, as far as it says who the maker is."""
    provider = provider_of(model)
    rest = model.removeprefix(f"{provider}/")
    maker, slash, _ = rest.partition("/")
    known = rest if slash and maker not in _SERVICES else f"{provider.rpartition('/')[2]}/{rest}"
    return _NOT_PORTABLE.sub("-", known)


def model_place(model: str) -> str:
    """`<maker>/<model>`, each a name of a folder."""
    maker, *rest = model_id(model).split("/")
    return f"{maker}/{'_'.join(rest)}"

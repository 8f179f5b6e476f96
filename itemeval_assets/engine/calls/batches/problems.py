"""What keeps the answers of a batch away, in words that say what to do."""

import os

from itemeval_assets.core.records.batches import KeptBatch
from itemeval_assets.core.text.secrets import without_secrets
from itemeval_assets.engine.advice import one_line
from itemeval_assets.engine.models.provider_errors import is_permanent

NO_ANSWER = "the batch came back without an answer to this call"
_GIVE_UP = "itemeval-assets recover STUDY --accept-loss"


def is_refusal(error: Exception) -> bool:
    """Whether the provider has said that it makes no such batch."""
    return 400 <= (getattr(error, "status_code", None) or 0) < 500 and is_permanent(error)


def unseen(batch: KeptBatch, error: Exception) -> str:
    """That the key in use does not see a batch."""
    return (
        f"batch {batch.id} of {batch.model} was sent by run {batch.run_id} at {batch.created_at}, "
        f"and the provider does not show it to the API key in use (status "
        f"{getattr(error, 'status_code', None)}). Set the key that it was sent with, and run again;"
        f" or give it up, so that its calls are sent anew: {_GIVE_UP}"
    )


def unknown(batch: KeptBatch, error: Exception) -> str:
    """That nobody can say whether a batch was made."""
    said = without_secrets(one_line(error), os.environ)
    return (
        f"run {batch.run_id} ended at {batch.created_at} while it sent a batch of {batch.model}, "
        f"and nobody can say now whether the provider has it: {said}. Run again; or "
        f"look in the provider's console, and if it is not there: {_GIVE_UP}"
    )

"""The verdict on a model: dead only where the same call cannot succeed tomorrow."""

import pytest

from itemeval_assets.core.money.preflight import verdict_on


def test_a_model_that_answered_is_ok() -> None:
    assert verdict_on(None) == "ok"


@pytest.mark.parametrize(
    "error",
    [
        "AuthenticationError: Error code: 401 - {'error': {'message': 'Incorrect API key'}}",
        "Error code: 404 - {'error': {'message': 'The model `gpt-9` does not exist'}}",
        "Error code: 400 - {'type': 'error', 'error': {'type': 'invalid_request_error'}}",
        "API error occurred: Status 403. Body: forbidden",
        'API error occurred: Status Code: 422. Body: {"detail": []}',
        "Error code: 429 - {'error': {'code': 'insufficient_quota'}}",
        "Your credit balance is too low to access the Anthropic API.",
        "APIConnectionError: Connection error.",
        "[Errno 111] Connection refused",
    ],
)
def test_what_somebody_must_mend_is_dead(error: str) -> None:
    assert verdict_on(error) == "dead"


@pytest.mark.parametrize(
    "error",
    [
        "",
        "RateLimitError: Error code: 429 - {'error': {'code': 'rate_limit_exceeded'}}",
        "Error code: 408 - request timeout",
        "Error code: 500 - {'error': {'message': 'The server had an error'}}",
        "Error code: 529 - {'type': 'overloaded_error'}",
        "API error occurred: Status 503. Body: unavailable",
        "TimeoutError: no answer within 30 seconds",
        "exceeded 404 tokens per minute",
    ],
)
def test_what_may_pass_says_nothing_of_the_model(error: str) -> None:
    assert verdict_on(error) == "unverified"

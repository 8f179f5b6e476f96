"""What calls may cost before they are made: a ceiling, and an expected figure.

The ceiling takes every prompt to be as many tokens as its text can reasonably have, and
every answer to use its whole output limit. The expected figure is calibrated on rows
that are already stored.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import numpy as np

# What is assumed of a model whose output nobody limits.
OUTPUT_TOKENS_UNCAPPED = 4096
_CHARACTERS_PER_TOKEN = 4
# Tokenizers need fewer tokens than a text has pairs of bytes, also for LaTeX, digits and
# languages in other scripts; roles and separators of a chat come on top.
_BYTES_PER_TOKEN_AT_LEAST = 2
_TOKENS_AROUND_A_PROMPT = 16

# A number, or an array of numbers.
Amount = TypeVar("Amount", int, "np.ndarray")
UsdOf = Callable[[str, Mapping[str, int | None]], float | None]


class Call(NamedTuple):
    """One call as it is foreseen, or several in sum: the tokens at most, and probably."""

    most_input: int
    most_output: int
    likely_input: int
    calls: int = 1


class SampleCalls(NamedTuple):
    """The calls that a cell takes at most, and the tokens of all of them; null: without a limit.

    Each call reads again what was said before it.
    """

    calls: int = 1
    tokens: int | None = None

    def most_output(self, limit: int) -> int:
        """The output tokens of all calls, of which each has this limit."""
        return _at_most(self.calls * limit, self.tokens)

    def most_input(self, prompt: Amount, limit: int) -> Amount:
        """The input tokens of all calls, of which the first reads the prompt."""
        said_before = self.calls * (self.calls - 1) // 2 * limit
        most = self.calls * prompt + said_before
        if self.tokens is None:
            return most
        left = self.tokens - self.most_output(limit)
        return min(most, left) if isinstance(most, int) else most.clip(max=left)


class RepeatedCalls(SampleCalls):
    """As `SampleCalls`, of calls that each read the prompt alone."""

    def most_input(self, prompt: Amount, limit: int) -> Amount:
        """The input tokens of all calls."""
        return self.calls * prompt


ONE_CALL = SampleCalls()


class Calibration(NamedTuple):
    """What stored calls tell about those to come. `basis` says which calls.

    `input_ratio`: tokens counted by the provider per token estimated from the text;
    `output_tokens` and `latency_s` are means over calls; the latency is null where all of them
    were made in batches.
    """

    basis: str
    calls: int
    input_ratio: float
    output_tokens: float
    latency_s: float | None


class Projection(NamedTuple):
    """The ceiling for some calls, and what they are expected to cost.

    `cached` of the calls are answered by the response cache for nothing: no token and no USD
    counts them. `expected_*` are null while no stored call tells. `unpriced` names the
    models without a known price, `uncapped` those whose output nobody limits.
    """

    calls: int = 0
    cached: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    expected_input_tokens: int | None = 0
    expected_output_tokens: int | None = 0
    expected_usd: float | None = 0.0
    unpriced: tuple[str, ...] = ()
    uncapped: tuple[str, ...] = ()

    def __add__(self, other: "Projection") -> "Projection":  # type: ignore[override]
        return Projection(
            self.calls + other.calls,
            self.cached + other.cached,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.usd + other.usd,
            _plus(self.expected_input_tokens, other.expected_input_tokens),
            _plus(self.expected_output_tokens, other.expected_output_tokens),
            _plus(self.expected_usd, other.expected_usd),
            tuple(sorted({*self.unpriced, *other.unpriced})),
            tuple(sorted({*self.uncapped, *other.uncapped})),
        )


NOTHING = Projection()


def estimate_tokens(text: str) -> int:
    """A rough count: four characters a token, rounded up."""
    return likely_tokens(len(text))


def most_tokens(text: str) -> int:
    """A count that a provider's own does not exceed."""
    return tokens_at_most(size_bytes(text))


def size_bytes(text: str) -> int:
    """The size of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def likely_tokens(characters: Amount) -> Amount:
    """`estimate_tokens` of texts of so many characters."""
    return -(-characters // _CHARACTERS_PER_TOKEN)


def tokens_at_most(size_bytes: Amount) -> Amount:
    """`most_tokens` of texts of so many bytes."""
    return -(-size_bytes // _BYTES_PER_TOKEN_AT_LEAST) + _TOKENS_AROUND_A_PROMPT


def bytes_at_most(tokens: int) -> int:
    """The bytes of a text to come of so many tokens, as `tokens_at_most` counts them."""
    return _BYTES_PER_TOKEN_AT_LEAST * tokens


def output_limit(max_tokens: int | None, reasoning_tokens: int | None = None) -> int:
    """The most output tokens a call is taken to use; reasoning counts as output."""
    return max_tokens or OUTPUT_TOKENS_UNCAPPED + (reasoning_tokens or 0)


def project(
    model: str,
    calls: Iterable[Call],
    usd_of: UsdOf,
    *,
    cached: int = 0,
    calibration: Calibration | None = None,
    is_capped: bool = True,
) -> Projection:
    """The projection of calls to one model. `usd_of(model, tokens)` gives USD, or None.

    `cached` calls come on top: they are counted and cost nothing.
    """
    foreseen = list(calls)
    if not foreseen:
        return Projection(calls=cached, cached=cached)
    count = sum(c.calls for c in foreseen)
    most = _tokens(sum(c.most_input for c in foreseen), sum(c.most_output for c in foreseen))
    usd = usd_of(model, most)
    projection = Projection(
        calls=count + cached,
        cached=cached,
        input_tokens=most["input_tokens"],
        output_tokens=most["output_tokens"],
        usd=usd or 0.0,
        expected_input_tokens=None,
        expected_output_tokens=None,
        expected_usd=None,
        unpriced=() if usd is not None else (model,),
        uncapped=() if is_capped else (model,),
    )
    if calibration is None:
        return projection
    likely = _tokens(
        round(sum(c.likely_input for c in foreseen) * calibration.input_ratio),
        round(count * calibration.output_tokens),
    )
    return projection._replace(
        expected_input_tokens=likely["input_tokens"],
        expected_output_tokens=likely["output_tokens"],
        expected_usd=usd_of(model, likely),
    )


class Observed(NamedTuple):
    """Stored calls of a model in sum: what was estimated from their prompts, and what was counted.

    `latencies_s` are those of single calls: a batch says nothing of the calls in it.
    """

    model: str
    calls: int
    estimated_input: int
    input_tokens: int
    output_tokens: int
    latencies_s: Sequence[float]


def calibrate(observed: Iterable[Observed], models: Iterable[str]) -> dict[str, Calibration | None]:
    """A calibration per model: from its own calls, else from those of all models, else None."""
    calls = [found for found in observed if found.calls]
    pooled = _calibration("all models", calls)
    found: dict[str, Calibration | None] = {}
    for model in models:
        own = [call for call in calls if call.model == model]
        found[model] = _calibration(model, own) or pooled
    return found


def _calibration(basis: str, calls: list[Observed]) -> Calibration | None:
    if not calls:
        return None
    count = sum(found.calls for found in calls)
    estimated = sum(found.estimated_input for found in calls)
    latencies = [latency for found in calls for latency in found.latencies_s]
    return Calibration(
        basis,
        count,
        sum(found.input_tokens for found in calls) / estimated if estimated else 1.0,
        sum(found.output_tokens for found in calls) / count,
        sum(latencies) / len(latencies) if latencies else None,
    )


def _at_most(tokens: int, limit: int | None) -> int:
    return tokens if limit is None else min(tokens, limit)


def _tokens(read: int, written: int) -> dict[str, int]:
    return {"input_tokens": read, "output_tokens": written}


def _plus(one: float | None, other: float | None) -> Any:
    """The sum, null where a term is; of two integers an integer."""
    return None if one is None or other is None else one + other

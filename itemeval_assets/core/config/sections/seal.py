"""The section `seal`: what is claimed before the calls, and what will decide it."""

from typing import Annotated

from pydantic import Field, StringConstraints

from itemeval_assets.core.text.yaml.sections import Section

_Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class SealConfig(Section):
    """Sentences that `seal` writes down with the design. No key of it enters an id."""

    hypotheses: list[_Sentence] = Field(
        min_length=1,
        description="what you expect, one sentence each",
        examples=[["gpt-x scores higher than gpt-y with the prompt short"]],
    )
    decision: _Sentence = Field(
        description="the rule that decides: which figure, of which grader, beyond which value",
        examples=["the 95 % interval of their difference lies above 0 for the judge strict"],
    )

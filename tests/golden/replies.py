"""What the models of the server answer: every kind of reply, and other ones later."""

import json
import re
from typing import Any

from tests.model_server import MALFORMED, Answer, Request, error_answer, json_answer

__all__ = ["Replies"]

LATEX = '```json\n{"score": 0.5, "reasoning": "As \\frac{1}{2} says."}\n```'
# A judge's reply to the solution of each item.
VERDICTS = {
    1: 'Compared.\n\n```json\n{"score": 1, "reasoning": "The same."}\n```',
    2: LATEX,
    3: "Mostly right, but I would rather not put a number on it.",
    4: '{"verdict": {"score": "0.25", "reasoning": "A quarter, as a text."}}',
    5: '{"score": "7/10", "reasoning": "A fraction."}',
    6: '{"score": 1e999, "reasoning": "No number that is finite: \\ud800"}',
}


class Replies:
    """`round` is what the scene counts up: faults of the first are gone in the next."""

    def __init__(self) -> None:
        self.round = 1

    def __call__(self, request: Request) -> str | Answer | None:
        found = re.search(r"What is (\d+) \+", request.prompt)
        if found is None:
            return "pong"
        n = int(found[1])
        if request.model.startswith("judge"):
            return self._verdict(request, n)
        return getattr(self, f"_{request.model}")(request, n)

    def _alpha(self, request: Request, n: int) -> str | Answer:
        """Every kind of answer and fault."""
        if self.round == 1 and n == 2:
            return error_answer(400, "refused; the key was sk-of-the-test")
        if n == 3:
            return "" if self.round == 1 else "ANSWER: 6"
        if n == 4 and request.attempt == 1:
            return error_answer(500, "come back later")
        if self.round == 1 and n == 5:
            content_type, body = MALFORMED["text"]
            return Answer(200, body, content_type)
        if n == 6:
            return _completion(request, "It is 5 or 6.\n\nANSWER: 5 or 6", usage=False)
        if n == 1 and self.round >= 3:
            return "On second thoughts.\n\nANSWER: 3"
        return f"{n} and {n}: \\frac{{{4 * n}}}{{2}}, “so”.\n\nANSWER: {2 * n}"

    def _beta(self, request: Request, n: int) -> str:
        return f"ANSWER: ({'ABCDEF'[n - 1]})" if n < 3 else f"The sum is {2 * n + n % 2}."

    def _gamma(self, request: Request, n: int) -> str:
        return f"ANSWER: {2 * n}"

    def _verdict(self, request: Request, n: int) -> str | Answer:
        if self.round == 1 and n == 1 and "ANSWER: (A)" in request.prompt:
            return error_answer(400, "no verdict")
        if request.has_response_format:
            return json.dumps({"score": n / 8, "reasoning": "In the form that was asked for."})
        return VERDICTS[n]


def _completion(request: Request, content: str, *, usage: bool) -> Answer:
    message = {"role": "assistant", "content": content}
    reply: dict[str, Any] = {
        "id": "chatcmpl-test",
        "created": 0,
        "model": request.model,
        "object": "chat.completion",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
    if usage:
        reply["usage"] = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return json_answer(200, reply)

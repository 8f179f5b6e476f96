"""Makes logs of the tasks beside it, with answers from no model.

    uv run --no-project --with inspect-ai==0.3.112 python make.py

Each version of inspect_ai gets a folder of its own.
"""

import sys
from importlib.metadata import version
from pathlib import Path

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model

HERE = Path(__file__).parent
ANSWERS = ("Paris", "Madrid", "It is Rome", "no idea", "Nairobi, please", "Kyoto")


def replies():
    for number, text in enumerate(ANSWERS, 1):
        reply = ModelOutput.from_content("mockllm/model", text)
        reply.usage = ModelUsage(input_tokens=10, output_tokens=number, total_tokens=10 + number)
        yield reply


def main():
    sys.path.insert(0, str(HERE))
    from tasks import capitals, several

    for task in (capitals(), several()):
        evaluate(
            task,
            model=get_model("mockllm/model", custom_outputs=[*replies()]),
            log_dir=str(HERE / version("inspect-ai")),
            display="none",
            max_samples=1,
            max_connections=1,
        )


if __name__ == "__main__":
    main()

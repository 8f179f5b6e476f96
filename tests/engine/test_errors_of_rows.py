"""What a row says of an error of inspect_ai."""

from inspect_ai.log import EvalError

from itemeval_assets.engine.rows import error_text


def test_an_error_of_inspect_has_no_markup() -> None:
    message = (
        "[bold]ERROR[/bold]: vLLM Server requires optional dependencies. Install with:\n\n"
        "[bold]pip install vllm[/bold]"
    )
    error = EvalError(message=message, traceback="", traceback_ansi="")
    told = "vLLM Server requires optional dependencies. Install with: pip install vllm"
    assert error_text(error) == told
    # What a model said stays as it is.
    own = EvalError(message="no [bold] word", traceback="", traceback_ansi="")
    assert error_text(own) == "no [bold] word"

"""What is said of a model that cannot be made."""

import pytest
from inspect_ai._util import error as inspects

from itemeval_assets.core.errors import ModelError
from itemeval_assets.engine.calls import models
from itemeval_assets.engine.calls.models import RunModels
from itemeval_assets.host.installation import how_to_install

TROUBLES = [
    (inspects.pip_dependency_error("Groq API", ["groq"]), "Groq API requires", ["groq"]),
    (
        inspects.pip_dependency_error("X API", ["one", "two"]),
        "X API requires optional dependencies; install one, two with: ",
        ["one", "two"],
    ),
    (
        inspects.module_version_error("OpenAI API", "pytest", "99.0"),
        "requires at least version 99.0 of package pytest",
        ["--upgrade", "pytest"],
    ),
    (
        inspects.module_max_version_error("OpenAI API", "pytest", "1.0"),
        "supports only version 1.0 and earlier of package pytest",
        ["pytest==1.0"],
    ),
]


@pytest.mark.parametrize(("trouble", "says", "wanted"), TROUBLES)
def test_a_missing_package_is_named_with_a_command_for_this_installation(
    trouble: Exception, says: str, wanted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def get_model(*_: object, **__: object) -> None:
        raise trouble

    monkeypatch.setattr(models, "get_model", get_model)
    with pytest.raises(ModelError) as caught:
        RunModels().resolve("groq/x", "solvers.models")
    message = str(caught.value)
    assert message.startswith("solvers.models: groq/x: ") and says in message
    assert message.endswith(f" with: {how_to_install(*wanted)}")
    assert "with: pip install" not in message

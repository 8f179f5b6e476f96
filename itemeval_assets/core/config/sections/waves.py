"""The sections `waves` and `rejudges`: later times at which a study is asked, or graded, again."""

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field

from itemeval_assets.core.config.wording import WAVE_NAME
from itemeval_assets.core.text.yaml.sections import IDENTITY, Section

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler

__all__ = ["Wave", "WaveConfig"]


class WaveConfig(Section):
    """A later time: all items of then, or some of them that were drawn at random."""

    name: str = Field(
        pattern=WAVE_NAME,
        description="what tables call this time; an entry may be the name alone",
        examples=["2026-12"],
        json_schema_extra=IDENTITY,
    )
    anchors: int | None = Field(
        default=None,
        ge=1,
        description="only so many items, drawn at random: a larger number keeps those of a smaller "
        "one; null: all",
        examples=[30],
    )


def _as_section(entry: Any) -> Any:
    """A name alone is an entry with this name; what is none is told where the name belongs."""
    return entry if isinstance(entry, dict | WaveConfig) else {"name": entry}


class _OrName:
    """Editors accept the name alone, too."""

    def __get_pydantic_json_schema__(
        self, schema: Any, handler: "GetJsonSchemaHandler"
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema), {"type": "string", "pattern": WAVE_NAME}]}


if TYPE_CHECKING:
    Wave = WaveConfig
else:
    Wave = Annotated[WaveConfig, BeforeValidator(_as_section), _OrName()]

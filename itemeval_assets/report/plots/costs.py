"""The pictures of the costs: USD per condition, and per day."""

from collections.abc import Mapping

from matplotlib import ticker
from matplotlib.figure import Figure

from itemeval_assets.core.text.words import dollars

from .figures import describe, figure

_SHOWN = 24
# Each has a colour of its own; all others are one.
_MODELS = 9
_LONGEST_LABEL = 60
Sums = Mapping[str, Mapping[str, float]]


def bars_per_condition(usd: Sums) -> Figure:
    """Horizontal bars, the dearest condition on top. `usd`: {condition: {stage: USD}}."""
    ranked = sorted(usd.items(), key=lambda entry: -sum(entry[1].values()))[:_SHOWN]
    with figure(8, 1.2 + 0.28 * len(ranked)) as drawn:
        axes = drawn.subplots()
        names = [name if len(name) <= _LONGEST_LABEL else f"{name[:59]}…" for name, _ in ranked]
        # Two labels may be alike once they are cut short: their bars stand apart all the same.
        places = list(range(len(ranked)))
        ends = [0.0] * len(ranked)
        for stage in _columns(usd):
            lengths = [sums.get(stage, 0.0) for _, sums in ranked]
            axes.barh(places, lengths, left=ends, label=stage)
            ends = [end + length for end, length in zip(ends, lengths, strict=True)]
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        rest = f", {_SHOWN} most expensive of {len(usd)}" if len(usd) > _SHOWN else ""
        axes.set_title(f"USD per condition{rest}", loc="left")
        axes.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: f"${x:g}"))
        told = (f"{name}: {dollars(sum(sums.values()))}" for name, sums in ranked)
        describe(drawn, f"USD per condition{rest}", told)
        axes.legend()
    return drawn


def bars_per_day(usd: Sums) -> Figure:
    """Stacked columns in order of the days. `usd`: {day: {model: USD}}."""
    days = sorted(usd)
    with figure(8, 3) as drawn:
        axes = drawn.subplots()
        floors = [0.0] * len(days)
        for model, of_days in _by_model(usd).items():
            heights = [of_days[day] for day in days]
            axes.bar(days, heights, bottom=floors, label=model, width=0.6)
            floors = [low + high for low, high in zip(floors, heights, strict=True)]
        axes.set_title("USD per day", loc="left")
        axes.tick_params(axis="x", rotation=0 if len(days) < 8 else 60)
        axes.yaxis.set_major_formatter(ticker.FuncFormatter(lambda y, _: f"${y:g}"))
        axes.legend(fontsize=8)
    return drawn


def _by_model(usd: Sums) -> dict[str, dict[str, float]]:
    """{model: {day: USD}}, the dearest first, and what is left as one."""
    ranked = sorted(_columns(usd), key=lambda m: -sum(day.get(m, 0.0) for day in usd.values()))
    others = ranked[_MODELS:] if len(ranked) > _MODELS + 1 else []
    shown = {
        model: {day: of_day.get(model, 0.0) for day, of_day in usd.items()}
        for model in ranked[: len(ranked) - len(others)]
    }
    if others:
        shown[f"{len(others)} other models"] = {
            day: sum(of_day.get(model, 0.0) for model in others) for day, of_day in usd.items()
        }
    return shown


def _columns(usd: Sums) -> list[str]:
    return list(dict.fromkeys(name for sums in usd.values() for name in sums))

"""`taut compare`: which regularizers make a difference on a table, and which differences are noise."""

from __future__ import annotations

from math import floor, log10
from typing import TYPE_CHECKING, Annotated, Any

from taut.cli import display
from taut.cli.display import METRIC_NAMES, WIDE, number, print_json, printable, progress, say, screen, table
from taut.cli.inputs import check_columns, choose_target, read_recipe, source
from taut.cli.options import Backend, Data, Group, Jobs, Json, RecipeFile, Target, Task, Time, integer, option
from taut.cli.options import number as parse_number

if TYPE_CHECKING:
    from taut.selection.compare import Arm, Comparison

__all__ = ["compare"]

ROOMY = 120  # from here on there is room for an interval beside its difference


def _strength(name: str, words: str, **bounds: float) -> Any:
    words += " in the arms that have it."
    return option(name, metavar="STRENGTH", help=words, parser=parse_number(name, above=0, **bounds))


Seeds = Annotated[
    int | None,
    option("--seeds", metavar="N", help="Pairs of fits an arm; by default 10.", parser=integer("--seeds", at_least=2)),
]


def compare(
    data: Data,
    target: Target = None,
    task: Task = None,
    seeds: Seeds = None,
    l1: Annotated[float | None, _strength("--l1", "Strength of L1")] = None,
    l2: Annotated[float | None, _strength("--l2", "Strength of L2")] = None,
    dropout: Annotated[float | None, _strength("--dropout", "Share of dropped units", below=1)] = None,
    recipe: RecipeFile = None,
    group: Group = None,
    time: Time = None,
    jobs: Jobs = None,
    backend: Backend = None,
    json: Json = False,
) -> None:
    """Say which regularizers help beyond noise.

    Networks are trained with no regularization, L1, L2, both, dropout, and all. Each seed draws a split and first
    weights that they share, so that they are compared in pairs.
    """
    from taut.data.targets import infer_task
    from taut.selection.compare import compare as run
    from taut.selection.rows import Rows

    arms = _arms({"l1": l1, "l2": l2, "dropout": dropout})
    where = source(data)
    start = read_recipe(recipe, None)
    frame, known = where.read()
    target = choose_target(frame, where.name, target, known)
    check_columns(frame, where.name, {"--group": group, "--time": time})
    rows = Rows.of(frame, target, group=group, time_column=time)
    task = task or infer_task(rows.y)  # type: ignore[assignment]  # one of the two words
    options: dict[str, Any] = {} if seeds is None else {"seeds": seeds}
    with progress("comparing", "weighing the differences") as report:
        found = run(
            rows.X,
            rows.y,
            task=str(task),
            recipe=start,
            arms=arms,
            groups=rows.groups,
            time=rows.time,
            n_jobs=jobs,
            backend=backend,
            report=report,
            **options,
        )
    if json:
        print_json({"data": where.name, "target": target, "task": task, "answer": sentence(found), **found.to_dict()})
    else:
        _show(found)


def _arms(strengths: dict[str, float | None]) -> dict[str, dict[str, Any]]:
    """Return the arms of `taut.selection`, with the strengths that were given."""
    from taut.selection.candidates import ARMS

    given = {field: strength for field, strength in strengths.items() if strength is not None}
    return {name: {field: given.get(field, value) for field, value in arm.items()} for name, arm in ARMS.items()}


def sentence(found: Comparison) -> str:
    """Return in one sentence which arms differ from no regularization beyond noise."""
    verdicts: dict[str, list[Arm]] = {"better": [], "worse": [], "within noise": []}
    for arm in found.arms[1:]:
        verdicts[arm.verdict].append(arm)
    clear = [
        f"{_listed(verdicts[verdict])} {'is' if len(verdicts[verdict]) == 1 else 'are'} {verdict}"
        for verdict in ("better", "worse")
        if verdicts[verdict]
    ]
    metric = METRIC_NAMES[found.metrics[0]]
    over = f"Over {found.seeds} paired seeds and by the {metric} on validation rows"
    if not clear:
        return f"{over}, no difference from no regularization is beyond noise."
    rest = f"; within noise: {_listed(verdicts['within noise'])}" if verdicts["within noise"] else ""
    return f"{over}, {' and '.join(clear)} than no regularization beyond noise{rest}."


def _listed(arms: list[Arm]) -> str:
    words = [arm.name for arm in arms]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _show(found: Comparison) -> None:
    say(sentence(found))
    first, second = found.metrics
    wide = screen().width >= WIDE
    heads = ["", "validation", "gap", "difference\n(95 % interval)", "wins", "verdict"]
    made = table(*heads, *([METRIC_NAMES[second], "settings"] if wide else []), numbers=(1, 2, 3, 4, 6))
    decimals = _decimals(found.arms)
    for index, arm in enumerate(found.arms):
        low, high = (_signed(bound, decimals) for bound in arm.interval)
        interval = f"{_signed(arm.difference, decimals)}{' ' if screen().width >= ROOMY else chr(10)}({low} to {high})"
        pairs = (interval, f"{arm.wins}/{found.seeds}", arm.verdict) if index else ("–", "–", "")
        row = [arm.name, number(arm.validation[first]), _signed(arm.gap, decimals), *pairs]
        made.add_row(*row, *([number(arm.validation[second]), arm.detail] if wide else []))
    display.show(made)
    say(
        f"validation: mean {METRIC_NAMES[first]} on rows not trained on, lower is better; gap: that minus training; "
        "difference: from no regularization, in pairs; p-values behind the verdicts are corrected for overlapping "
        "splits and for the number of arms.",
        style="dim",
    )


def _signed(value: float, decimals: int) -> str:
    """Return a difference with its sign, as people write it, and none for what is rounded to zero."""
    text = f"{abs(value):.{decimals}f}"
    sign = "" if not float(text) else "−" if value < 0 else "+"
    return printable(sign + text)


def _decimals(arms: list[Arm]) -> int:
    """Return how many decimals show two digits of the uncertainty of the least certain arm, and one more."""
    reach = max((arm.interval[1] - arm.interval[0]) / 2 for arm in arms)
    return min(max(0, 2 - floor(log10(reach))), 6) if reach > 0 else 3

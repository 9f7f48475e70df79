"""The report: docs/generalization.md, made from the files of outcomes, and words about what no outcome tells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.tables.ablation import INGREDIENTS, PARTS
from benchmarks.tables.figures import BINS, LEAST_PROBABILITY
from benchmarks.tables.outcomes import ABLATION_FILE, PEERS_FILE, TAUT_FILE, Key, Outcomes
from benchmarks.tables.problems import FRESH, MOST_ROWS, SPLITS, TEST_SHARE
from benchmarks.tables.standings import Duel, Standings

__all__ = ["CONTENDERS", "page", "write_page"]

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "generalization.md"

#: Who competes, and what each is told.
CONTENDERS = {
    "taut none": 'the recipe as it comes, nothing chosen (`effort="none"`)',
    "taut quick": '`effort="quick"`',
    "taut standard": '`effort="standard"`',
    "RealMLP-TD bagged": "pytabkit's tuned defaults, five networks, each stopped by the fold it leaves out",
    "RealMLP-TD": "pytabkit's tuned defaults, one network, stopped by rows held out",
    "CatBoost-TD bagged": "CatBoost with pytabkit's tuned defaults, five, each stopped by the fold it leaves out",
    "CatBoost-TD": "CatBoost with pytabkit's tuned defaults, one, stopped by rows held out",
    "CatBoost": "as it comes",
    "LightGBM": "as it comes",
    "random forest": "scikit-learn's, 500 trees, otherwise as it comes",
    "sklearn MLP": "scikit-learn's, as it comes, numbers to predict standardized",
    "sklearn MLP, grid": "the same, one of eight strengths of L2 by 5-fold cross-validation",
    "linear": "logistic or ridge regression, strength of L2 by cross-validation",
    "constant": "the shares of the classes, or the mean",
}
TAUT = ("taut none", "taut quick", "taut standard")
OWN = "taut standard"
SIMPLE = ("linear", "constant")
#: Whom the recipe as it comes is held beside: networks that choose nothing either.
BESIDE_NONE = ("sklearn MLP", "RealMLP-TD")

OPENING = """\
Made by `make tables` and `make ablation`; the raw figures are in `peers.json`, `taut.json` and `ablation.json` of
`benchmarks/tables/`. taut as it comes, at three efforts, beside what one would fit instead, each as its makers
recommend it; all fit on the same rows and answer for the same rows. Measured on {machine}.

**Others must judge.** taut was developed, and its defaults chosen, on these very tables, as those of its peers were on
tables that their makers had: the test rows are set aside in each run, the tables never were. The page can show where
taut falls short; whether what it shows in taut's favour holds elsewhere, others must judge, on tables of their own."""


def write_page() -> None:
    """Write docs/generalization.md."""
    outcomes = Outcomes(PEERS_FILE).read() | Outcomes(TAUT_FILE).read()
    fragments = (
        ablation((HERE / "ablation.md").read_text(encoding="utf-8"), Outcomes(ABLATION_FILE).read()),
        (HERE / "didnt_work.md").read_text(encoding="utf-8"),
    )
    PAGE.write_text(page(outcomes, fragments), encoding="utf-8")


def ablation(words: str, outcomes: Mapping[Key, Mapping[str, Any]]) -> str:
    """Return the words with ``{ingredients}`` and ``{parts}`` made tables of what outcomes say of them."""
    standings = Standings(outcomes, sorted({key.split for key in outcomes}))
    return words.format(
        ingredients=_variants(standings, "variant", list(INGREDIENTS)), parts=_variants(standings, "without", PARTS)
    )


def _variants(standings: Standings, title: str, names: Sequence[str]) -> str:
    """Return what each of the methods loses beside the first of them."""
    lines = [f"| {title} | test loss | 95 % interval | worse on | p |", "|---|---:|---:|---:|---:|"]
    for name in names[1:]:
        duel = standings.duel(name, names[0], "loss")
        if duel:
            change, low, high = (f"{100 * (ratio - 1):+.1f} %" for ratio in (duel.effect, duel.low, duel.high))
            interval = "" if np.isnan(duel.low) else f"{low} to {high}"
            worse = f"{duel.losses} of {duel.n_tables}"
            lines.append(
                f"| {name.removesuffix(' (classes)')} | {change} | {interval} | {worse} | {_p(duel.p_value)} |"
            )
    return "\n".join(lines)


def page(outcomes: Mapping[Key, Mapping[str, Any]], fragments: Sequence[str]) -> str:
    """Return the page that outcomes make.

    Parameters
    ----------
    outcomes : mapping of Key to dict
        The peers' and taut's.
    fragments : sequence of str
        What comes between the comparisons and the tables, each with its own heading.
    """
    standings = Standings(outcomes, SPLITS)
    parts = [
        "# How well taut generalizes, and beside what",
        OPENING.format(machine=_listed({str(entry["machine"]) for entry in outcomes.values()}) or "no machine yet"),
        _settings(),
        _ranks(standings, outcomes),
        _duels(standings, OWN, [name for name in CONTENDERS if name != OWN]),
        _duels(standings, TAUT[0], BESIDE_NONE),
        *_fresh(outcomes),
        _simple(standings),
        _calibration(standings),
        *(fragment.strip() for fragment in fragments),
        _seconds(standings),
        _figures(standings, "loss", "Losses", "Log loss, or the root mean squared error.", standings.tables),
        _figures(standings, "error", "Errors", "Wrong classes, in percent.", standings.tables_of_classes, 100.0),
        _failed(outcomes),
        _method(standings),
        _versions(outcomes),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _settings() -> str:
    lines = [f"| {name} | {words} |" for name, words in CONTENDERS.items()]
    return "\n".join(["| method | setting |", "|---|---|", *lines])


def _ranks(standings: Standings, outcomes: Mapping[Key, Mapping[str, Any]]) -> str:
    """Return the mean ranks over all cuts, and over the first alone where more methods have that."""
    parts = ["## Ranks", f"Mean rank over {len(standings.tables)} tables; lower is better.", _rank_table(standings)]
    first = Standings(outcomes, SPLITS[:1])
    if any(
        len(first.mean_ranks(list(CONTENDERS), figure)) > len(standings.mean_ranks(list(CONTENDERS), figure))
        for figure in ("loss", "error")
    ):
        parts += ["Over the first cut of each table alone, which more methods have:", _rank_table(first)]
    return "\n\n".join(part for part in parts if part)


def _rank_table(standings: Standings) -> str:
    losses, errors = (standings.mean_ranks(list(CONTENDERS), figure) for figure in ("loss", "error"))
    ranked = sorted(losses | errors, key=lambda name: (losses.get(name, np.inf), errors.get(name, np.inf)))
    lines = [
        f"| {_bold(name, name == OWN)} | {_fixed(losses.get(name), 2)} | {_fixed(errors.get(name), 2)} |"
        for name in ranked
    ]
    n_cuts = len(standings.tables) * len(standings.splits)
    lacking = "; ".join(
        f"{name} ({standings.count(name, 'loss')} of {n_cuts} cuts in loss, {standings.count(name, 'error')} in error)"
        for name in CONTENDERS
        if name not in losses or name not in errors
    )
    table = ["| method | in loss | in error |", "|---|---:|---:|", *lines] if lines else []
    notes = ["", f"Incomplete, and therefore not ranked where cuts are lacking: {lacking}."] if lacking else []
    return "\n".join([*table, *notes]).strip()


def _fresh(outcomes: Mapping[Key, Mapping[str, Any]]) -> list[str]:
    """Return the nearest comparisons on the cuts that nothing was decided on, and on those and the others together."""
    alone, together = Standings(outcomes, FRESH), Standings(outcomes, (*SPLITS, *FRESH))
    nearest = ["taut none", "taut quick", "RealMLP-TD bagged"]
    found = [
        _duels(alone, OWN, nearest, f"### {OWN} beside the others on it"),
        _duels(alone, TAUT[0], BESIDE_NONE[:1], f"### {TAUT[0]} beside the others on it"),
    ]
    if not any(found):
        return []
    opening = (
        "Another cut of each table, first made when all defaults stood: taut, and those of its peers that the cuts "
        "above alone are too few to judge it by."
    )
    found.append(_duels(together, OWN, nearest[-1:], f"### {OWN} on all {len(together.splits)} cuts"))
    return ["## A cut on which nothing was decided", opening, *found]


def _duels(standings: Standings, first: str, others: Sequence[str], heading: str = "") -> str:
    """Return one contender beside others, in loss and in error."""
    blocks = []
    for figure, title, words in (
        ("loss", "geometric mean ratio of losses (95 %)", _ratio),
        ("error, all", "mean of (error − other's) / (error + other's), % (95 %)", _points),
        ("error", "mean difference of errors, points (95 %)", _points),
    ):
        duels = {name: duel for name in others if (duel := standings.duel(first, name, figure))}
        if duels:
            head = f"| {first} beside | tables | wins–ties–losses | {title} | p |\n|---|---:|---:|---:|---:|"
            blocks.append("\n".join([head, *(_duel_line(name, duel, words) for name, duel in duels.items())]))
    if not blocks:
        return ""
    opening = (
        f"In loss over all tables, below 1 where {first} is better; in error over all tables, and over those with "
        "classes alone, below 0. All are over the tables and cuts that the two have in common; p is Wilcoxon's, over "
        "tables."
    )
    return "\n\n".join([heading or f"## {first} beside the others, two by two", opening, *blocks])


def _duel_line(name: str, duel: Duel, words: Callable[[Duel], str]) -> str:
    record = f"{duel.wins}–{duel.ties}–{duel.losses}"
    return f"| {name} | {duel.n_tables} | {record} | {words(duel)} | {_p(duel.p_value)} |"


def _p(value: float) -> str:
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _ratio(duel: Duel) -> str:
    return f"{duel.effect:.3f}{_interval(duel.low, duel.high, '.3f')}"


def _points(duel: Duel) -> str:
    return f"{100 * duel.effect:+.2f}{_interval(100 * duel.low, 100 * duel.high, '+.2f')}"


def _interval(low: float, high: float, form: str) -> str:
    return "" if np.isnan(low) else f" ({low:{form}} to {high:{form}})"


def _simple(standings: Standings) -> str:
    """Say where taut is worse than what is simpler than a network."""
    lines = []
    for name in TAUT:
        judged = standings.worse_than_simple(name, SIMPLE)
        if judged:
            worse, n_tables = judged
            listed = f"; worse on {', '.join(worse)}" if worse else ""
            lines.append(f"- {name}: on {n_tables - len(worse)} of {n_tables} tables{listed}.")
    if not lines:
        return ""
    opening = (
        f"Not worse than the better of {' and '.join(SIMPLE)} by more than one standard error of its own loss "
        "(over the test rows, mean of the cuts):"
    )
    return "\n\n".join(["## Beside what is simpler", opening, "\n".join(lines)])


def _calibration(standings: Standings) -> str:
    lines = []
    for name in TAUT:
        judged = standings.as_calibrated(name, "CatBoost")
        if judged:
            lines.append(f"- {name}: on {judged[0]} of {judged[1]} tables ({judged[0] / judged[1]:.0%}).")
    if not lines:
        return ""
    opening = "Tables with classes on which the expected calibration error is no higher than CatBoost's, as it comes:"
    return "\n\n".join(["## Calibration", opening, "\n".join(lines)])


def _seconds(standings: Standings) -> str:
    """Return what each method took, wall and processor."""
    lines = []
    for method in sorted({key.method for key in standings.outcomes}, key=_place):
        clocks = [standings.seconds(method, clock) for clock in ("seconds", "cpu")]
        cells = [_significant(value, 2) for taken in clocks for value in (*np.quantile(taken, (0.5, 0.9)), taken[-1])]
        lines.append(f"| {_bold(method, method == OWN)} | {len(clocks[0])} | {' | '.join(cells)} |")
    if not lines:
        return ""
    head = (
        "| method | cuts | wall: median | 90 % | largest | processor: median | 90 % | largest |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    opening = "Of fitting to one cut of a table and answering for its test rows."
    return "\n".join(["## Seconds", "", opening, "", head, *lines])


def _place(method: str) -> tuple[int, str]:
    return list(CONTENDERS).index(method.partition(" (")[0]), method


def _figures(
    standings: Standings, figure: str, title: str, words: str, tables: Sequence[str], scale: float = 1.0
) -> str:
    """Return a figure of every contender on every table, the best of each in bold."""
    found = {
        name: {table: values for table in tables if (values := standings.by_split(name, figure, table))}
        for name in CONTENDERS
    }
    names = [name for name, by_table in found.items() if by_table]
    if not names:
        return ""
    lines = [f"| table | {' | '.join(names)} |", f"|---|{'---:|' * len(names)}"]
    is_partial = False
    for table in tables:
        cuts = [found[name].get(table, {}) for name in names]
        means = [float(np.mean(list(values.values()))) if values else np.nan for values in cuts]
        full = [mean for mean, values in zip(means, cuts, strict=True) if len(values) == len(standings.splits)]
        cells = []
        for mean, values in zip(means, cuts, strict=True):
            is_whole = len(values) == len(standings.splits)
            is_partial |= bool(values) and not is_whole
            shown = _significant(scale * mean, 4) if values else "–"
            cells.append(_bold(shown, is_whole and mean == min(full)) + (" ¹" if values and not is_whole else ""))
        lines.append(f"| {table} | {' | '.join(cells)} |")
    notes = ["", "¹ Not on all cuts of the table; not compared in bold."] if is_partial else []
    return "\n".join([f"## {title}", "", words, "", *lines, *notes])


def _failed(outcomes: Mapping[Key, Mapping[str, Any]]) -> str:
    lines = [
        f"- {key.method} on {key.table}, cut {key.split}: {entry['failed']}"
        for key, entry in sorted(outcomes.items())
        if "failed" in entry
    ]
    return "\n\n".join(["## Failed", "\n".join(lines)]) if lines else ""


def _method(standings: Standings) -> str:
    n_tables, n_classes = len(standings.tables), len(standings.tables_of_classes)
    text = (HERE / "method.md").read_text(encoding="utf-8")
    return text.format(
        tables=n_tables,
        classes=n_classes,
        numbers=n_tables - n_classes,
        most_rows=MOST_ROWS,
        test_share=TEST_SHARE,
        splits=len(SPLITS),
        least_probability=LEAST_PROBABILITY,
        bins=BINS,
    ).strip()


def _versions(outcomes: Mapping[Key, Mapping[str, Any]]) -> str:
    found: dict[str, set[str]] = {}
    for entry in outcomes.values():
        for package, number in entry["versions"].items():
            found.setdefault(package, set()).add(number)
    if not found:
        return ""
    return f"Versions: {', '.join(f'{name} {_listed(numbers)}' for name, numbers in sorted(found.items()))}."


def _listed(values: Iterable[str]) -> str:
    return " and ".join(sorted(values))


def _bold(text: str, is_bold: bool) -> str:
    return f"**{text}**" if is_bold else text


def _fixed(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:.{decimals}f}"


def _significant(value: float, digits: int) -> str:
    """Return so many digits, without an exponent, and none of what stands before the point cut off."""
    if not value:
        return "0"
    decimals = max(0, digits - 1 - int(np.floor(np.log10(abs(value)))))
    return f"{value:,.{decimals}f}"

"""Code: a run as a Python script that repeats it to the last bit, and as a recipe.

The script takes the same steps as `rows` and `pair`, written out. What comes from a file or an address enters it by
`repr` alone, so that no name in a table can become code.
"""

from __future__ import annotations

from typing import Any

from taut.errors import InvalidValue
from taut.play.course import Course
from taut.play.rows import CLASSES, MOST_ROWS, VALIDATION
from taut.play.setting import Setting
from taut.play.table import Table

__all__ = ["recipe", "script"]

_LIVE_DATA = ("samples", "noise", "label_noise")


def recipe(course: Course) -> str:
    """Return the recipe of now as TOML; trained from the start, it repeats a run whose knobs were not turned.

    Examples
    --------
    >>> from taut.training import Recipe
    >>> Recipe.from_toml(recipe(Course().at(40))).epochs
    40
    """
    words = "Its knobs were turned on the way, which a recipe cannot say: this is how they stand at the end."
    head = ["# A run of `taut play`, as a recipe: Recipe.from_toml, or `taut fit DATA --recipe FILE --effort none`."]
    head += [f"# {words}"] if course.changes else []
    return "\n".join([*head, course.setting.recipe(course.epoch).to_toml()])


def script(course: Course, task: str, table: Table | None) -> str:
    """Return the run as a script.

    Parameters
    ----------
    course : Course
        The run.
    task : str
        "classification" or "regression".
    table : Table or None
        Where its rows come from, if they are not drawn.

    Raises
    ------
    InvalidValue
        If there is no epoch to repeat yet.
    """
    if not course.epoch:
        raise InvalidValue("there is nothing to repeat yet; train some epochs first")
    last = course.changes and course.changes[-1][0] == course.epoch  # turned since, and nothing trained with it
    stages = course.stages()[:-1] if last else course.stages()
    setting = course.start
    body = _table(setting, table, task) if table is not None else _drawn(setting)
    names = sorted({"Recipe", "train", "Random", *(["spiral"] if setting.data == "spiral" else [])}, key=str.lower)
    lines = [
        f'"""Repeats a run of `taut play` to its last bit: {course.epoch} epochs of two networks from the same start.',
        "",
        "One is regularized, the other is not.",
        '"""',
        "",
        "from dataclasses import replace",
        "",
        "import numpy as np",
        *([f"from sklearn.datasets import make_{setting.data}"] if setting.data in ("moons", "circles") else []),
        f"from taut import {', '.join(names)}",
        *_data_imports(table, task),
        "from taut.training import State",
        "",
        *body,
        "",
        "recipe = Recipe(",
        *(f"    {name}={value!r}," for name, value in setting.recipe_fields().items()),
        ")",
        "stages = [  # until which epoch, on which rows, by which recipe",
        *_stages(stages),
        "]",
        "",
        *_LOOP.format(outputs=_outputs(setting, task), task=task).splitlines(),
    ]
    return "\n".join(lines) + "\n"


def _data_imports(table: Table | None, task: str) -> list[str]:
    if table is None:
        return []
    targets = "ClassTargets" if task == "classification" else "NumberTargets"
    reader = table.source.partition("(")[0]
    return [f"from taut.data import {', '.join(sorted([targets, 'TableEncoder', 'hold_out', reader]))}"]


def _outputs(setting: Setting, task: str) -> str:
    if setting.data != "table":
        return str(CLASSES[setting.data])
    return "len(targets.classes_)" if task == "classification" else "1"


def _stages(stages: list[tuple[int, Setting]]) -> list[str]:
    lines = []
    first = stages[0][1].recipe_fields()
    for until, setting in stages:
        fields = setting.recipe_fields()
        turned = {name: value for name, value in fields.items() if value != first[name]}
        by = f"replace(recipe, {_arguments(turned)})" if turned else "recipe"
        live = {name: getattr(setting, name) for name in _LIVE_DATA if name != "noise" or setting.data != "table"}
        lines.append(f"    ({until}, data({_arguments(live)}), {by}),")
    return lines


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in values.items())


def _drawn(setting: Setting) -> list[str]:
    seed, classes = setting.seed, CLASSES[setting.data]
    draws = {
        "spiral": ["    return spiral(samples // 3, 3, noise, seed)"],
        "xor": [
            "    corners = 2 * Random(seed).uniform((samples, 2)) - 1",
            "    y = (corners[:, 0] * corners[:, 1] > 0).astype(np.int64)",
            "    return corners + noise * Random(seed).at(item=1).normal((samples, 2)), y",
        ],
        "moons": ["    return make_moons(samples, noise=noise, random_state=seed)"],
        "circles": ["    return make_circles(samples, noise=noise, factor=0.5, random_state=seed)"],
    }
    return [
        "",
        "def draw(samples, noise, seed):",
        '    """Return points of the set, and their classes."""',
        *draws[setting.data],
        "",
        "",
        "def data(samples, noise, label_noise):",
        '    """Return points to learn from, a share of their labels wrong, and fresh ones to validate on."""',
        f"    X, y = draw(samples, noise, {seed})",
        *_mislabelled(seed, str(classes)),
        f"    return (X, y), draw({VALIDATION}, noise, {seed + 1})",
        "",
    ]


def _mislabelled(seed: int, classes: str) -> list[str]:
    return [
        f"    wrong = Random({seed}).uniform(len(y)) < label_noise",
        f"    shift = 1 + (Random({seed}).at(item=1).uniform(len(y)) * ({classes} - 1)).astype(np.int64)",
        f"    y = np.where(wrong, (y + shift) % {classes}, y)",
    ]


def _table(setting: Setting, table: Table, task: str) -> list[str]:
    target, seed = setting.target, setting.seed
    columns = list(setting.columns)
    is_large = int(table.frame[target].notna().sum()) > MOST_ROWS
    is_sample = table.source.startswith("load_sample")
    lines = [
        f"table = {table.source}{'[0]' if is_sample else ''}.dropna(subset=[{target!r}])",
        *([f"table = table.iloc[np.sort(Random({seed}).permutation(len(table))[:{MOST_ROWS}])]"] if is_large else []),
        f"inputs = table[{columns!r}]" if columns else f"inputs = table.drop(columns={target!r})",
        f"learn, held = hold_out(inputs, table[{target!r}], test_size=0.3, task={task!r}, seed={seed})",
        "X = TableEncoder().fit(inputs.iloc[learn]).transform(inputs)",
    ]
    if task == "classification":
        lines += [f"targets = ClassTargets().fit(table[{target!r}])", f"y_clean = targets.encode(table[{target!r}])"]
        noise = _mislabelled(seed, "len(targets.classes_)")
    else:
        lines += [f"targets = NumberTargets().fit(table[{target!r}].iloc[learn])"]
        lines += [f"y_clean = targets.encode(table[{target!r}])"]
        noise = [f"    y = y + label_noise * Random({seed}).normal(y.shape)"]
    if setting.axes == "projection":
        lines += [
            "center = X[learn].mean(axis=0)",
            "X = (X - center) @ np.linalg.svd(X[learn] - center, full_matrices=False)[2][:2].T",
        ]
    return [
        *lines,
        f"held = held[Random({seed}).at(item=2).permutation(len(held))[:{VALIDATION}]]",
        "",
        "",
        "def data(samples, label_noise):",
        '    """Return rows to learn from, with noise in their target, and the rows to validate on."""',
        f"    rows = learn[Random({seed}).permutation(len(learn))[:samples]]",
        "    y = y_clean[rows]",
        *noise,
        "    return (X[rows], y), (X[held], y_clean[held])",
        "",
    ]


_LOOP = """for name in ("regularized", "unregularized"):
    network = state = before = None
    for until, (rows, validation), recipe in stages:
        recipe = recipe if name == "regularized" else recipe.unregularized()
        weights = None if network is None else network.state
        network, loss, optimizer = recipe.build(rows[0].shape[1], {outputs}, {task!r}, state=weights)
        if before is not None and type(optimizer) is not before:  # another optimizer begins without memory
            state = State(epoch=state.epoch, memory=optimizer.start(network.theta))
        before = type(optimizer)
        history = train(
            network,
            *rows,
            loss=loss,
            optimizer=optimizer,
            epochs=until,
            batch_size=recipe.batch_rows(len(rows[0])),
            validation=validation,
            seed=recipe.seed,
            resume=state,
        )
        state = history.state
    last = history.last()
    print(
        f"{{name}}: data loss {{last['evaluation_data_loss']!r}}, penalty {{last['penalty']!r}}, "
        f"validation loss {{last['validation_data_loss']!r}}"
    )
"""

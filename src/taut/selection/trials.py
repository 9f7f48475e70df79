"""Trials: what a search has tried, held by an Optuna study, from which a search that was killed goes on.

A trial is a setting and how it did; a round's trials are told together, when all of them have ended. So whoever kills
a search loses the round in hand and nothing else, and the search that goes on makes the same round again. Optuna's own
tools, its dashboard among them, can read the study. Floor 5 of the house; knows nothing of how settings are proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from taut.checks import shown
from taut.errors import InvalidType, InvalidValue
from taut.selection.space import Setting, Space
from taut.training.recipe import Recipe

if TYPE_CHECKING:
    import optuna

__all__ = ["Ledger", "Trial"]

_NAME = "taut"
_RESULT, _FINGERPRINT = "taut", "taut_search"


@dataclass(frozen=True, eq=False)
class Trial:
    """A setting and how it did on the folds.

    Attributes
    ----------
    round, index : int
        When it was tried.
    setting : dict
        The ingredients and their values.
    recipe : Recipe
        The recipe.
    epochs : int
        How far it was trained; if fewer than the recipe has, it was stopped because others were better.
    mean, standard_error : float
        Validation data loss there: mean over the folds, and its standard error.
    losses : ndarray, shape (folds,)
        Fold by fold.
    training : float
        Training data loss with all noise off, mean over the folds.
    scores : dict of str to (float, float)
        Validation metrics: mean over the folds and standard error.
    course : dict of int to float
        Mean validation loss after so many epochs, wherever the trial was compared with others.
    """

    round: int
    index: int
    setting: Setting
    recipe: Recipe
    epochs: int
    mean: float
    standard_error: float
    losses: np.ndarray
    training: float
    scores: dict[str, tuple[float, float]]
    course: dict[int, float]

    @property
    def is_complete(self) -> bool:
        """Whether it was trained to its end."""
        return self.epochs == self.recipe.epochs

    def result(self) -> dict[str, Any]:
        """Return what is not in the setting, as JSON can hold it."""
        return {
            "round": self.round,
            "index": self.index,
            "epochs": self.epochs,
            "losses": [_plain(loss) for loss in self.losses],
            "standard_error": _plain(self.standard_error),
            "training": _plain(self.training),
            "scores": {name: [_plain(value) for value in score] for name, score in self.scores.items()},
            "course": {str(epoch): _plain(loss) for epoch, loss in self.course.items()},
        }

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON-able values."""
        return {"setting": self.setting, "describe": self.recipe.describe(), "mean": _plain(self.mean), **self.result()}


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _number(value: float | None) -> float:
    return np.inf if value is None else float(value)


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


class Ledger:
    """The trials of a search, in an Optuna study.

    Parameters
    ----------
    storage : str or path
        A file for SQLite, or the URL of a database that Optuna can use.
    fingerprint : str
        Of all that the trials depend on.
    resume : bool
        Whether to go on with a search that the storage holds already.

    Raises
    ------
    InvalidValue
        If the storage cannot be used, or holds a search that is another, or is not to be resumed.
    """

    def __init__(self, storage: str | Path, fingerprint: str, *, resume: bool) -> None:
        import optuna

        self.where = _url(storage)
        with _quiet():
            try:
                self._study = optuna.create_study(
                    storage=self.where, study_name=_NAME, direction="minimize", load_if_exists=True
                )
                kept = self._study.user_attrs.get(_FINGERPRINT)
            except Exception as error:  # whatever a database says
                raise InvalidValue(f"storage {str(storage)!r} cannot be used: {shown(str(error))}") from error
            if kept is None and self._study.get_trials(deepcopy=False):
                raise InvalidValue(f"storage {str(storage)!r} holds a study that is not taut's; choose another")
            if kept is not None and not resume:
                raise InvalidValue(f"storage {str(storage)!r} holds a search; resume it, or choose another storage")
            if kept is not None and kept != fingerprint:
                raise InvalidValue(
                    f"storage {str(storage)!r} holds a search of other data, or with other settings; choose another"
                )
            if kept is None:
                self._study.set_user_attr(_FINGERPRINT, fingerprint)

    def recorded(self, number: int, settings: Sequence[Setting], space: Space) -> list[Trial] | None:
        """Return the trials of a round that was recorded whole, or None; what was recorded of another is given up."""
        import optuna

        found: dict[int, Trial] = {}
        with _quiet():
            for frozen in self._study.get_trials(deepcopy=False):
                result = frozen.user_attrs.get(_RESULT)
                if result is not None and result["round"] == number and result["index"] < len(settings):
                    setting = settings[result["index"]]
                    found[result["index"]] = _trial(setting, space.recipe(setting), result)
                if frozen.state == optuna.trial.TrialState.WAITING:  # it was not begun, and must be, to be given up
                    self._study.tell(self._study.ask(), state=optuna.trial.TrialState.FAIL)
                elif not frozen.state.is_finished():  # whoever was at it is gone
                    self._study.tell(frozen.number, state=optuna.trial.TrialState.FAIL, skip_if_finished=True)
        return [found[place] for place in range(len(settings))] if len(found) == len(settings) else None

    @contextmanager
    def round(self, number: int, settings: Sequence[Setting], space: Space) -> Iterator[_Round]:
        """Ask for the trials of a round; those that are told nothing by the end of the block have failed."""
        import optuna

        asked = []
        with _quiet():
            for setting in settings:
                given = {name: space.dimensions[name].told(value) for name, value in setting.items()}
                self._study.enqueue_trial(given)
                asked.append(self._study.ask({name: space.dimensions[name].distribution() for name in setting}))
        made = _Round()
        try:
            yield made
        finally:
            with _quiet():
                for place, trial in enumerate(asked):
                    told = made.trials.get(place)
                    if told is None:
                        self._study.tell(trial, state=optuna.trial.TrialState.FAIL)
                    else:
                        self._tell(trial, told)

    def _tell(self, asked: optuna.Trial, told: Trial) -> None:
        import optuna

        asked.set_user_attr(_RESULT, told.result())
        for epoch, loss in told.course.items():
            if np.isfinite(loss):
                asked.report(loss, epoch)
        if not np.isfinite(told.mean):
            self._study.tell(asked, state=optuna.trial.TrialState.FAIL)
        elif told.is_complete:
            self._study.tell(asked, told.mean)
        else:
            self._study.tell(asked, state=optuna.trial.TrialState.PRUNED)


class _Round:
    """What the trials of a round found, to be told at its end."""

    def __init__(self) -> None:
        self.trials: dict[int, Trial] = {}


def _trial(setting: Setting, recipe: Recipe, result: dict[str, Any]) -> Trial:
    losses = np.array([_number(loss) for loss in result["losses"]])
    return Trial(
        round=result["round"],
        index=result["index"],
        setting=setting,
        recipe=recipe,
        epochs=result["epochs"],
        mean=float(np.mean(losses)),
        standard_error=_number(result["standard_error"]),
        losses=losses,
        training=_number(result["training"]),
        scores={name: (_or_nan(value), _or_nan(error)) for name, (value, error) in result["scores"].items()},
        course={int(epoch): _number(loss) for epoch, loss in result["course"].items()},
    )


def _url(storage: str | Path) -> str:
    if isinstance(storage, Path):
        return f"sqlite:///{storage}"
    if not isinstance(storage, str):
        raise InvalidType(f"storage must be a path or the URL of a database, got {shown(storage)}")
    return storage if "://" in storage else f"sqlite:///{storage}"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Optuna from telling on stderr what it does, and from warning of what is meant."""
    import warnings

    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)

"""Results: what a regularization path found, in the words of scikit-learn's GridSearchCV.

Floor 6 of the house.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from taut.selection.path_result import RegularizationPath

__all__ = ["cv_results"]


def cv_results(path: RegularizationPath) -> dict[str, Any]:
    """Return a path as `GridSearchCV.cv_results_` has it, a row a value.

    Parameters
    ----------
    path : RegularizationPath
        The path.

    Returns
    -------
    dict of str to list or ndarray, shape (values,)
        `params` and ``param_<field>`` for each field that varies; the score is minus the data loss.

    Examples
    --------
    >>> from taut import Recipe, load_sample, regularization_path
    >>> frame, target = load_sample("wine")
    >>> X, y = frame.drop(columns=target), frame[target]
    >>> results = cv_results(regularization_path(Recipe(epochs=3), X, y, values=[0.1, 0.01], cv=2))
    >>> list(results)[:4], results["params"]
    (['params', 'param_l2', 'split0_test_score', 'split1_test_score'], [{'l2': 0.1}, {'l2': 0.01}])
    """
    from scipy.stats import rankdata

    fields = (path.axis.field,) if path.axis.l1_ratio is None else ("l1", "l2")
    results: dict[str, Any] = {"params": [{name: getattr(one, name) for name in fields} for one in path.recipes]}
    results |= {f"param_{name}": np.array([one[name] for one in results["params"]]) for name in fields}
    with np.errstate(invalid="ignore"):  # where training diverged, infinite is the answer
        for name, values in {"score": -path.losses, **path.metrics}.items():
            results |= {f"split{fold}_test_{name}": values[:, fold] for fold in range(values.shape[1])}
            results |= {f"mean_test_{name}": values.mean(axis=1), f"std_test_{name}": values.std(axis=1)}
    results["rank_test_score"] = rankdata(-results["mean_test_score"], method="min").astype(np.int32)
    return results

"""Makes golden_format_1.taut and what it predicts; run once, when format 1 was new, and never again for format 1.

Later versions must open the file as it is: if `test_golden_file.py` fails, mend the reader. A new format gets a file
of its own beside it. Run as ``python tests/storage/make_golden_file.py``.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from taut import Dense, Dropout, Network, TautClassifier, save
from taut.network import GELU, L1, L2, GroupL1

FOLDER = Path(__file__).parent


def golden_frame() -> pd.DataFrame:
    """Return a small table with a column of each kind, made of round numbers."""
    rows = np.arange(60)
    return pd.DataFrame(
        {
            "number": (rows * 7 % 11) / 4.0,
            "gaps": [None if row % 6 == 0 else row * 5 % 13 for row in rows],
            "category": [["red", "green", "blue", None][row * 3 % 7 % 4] for row in rows],
            "yes": rows % 4 == 1,
            "date": [f"2024-{1 + row % 12:02d}-{1 + row % 28:02d}" for row in rows],
            "text": [f"{row * 1000:,}" for row in rows],
            "same": "x",
            "id": rows,
        }
    )


def main() -> None:
    """Write the files."""
    frame = golden_frame()
    target = np.array(["low", "middle", "high"])[(np.arange(60) * 7 % 11) // 4]
    classifier = TautClassifier(
        effort="none",
        hidden_layer_sizes=(5, 4),
        epochs=5,
        l1=1e-4,
        dropout=0.1,
        class_weight={"low": 2.0},
        max_norm=3.0,
    ).fit(frame, target)
    network = Network(
        [Dense(4, weight_penalty=L1(0.1) + L2(0.2) + GroupL1(0.3, by="unit")), GELU(), Dropout(0.25), Dense(2)]
    ).build(3, seed=5, dtype="float32")
    save(classifier, FOLDER / "golden_format_1.taut", summary={"scores": {"accuracy": 0.75, "unknown": float("nan")}})
    save(network, FOLDER / "golden_network_format_1.taut")
    expected = {
        "classes": classifier.classes_.tolist(),
        "probabilities": classifier.predict_proba(frame).tolist(),
        "outputs": network.predict(np.eye(3)).tolist(),
    }
    (FOLDER / "golden_format_1.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

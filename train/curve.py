"""Draw a run's curve: `python -m train.curve runs/small/curve.csv docs/training-curve.png`.

Owns:   the picture of `curve.csv`.
Needs:  matplotlib.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def draw(table: Path, picture: Path) -> None:
    """Exact texts of tuning writers by source, the loss and the rate, over the strips seen."""
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    seen = [int(row["strips"]) / 1e6 for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
    for name in rows[0]:
        if name == "exact" or name.startswith("exact_"):
            part = [100 * float(row[name] or "nan") for row in rows]  # a source came later
            label = "all" if name == "exact" else name.removeprefix("exact_").replace("_", " ")
            left.plot(seen, part, label=label, marker=".", lw=2.5 if name == "exact" else 1.2)
    left.set(xlabel="million strips seen", ylabel="texts exact, %", ylim=(0, 100))
    left.set_title("tuning writers, degraded strips, no grammar")
    left.legend(fontsize=8, ncols=2)
    right.plot(seen, [float(row["loss"]) for row in rows], label="loss", color="tab:red")
    right.plot(seen, [1000 * float(row["rate"]) for row in rows], label="learning rate x 1000")
    right.set(xlabel="million strips seen", ylim=(0, None))
    right.set_title("training")
    right.legend(fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(picture, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))

"""Is the installed wheel whole, small, and able to read with no network and no torch?

Run by `.ci/run` with the wheel's own environment, in a folder that holds the example and nothing
else of the repository: `python -I check_wheel.py WHEEL EXAMPLE`.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path

MB = 1e6
WHEEL_MB, MODEL_MB, INSTALL_MB = 7, 4, 60
# Not counted: what every engine of this kind needs, and what a virtual environment brings along.
BIG = {"numpy", "opencv-python-headless", "onnxruntime"}
# What ONNX Runtime itself requires comes with it and with nothing else of ours.
WITH_ONNXRUNTIME = {"flatbuffers", "packaging", "protobuf"}
VENV = {"pip", "setuptools"}
# Repository folders with generic names, which must never land in anyone's site-packages.
REPOSITORY_ONLY = ("torch", "torchvision", "onnx", "train", "export", "benchmarks", "tests")


def no_network(event: str, _: tuple[object, ...]) -> None:
    """Audit hook: nothing may open a socket or ask for an address."""
    if event.startswith("socket."):
        raise RuntimeError(f"{event}: reading must never touch the network")


def install_mb(
    distributions: Iterable[importlib.metadata.Distribution], *, compiled: bool = True
) -> dict[str, float]:
    """Megabytes on the disk of every distribution.

    Args:
        compiled: With what Python compiled of its files, too.
    """
    return {
        one.name.lower(): sum(
            path.stat().st_size
            for file in one.files or ()
            if (compiled or file.suffix != ".pyc")
            and (path := Path(str(one.locate_file(file)))).is_file()
        )
        / MB
        for one in distributions
    }


def check_sizes(wheel: Path, package: Path) -> list[str]:
    """Print the sizes; return the limits that do not hold."""
    models = list(package.glob("models/*/model.onnx"))
    installed = install_mb(importlib.metadata.distributions())
    whole = installed["edge-hwr"]
    # As `benchmarks.footprint` counts and the README has it: the wheel as it is.
    own = install_mb([importlib.metadata.distribution("edge-hwr")], compiled=False)
    installed |= own
    ours = {name: mb for name, mb in installed.items() if name not in BIG | VENV}
    strictly = sum(ours.values())
    ours = {name: mb for name, mb in ours.items() if name not in WITH_ONNXRUNTIME}
    print(f"with what ONNX Runtime requires: {strictly:.2f} MB")
    for name, mb in sorted(ours.items(), key=lambda item: -item[1]):
        print(f"  {mb:6.2f} MB  {name}")
    sizes = {
        "wheel": (wheel.stat().st_size / MB, WHEEL_MB),
        "model": (max((one.stat().st_size for one in models), default=0) / MB, MODEL_MB),
        "install beyond numpy, OpenCV, ONNX Runtime": (sum(ours.values()), INSTALL_MB),
    }
    for name, (mb, limit) in sizes.items():
        print(f"{name}: {mb:.2f} MB (limit {limit})")
    print(
        f"with edge-hwr's own compiled files: {sum(ours.values()) + whole - own['edge-hwr']:.2f} MB"
    )
    faults = [f"{name} over {limit} MB" for name, (mb, limit) in sizes.items() if mb > limit]
    return faults if models else [*faults, "no models/*/model.onnx in the wheel"]


def check_reading(example: str) -> list[str]:
    """Read the example with its template; return what is wrong with the readings."""
    from edge_runtime import Reader

    truth: dict[str, str] = json.loads(Path(f"{example}.truth.json").read_text())["fields"]
    with_template = Reader().read(f"{example}.png", template=f"{example}.yaml")
    texts = {one.name: one.text for one in with_template}
    exact = sum(texts.get(name) == text for name, text in truth.items())
    print(f"{example}: {exact} of {len(truth)} fields exact")
    faults = [
        f"field {name!r} is empty" for name, text in truth.items() if text and not texts.get(name)
    ]
    return faults if truth else [*faults, "the example's truth holds no field"]


def main() -> int:
    wheel, example = Path(sys.argv[1]), sys.argv[2]
    sys.addaudithook(no_network)
    faults = [
        f"{name} can be imported"
        for name in REPOSITORY_ONLY
        if importlib.util.find_spec(name) is not None
    ]
    spec = importlib.util.find_spec("edge_runtime")
    if spec is None or spec.origin is None or "site-packages" not in spec.origin:
        print("edge_runtime is not installed")
        return 1
    faults += check_sizes(wheel, Path(spec.origin).parent)
    faults += check_reading(example)
    for fault in faults:
        print(f"FAULT: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())

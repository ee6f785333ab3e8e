"""`python -m export CHECKPOINT`: fp32 and int8 ONNX, gates, calibration, model card.

`python -m export --recalibrate MODEL.onnx`: calibration alone, after a change of decoding or data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge_runtime.errors import EdgeHwrError, ExitCode
from export.checkpoint import save_weights
from export.pipeline import Options, export
from export.recalibrate import recalibrate
from train.config import data_folder, load_config

_ROOT = Path(__file__).resolve().parent.parent
_DEFAULT_OUT = _ROOT / "edge_runtime" / "models" / "small"
_SHIPPED = _ROOT / "train" / "configs" / "small.toml"
_PRIOR = _ROOT / "train" / "weights" / "priors.bin"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m export", description=__doc__)
    parser.add_argument("checkpoint", type=Path, help="runs/<name>/last.pt, or weights alone")
    parser.add_argument(
        "weights", type=Path, nargs="?", help="with --weights-only: the file to write"
    )
    parser.add_argument(
        "--weights-only",
        action="store_true",
        help="only write the averaged weights in half precision, and stop",
    )
    parser.add_argument(
        "--mix",
        type=float,
        default=1.0,
        help="with --weights-only: how far from the run's base to its end, 0..2",
    )
    parser.add_argument(
        "--mean-with",
        type=Path,
        help="with --weights-only: weights of another run from the same base",
    )
    parser.add_argument(
        "--base",
        type=Path,
        help="with --mix: weights to go from, where the run's own base had come from them",
    )
    parser.add_argument(
        "--recalibrate",
        action="store_true",
        help="the checkpoint is an exported model.onnx: fit its confidence anew, and nothing else; "
        "with --twin, which is added, that of the twin's fields",
    )
    parser.add_argument(
        "--groups", default="", help="with --recalibrate: those to fit, with commas; default all"
    )
    parser.add_argument("--out", type=Path, default=_DEFAULT_OUT, help="folder of the model")
    parser.add_argument(
        "--prior",
        type=Path,
        help="from `python -m train.prior`; default train/weights/priors.bin, with --recalibrate "
        "the model's own",
    )
    parser.add_argument("--fp32", type=Path, help="the same in fp32; default beside the checkpoint")
    parser.add_argument(
        "--twin",
        type=Path,
        action="append",
        default=[],
        help="checkpoint of a twin; may be given again",
    )
    parser.add_argument(
        "--data", type=Path, default=None, help="default: EDGE_HWR_DATA, else data/"
    )
    parser.add_argument(
        "--ranges-on",
        type=int,
        default=Options.ranges_on,
        help="strips for int8's ranges, and as many to choose the recipe on",
    )
    parser.add_argument("--gate-on", type=int, default=Options.gate_on, help="strips")
    parser.add_argument(
        "--calibrate-on", type=int, default=Options.calibrate_on, help="fields of each group"
    )
    told = parser.parse_args(arguments)
    if told.weights_only != (told.weights is not None):
        parser.error("--weights-only and the file to write go together")
    if not 0.0 <= told.mix <= 2.0:
        parser.error("--mix goes from 0 (the base) over 1 (where the run ended) to 2")
    try:
        if told.weights_only:
            size = save_weights(
                told.checkpoint,
                told.weights,
                mix=told.mix,
                other=told.mean_with,
                base=told.base,
            )
            print(f"{size:,} bytes", file=sys.stderr)
            print(told.weights)
            return ExitCode.OK
        if told.recalibrate:
            print(_recalibrate(told))
            return ExitCode.OK
        options = Options(
            data=told.data or data_folder(),
            ranges_on=told.ranges_on,
            gate_on=told.gate_on,
            calibrate_on=told.calibrate_on,
            prior=told.prior or (_PRIOR if _PRIOR.is_file() else None),
            fp32=told.fp32,
            twins=tuple(told.twin),
        )
        path = export(
            told.checkpoint,
            told.out,
            options,
            log=_say,
        )
    except EdgeHwrError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(path)
    return ExitCode.OK


def _recalibrate(told: argparse.Namespace) -> Path:
    data = told.data or data_folder()
    return recalibrate(
        told.checkpoint,
        told.out,
        data=data,
        config=load_config(_SHIPPED),
        calibrate_on=told.calibrate_on,
        seed=Options.seed,
        log=_say,
        twins=told.twin,
        options=Options(data, ranges_on=told.ranges_on, gate_on=told.gate_on),
        groups=[one for one in told.groups.split(",") if one],
        prior=told.prior,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

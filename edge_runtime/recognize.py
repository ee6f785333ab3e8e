"""From strips to log-probabilities: one ONNX Runtime session, and nothing around it that guesses.

Owns:   loading a sealed model, choosing providers, batching strips by bucket.
Needs:  numpy, onnxruntime (loaded when the first `Recognizer` is made), `preprocess`, `spec`.
Words:  *frame*: one output step of the network, `spec.stride_px` columns of a strip.
"""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Sequence
from functools import partial
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge_runtime.enclosed import enclosed
from edge_runtime.errors import ModelError, ProviderError
from edge_runtime.preprocess import Strip, bucket_px, n_frames, to_tensor
from edge_runtime.prior import NO_PRIORS, PRIORS, Priors
from edge_runtime.spec import SPEC_KEY, ModelSpec, check_seal
from edge_runtime.twin import apply_twin, twin_key

LogProbs = NDArray[np.float32]

DEFAULT_MODEL = "small"
MODEL_FILE = "model.onnx"
INPUT, OUTPUT = "strips", "log_probs"
BATCH_STRIPS = 32  # DESIGN section 5 and the issue's own timing use batches of 32
# Activations grow with strips times columns: wider strips go in fewer at a time, and peak memory
# does not depend on the form. Measured on the CPU with 32 strips in each of 8 buckets, a network
# of 2 M weights: 2048 columns take 11 MB over the loaded model, 8192 take 54 MB and are no faster.
CPU_COLUMNS, GPU_COLUMNS = 2048, 8192

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_PROVIDERS = {
    "cpu": _CPU,
    "cuda": _CUDA,
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "directml": "DmlExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
    "xnnpack": "XnnpackExecutionProvider",
    "acl": "ACLExecutionProvider",
    "qnn": "QNNExecutionProvider",
}
_INSTALL = {
    _CPU: 'pip install "edge-hwr[cpu]"',
    _CUDA: 'pip uninstall onnxruntime, then pip install "edge-hwr[gpu]"',
}
# HEURISTIC: the exhaustive search runs anew at every shape. No TF32: a GPU gives the CPU's answer.
_OPTIONS = {_CUDA: {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0"}}
# More than any machine has cores; ONNX Runtime makes as many as it is told: a million of them stop
# the machine for minutes.
MOST_THREADS = 1024
_CLOSED = "the reader is closed; make a new one"


class Recognizer:
    """One network, ready to run. Safe to share between threads.

    Args:
        model: An exported ONNX file; None is the bundled one.
        providers: "cpu", "cuda" or ONNX Runtime's own names, the preferred first.
        threads: Threads inside one run, at most `MOST_THREADS`.
        allow_fallback: Take what is there instead of a provider that is not.

    Raises:
        ModelError: The file is missing, changed, without a spec, or does not fit its spec.
        ProviderError: ONNX Runtime or a provider that was asked for is not there.
    """

    def __init__(
        self,
        model: Path | str | None = None,
        *,
        providers: Sequence[str] = ("cpu",),
        threads: int = 1,
        allow_fallback: bool = False,
    ) -> None:
        if not isinstance(threads, int) or not 1 <= threads <= MOST_THREADS:
            raise ProviderError(f"threads={threads!r}; give a whole number, 1 to {MOST_THREADS}")
        path = bundled_model() if model is None else Path(model)
        data = _model_bytes(path)
        try:
            self.digest = check_seal(data)
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        ort = _onnxruntime()
        chosen = choose_providers(
            providers, available=ort.get_available_providers(), allow_fallback=allow_fallback
        )
        session = _open_session(ort, data, path, chosen, threads)
        if not allow_fallback:
            _refuse_absent(chosen, session.get_providers())
        self.spec = _read_spec(session, path)
        try:
            beside = enclosed(data)
            self.priors = Priors.from_bytes(beside[PRIORS]) if PRIORS in beside else NO_PRIORS
        except ModelError as error:
            raise ModelError(f"{path}: {error}") from error
        self.providers: tuple[str, ...] = tuple(session.get_providers())
        on_cpu = self.providers[0] == _CPU
        self._columns = CPU_COLUMNS if on_cpu else GPU_COLUMNS
        # One shape a bucket on a GPU: its kernels are chosen by shape, and so are their last bits.
        # On the CPU every strip of a batch goes through the same arithmetic, which the tests hold.
        self._full_batches = not on_cpu
        self._sessions: dict[str, Any] | None = {"": session}
        # A twin is unpacked with its first strip: few programs ask for every kind of field. What it
        # holds is under the file's seal.
        self._twins = {
            name: _packed_twin(beside.get(twin_key(name)), path, name) for name in self.spec.twins
        }
        self._open = partial(_open_session, ort, path=path, chosen=chosen, threads=threads)
        self._model = data if self._twins else b""
        self._path = path
        self._opening = threading.Lock()
        # One run of a session at a time. Runs side by side would each take room of their own from
        # the session's arena, which never gives any back: memory would grow with every pair of
        # large batches that meet. Threads win next to nothing by it, for Python holds its lock.
        self._turns = {name: threading.Lock() for name in ("", *self.spec.twins)}
        self._check_fit(path)

    def run(self, strips: Sequence[Strip], twins: Sequence[str] | None = None) -> list[LogProbs]:
        """Read strips.

        Args:
            strips: Any number, any widths that `make_strip` gives.
            twins: For each strip, which of `spec.twins` reads it; "" or None: the network itself.

        Returns:
            For each strip, in order, float32 (t, n_labels): log-probabilities of its own frames,
            the padding's cut off. A strip's numbers do not depend on the strips beside it.
        """
        if self._sessions is None:  # with no strip to read, too: blanks must not pass
            raise ModelError(_CLOSED)
        if len(strips) == 1:  # a field at a time: nothing to sort
            (strip,) = strips
            bucket = bucket_px(strip.pixels.shape[1], self.spec)
            full = batch_strips(bucket, self._columns)
            (frames,) = self._run_batch([strip.pixels], bucket, full, twins[0] if twins else "")
            return [frames[: n_frames(strip.pixels.shape[1], self.spec)].copy()]
        by_bucket: dict[tuple[str, int], list[int]] = {}
        for at, strip in enumerate(strips):
            bucket = bucket_px(strip.pixels.shape[1], self.spec)
            by_bucket.setdefault((twins[at] if twins else "", bucket), []).append(at)
        out: list[LogProbs | None] = [None] * len(strips)
        for twin, bucket in sorted(by_bucket):
            rows, step = by_bucket[twin, bucket], batch_strips(bucket, self._columns)
            for start in range(0, len(rows), step):
                batch = rows[start : start + step]
                log_probs = self._run_batch([strips[at].pixels for at in batch], bucket, step, twin)
                for at, frames in zip(batch, log_probs, strict=True):
                    # A copy, so that one strip's frames do not keep the whole batch alive.
                    out[at] = frames[: n_frames(strips[at].pixels.shape[1], self.spec)].copy()
        return [one for one in out if one is not None]

    def close(self) -> None:
        """Give the sessions' memory back. A later `run` raises `ModelError`."""
        with self._opening:
            self._sessions, self._twins, self._model = None, {}, b""

    def _run_batch(
        self, pixels: list[NDArray[np.uint8]], bucket: int, full: int, twin: str = ""
    ) -> LogProbs:
        """float32 (n, bucket / stride_px, n_labels) of strips that share a bucket."""
        session = self._session(twin)  # held here: another thread may close in between
        tensor = to_tensor(pixels, bucket, self.spec)
        if self._full_batches and len(pixels) < full:
            tensor = np.pad(tensor, ((0, full - len(pixels)), (0, 0), (0, 0), (0, 0)))
        with self._turns[twin]:
            log_probs: LogProbs = session.run([OUTPUT], {INPUT: tensor})[0]
        return log_probs[: len(pixels)]

    def _session(self, twin: str) -> Any:
        with self._opening:
            if self._sessions is None:
                raise ModelError(_CLOSED)
            if twin not in self._sessions:
                data = _twin_bytes(self._model, self._twins[twin], self._path)
                self._sessions[twin] = self._open(data)
                del self._twins[twin]
                self._model = self._model if self._twins else b""
            return self._sessions[twin]

    def _check_fit(self, path: Path) -> None:
        """One blank strip through the network: shapes must be what the spec says."""
        spec = self.spec
        blank = np.zeros((spec.height_px, spec.widths_px[0]), np.uint8)
        try:
            shape = self._run_batch([blank], spec.widths_px[0], 1).shape
        except ModelError:
            raise
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(
                f"{path}: the network does not take its spec's strips ({_first_line(error)}); "
                "run `python -m export`"
            ) from error
        expected = (1, spec.widths_px[0] // spec.stride_px, len(spec.labels))
        if shape != expected:
            raise ModelError(
                f"{path}: the spec ({len(spec.labels)} labels) expects an output of {expected}, "
                f"the network gives {shape}; run `python -m export`"
            )


def bundled_model() -> Path:
    """The model inside the package."""
    root = resources.files("edge_runtime")
    return Path(str(root / "models" / DEFAULT_MODEL / MODEL_FILE))


def batch_strips(bucket: int, columns: int) -> int:
    """Strips of one bucket that go through the network together."""
    return max(1, min(BATCH_STRIPS, columns // bucket))


def choose_providers(
    asked: Sequence[str], *, available: Sequence[str], allow_fallback: bool
) -> tuple[str, ...]:
    """ONNX Runtime's names of the providers asked for.

    Args:
        asked: Short or full names, the preferred first.
        available: What the installed ONNX Runtime offers, full names.
        allow_fallback: Leave out what is not available; CPU where nothing is left.

    Raises:
        ProviderError: An unknown name, no name at all, or a provider that is not available.
    """
    names = [asked] if isinstance(asked, str) else list(asked)
    if not names:
        raise ProviderError('no provider; give for example providers=["cpu"]')
    chosen: list[str] = []
    for name in names:
        full = _PROVIDERS.get(str(name).lower(), str(name))
        if full not in _PROVIDERS.values() and full not in available:
            raise ProviderError(f"unknown provider {name!r}; use one of {', '.join(_PROVIDERS)}")
        if full not in chosen:
            chosen.append(full)
    if not allow_fallback:
        _refuse_absent(chosen, available)
        return tuple(chosen)
    return tuple(name for name in chosen if name in available) or (_CPU,)


def _refuse_absent(asked: Sequence[str], there: Sequence[str]) -> None:
    for name in asked:
        if name not in there:
            step = _INSTALL.get(name, f"install an ONNX Runtime with {name}")
            raise ProviderError(
                f"{name} was asked for; there is {', '.join(there)}. {step}, "
                "or allow a fallback (`read --allow-fallback`; in a program allow_fallback=True)"
            )


def _model_bytes(path: Path) -> bytes:
    """The file's bytes, or `ModelError`."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(
            f"{path}: no model can be read there ({error.strerror or error}); "
            "name an exported .onnx file, or none for the bundled one"
        ) from error
    if not data:
        raise ModelError(f"{path}: the file is empty; install or export the model again")
    return data


def _onnxruntime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(f"ONNX Runtime is not installed ({error}); {_INSTALL[_CPU]}") from error
    if not hasattr(onnxruntime, "InferenceSession"):  # what removing one of two builds leaves
        raise ProviderError(
            "the onnxruntime package is damaged; pip uninstall onnxruntime onnxruntime-gpu, "
            f"then {_INSTALL[_CPU]}"
        )
    return onnxruntime


def _open_session(ort: Any, data: bytes, path: Path, chosen: tuple[str, ...], threads: int) -> Any:
    """A quiet session of fixed thread counts on the chosen providers."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4  # fatal: what matters comes back as an exception
    # A thread that spins between two fields takes a core from the application around us.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    providers = [(name, _OPTIONS.get(name, {})) for name in chosen]
    if _CPU not in chosen:  # takes the operators that the others leave
        providers.append((_CPU, {}))
    # ONNX Runtime prints when a GPU library is missing; stdout belongs to the caller's data.
    with contextlib.redirect_stdout(io.StringIO()):
        if _CUDA in chosen and hasattr(ort, "preload_dlls"):
            ort.preload_dlls()
        try:
            return ort.InferenceSession(data, options, providers=providers, enable_fallback=0)
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise ModelError(
                f"{path}: ONNX Runtime {ort.__version__} cannot load it ({_first_line(error)}); "
                "export it again, or update onnxruntime"
            ) from error


def _packed_twin(told: bytes | None, path: Path, name: str) -> bytes:
    if told is None:
        raise ModelError(f"{path}: its twin {name!r} is missing; run `python -m export`")
    return told


def _twin_bytes(model: bytes, told: bytes, path: Path) -> bytes:
    try:
        return apply_twin(model, told)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def _read_spec(session: Any, path: Path) -> ModelSpec:
    """The spec in the model's metadata; the network's names must be ours."""
    raw = session.get_modelmeta().custom_metadata_map.get(SPEC_KEY)
    if raw is None:
        raise ModelError(f"{path}: an ONNX without our spec; export it with `python -m export`")
    try:
        spec = ModelSpec.from_json(raw)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    names = [one.name for one in session.get_inputs()], [one.name for one in session.get_outputs()]
    if names != ([INPUT], [OUTPUT]):
        raise ModelError(
            f"{path}: inputs and outputs {names}, not {INPUT!r} and {OUTPUT!r}; "
            "run `python -m export`"
        )
    return spec


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]

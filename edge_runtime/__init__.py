"""Reads handwritten form fields on the device: no network, no GPU needed.

    from edge_runtime import Field, Reader

    form = Reader().read("form.jpg", template="account.yaml")

Owns:   the public names. Each loads on first use (PEP 562): importing costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edge_runtime.errors import (
        EdgeHwrError,
        ExitCode,
        ImageError,
        ModelError,
        ProviderError,
        TemplateError,
    )
    from edge_runtime.field import Box, Field
    from edge_runtime.reader import Reader
    from edge_runtime.results import Alternative, FieldReading, FormReading, Glyph, Status
    from edge_runtime.template import Template

__version__ = "0.1.0"

_HOMES = {
    "Alternative": "results",
    "Box": "field",
    "EdgeHwrError": "errors",
    "ExitCode": "errors",
    "Field": "field",
    "FieldReading": "results",
    "FormReading": "results",
    "Glyph": "results",
    "ImageError": "errors",
    "ModelError": "errors",
    "ProviderError": "errors",
    "Reader": "reader",
    "Status": "results",
    "Template": "template",
    "TemplateError": "errors",
}

__all__ = [
    "Alternative",
    "Box",
    "EdgeHwrError",
    "ExitCode",
    "Field",
    "FieldReading",
    "FormReading",
    "Glyph",
    "ImageError",
    "ModelError",
    "ProviderError",
    "Reader",
    "Status",
    "Template",
    "TemplateError",
    "__version__",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})

"""What can go wrong, in our words: one class a cause, one exit code a class.

Owns:   the exceptions of the public interface and the exit codes of the command line.
Needs:  the standard library.
"""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of `edge-hwr`. A batch ends with the highest code that any of its files gave."""

    OK = 0
    INTERNAL = 1
    USAGE = 2
    IMAGE = 3
    TEMPLATE = 4
    MODEL = 5
    PROVIDER = 6


class EdgeHwrError(Exception):
    """Base of every error that outside input can cause. The message names the next step."""

    exit_code: ExitCode = ExitCode.USAGE


class ImageError(EdgeHwrError):
    """The picture cannot be used: missing, broken, too large, or of a wrong type or shape."""

    exit_code = ExitCode.IMAGE


class TemplateError(EdgeHwrError):
    """The template or a field of it is wrong, or the page is not the form it describes."""

    exit_code = ExitCode.TEMPLATE


class ModelError(EdgeHwrError):
    """The model file cannot be trusted: no spec, an unknown schema, a changed byte."""

    exit_code = ExitCode.MODEL


class ProviderError(EdgeHwrError):
    """An execution provider that was asked for is not there."""

    exit_code = ExitCode.PROVIDER

"""PDF forms written by hand, so that tests know every number in them."""

from __future__ import annotations

from collections.abc import Sequence


def pdf(objects: Sequence[str]) -> bytes:
    """A PDF of these objects; the first is its catalogue."""
    out, places = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    start = len(out)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}".encode()
    return out + f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()


def form_pdf(widgets: Sequence[str], *, page: str = "", more: Sequence[str] = ()) -> bytes:
    """One page of 300 by 400 points with these widgets.

    Args:
        widgets: Dictionaries of merged fields and widgets, without `/Type` and `/Subtype`.
        page: More keys of the page, such as `/Rotate 90`.
        more: Objects behind the widgets; the first has number 5 + len(widgets).
    """
    first = 5
    kids = " ".join(f"{first + k} 0 R" for k in range(len(widgets)))
    return pdf(
        [
            f"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [{kids}] /DR << /Font << /Helv"
            " 4 0 R >> >> /DA (/Helv 0 Tf 0 g) >> >>",
            "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 400] /Annots [{kids}] {page} >>",
            "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
            *(f"<< /Type /Annot /Subtype /Widget {body} >>" for body in widgets),
            *more,
        ]
    )

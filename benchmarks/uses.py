"""Uses with an answer of their own, in hands of val writers (never trained on), one thread.

    python -m benchmarks.uses [--n 3000] [--seed 0] [--only medicine,door] [--save DIR] [--out F]

medicine   a drug's name against a lexicon with the known look-alikes; names outside it, real ones
           and ones off by a letter, must go to review
door       door codes by `Reader.match`: the right code, one character changed, two swapped
password   the same for passwords of letters, digits and one other mark
iban card  numbers with their check digits; miswritten ones, whose check fails, must go to review

Texts are composed of single glyphs by writers of the part "val" (characters that a writer has not
are another's), drawn with the pens and papers of training, some of which no one could read. What
is drawn changes with them: compare models by runs of one version of `train`.
"Wrong" is always of what was accepted at the model's operating point. Labels of glyphs are not all
right: what is counted wrong here may be a wrong label; `--save` keeps those crops to look at.
"""

from __future__ import annotations

import argparse
import string
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from stdnum import iban, luhn

from benchmarks.accuracy import wilson
from benchmarks.record import write_record
from edge_runtime import Field, Reader, Status
from train.compose import compose, warp
from train.config import data_folder
from train.paper import Paper
from train.pen import Pen, draw_strokes
from train.strokes import GlyphBank, StrokeSet

Gray = NDArray[np.uint8]
Rng = np.random.Generator

# Names that were confused in practice, the confused ones together, after the lists of the Institute
# for Safe Medication Practices and the FDA.
LOOK_ALIKE = """
Accupril/Aciphex/Aricept/Aranesp Actos/Actonel Adderall/Inderal Advair/Advicor/Altocor Aldara/Alora
Alkeran/Leukeran/Myleran/Mylicon Allegra/Viagra Amaryl/Reminyl/Robinul Amicar/Omacor
amiloride/amlodipine Anacin/Unasyn Antivert/Axert Apidra/Spiriva Asacol/Asocal Atacand/Ativan
Avandia/Avalide/Avinza/Evista/Invanz Benadryl/benazepril Brethine/Methergine Bumex/Buprenex
bupropion/buspirone captopril/carvedilol carboplatin/cisplatin Cardene/Cardizem/Cardura/Coumadin
Casodex/Kapidex Cedax/Cidex Celebrex/Celexa/Cerebyx chlorpromazine/chlorpropamide
Clinoril/Clozaril clonazepam/lorazepam/alprazolam clonidine/Klonopin Colace/Cozaar/Coreg/Zocor
Covera/Provera/Proscar cycloserine/cyclosporine dactinomycin/daptomycin
daunorubicin/doxorubicin/idarubicin Denavir/indinavir Diabeta/Zebeta/Zetia Diabinese/Diamox
Diflucan/Diprivan Dilacor/Pilocar Dilaudid/Demerol dimenhydrinate/diphenhydramine
dobutamine/dopamine Doribax/Zovirax/Zostrix/Zyvox ephedrine/epinephrine Estratest/Estratab
ethambutol/Ethmozine Fanapt/Xanax/Zantac/Tenex Femara/Femhrt fentanyl/sufentanil
Fioricet/Fiorinal flavoxate/fluvoxamine Flonase/Flovent Flomax/Fosamax/Volmax
fluoxetine/paroxetine/duloxetine Foradil/Toradol Granulex/Regranex guaifenesin/guanfacine
Humalog/Humulin hydralazine/hydroxyzine hydrocodone/oxycodone hydromorphone/morphine
infliximab/rituximab Isordil/Plendil/Isuprel Januvia/Jantoven/Janumet Kaletra/Keppra
Ketalar/ketorolac Lamictal/Lamisil lamotrigine/lamivudine Lanoxin/naloxone Lasix/Luvox/Losec
leucovorin/Leukine levetiracetam/levofloxacin/levocarnitine Lexapro/Loxitane Lipitor/Loniten
Lodine/codeine Lopressor/Lyrica Lotronex/Protonix Lunesta/Neulasta/Neumega/Neupogen
Levoxyl/Lovenox/Levemir metformin/metronidazole methadone/Mephyton/methylphenidate
metoprolol/metoclopramide/misoprostol/mifepristone Micronase/Microzide Miralax/Mirapex
mitomycin/mitoxantrone Narcan/Norcuron Neurontin/Noroxin/Motrin Nexium/Nexavar
nicardipine/nifedipine/nimodipine Nizoral/Nasarel/Neoral Norvasc/Navane/Normodyne
Occlusal/Ocuflox olanzapine/quetiapine oxybutynin/OxyContin paclitaxel/docetaxel
Pamelor/Panlor/Tambocor Patanol/Platinol Paxil/Taxol/Plavix/Doxil penicillin/penicillamine
pentobarbital/phenobarbital Pitocin/Pitressin pralidoxime/pyridoxine Precare/Precose
prednisone/prednisolone/primidone Prilosec/Prozac/Pristiq/Prinivil Posicor/ProSom
quinine/quinidine Ranexa/Rapaflo Rapamune/Razadyne/Rozerem Restoril/Vistaril/Risperdal
Retrovir/ritonavir rifampin/rifaximin risperidone/ropinirole Ritalin/ritodrine
Roxanol/Roxicodone/Roxicet Salagen/selegiline Sandimmune/Sandostatin saquinavir/Sinequan
Sarafem/Serophene Serentil/Serevent Seroquel/Serzone sertraline/cetirizine
sitagliptin/sumatriptan sulfadiazine/sulfasalazine Tegretol/Tequin/Trental tiagabine/tizanidine
tolazamide/tolbutamide Topamax/Toprol tramadol/trazodone Tricor/Tracleer Ultane/Ultram
valacyclovir/valganciclovir Valtrex/Valcyte Vantin/Ventolin vinblastine/vincristine
Viracept/Viramune Vioxx/Vexol Xeloda/Xenical Zegerid/Zestril Zelapar/Zyprexa/Zyrtec
zolpidem/Zyloprim
"""
# Real names that are not in the lexicon: many look like one that is.
NOT_LISTED = """
Cialis Claritin Crestor Cymbalta Depakene Detrol Diovan Effexor Enbrel Estrace Famvir Feldene
Glucotrol Hyzaar Imdur Imuran Lantus Lescol Levitra Mevacor Mobic Nardil Norpace Pepcid Pravachol
Premarin Relafen Remeron Requip Sinemet Singulair Symbicort Tofranil Vasotec Versed Zarontin Zerit
Zofran Zoloft Zyban cimetidine clomiphene clomipramine doxepin famotidine fluconazole glipizide
glyburide ibuprofen lisinopril losartan lovastatin methimazole metolazone minoxidil nortriptyline
oxazepam pravastatin ranitidine simvastatin temazepam terbinafine terbutaline tizanidol verapamil
"""
LEXICON = tuple(sorted({name for group in LOOK_ALIKE.split() for name in group.split("/")}))
OUTSIDE = tuple(NOT_LISTED.split())

# What a hand makes of one character that another may be meant by.
_ALIKE = "0OoQD 1lI|7i 2Zz 5Ss$ 6bG 8B& 9gq 4A uvUVn ceC mnw rv hkb tf+ aou xXK yg pP .,- /1 MN EF"
_ALIKE_TO = {
    char: "".join({*"".join(part for part in _ALIKE.split() if char in part)} - {char})
    for char in set(_ALIKE) - {" "}
}
_UPPER_CODE = string.ascii_uppercase + string.digits
_GRAPHIC = "".join(chr(code) for code in range(33, 127))
_COUNTRIES = {"AT": "n16", "DE": "n18", "FR": "n23", "GB": "a4n14", "NL": "a4n10"}

_BATCH = 128
_HEIGHTS_PX = (20.0, 60.0)  # of a line's ink: 100 to 300 dpi
_WIDEST_PEN = 0.11  # of the line's height: a wider one fills small letters
_WARP = 0.3  # little: the hands are to be val writers', not what training makes of hands
_TIGHT = 0.35  # of the texts are written closely
_THRESHOLDS = (0.5, 0.8, 0.9, 0.95, 0.99, 0.999)  # of a match, beside the operating point


@dataclass(frozen=True, slots=True)
class Count:
    """What became of the trials of one sort. Intervals are of 95 % (Wilson)."""

    name: str
    n: int
    right: int | None  # read rightly, or matched with more than 0.5; None where nothing is right
    accepted: int
    wrong: int  # of the accepted
    accepted_interval: tuple[float, float]  # of their share of n
    wrong_interval: tuple[float, float]  # of their share of the accepted; of n where all are wrong
    examples: tuple[str, ...]  # of what is wrong
    curve: tuple[tuple[float, int], ...] = ()  # of matches: a threshold, how many reach it


class Hands:
    """Writes texts in hands that were never trained on."""

    def __init__(self, data: Path, *, seed: int, part: str = "val") -> None:
        names = ("digits", "upper", "lower", "symbols", "chars_in_words")
        sets = [StrokeSet.load(data / "unipen" / f"{name}.npz") for name in names]
        self._bank = GlyphBank(sets, part)
        self._paper = Paper(np.random.default_rng(seed))

    def write(self, text: str, rng: Rng) -> Gray:
        """A crop, uint8 (h, w), that says `text`.

        Raises:
            ValueError: Nobody of this part wrote one of its characters.
        """
        writers = self._bank.digit_writers if text.isdigit() else self._bank.writers
        writer = writers[int(rng.integers(len(writers)))]
        written, strokes = compose(text, self._bank, writer, rng, tight=bool(rng.random() < _TIGHT))
        if written != text:
            raise ValueError(f"nobody wrote some character of {text!r}")
        height = float(np.exp(rng.uniform(*np.log(_HEIGHTS_PX))))
        pen = Pen.draw(rng)
        sides = [max(1, round(float(rng.uniform(0.02, 0.4)) * height)) for _ in range(4)]
        coverage = draw_strokes(
            warp(strokes, rng, strength=_WARP),
            replace(pen, width=min(pen.width, _WIDEST_PEN)),
            rng,
            height_px=height,
            pad_px=(sides[0], sides[1], sides[2], sides[3]),
        )
        return self._paper.photograph(coverage, rng)


def changed(text: str, charset: str, rng: Rng) -> str:
    """One character is another of the charset: half the time one that looks like it."""
    at = int(rng.integers(len(text)))
    alike = "".join(char for char in sorted(_ALIKE_TO.get(text[at], "")) if char in charset)
    pool = alike if alike and rng.random() < 0.5 else charset.replace(text[at], "")
    return text[:at] + pool[int(rng.integers(len(pool)))] + text[at + 1 :]


def swapped(text: str, rng: Rng) -> str:
    """Two neighbours exchanged; unchanged where all characters are the same."""
    places = [at for at in range(len(text) - 1) if text[at] != text[at + 1]]
    if not places:
        return text
    at = places[int(rng.integers(len(places)))]
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def near_miss(rng: Rng) -> str:
    """A name that is in no list: one of the lexicon, off by a letter."""
    known = {name.lower() for name in LEXICON}
    while True:
        name = LEXICON[int(rng.integers(len(LEXICON)))]
        at = int(rng.integers(1, len(name)))
        letters = string.ascii_lowercase
        how = int(rng.integers(4))
        if how == 0:
            name = name[0] + changed(name[1:], letters, rng)
        elif how == 1:
            name = name[:at] + name[at + 1 :]
        elif how == 2:
            name = name[:at] + letters[int(rng.integers(26))] + name[at:]
        else:
            name = name[0] + swapped(name[1:], rng)
        if name.lower() not in known:
            return name


def card_number(rng: Rng) -> str:
    """Sixteen digits with their check digit."""
    body = "".join(map(str, rng.integers(10, size=15)))
    return body + str(luhn.calc_check_digit(body))


def iban_number(rng: Rng) -> str:
    """An IBAN of one of five countries."""
    while True:
        country = list(_COUNTRIES)[int(rng.integers(len(_COUNTRIES)))]
        shape = _COUNTRIES[country]
        letters = 4 if shape.startswith("a4") else 0
        digits = int(shape[shape.index("n") + 1 :])
        body = "".join(string.ascii_uppercase[i] for i in rng.integers(26, size=letters))
        body += "".join(map(str, rng.integers(10, size=digits)))
        number = country + iban.calc_check_digits(f"{country}00{body}") + body
        if iban.is_valid(number):
            return str(number)


def grouped(number: str, rng: Rng) -> str:
    """Half the time in groups of four, as printed on cards."""
    if rng.random() < 0.5:
        return number
    return " ".join(number[i : i + 4] for i in range(0, len(number), 4))


Trial = tuple[str, str | None]  # what is written; what is right, None where nothing is


def _medicine(rng: Rng) -> Trial:
    name = LEXICON[int(rng.integers(len(LEXICON)))]
    return name, name


def _unlisted(rng: Rng) -> Trial:
    return OUTSIDE[int(rng.integers(len(OUTSIDE)))], None


def _near_miss(rng: Rng) -> Trial:
    return near_miss(rng), None


def _number(make: Callable[[Rng], str]) -> Callable[[Rng], Trial]:
    def trial(rng: Rng) -> Trial:
        number = make(rng)
        return grouped(number, rng), number

    return trial


def _miswritten(make: Callable[[Rng], str], valid: Callable[[str], bool]) -> Callable[[Rng], Trial]:
    def trial(rng: Rng) -> Trial:
        while True:
            number = make(rng)
            head, body = (number[:2], number[2:]) if number[0].isalpha() else ("", number)
            bad = changed(body, string.digits, rng) if rng.random() < 0.5 else swapped(body, rng)
            if not valid(head + bad):
                return grouped(head + bad, rng), None

    return trial


_DRUG = Field("drug", "text", choices=LEXICON)
READ: Mapping[str, tuple[str, Field, Callable[[Rng], Trial]]] = {
    "medicine": ("medicine", _DRUG, _medicine),
    "medicine, not listed": ("medicine", _DRUG, _unlisted),
    "medicine, off by a letter": ("medicine", _DRUG, _near_miss),
    "iban": ("iban", Field("iban", "iban"), _number(iban_number)),
    "iban, miswritten": ("iban", Field("iban", "iban"), _miswritten(iban_number, iban.is_valid)),
    "card": ("card", Field("card", "card"), _number(card_number)),
    "card, miswritten": ("card", Field("card", "card"), _miswritten(card_number, luhn.is_valid)),
}


def _door_code(rng: Rng) -> tuple[str, str]:
    charset = string.digits if rng.random() < 0.5 else _UPPER_CODE
    return _some(charset, int(rng.integers(4, 9)), rng), charset


def _password(rng: Rng) -> tuple[str, str]:
    """Letters and digits with one other mark, as most rules for passwords ask for."""
    text = _some(string.ascii_letters + string.digits, int(rng.integers(5, 12)), rng)
    at = int(rng.integers(1, len(text) + 1))
    return text[:at] + _some(string.punctuation, 1, rng) + text[at:], _GRAPHIC


def _some(charset: str, n: int, rng: Rng) -> str:
    return "".join(charset[i] for i in rng.integers(len(charset), size=n))


MATCHED: Mapping[str, Callable[[Rng], tuple[str, str]]] = {
    "door": _door_code,
    "password": _password,
}
USES = ("medicine", "door", "password", "iban", "card")


def read_trials(
    reader: Reader,
    hands: Hands,
    name: str,
    rng: Rng,
    *,
    n: int,
    most: int | None = None,
    save: Path | None = None,
) -> Count:
    """Read `n` texts of a sort, then more until `n` are accepted or `most` are read."""
    _, field, trial = READ[name]
    drawn = right = accepted = 0
    examples: list[str] = []
    wrong = 0
    while drawn < n or (most is not None and accepted < n and drawn < most):
        trials = [trial(rng) for _ in range(min(_BATCH, n - drawn) if drawn < n else _BATCH)]
        crops = [hands.write(written, rng) for written, _ in trials]
        for (written, truth), crop, one in zip(
            trials, crops, reader.read_fields((crop, field) for crop in crops), strict=True
        ):
            drawn += 1
            # The groups of a number are no part of it.
            said = one.text if field.choices else one.text.replace(" ", "").replace("-", "")
            right += said == truth
            if one.status is not Status.ACCEPTED:
                continue
            accepted += 1
            if said != truth:
                wrong += 1
                examples.append(f"{written} read as {one.text}, {one.confidence:.4f}")
                _keep(save, name, wrong, written, crop)
    nothing = (field.choices is not None and name != "medicine") or "miswritten" in name
    return _count(name, drawn, None if nothing else right, accepted, wrong, examples)


def match_trials(
    reader: Reader, hands: Hands, name: str, rng: Rng, *, n: int, save: Path | None = None
) -> list[Count]:
    """Right codes, codes with one character changed and with two swapped, `n` crops."""
    asked: dict[str, list[tuple[str, str, float, bool]]] = {
        f"{name}, right": [],
        f"{name}, one changed": [],
        f"{name}, two swapped": [],
    }
    for _ in range(n):
        code, charset = MATCHED[name](rng)
        field = Field(name, "code", charset=charset, secret=True)
        accept = reader.match_point(field)
        crop = hands.write(code, rng)
        for sort, told in zip(
            asked, (code, changed(code, charset, rng), swapped(code, rng)), strict=True
        ):
            if told == code and not sort.endswith("right"):
                continue
            sure = reader.match(crop, field, told)
            asked[sort].append((code, told, sure, sure >= accept))
            if told != code and sure >= accept:
                _keep(save, sort, len(asked[sort]), code, crop)
    rows = []
    for sort, trials in asked.items():
        taken = [trial for trial in trials if trial[3]]
        bad = [
            f"{code} matched {told}, {sure:.4f}" for code, told, sure, _ in taken if told != code
        ]
        sures = np.array([sure for _, _, sure, _ in trials])
        likelier = int((sures > 0.5).sum()) if sort.endswith("right") else None
        curve = tuple((at, int((sures >= at).sum())) for at in _THRESHOLDS)
        row = _count(sort, len(trials), likelier, len(taken), len(bad), bad)
        rows.append(replace(row, curve=curve))
    return rows


def _keep(folder: Path | None, sort: str, number: int, text: str, crop: Gray) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        plain = "".join(char if char.isalnum() else "_" for char in f"{sort} {number} {text}")
        cv2.imwrite(str(folder / f"{plain}.png"), crop)


def _count(
    name: str, n: int, right: int | None, accepted: int, wrong: int, examples: list[str]
) -> Count:
    of = n if right is None else accepted
    return Count(
        name=name,
        n=n,
        right=right,
        accepted=accepted,
        wrong=wrong,
        accepted_interval=_interval(accepted, n),
        wrong_interval=_interval(wrong, of),
        examples=tuple(examples[:20]),
    )


def _interval(part: int, n: int) -> tuple[float, float]:
    """Wilson's, 0 to 1 where there is nothing."""
    low, high = wilson(part, n) if n else (0.0, 1.0)
    return max(0.0, low), min(1.0, high)  # rounding puts the ends of 0 and n just outside


def line(row: Count) -> str:
    """One row of the table."""
    of = row.n if row.right is None else row.accepted
    low, high = (100 * edge for edge in row.accepted_interval)
    bad_low, bad_high = (100 * edge for edge in row.wrong_interval)
    return (
        f"{row.name:27}{row.n:7}{'-' if row.right is None else f'{100 * row.right / row.n:.1f}':>8}"
        f"{row.accepted:10}{f'{100 * row.accepted / row.n:.2f} ({low:.2f}-{high:.2f})':>22}"
        f"{row.wrong:7} of {of:<7}"
        f"{f'{100 * row.wrong / max(1, of):.3f} ({bad_low:.3f}-{bad_high:.3f})':>22}"
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.uses",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", type=Path)
    parser.add_argument("--n", type=int, default=3000, help="of each sort; numbers a third of it")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="with commas: " + ", ".join(USES))
    parser.add_argument("--save", type=Path, help="folder for the crops of what is wrong")
    parser.add_argument("--out", type=Path, help="JSON of the rows")
    told = parser.parse_args(arguments)
    reader, hands = Reader(told.model, threads=1), Hands(data_folder(), seed=told.seed)
    wanted = told.only.split(",") if told.only else list(USES)
    rows: list[Count] = []
    print(
        f"{reader.model_id}, seed {told.seed}; shares in %, in brackets the 95 % interval\n"
        f"{'':27}{'n':>7}{'right':>8}{'accepted':>10}{'':22}{'wrong':>7}"
    )
    for place, (name, (use, _, _)) in enumerate(READ.items()):
        if use in wanted:
            rng = np.random.default_rng([told.seed, place])
            n = told.n if use == "medicine" else max(1, told.n // 3)
            most = 4 * n if name == "medicine" else None
            rows.append(read_trials(reader, hands, name, rng, n=n, most=most, save=told.save))
            print(line(rows[-1]), flush=True)
    for place, name in enumerate(MATCHED):
        if name in wanted:
            rng = np.random.default_rng([told.seed, 100 + place])
            for row in match_trials(reader, hands, name, rng, n=told.n, save=told.save):
                rows.append(row)
                print(line(row), flush=True)
    for row in rows:
        if row.curve:
            told_curve = ", ".join(f"{at:g}: {100 * reach / row.n:.2f}" for at, reach in row.curve)
            print(f"    {row.name}: % that reach {told_curve}")
        for example in row.examples:
            print(f"    {row.name}: {example}")
    if told.out:
        write_record(told.out, reader, rows, seed=told.seed, lexicon=len(LEXICON))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How all charts look: a colour a meter, quiet axes, titles that keep out of the plot."""

from collections.abc import Sequence

from openpyxl.chart.axis import ChartLines, NumericAxis, TextAxis
from openpyxl.chart.shapes import GraphicalProperties
from openpyxl.chart.text import RichText, Text
from openpyxl.chart.title import Title
from openpyxl.drawing.line import LineProperties
from openpyxl.drawing.text import (
    CharacterProperties,
    Paragraph,
    ParagraphProperties,
    RegularTextRun,
    RichTextProperties,
)

COLOURS = {"electricity": "0A7D55", "gas": "E09F1F"}
FURTHER_COLOURS = ("3B6FB6", "8A5A9E", "B5523B", "4F8F8B")
GREY, FAINT = "BFBFBF", "E3E3E3"


def colours(types: Sequence[str]) -> list[str]:
    """A colour a meter: its type's own for the first of a type, others for the rest."""
    spare = list(FURTHER_COLOURS)
    made: list[str] = []
    for its_type in types:
        own = COLOURS.get(its_type)
        made.append(own if own and own not in made else spare[len(made) % len(spare)])
    return made


def category_axis(number_format: str, every: int) -> TextAxis:
    """The axis below, with a label for each `every` rows of the table."""
    axis = TextAxis(axId=10, crossAx=100, delete=False, majorTickMark="out", tickLblPos="low", noMultiLvlLbl=True)
    axis.tickLblSkip = axis.tickMarkSkip = max(1, every)
    axis.number_format = number_format
    axis.txPr, axis.spPr = _small(), GraphicalProperties(ln=LineProperties(solidFill=GREY))
    return axis


def value_axis(unit: str) -> NumericAxis:
    """The axis at the left, with its unit and faint lines."""
    axis = NumericAxis(axId=100, crossAx=10, delete=False, majorTickMark="none", crosses="autoZero")
    axis.title, axis.number_format = title_of(unit, 1000, bold=False), "General"
    axis.majorGridlines = ChartLines(spPr=GraphicalProperties(ln=LineProperties(solidFill=FAINT)))
    axis.txPr, axis.spPr = _small(), GraphicalProperties(ln=LineProperties(noFill=True))
    return axis


def title_of(text: str, size: int, *, bold: bool) -> Title:
    """A title that keeps out of the plot; `size` is in hundredths of a point."""
    look = CharacterProperties(sz=size, b=bold)
    paragraph = Paragraph(pPr=ParagraphProperties(defRPr=look), r=[RegularTextRun(rPr=look, t=text)])
    return Title(tx=Text(rich=RichText(bodyPr=RichTextProperties(), p=[paragraph])), overlay=False)


def _small() -> RichText:
    """The look of an axis's labels."""
    look = ParagraphProperties(defRPr=CharacterProperties(sz=900))
    return RichText(bodyPr=RichTextProperties(), p=[Paragraph(pPr=look, endParaRPr=CharacterProperties())])

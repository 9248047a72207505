"""What Google Sheets makes of the templates' formulas: the address that is fetched, and which function is around it."""

import csv
import re
from dataclasses import dataclass
from io import StringIO

from service import Running
from templates.templates import GOOGLE, here

TOTAL = ", IF(COUNT(got), SUM(got), INDEX(got, 2, 1)))"
"""What LET makes of a table: the sum of its numbers, or what stands below the header: an error's words, or a blank."""
CALL = re.compile(rf"=(?:(LET)\(got, |(INDEX)\()?IMPORTDATA\(([^()]+)\)({re.escape(TOTAL)}|, 2, 1\))?")
PART = re.compile(r'"([^"]*)"|\$([A-Z])\$(\d+)')


@dataclass(frozen=True)
class Formula:
    """IMPORTDATA of an address, alone or within LET or INDEX(…, 2, 1)."""

    around: str
    address: str

    @classmethod
    def read(cls, text: str, cells: dict[str, str]) -> "Formula":
        """A formula as it stands in a cell; an address joined with & from texts and other cells is put together."""
        call = CALL.fullmatch(text)
        assert call, f"not a formula that is understood here: {text}"
        parts = call[3].split("&$")
        joined = "&$".join(parts)
        assert PART.sub("", joined).replace("&", "") == "", text
        address = "".join(
            quoted if not column else cells[f"{column}{row}"] for quoted, column, row in PART.findall(joined)
        )
        around = call[1] or call[2] or ""
        assert call[4] == {"LET": TOTAL, "INDEX": ", 2, 1)", "": None}[around], text
        return cls(around, address)

    def fetched(self, service: Running, key: str) -> list[list[str]]:
        """The rows that Google Sheets gets; anything but status 200 would show as an error."""
        answer = service.get(
            here(self.address, service, key).removeprefix(service.address), headers={"User-Agent": GOOGLE}
        )
        assert answer.status_code == 200, f"{self.address}: {answer.text}"
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.reader(StringIO(answer.text)))

    def shown(self, service: Running, key: str) -> float | str:
        """What stands in the one cell of LET or INDEX; an address that gives no rows is an error of INDEX there."""
        rows = self.fetched(service, key)
        numbers = [float(cell) for row in rows for cell in row if re.fullmatch(r"-?\d+(\.\d+)?", cell)]
        return sum(numbers) if numbers and self.around == "LET" else rows[1][0]

"""What Google Sheets makes of the templates' formulas: the address that is fetched, and which function is around it."""

import csv
import re
from dataclasses import dataclass
from io import StringIO

from service import Running
from templates.templates import GOOGLE, here

CALL = re.compile(r"=(?:(SUM|INDEX)\()?IMPORTDATA\(([^()]+)\)(?:, (\d+), (\d+))?\)?")
PART = re.compile(r'"([^"]*)"|\$([A-Z])\$(\d+)')


@dataclass(frozen=True)
class Formula:
    """IMPORTDATA of an address, alone or within SUM or INDEX(…, row, column)."""

    around: str
    address: str
    cell: tuple[int, int]

    @classmethod
    def read(cls, text: str, cells: dict[str, str]) -> "Formula":
        """A formula as it stands in a cell; an address joined with & from texts and other cells is put together."""
        call = CALL.fullmatch(text)
        assert call, f"not a formula that is understood here: {text}"
        parts = call[2].split("&$")
        joined = "&$".join(parts)
        assert PART.sub("", joined).replace("&", "") == "", text
        address = "".join(
            quoted if not column else cells[f"{column}{row}"] for quoted, column, row in PART.findall(joined)
        )
        return cls(call[1] or "", address, (int(call[3] or 0), int(call[4] or 0)))

    def fetched(self, service: Running, key: str) -> list[list[str]]:
        """The rows that Google Sheets gets; anything but status 200 would show as an error."""
        answer = service.get(
            here(self.address, service, key).removeprefix(service.address), headers={"User-Agent": GOOGLE}
        )
        assert answer.status_code == 200, f"{self.address}: {answer.text}"
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        return list(csv.reader(StringIO(answer.text)))

    def number(self, service: Running, key: str) -> float:
        """What SUM (of every number) or INDEX gives."""
        rows = self.fetched(service, key)
        if self.around == "INDEX":
            return float(rows[self.cell[0] - 1][self.cell[1] - 1])
        numbers = [cell for row in rows for cell in row if re.fullmatch(r"-?\d+(\.\d+)?", cell)]
        assert numbers, self.address
        return sum(map(float, numbers))

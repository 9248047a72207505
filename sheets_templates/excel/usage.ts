// Usage as a table of the sheet "usage": an Office Script for Excel on the web, on a Mac and on Windows.
// Change what stands in quotes here. It wants an https address, and a key: Office Scripts have no place for secrets, so
// whoever can open this script can read it. Make a key for this sheet alone, for the meters that it shows.
const ADDRESS = "https://sheets.example.org";
const KEY = "YOUR-KEY";
const ASKED = "period=last-month&aggregate=day";

interface UsageRow {
  [column: string]: string | number | boolean | null;
}

interface Problem {
  detail?: string;
  remedy?: string;
}

async function main(workbook: ExcelScript.Workbook): Promise<void> {
  // In a header the key is in no address that is logged or kept; the service allows it to pages of other sites.
  const answer: Response = await fetch(`${ADDRESS}/usage.json?${ASKED}`, { headers: { Authorization: `Bearer ${KEY}` } });
  if (!answer.ok) {
    const problem: Problem = await answer.json();
    throw new Error(`${problem.detail} ${problem.remedy}`);
  }
  const rows: UsageRow[] = await answer.json();
  if (rows.length === 0) {
    throw new Error("There are no rows in this period: the sheet stays as it is.");
  }
  const columns: string[] = Object.keys(rows[0]);
  const cells: (string | number | boolean)[][] = rows.map((row) => columns.map((column) => cellOf(row[column])));
  const sheet = workbook.getWorksheet("usage") ?? workbook.addWorksheet("usage");
  const old = workbook.getTable("usage");
  if (old) {
    old.delete();
  }
  const area = sheet.getRangeByIndexes(0, 0, cells.length + 1, columns.length);
  area.setValues([columns, ...cells]);
  sheet.addTable(area, true).setName("usage");
  columns.forEach((column, place) => {
    const format = formatOf(rows.map((row) => row[column]));
    sheet.getRangeByIndexes(1, place, cells.length, 1).setNumberFormat(format);
  });
}

// A day or a moment as Excel's own number, on the clock of the wall; a blank for what is missing; all else as it is.
function cellOf(value: string | number | boolean | null): string | number | boolean {
  if (value === null) {
    return "";
  }
  if (typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value)) {
    const clock = value.length > 10 ? value.slice(0, 19) + "Z" : value + "T00:00:00Z";
    return Date.parse(clock) / 86400000 + 25569;
  }
  return value;
}

function formatOf(values: (string | number | boolean | null)[]): string {
  const text = values.find((value) => typeof value === "string" && /^\d{4}-\d\d-\d\d/.test(value));
  if (typeof text !== "string") {
    return "General";
  }
  return text.length > 10 ? "yyyy-mm-dd hh:mm" : "yyyy-mm-dd";
}
